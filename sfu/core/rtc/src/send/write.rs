//! Making the packet a subscriber gets from the one the publisher sent.
//!
//! Header extensions that are passed on: audio level, video orientation, playout delay, dependency descriptor (with
//! our frame numbers) and absolute capture time, each under the subscriber's id. The mid is the subscription's and is
//! written until the receiver has reported on the stream, as it then knows where it belongs. Rids are never sent, as
//! a subscriber gets one stream. Transport-wide numbers and absolute send times are hop by hop: the publisher's are
//! left out, and ours come with the bandwidth estimator that reads the answers.

use arrayvec::ArrayVec;

use crate::command::{Extension, ExtensionIds, Mid};
use crate::id::TransportId;
use crate::outbox::TrafficClass;
use crate::receive::history::{MAX_FILLER, MAX_SOUND_FILLER};
use crate::receive::{Content, Stored};
use crate::rtp::{ExtensionWriter, FixedHeader, MAX_HEADER, dependency};
use crate::send::sent::Sent;
use crate::units::{Pt, SeqNo, Ssrc, Time};

/// Longest part in front of a payload that is rewritten: the number of the original, and a payload descriptor up to
/// its last number.
const MAX_PREFIX: usize = 2 + 8;
/// Most bytes of extensions that are kept of a packet.
pub const MAX_EXTENSIONS: usize = 400;

/// Where packets go: an outbox with SRTP in front of it.
pub trait PacketSink {
    /// Datagrams that can still be taken.
    fn room(&self) -> usize;

    /// What follows is done with the input of `transport`: if it panics, that one has to go.
    fn blame(&mut self, _transport: TransportId) {}

    /// Sends an RTP packet; false when it was not sent, and then the receiver asks again.
    fn send_rtp(&mut self, to: TransportId, packet: &Outgoing<'_>) -> bool;

    /// Sends RTCP; false when it was not sent.
    fn send_rtcp(&mut self, to: TransportId, compound: &[u8]) -> bool;
}

/// Memory in which packets are put together, kept from one to the next.
pub struct Scratch {
    header: [u8; MAX_HEADER],
    prefix: [u8; MAX_PREFIX],
    descriptor: [u8; 255],
}

impl Default for Scratch {
    fn default() -> Scratch {
        Scratch { header: [0; MAX_HEADER], prefix: [0; MAX_PREFIX], descriptor: [0; 255] }
    }
}

/// How packets of a stream look to its subscriber.
#[derive(Debug, Clone, Copy)]
pub struct Appearance<'a> {
    /// What kind of traffic they are.
    pub class: TrafficClass,
    /// They are sent for the first time: how long they took counts.
    pub fresh: bool,
    /// The stream they belong to.
    pub ssrc: Ssrc,
    /// Their payload type.
    pub pt: Pt,
    /// The number in the header.
    pub seq: SeqNo,
    /// For a retransmission, the number of the original (RFC 4588).
    pub original: Option<SeqNo>,
    /// Written if given.
    pub mid: Option<&'a Mid>,
    /// The subscriber's ids.
    pub extensions: &'a ExtensionIds,
    /// Bytes of padding behind the payload, at most [`MAX_FILLER`] for pictures and [`MAX_SOUND_FILLER`] for sound.
    pub filler: u8,
    /// Only the primary block of redundant audio is sent.
    pub strip_red: bool,
}

/// A packet ready to be sent.
pub struct Outgoing<'a> {
    /// Its number, whose low 48 bits are the SRTP index.
    pub index: SeqNo,
    /// What kind of traffic it is.
    pub class: TrafficClass,
    /// When it came from the publisher, unless it is sent again.
    pub arrival: Option<Time>,
    /// The whole RTP header.
    pub header: &'a [u8],
    /// The start of the payload, rewritten.
    pub prefix: &'a [u8],
    /// The rest of the payload, as it came.
    pub payload: &'a [u8],
    /// Padding.
    pub filler: &'static [u8],
}

/// The most bytes of padding behind a payload.
const LONGEST: usize = if MAX_FILLER > MAX_SOUND_FILLER { MAX_FILLER } else { MAX_SOUND_FILLER } as usize;

/// Padding of each length (RFC 3550, section 5.1: the last byte tells how many there are).
static FILLERS: [&[u8]; LONGEST + 1] = {
    const ROWS: [[u8; LONGEST]; LONGEST + 1] = {
        let mut rows = [[0; LONGEST]; LONGEST + 1];
        let mut len = 0;
        while len <= LONGEST {
            rows[len][LONGEST - 1] = len as u8;
            len += 1;
        }
        rows
    };
    let mut fillers: [&[u8]; LONGEST + 1] = [&[]; LONGEST + 1];
    let mut len = 0;
    while len <= LONGEST {
        fillers[len] = ROWS[len].split_at(LONGEST - len).1;
        len += 1;
    }
    fillers
};

impl Scratch {
    /// Makes the packet that `sent` describes from what is kept of the original.
    pub fn media<'a>(
        &'a mut self,
        stored: &Stored,
        content: Content<'a>,
        sent: &Sent,
        look: &Appearance,
    ) -> Outgoing<'a> {
        let fixed = FixedHeader {
            marker: stored.marker,
            pt: look.pt,
            seq: look.seq.wire(),
            timestamp: sent.timestamp,
            ssrc: look.ssrc,
            padding: look.filler > 0,
        };
        let at = fixed.write(content.csrcs, &mut self.header);
        let mut writer = ExtensionWriter::new(&mut self.header, at);
        if let Some((mid, id)) = look.mid.zip(look.extensions.id(Extension::Mid)) {
            writer.push(id, mid.as_bytes());
        }
        for (extension, data) in Kept(content.extensions) {
            let Some(id) = look.extensions.id(extension) else { continue };
            if let (Extension::DependencyDescriptor, Some(number)) = (extension, stored.picture.frame_number)
            {
                let copy = &mut self.descriptor[..data.len()];
                copy.copy_from_slice(data);
                let number = number.wrapping_sub(sent.frame_offset).to_be_bytes();
                if let Some(field) =
                    copy.get_mut(dependency::FRAME_NUMBER_AT..dependency::FRAME_NUMBER_AT + 2)
                {
                    field.copy_from_slice(&number);
                }
                writer.push(id, copy);
            } else {
                writer.push(id, data);
            }
        }
        let header = writer.finish();
        let payload =
            if look.strip_red { &content.payload[stored.picture.primary.into()..] } else { content.payload };
        let (prefix, rest) = write_prefix(&mut self.prefix, stored, payload, sent, look.original);
        Outgoing {
            index: look.seq,
            class: look.class,
            arrival: look.fresh.then_some(stored.arrival),
            header: &self.header[..header],
            prefix: &self.prefix[..prefix],
            payload: rest,
            filler: FILLERS[usize::from(look.filler).min(LONGEST)],
        }
    }

    /// Makes a packet of padding alone, which uses up a number.
    pub fn padding(&mut self, stored: &Stored, timestamp_offset: u32, look: &Appearance) -> Outgoing<'_> {
        let fixed = FixedHeader {
            marker: false,
            pt: look.pt,
            seq: look.seq.wire(),
            timestamp: crate::units::RtpTime(stored.timestamp.0.wrapping_sub(timestamp_offset)),
            ssrc: look.ssrc,
            padding: true,
        };
        let header = fixed.write(&[], &mut self.header);
        Outgoing {
            index: look.seq,
            class: look.class,
            arrival: None,
            header: &self.header[..header],
            prefix: &[],
            payload: FILLERS[1],
            filler: &[],
        }
    }
}

/// Writes what changes at the start of the payload; returns its length and the payload behind it.
fn write_prefix<'a>(
    prefix: &mut [u8; MAX_PREFIX],
    stored: &Stored,
    payload: &'a [u8],
    sent: &Sent,
    original: Option<SeqNo>,
) -> (usize, &'a [u8]) {
    let mut at = 0;
    if let Some(original) = original {
        prefix[..2].copy_from_slice(&original.wire().to_be_bytes());
        at = 2;
    }
    let picture = &stored.picture;
    let id_end = picture.id.filter(|_| sent.id_offset != 0).map_or(0, |id| id.end());
    let tl0_end = picture.tl0.filter(|_| sent.tl0_offset != 0).map_or(0, |tl0| usize::from(tl0.at) + 1);
    let (start, rest) = payload.split_at(id_end.max(tl0_end));
    let copy = &mut prefix[at..at + start.len()];
    copy.copy_from_slice(start);
    if id_end != 0
        && let Some(id) = picture.id
    {
        id.write(id.value.wrapping_sub(sent.id_offset), copy);
    }
    if tl0_end != 0
        && let Some(tl0) = picture.tl0
    {
        copy[usize::from(tl0.at)] = tl0.value.wrapping_sub(sent.tl0_offset);
    }
    (at + start.len(), rest)
}

/// Header extensions in the form in which they are kept.
pub type KeptExtensions = ArrayVec<u8, MAX_EXTENSIONS>;

/// Keeps `data` if subscribers may see the extension and there is room.
pub fn keep(kept: &mut KeptExtensions, extension: Extension, data: &[u8]) {
    let passed_on = match extension {
        Extension::AudioLevel
        | Extension::VideoOrientation
        | Extension::PlayoutDelay
        | Extension::DependencyDescriptor
        | Extension::AbsCaptureTime => true,
        Extension::Mid
        | Extension::Rid
        | Extension::RepairedRid
        | Extension::AbsSendTime
        | Extension::TransportCc => false,
    };
    if passed_on && data.len() <= 255 && kept.remaining_capacity() >= data.len() + 2 {
        kept.push(extension as u8);
        kept.push(data.len() as u8);
        // The capacity was checked above.
        let _ = kept.try_extend_from_slice(data);
    }
}

struct Kept<'a>(&'a [u8]);

impl<'a> Iterator for Kept<'a> {
    type Item = (Extension, &'a [u8]);

    fn next(&mut self) -> Option<(Extension, &'a [u8])> {
        let (&[number, len], rest) = self.0.split_first_chunk()?;
        let (data, rest) = rest.split_at_checked(len.into())?;
        self.0 = rest;
        Some((*Extension::ALL.get(usize::from(number))?, data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receive::history::{History, HistorySize};
    use crate::rtp::{Picture, RtpPacket};
    use crate::send::sent::Source;
    use crate::units::RtpTime;

    fn ids(list: &[(Extension, u8)]) -> ExtensionIds {
        let mut ids = ExtensionIds::default();
        for &(extension, id) in list {
            ids.set(extension, id);
        }
        ids
    }

    fn sent(id_offset: u16, tl0_offset: u8, frame_offset: u16) -> Sent {
        let mut sent = Sent::reserved(Source::new(0, 0), 1);
        sent.timestamp = RtpTime(77);
        (sent.id_offset, sent.tl0_offset, sent.frame_offset) = (id_offset, tl0_offset, frame_offset);
        sent
    }

    fn make(stored: Stored, content: Content, sent: &Sent, look: &Appearance) -> Vec<u8> {
        let mut history = History::new(Time(0), HistorySize::of(crate::command::MediaKind::Video));
        history.insert(Stored { seq: SeqNo(1), ..stored }, content);
        let stored = history.nth(0).unwrap();
        let mut scratch = Scratch::default();
        let out = scratch.media(stored, history.content(stored).unwrap(), sent, look);
        [out.header, out.prefix, out.payload, out.filler].concat()
    }

    fn look<'a>(mid: Option<&'a Mid>, extensions: &'a ExtensionIds) -> Appearance<'a> {
        Appearance {
            class: TrafficClass::Video,
            fresh: true,
            ssrc: Ssrc(5),
            pt: Pt(100),
            seq: SeqNo(70_000),
            original: None,
            mid,
            extensions,
            filler: 0,
            strip_red: false,
        }
    }

    #[test]
    fn padding_follows_the_payload_and_is_not_part_of_it() {
        let ids = ExtensionIds::default();
        for filler in 0..=LONGEST as u8 {
            let content = Content { payload: &[9, 8, 7], ..Content::default() };
            let bytes =
                make(Stored::default(), content, &sent(0, 0, 0), &Appearance { filler, ..look(None, &ids) });
            assert_eq!(bytes.len(), 12 + 3 + usize::from(filler));
            assert_eq!(RtpPacket::parse(&bytes).unwrap().payload, [9, 8, 7]);
        }
    }

    #[test]
    fn extensions_get_the_subscribers_ids_and_hop_by_hop_ones_are_left_out() {
        let mut kept = KeptExtensions::new();
        keep(&mut kept, Extension::AudioLevel, &[0x8a]);
        keep(&mut kept, Extension::TransportCc, &[1, 2]);
        keep(&mut kept, Extension::AbsSendTime, &[1, 2, 3]);
        keep(&mut kept, Extension::Rid, b"q");
        keep(&mut kept, Extension::VideoOrientation, &[1]);
        let ids = ids(&[
            (Extension::Mid, 3),
            (Extension::AudioLevel, 9),
            (Extension::TransportCc, 4),
            (Extension::AbsSendTime, 5),
            (Extension::Rid, 6),
        ]);
        let content = Content { csrcs: &[0, 0, 0, 9], extensions: &kept, payload: &[1, 2, 3] };
        let mid = Mid::from("12").unwrap();
        let bytes = make(
            Stored { marker: true, ..Stored::default() },
            content,
            &sent(0, 0, 0),
            &look(Some(&mid), &ids),
        );
        let packet = RtpPacket::parse(&bytes).unwrap();
        assert!(packet.marker);
        assert_eq!((packet.seq, packet.timestamp, packet.ssrc), (70_000u32 as u16, RtpTime(77), Ssrc(5)));
        assert_eq!(packet.csrcs, [0, 0, 0, 9]);
        assert_eq!(packet.extensions.collect::<Vec<_>>(), [(3, &b"12"[..]), (9, &[0x8a][..])]);
        assert_eq!(packet.payload, [1, 2, 3]);
    }

    #[test]
    fn picture_numbers_are_rewritten_and_nothing_else_is() {
        let payload = [0x90, 0xe0, 0x81, 0x02, 0x33, 0xa0, 0x55, 0x66];
        let picture = Picture::read(crate::command::Codec::Vp8, &payload);
        let ids = ExtensionIds::default();
        let rows = [
            (0, 0, payload),
            (3, 0, [0x90, 0xe0, 0x80, 0xff, 0x33, 0xa0, 0x55, 0x66]),
            (0x103, 0x34, [0x90, 0xe0, 0xff, 0xff, 0xff, 0xa0, 0x55, 0x66]),
            (0, 1, [0x90, 0xe0, 0x81, 0x02, 0x32, 0xa0, 0x55, 0x66]),
        ];
        for (id_offset, tl0_offset, expected) in rows {
            let content = Content { payload: &payload, ..Content::default() };
            let stored = Stored { picture, ..Stored::default() };
            let bytes = make(stored, content, &sent(id_offset, tl0_offset, 0), &look(None, &ids));
            assert_eq!(bytes[12..], expected, "{id_offset} {tl0_offset}");
        }
    }

    #[test]
    fn a_retransmission_begins_with_the_number_of_the_original() {
        let payload = [0x90, 0x80, 0x05, 0x01];
        let picture = Picture::read(crate::command::Codec::Vp8, &payload);
        let ids = ExtensionIds::default();
        let look = Appearance { original: Some(SeqNo(0x1_0203)), ..look(None, &ids) };
        let content = Content { payload: &payload, ..Content::default() };
        let bytes = make(Stored { picture, ..Stored::default() }, content, &sent(1, 0, 0), &look);
        assert_eq!(bytes[12..], [2, 3, 0x90, 0x80, 0x04, 0x01]);
    }

    #[test]
    fn frame_numbers_of_the_dependency_descriptor_are_rewritten() {
        let mut kept = KeptExtensions::new();
        keep(&mut kept, Extension::DependencyDescriptor, &[0x80, 0x01, 0x00, 0xee]);
        let ids = ids(&[(Extension::DependencyDescriptor, 8)]);
        let picture = Picture { frame_number: Some(0x100), ..Picture::default() };
        let content = Content { extensions: &kept, payload: &[1], ..Content::default() };
        let bytes = make(Stored { picture, ..Stored::default() }, content, &sent(0, 0, 1), &look(None, &ids));
        let elements: Vec<_> = RtpPacket::parse(&bytes).unwrap().extensions.collect();
        assert_eq!(elements, [(8, &[0x80, 0x00, 0xff, 0xee][..])]);
    }

    #[test]
    fn redundant_blocks_are_left_out_when_the_subscriber_cannot_read_them() {
        let payload = [0x80 | 111, 0, 0, 2, 111, 8, 8, 1, 2];
        let ids = ExtensionIds::default();
        let look = Appearance { strip_red: true, ..look(None, &ids) };
        let picture = Picture { primary: 7, ..Picture::default() };
        let content = Content { payload: &payload, ..Content::default() };
        let bytes = make(Stored { picture, ..Stored::default() }, content, &sent(0, 0, 0), &look);
        assert_eq!(bytes[12..], [1, 2]);
    }
}
