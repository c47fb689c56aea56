//! One encoding of a track as it arrives: order, history, loss, and the clock of its sender.

use std::time::Duration;

use crate::command::{Codec, EncodingParams, MediaKind, PayloadParams, Rid};
use crate::drop_reason::DropReason;
use crate::receive::history::{Content, History, HistorySize, Stored};
use crate::receive::keyframe::KeyframeRequests;
use crate::receive::nack::NackGenerator;
use crate::receive::rate::Rate;
use crate::receive::reception::Reception;
use crate::rtcp::SenderInfo;
use crate::rtp::dependency::{self, Structure};
use crate::rtp::{Picture, red};
use crate::units::{RtpTime, SeqNo, Ssrc, Time};

/// A stream may start over with another SSRC only this often: two sources that fight for one place cost little.
const REBIND_INTERVAL: Duration = Duration::from_secs(1);
/// A number this far ahead is a new start, once a second packet confirms it (RFC 3550, appendix A.1).
const MAX_DROPOUT: u64 = 3_000;
/// Streams begin here, so that packets that overtook the first one have numbers above zero.
const FIRST_CYCLE: u64 = 1 << 16;

/// One simulcast stream of a track, known before its first packet.
pub struct Encoding {
    /// The name in the header extension.
    pub rid: Option<Rid>,
    /// The SSRC, from the description or learned.
    pub ssrc: Option<Ssrc>,
    /// The SSRC of retransmissions, from the description or learned.
    pub rtx_ssrc: Option<Ssrc>,
    /// Packets are coming now.
    pub active: bool,
    /// What has come; `None` before the first packet.
    pub stream: Option<Box<Stream>>,
    bound_at: Option<Time>,
}

impl Encoding {
    /// An encoding of which nothing has come yet.
    pub fn new(params: &EncodingParams) -> Encoding {
        Encoding {
            rid: params.rid,
            ssrc: params.ssrc,
            rtx_ssrc: params.rtx_ssrc,
            active: false,
            stream: None,
            bound_at: None,
        }
    }

    /// Gives the media of this encoding another SSRC; false when it changed too recently.
    pub fn rebind(&mut self, now: Time, ssrc: Ssrc) -> bool {
        if self.bound_at.is_some_and(|at| now.since(at) < REBIND_INTERVAL) {
            return false;
        }
        self.bound_at = Some(now);
        self.ssrc = Some(ssrc);
        if let Some(stream) = &mut self.stream {
            stream.starts_over = true;
        }
        true
    }
}

/// A packet to be taken in, as it was sent: retransmissions are unwrapped.
pub struct Incoming<'a> {
    /// Sequence number in the header.
    pub wire: u16,
    /// Timestamp in the header.
    pub timestamp: RtpTime,
    /// Marker bit.
    pub marker: bool,
    /// The format of its payload.
    pub format: &'a PayloadParams,
    /// It came as a retransmission.
    pub repair: bool,
    /// The dependency descriptor, if there is one.
    pub dependency: Option<&'a [u8]>,
    /// What to keep.
    pub content: Content<'a>,
}

/// The instant at which a sender report was made, in three clocks.
#[derive(Debug, Clone, Copy)]
pub struct SenderClock {
    /// The publisher's clocks.
    pub info: SenderInfo,
    /// Ours, when the report came.
    pub at: Time,
}

/// Where the newest key frame began.
#[derive(Debug, Clone, Copy)]
pub struct KeyFrame {
    /// Its number in the order of arrival.
    pub nth: u64,
    /// When it came.
    pub at: Time,
    timestamp: RtpTime,
}

/// What has come of an encoding.
pub struct Stream {
    /// The last packets.
    pub history: History,
    /// Counts starts: another SSRC, or a jump of the sequence numbers.
    pub epoch: u8,
    /// Highest sequence number.
    pub newest: SeqNo,
    /// Loss and jitter.
    pub reception: Reception,
    /// What it takes on the way.
    pub rate: Rate,
    /// Missing packets.
    pub nacks: NackGenerator,
    /// Wanted key frames.
    pub requests: KeyframeRequests,
    /// The last sender report.
    pub clock: Option<SenderClock>,
    /// When the last packet came.
    pub last_packet: Time,
    /// The newest key frame.
    pub last_key: Option<KeyFrame>,
    /// Count of full intra requests, which must differ from one to the next.
    pub intra_requests: u8,
    structure: Option<Structure>,
    starts_over: bool,
    stray: Option<u16>,
    pace: Option<Pace>,
}

/// How fast pictures come.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// The newest picture.
    timestamp: RtpTime,
    began: Time,
    /// Smoothed; `None` before the second picture.
    every: Option<Duration>,
}

impl Stream {
    /// A stream that begins with sequence number `wire`.
    pub fn new(now: Time, kind: MediaKind, wire: u16) -> Stream {
        let first = SeqNo(FIRST_CYCLE + u64::from(wire));
        Stream {
            history: History::new(now, HistorySize::of(kind)),
            epoch: 0,
            newest: SeqNo(first.0 - 1),
            reception: Reception::new(first),
            rate: Rate::default(),
            nacks: NackGenerator::default(),
            requests: KeyframeRequests::default(),
            clock: None,
            last_packet: now,
            last_key: None,
            intra_requests: 0,
            structure: None,
            starts_over: false,
            stray: None,
            pace: None,
        }
    }

    /// About how long one picture comes after another; `None` before the second.
    pub fn picture_interval(&self) -> Option<Duration> {
        self.pace?.every
    }

    /// Takes a packet in; `Err` when it came before, is too old, or its number makes no sense yet.
    pub fn ingest(&mut self, now: Time, packet: &Incoming) -> Result<(), DropReason> {
        let seq = self.locate(packet)?;
        if self.history.get(seq).is_some() {
            return Err(DropReason::RtpDuplicate);
        }
        if seq > self.newest {
            if packet.format.nack && !self.nacks.newer(now, self.newest, seq) {
                self.requests.want();
            }
            self.newest = seq;
        } else {
            self.nacks.recovered(seq);
        }
        if packet.repair {
            self.reception.repaired(seq);
        } else {
            self.reception.original(now, seq, packet.timestamp, packet.format.clock_rate);
        }
        self.last_packet = now;
        if !packet.repair {
            self.picture_came(now, packet.timestamp);
        }
        let picture = self.picture(packet);
        if !packet.repair {
            self.rate.count(picture.temporal, packet.content.payload.len());
        }
        if picture.key_start {
            self.key_frame_begins(now, packet.timestamp);
        }
        let stored = Stored {
            seq,
            arrival: now,
            timestamp: packet.timestamp,
            pt: packet.format.pt,
            marker: packet.marker,
            padding: packet.content.payload.is_empty(),
            picture,
            ..Stored::default()
        };
        self.history.insert(stored, packet.content);
        Ok(())
    }

    /// Takes in a packet that this encoding's stream on another worker took in, in its `epoch` there.
    pub fn mirror(&mut self, epoch: u8, stored: Stored, bytes: &[u8]) -> Result<(), DropReason> {
        let content = stored.extent.split(bytes).ok_or(DropReason::RtpMalformed)?;
        if epoch != self.epoch || self.history.arrived() == 0 {
            self.start_over(stored.seq.wire());
            self.epoch = epoch;
            self.newest = SeqNo(stored.seq.0 - 1);
        }
        if stored.seq.0 + self.history.packets() as u64 <= self.newest.0 {
            return Err(DropReason::RtpTooOld);
        }
        if self.history.get(stored.seq).is_some() {
            return Err(DropReason::RtpDuplicate);
        }
        self.newest = self.newest.max(stored.seq);
        self.last_packet = stored.arrival;
        self.picture_came(stored.arrival, stored.timestamp);
        if stored.picture.key_start {
            self.key_frame_begins(stored.arrival, stored.timestamp);
        }
        // What leaves here as one message is for this worker to say.
        self.history.insert(Stored { filler: 0, ..stored }, content);
        Ok(())
    }

    /// The packet of this stream whose number ends with the 32 bits `low`, near the newest one.
    pub fn recall(&self, low: u32) -> Option<&Stored> {
        let back = (self.newest.0 as u32).wrapping_sub(low);
        self.history.get(SeqNo(self.newest.0.checked_sub(u64::from(back))?))
    }

    fn key_frame_begins(&mut self, now: Time, timestamp: RtpTime) {
        self.requests.came();
        // Parameter sets and the first slice may each look like the beginning: the first of them is.
        if self.last_key.is_none_or(|key| key.timestamp != timestamp) {
            self.last_key = Some(KeyFrame { nth: self.history.arrived(), at: now, timestamp });
        }
    }

    /// Notes when a picture began: sound is noted too, at no use and no harm.
    pub(super) fn picture_came(&mut self, now: Time, timestamp: RtpTime) {
        let Some(pace) = &mut self.pace else {
            self.pace = Some(Pace { timestamp, began: now, every: None });
            return;
        };
        if timestamp.0.wrapping_sub(pace.timestamp.0) as i32 > 0 {
            let every = now.since(pace.began);
            let every = pace.every.map_or(every, |before| (before * 7 + every) / 8);
            *pace = Pace { timestamp, began: now, every: Some(every) };
        }
    }

    /// The extended number of a packet; starts the stream over when numbers jumped.
    fn locate(&mut self, packet: &Incoming) -> Result<SeqNo, DropReason> {
        let seq = self.newest.extend(packet.wire);
        let reach = self.history.packets() as u64;
        if !self.starts_over && seq.0 <= self.newest.0 + MAX_DROPOUT && seq.0 + reach > self.newest.0 {
            self.stray = None;
            return Ok(seq);
        }
        if packet.repair {
            return Err(DropReason::RtpTooOld);
        }
        if !self.starts_over && self.stray != Some(packet.wire) {
            self.stray = Some(packet.wire.wrapping_add(1));
            return Err(DropReason::RtpTooOld);
        }
        self.start_over(packet.wire);
        Ok(SeqNo(self.newest.0 + 1))
    }

    fn start_over(&mut self, wire: u16) {
        let first = SeqNo(FIRST_CYCLE + u64::from(wire));
        self.history.clear();
        self.epoch = self.epoch.wrapping_add(1);
        self.newest = SeqNo(first.0 - 1);
        self.reception = Reception::new(first);
        self.nacks.clear();
        self.clock = None;
        self.last_key = None;
        self.structure = None;
        self.starts_over = false;
        self.stray = None;
        self.pace = None;
    }

    fn picture(&mut self, packet: &Incoming) -> Picture {
        let payload = packet.content.payload;
        let mut picture = Picture::read(packet.format.codec, payload);
        if packet.format.codec == Codec::Red {
            picture.primary = red::primary(payload).map_or(0, |at| at as u16);
        }
        if let Some(descriptor) = packet.dependency.and_then(dependency::read) {
            picture.frame_number = Some(descriptor.frame_number);
            picture.start = descriptor.start;
            if descriptor.structure.is_some() {
                // The structure comes with key frames, also where the payload is encrypted end to end.
                picture.key_start |= descriptor.start;
                self.structure = descriptor.structure;
            }
            let known = self.structure.as_ref().and_then(|s| s.temporal(descriptor.template));
            picture.temporal = known.unwrap_or(0);
        }
        picture
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Pt;

    const FORMAT: PayloadParams = PayloadParams {
        pt: Pt(96),
        codec: Codec::Vp8,
        clock_rate: 90_000,
        rtx_pt: None,
        nack: true,
        pli: true,
        fir: false,
        transport_cc: false,
    };

    fn incoming(wire: u16) -> Incoming<'static> {
        Incoming {
            wire,
            timestamp: RtpTime(0),
            marker: false,
            format: &FORMAT,
            repair: false,
            dependency: None,
            content: Content { payload: &[0x10, 1], ..Content::default() },
        }
    }

    fn take(stream: &mut Stream, wire: u16) -> Result<u64, DropReason> {
        stream.ingest(Time(0), &incoming(wire)).map(|()| stream.newest.0)
    }

    #[test]
    fn numbers_are_extended_and_duplicates_refused() {
        let mut stream = Stream::new(Time(0), MediaKind::Video, 65_534);
        let base = FIRST_CYCLE + 65_534;
        let rows = [
            (65_534, Ok(base)),
            (65_534, Err(DropReason::RtpDuplicate)),
            (1, Ok(base + 3)),
            (0, Ok(base + 3)),
            (65_533, Ok(base + 3)), // overtook the first one
            (64_000, Err(DropReason::RtpTooOld)),
        ];
        for (wire, expected) in rows {
            assert_eq!(take(&mut stream, wire), expected, "{wire}");
        }
        assert!(stream.nacks.due().is_some());
    }

    #[test]
    fn a_jump_starts_the_stream_over_once_a_second_packet_confirms_it() {
        let mut stream = Stream::new(Time(0), MediaKind::Video, 10);
        assert!(take(&mut stream, 10).is_ok());
        assert_eq!(take(&mut stream, 20_000), Err(DropReason::RtpTooOld));
        assert_eq!(take(&mut stream, 11), Ok(FIRST_CYCLE + 11));
        assert_eq!(take(&mut stream, 20_000), Err(DropReason::RtpTooOld));
        assert_eq!(take(&mut stream, 20_001), Ok(FIRST_CYCLE + 20_001));
        assert_eq!(stream.epoch, 1);
        assert!(stream.history.get(SeqNo(FIRST_CYCLE + 10)).is_none());
    }

    #[test]
    fn a_mirror_has_the_numbers_and_the_bytes_of_its_stream_and_starts_over_with_it() {
        let mut stream = Stream::new(Time(0), MediaKind::Video, 10);
        let mut mirror = Stream::new(Time(0), MediaKind::Video, 0);
        let wires = [10, 12, 11, 20_000, 20_001, 20_003];
        for wire in wires {
            if take(&mut stream, wire).is_err() {
                continue;
            }
            let stored = *stream.history.nth(stream.history.arrived() - 1).unwrap();
            let bytes = stream.history.bytes(&stored).unwrap();
            assert_eq!(mirror.mirror(stream.epoch, stored, bytes), Ok(()));
            assert_eq!((mirror.newest, mirror.epoch), (stream.newest, stream.epoch));
            let kept = mirror.history.get(stored.seq).unwrap();
            assert_eq!(mirror.history.content(kept).unwrap().payload, [0x10, 1]);
            assert_eq!(mirror.mirror(stream.epoch, stored, bytes), Err(DropReason::RtpDuplicate));
        }
        assert_eq!((stream.epoch, mirror.nacks.due()), (1, None));
    }

    #[test]
    fn a_packet_is_recalled_by_the_low_half_of_its_number() {
        let mut stream = Stream::new(Time(0), MediaKind::Video, 10);
        for wire in 10..20 {
            assert!(take(&mut stream, wire).is_ok());
        }
        assert_eq!(stream.recall(FIRST_CYCLE as u32 + 12).unwrap().seq, SeqNo(FIRST_CYCLE + 12));
        assert!(stream.recall(FIRST_CYCLE as u32 + 20).is_none());
        assert!(stream.recall(5).is_none());
    }
}
