//! A published track: what may come, what comes, and who gets it.

use std::time::Duration;

use arrayvec::ArrayVec;

use crate::command::{MAX_ENCODINGS, MAX_PAYLOADS, MediaKind, Mid, PayloadParams, TrackParams};
use crate::id::{GroupId, SubscriptionId, TrackId, TransportId};
use crate::receive::Relay;
use crate::receive::stream::Encoding;
use crate::speakers::Loudness;
use crate::units::{Burden, Pt, Time};

/// An encoding has stopped when nothing came for this long while others of the track go on.
const STOPPED: Duration = Duration::from_secs(1);
/// Or already when so many pictures of another came meanwhile: publishers leave out the upper encodings without a word
/// when their line gets worse, and who looks at one sees a frozen picture until it counts as stopped.
const PICTURES_MISSED: u32 = 10;
/// But not before this: an encoder that drops some pictures has not stopped.
const STOPPED_AT_THE_EARLIEST: Duration = Duration::from_millis(400);
/// All encodings have stopped when nothing came for this long: a still screen is sent once a second.
const ALL_STOPPED: Duration = Duration::from_secs(3);
/// Others go on if they had a packet within this time.
const GOES_ON: Duration = Duration::from_millis(300);

/// What a payload type means on a track.
#[derive(Debug, Clone, Copy)]
pub enum Format<'a> {
    /// Media in this format.
    Media(&'a PayloadParams),
    /// Retransmissions of media in this format.
    Repair(&'a PayloadParams),
}

/// Whether those who hear a track hear others too, when they were last counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Company {
    /// They do.
    pub kept: bool,
    /// When that was.
    pub counted_at: Option<Time>,
}

/// A published track.
pub struct Track {
    /// Its name.
    pub id: TrackId,
    /// Where it comes from.
    pub transport: TransportId,
    /// Sound or picture.
    pub kind: MediaKind,
    /// The section it was negotiated in.
    pub mid: Mid,
    /// Its streams, lowest quality first.
    pub encodings: ArrayVec<Encoding, MAX_ENCODINGS>,
    /// Nothing is forwarded now.
    pub paused: bool,
    /// Who gets it.
    pub subscriptions: Vec<SubscriptionId>,
    /// Speakers are ranked in this group.
    pub group: Option<GroupId>,
    /// How loud it is.
    pub loudness: Loudness,
    /// What its call costs; weighed only while the worker leaves something out.
    pub burden: Burden,
    /// Packets wait to be forwarded.
    pub queued: bool,
    /// Whether its sound leaves with that of others.
    pub company: Company,
    /// The event about its active encodings waits to be taken.
    pub announces_layers: bool,
    /// The event about its rates waits to be taken.
    pub announces_rates: bool,
    /// The track that this is a mirror of, on the worker of its publisher; `None` where the publisher is at home.
    pub home: Option<TrackId>,
    /// Mirrors of it on other workers.
    pub relays: Vec<Relay>,
    /// Something waits to be told to the mirrors.
    pub relay_queued: bool,
    /// When packets came again after all encodings had stopped.
    woke_at: Option<Time>,
    payloads: ArrayVec<PayloadParams, MAX_PAYLOADS>,
    /// For each payload type: 0 unknown, or 1 + the place in `payloads`, with `REPAIR` for its retransmissions.
    table: [u8; 128],
}

const REPAIR: u8 = 0x80;

impl Track {
    /// A track of which nothing has come yet.
    pub fn new(id: TrackId, params: &TrackParams) -> Track {
        let mut table = [0; 128];
        for (place, payload) in params.payloads.iter().enumerate() {
            let code = place as u8 + 1;
            if let Some(rtx) = payload.rtx_pt {
                table[usize::from(rtx.0 & 0x7f)] = code | REPAIR;
            }
            table[usize::from(payload.pt.0 & 0x7f)] = code;
        }
        Track {
            id,
            transport: params.transport,
            kind: params.kind,
            mid: params.mid,
            encodings: params.encodings.iter().map(Encoding::new).collect(),
            paused: false,
            subscriptions: Vec::new(),
            group: None,
            loudness: Loudness::default(),
            burden: Burden::default(),
            queued: false,
            company: Company::default(),
            announces_layers: false,
            announces_rates: false,
            home: None,
            relays: Vec::new(),
            relay_queued: false,
            woke_at: None,
            payloads: params.payloads.clone(),
            table,
        }
    }

    /// A mirror of which nothing has come yet.
    pub fn mirror(id: TrackId, home: TrackId, params: &TrackParams) -> Track {
        Track { home: Some(home), ..Track::new(id, params) }
    }

    /// What `pt` means here.
    pub fn format(&self, pt: Pt) -> Option<Format<'_>> {
        let code = self.table[usize::from(pt.0 & 0x7f)];
        let payload = self.payloads.get(usize::from(code & !REPAIR).checked_sub(1)?)?;
        Some(if code & REPAIR == 0 { Format::Media(payload) } else { Format::Repair(payload) })
    }

    /// Units per second of its timestamps: those of the first format, as all formats of a track have the same in
    /// practice.
    pub fn clock_rate(&self) -> u32 {
        self.payloads.first().map_or(90_000, |payload| payload.clock_rate).max(1)
    }

    /// The format of a media payload type.
    pub fn media(&self, pt: Pt) -> Option<&PayloadParams> {
        match self.format(pt)? {
            Format::Media(payload) => Some(payload),
            Format::Repair(_) => None,
        }
    }

    /// Which encodings are being sent, bit 0 the lowest.
    pub fn active(&self) -> u8 {
        self.encodings.iter().enumerate().fold(0, |mask, (i, e)| mask | u8::from(e.active) << i)
    }

    /// Packets of an encoding have come; true if it was not being sent before.
    pub fn notice_packet(&mut self, now: Time, encoding: usize) -> bool {
        let sleeping = self.active() == 0;
        let Some(encoding) = self.encodings.get_mut(encoding) else { return false };
        let wakes = !std::mem::replace(&mut encoding.active, true);
        if wakes && sleeping {
            self.woke_at = Some(now);
        }
        wakes
    }

    /// The publisher says that an encoding ends; true if it was being sent.
    pub fn notice_goodbye(&mut self, encoding: usize) -> bool {
        let Some(encoding) = self.encodings.get_mut(encoding) else { return false };
        self.woke_at = None;
        std::mem::replace(&mut encoding.active, false)
    }

    /// The encodings that a subscription may wait for, bit 0 the lowest.
    ///
    /// When a muted camera goes on, its encodings come one after the other: for a while those that have not come yet
    /// are expected, or else everybody would go down to the first one and up again.
    pub fn available(&self, now: Time) -> u8 {
        if self.woke_at.is_none_or(|at| now.since(at) >= STOPPED) {
            return self.active();
        }
        let known = |e: &Encoding| e.active || e.stream.is_some();
        self.encodings.iter().enumerate().fold(0, |mask, (i, e)| mask | u8::from(known(e)) << i)
    }

    /// Looks for encodings that have stopped; true if there are new ones.
    pub fn notice_stopped(&mut self, now: Time) -> bool {
        let streams = self.encodings.iter().filter_map(|e| e.stream.as_ref());
        let newest = streams.max_by_key(|stream| stream.last_packet);
        let limit = match newest.filter(|stream| now.since(stream.last_packet) < GOES_ON) {
            None => ALL_STOPPED,
            Some(stream) => stream
                .picture_interval()
                .map_or(STOPPED, |every| (every * PICTURES_MISSED).clamp(STOPPED_AT_THE_EARLIEST, STOPPED)),
        };
        let mut changed = false;
        for encoding in self.encodings.iter_mut().filter(|e| e.active) {
            if encoding.stream.as_ref().is_none_or(|s| now.since(s.last_packet) >= limit) {
                encoding.active = false;
                changed = true;
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Codec, EncodingParams};
    use crate::receive::stream::Stream;
    use crate::units::RtpTime;

    fn track() -> Track {
        let payload = PayloadParams {
            pt: Pt(96),
            codec: Codec::Vp8,
            clock_rate: 90_000,
            rtx_pt: Some(Pt(97)),
            nack: true,
            pli: true,
            fir: false,
            transport_cc: true,
        };
        let params = TrackParams {
            transport: TransportId::new(0, 0, 1),
            kind: MediaKind::Video,
            mid: Mid::from("0").unwrap(),
            payloads: [payload].into_iter().collect(),
            encodings: [EncodingParams::default(); 3].into_iter().collect(),
        };
        Track::new(TrackId::new(0, 0, 1), &params)
    }

    #[test]
    fn payload_types_are_media_or_their_repair_or_unknown() {
        let track = track();
        assert!(matches!(track.format(Pt(96)), Some(Format::Media(p)) if p.pt == Pt(96)));
        assert!(matches!(track.format(Pt(97)), Some(Format::Repair(p)) if p.pt == Pt(96)));
        assert!(track.format(Pt(98)).is_none());
        assert!(track.media(Pt(97)).is_none());
    }

    #[test]
    fn an_encoding_stops_after_a_second_if_others_go_on_and_after_three_if_not() {
        // (last packets of the encodings, now, active afterwards), in milliseconds
        let rows = [
            ([1_000, 1_000], 1_900, 0b11),
            ([1_000, 2_000], 2_100, 0b10),
            ([1_000, 1_100], 2_200, 0b11),
            ([1_000, 1_100], 3_900, 0b11),
            ([1_000, 1_100], 4_100, 0b00),
        ];
        for (last, now, expected) in rows {
            let mut track = track();
            for (encoding, ms) in track.encodings.iter_mut().zip(last) {
                encoding.active = true;
                encoding.stream = Some(Box::new(Stream::new(Time::from_millis(ms), MediaKind::Video, 0)));
            }
            let changed = track.notice_stopped(Time::from_millis(now));
            assert_eq!((track.active(), changed), (expected, expected != 0b11), "{last:?} at {now}");
        }
    }

    #[test]
    fn an_encoding_that_missed_ten_pictures_of_another_has_stopped() {
        // (milliseconds between pictures, silence of the upper one, it counts as stopped)
        let rows = [(33, 390, false), (33, 400, true), (66, 650, false), (66, 660, true), (500, 990, false)];
        for (every, silence, stopped) in rows {
            let mut track = track();
            let mut lower = Stream::new(Time(0), MediaKind::Video, 0);
            for n in 0..30 {
                lower.picture_came(Time::from_millis(n * every), RtpTime(n as u32 * 90 * every as u32));
            }
            let now = Time::from_millis(29 * every);
            lower.last_packet = now;
            let last = Time(now.0 - silence * 1_000);
            let upper = Stream::new(last, MediaKind::Video, 0);
            for (encoding, stream) in track.encodings.iter_mut().zip([lower, upper]) {
                encoding.active = true;
                encoding.stream = Some(Box::new(stream));
            }
            assert_eq!(track.notice_stopped(now), stopped, "{every} ms, {silence} ms");
        }
    }
}
