//! The way out of one participant: headers are written, packets protected and put into the outbox, all in one place.

use rtc::command::{Extension, ExtensionIds};
use rtc::outbox::{Outbox, TrafficClass};
use rtc::path::Path;
use rtc::rtp::{ExtensionWriter, FixedHeader, MAX_HEADER};
use rtc::transport::srtp::{MAX_OVERHEAD, Sender};
use rtc::units::{Pt, RtpTime, SeqNo, Ssrc, Time};

use crate::figures::Figures;

/// The most bytes of a payload that still fit a datagram with every extension.
pub const MAX_PAYLOAD: usize = 1_300;

/// What sending needs from one turn to the next.
pub struct Uplink {
    /// To the server.
    pub path: Path,
    /// What the server calls the header extensions.
    ids: ExtensionIds,
    /// Counts every packet of the participant, for transport-wide feedback.
    transport_seq: u16,
}

/// Everything that sending needs, lent for one turn.
pub struct Line<'a> {
    /// The time now.
    pub now: Time,
    /// The participant's way to the server.
    uplink: &'a mut Uplink,
    /// The participant's keys.
    sender: &'a mut Sender,
    /// Where packets go.
    outbox: &'a mut Outbox,
    /// Where they are counted.
    pub figures: &'a mut Figures,
}

/// The header of a packet to be sent.
pub struct Head<'a> {
    /// The last packet of a picture, or the first of a talk spurt.
    pub marker: bool,
    /// Payload type.
    pub pt: Pt,
    /// Extended sequence number.
    pub number: SeqNo,
    /// In units of the codec's clock.
    pub timestamp: u32,
    /// The stream.
    pub ssrc: u32,
    /// Header extensions beside those that tell the time and order of sending.
    pub extensions: &'a [(Extension, &'a [u8])],
}

impl Uplink {
    /// On this path; nothing has been sent.
    pub fn new(path: Path, ids: ExtensionIds) -> Uplink {
        Uplink { path, ids, transport_seq: 0 }
    }

    /// Lends it for one turn, with what the turn brings.
    pub fn line<'a>(
        &'a mut self,
        now: Time,
        sender: &'a mut Sender,
        outbox: &'a mut Outbox,
        figures: &'a mut Figures,
    ) -> Line<'a> {
        Line { now, uplink: self, sender, outbox, figures }
    }
}

impl Line<'_> {
    /// Sends a packet whose payload of `len` bytes `write` fills in; false when there was no room for it.
    pub fn send(
        &mut self,
        head: &Head<'_>,
        class: TrafficClass,
        len: usize,
        write: impl FnOnce(&mut [u8]),
    ) -> bool {
        let Uplink { path, ids, transport_seq } = &mut *self.uplink;
        let (now, sender, seq) = (self.now, &*self.sender, *transport_seq);
        let pushed = self.outbox.push_with(*path, class, |slot| {
            let start = write_head(slot.first_chunk_mut()?, head, ids, now, seq);
            let end = start + len;
            write(slot.get_mut(start..end)?);
            sender.protect_rtp(head.number, start, slot, end)
        });
        *transport_seq = seq.wrapping_add(1);
        self.figures.send_refused += u64::from(pushed.is_none());
        pushed.is_some()
    }

    /// Sends a compound RTCP packet.
    pub fn send_control(&mut self, compound: &[u8]) {
        let sender = &mut *self.sender;
        let pushed = self.outbox.push_with(self.uplink.path, TrafficClass::Other, |slot| {
            slot.get_mut(..compound.len() + MAX_OVERHEAD)?[..compound.len()].copy_from_slice(compound);
            sender.protect_rtcp(slot, compound.len())
        });
        self.figures.send_refused += u64::from(pushed.is_none());
    }
}

fn write_head(
    out: &mut [u8; MAX_HEADER],
    head: &Head<'_>,
    ids: &ExtensionIds,
    now: Time,
    transport_seq: u16,
) -> usize {
    let fixed = FixedHeader {
        marker: head.marker,
        pt: head.pt,
        seq: head.number.wire(),
        timestamp: RtpTime(head.timestamp),
        ssrc: Ssrc(head.ssrc),
        padding: false,
    };
    let start = fixed.write(&[], out);
    let mut writer = ExtensionWriter::new(out, start);
    let mut push = |extension, data: &[u8]| writer.push(ids.id(extension).unwrap_or(0), data);
    // Seconds in 6.18 fixed point, as the extension's document says.
    let send_time = ((now.micros() << 18) / 1_000_000) as u32;
    push(Extension::AbsSendTime, &send_time.to_be_bytes()[1..]);
    push(Extension::TransportCc, &transport_seq.to_be_bytes());
    head.extensions.iter().for_each(|(extension, data)| push(*extension, data));
    writer.finish()
}
