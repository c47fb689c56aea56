//! What one participant receives: streams found by their SSRC, the books of each, and what is told of them.
//!
//! Of a packet that is not checked only the header is looked at, which is not encrypted: that is how one thread can
//! receive for hundreds. The first packet of a stream is always checked, and every packet until a key frame has come.

use std::time::Duration;

use rtc::drop_reason::DropReason;
use rtc::rtcp::{Composer, Compound, ReportBlock, RtcpPacket};
use rtc::rtp::{RtpPacket, h264, vp8};
use rtc::transport::srtp::Receiver;
use rtc::units::{Pt, Ssrc, Time};

use crate::figures::Figures;
use crate::stamp::{self, Content};
use crate::tracking::{Arrival, Tracking};
use crate::video::VideoCodec;

/// Most streams of one participant.
const MAX_STREAMS: usize = 1_024;
/// A key frame that does not come is asked for again after this.
const KEY_FRAME_PATIENCE: Duration = Duration::from_millis(500);
/// A picture that stands still for longer is not time of its encoding.
const STILL: Duration = Duration::from_millis(1_000);
/// Most streams that one report tells of.
const BLOCKS: usize = 31;

/// How a payload type is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Format {
    Opus,
    Video(VideoCodec),
    /// Something that was sent before (RFC 4588).
    Resend,
}

/// The payload types of a participant's description.
#[derive(Debug, Clone)]
pub struct Formats([Option<Format>; 128]);

impl Default for Formats {
    fn default() -> Formats {
        Formats([None; 128])
    }
}

impl Formats {
    /// Reads `pt` as `format` from now on.
    pub fn set(&mut self, pt: Pt, format: Format) {
        self.0[usize::from(pt.0 & 0x7f)] = Some(format);
    }
}

/// Everything that one participant receives.
pub struct Reception {
    formats: Formats,
    check_every: u32,
    /// By rising SSRC.
    streams: Vec<Stream>,
    /// Where the last packet's stream was: packets come in bursts of one stream.
    last: usize,
}

struct Stream {
    ssrc: u32,
    format: Format,
    tracking: Tracking,
    unchecked: u32,
    wants_key: bool,
    next_ask: Time,
    checked_at: Time,
    /// Expected and received at the last report.
    reported: (u64, u64),
    /// Middle bits of the sender's clock in its last report, and when it came.
    sender_report: Option<(u32, Time)>,
}

impl Reception {
    /// Nothing received yet; one packet in `check_every` is decrypted and read.
    pub fn new(formats: Formats, check_every: u32) -> Reception {
        Reception { formats, check_every: check_every.max(1), streams: Vec::new(), last: 0 }
    }

    /// Takes in an RTP packet that the kernel got at `at`; tells of a new stream which format it has.
    pub fn handle_rtp(
        &mut self,
        at: Time,
        datagram: &mut [u8],
        receiver: &mut Receiver,
        figures: &mut Figures,
    ) -> Option<Format> {
        let [_, pt, high, low, _, _, _, _, ssrc @ ..] = *datagram.first_chunk::<12>()?;
        let (seq, ssrc) = (u16::from_be_bytes([high, low]), u32::from_be_bytes(ssrc));
        let format = self.formats.0[usize::from(pt & 0x7f)]?;
        let bytes = datagram.len() as u64;
        if format == Format::Resend {
            figures.repairs_received += 1;
            return None;
        }
        let known = self.find(ssrc);
        let check = known.is_none_or(|stream| {
            let stream = &self.streams[stream];
            stream.wants_key || stream.unchecked + 1 >= self.check_every
        });
        let mut payload = None;
        if check {
            match receiver.unprotect_rtp(at, datagram) {
                Ok(len) => payload = RtpPacket::parse(&datagram[..len]).map(|packet| packet.payload),
                Err(DropReason::SrtpReplay) if known.is_some() => {}
                Err(_) => {
                    figures.undecipherable += 1;
                    return None;
                }
            }
        }
        let at_stream = known.or_else(|| self.begin(at, ssrc, format, seq))?;
        self.last = at_stream;
        let stream = &mut self.streams[at_stream];
        if known.is_none() {
            figures.packets_expected += 1;
            figures.packets_received += 1;
            figures.bytes_received += bytes;
        } else if !stream.count(seq, bytes, figures) {
            return None;
        }
        match payload {
            Some(payload) => stream.check(at, payload, figures),
            None => stream.unchecked += 1,
        }
        known.is_none().then_some(format)
    }

    /// Takes in decrypted RTCP: when the server's clock was what.
    pub fn handle_control(&mut self, at: Time, compound: &[u8]) {
        for packet in Compound::new(compound).flatten() {
            if let RtcpPacket::SenderReport { sender, info, .. } = packet
                && let Some(stream) = self.find(sender.0)
            {
                self.streams[stream].sender_report = Some((info.ntp.middle(), at));
            }
        }
    }

    /// Asks for key frames that are missing, into `composer`; false when none is.
    pub fn ask(&mut self, now: Time, us: Ssrc, composer: &mut Composer, figures: &mut Figures) -> bool {
        let mut missing = false;
        for stream in self.streams.iter_mut().filter(|stream| stream.wants_key) {
            missing = true;
            if stream.next_ask <= now && composer.picture_loss(us, Ssrc(stream.ssrc)) {
                stream.next_ask = now + KEY_FRAME_PATIENCE;
                figures.key_frames_asked += 1;
            }
        }
        missing
    }

    /// Reports on all streams; `send` takes one compound after the other.
    pub fn report(&mut self, now: Time, us: Ssrc, mut send: impl FnMut(&[u8])) {
        for some in self.streams.chunks_mut(BLOCKS) {
            let mut blocks = arrayvec::ArrayVec::<_, BLOCKS>::new();
            blocks.extend(some.iter_mut().map(|stream| stream.block(now)));
            let mut composer = Composer::new();
            composer.receiver_report(us, &blocks);
            send(composer.bytes());
        }
    }

    fn find(&self, ssrc: u32) -> Option<usize> {
        if self.streams.get(self.last).is_some_and(|stream| stream.ssrc == ssrc) {
            return Some(self.last);
        }
        self.streams.binary_search_by_key(&ssrc, |stream| stream.ssrc).ok()
    }

    fn begin(&mut self, at: Time, ssrc: u32, format: Format, seq: u16) -> Option<usize> {
        if self.streams.len() >= MAX_STREAMS {
            return None;
        }
        let place = self.streams.partition_point(|stream| stream.ssrc < ssrc);
        let stream = Stream {
            ssrc,
            format,
            tracking: Tracking::new(seq),
            unchecked: 0,
            wants_key: matches!(format, Format::Video(_)),
            next_ask: at,
            checked_at: at,
            reported: (0, 0),
            sender_report: None,
        };
        self.streams.insert(place, stream);
        Some(place)
    }
}

impl Stream {
    /// Counts a packet; false for one that has come before.
    fn count(&mut self, seq: u16, bytes: u64, figures: &mut Figures) -> bool {
        match self.tracking.accept(seq) {
            Arrival::Newest(step) => figures.packets_expected += step,
            Arrival::Late => figures.reordered += 1,
            Arrival::Duplicate | Arrival::Ancient => {
                figures.duplicates += 1;
                return false;
            }
        }
        figures.packets_received += 1;
        figures.bytes_received += bytes;
        true
    }

    /// Reads a decrypted payload.
    fn check(&mut self, at: Time, payload: &[u8], figures: &mut Figures) {
        self.unchecked = 0;
        if payload.is_empty() {
            return; // padding that fills up what a probe needs
        }
        let (head, picture) = match self.format {
            Format::Opus | Format::Resend => (0, None),
            Format::Video(VideoCodec::Vp8) => (VideoCodec::Vp8.head(), vp8::read(payload)),
            Format::Video(VideoCodec::H264) => (VideoCodec::H264.head(), h264::read(payload)),
        };
        if picture.is_some_and(|picture| picture.key_start) {
            self.wants_key = false;
        }
        figures.checked += 1;
        match stamp::read(payload, head) {
            Content::Ours { encoding, sent } => {
                figures.latency.record(at.since(sent));
                if self.format != Format::Opus {
                    let shown = at.since(self.checked_at).min(STILL).as_micros() as u64;
                    match encoding {
                        0 => figures.encoding_0_micros += shown,
                        1 => figures.encoding_1_micros += shown,
                        _ => figures.encoding_2_micros += shown,
                    }
                }
            }
            Content::Damaged => figures.damaged += 1,
            Content::Foreign => figures.foreign += 1,
        }
        self.checked_at = at;
    }

    fn block(&mut self, now: Time) -> ReportBlock {
        let (expected, received) = (self.tracking.expected(), self.tracking.received());
        let (expected_now, received_now) = (expected - self.reported.0, received - self.reported.1);
        self.reported = (expected, received);
        let lost_now = expected_now.saturating_sub(received_now);
        let (last_sr, delay) = self
            .sender_report
            .map_or((0, 0), |(ntp, at)| (ntp, (now.since(at).as_micros() * 65_536 / 1_000_000) as u32));
        ReportBlock {
            ssrc: Ssrc(self.ssrc),
            fraction_lost: (lost_now * 256).checked_div(expected_now).unwrap_or(0).min(255) as u8,
            lost: expected.saturating_sub(received) as i32,
            highest: self.tracking.newest(),
            jitter: 0, // nobody acts on it
            last_sr,
            delay,
        }
    }
}
