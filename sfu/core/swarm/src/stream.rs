//! One stream that a participant receives: what came of it, what is missing, what its payloads say.

use std::time::Duration;

use rtc::rtcp::{Composer, ReportBlock};
use rtc::rtp::{av1, h264, vp8, vp9};
use rtc::units::{Ssrc, Time};

use crate::clip::Clip;
use crate::codec::VideoCodec;
use crate::figures::Figures;
use crate::missing::Missing;
use crate::reception::Format;
use crate::stamp::{self, Content};
use crate::tracking::{Arrival, Tracking};

/// How long a stream is given to begin with a key frame before it is asked for one.
const BEGINNING: Duration = Duration::from_millis(100);
/// A key frame that does not come is asked for again after this.
const KEY_FRAME_PATIENCE: Duration = Duration::from_millis(500);
/// A picture that stands still for longer is not time of its encoding.
const STILL: Duration = Duration::from_millis(1_000);

/// The books of one stream.
pub(crate) struct Stream {
    pub(crate) ssrc: u32,
    format: Format,
    pub(crate) tracking: Tracking,
    pub(crate) unchecked: u32,
    pub(crate) wants_key: bool,
    next_ask: Time,
    pub(crate) missing: Missing,
    checked_at: Time,
    /// Expected and received at the last report.
    reported: (u64, u64),
    /// Middle bits of the sender's clock in its last report, and when it came.
    pub(crate) sender_report: Option<(u32, Time)>,
}

impl Stream {
    /// Begins with its first packet.
    pub(crate) fn new(at: Time, ssrc: u32, format: Format, seq: u16) -> Stream {
        Stream {
            ssrc,
            format,
            tracking: Tracking::new(seq),
            unchecked: 0,
            wants_key: matches!(format, Format::Video(_)),
            next_ask: at + BEGINNING,
            missing: Missing::default(),
            checked_at: at,
            reported: (0, 0),
            sender_report: None,
        }
    }

    /// When there is something to ask for.
    pub(crate) fn ask_at(&self) -> Time {
        let key = if self.wants_key { self.next_ask } else { Time::NEVER };
        key.min(self.missing.next())
    }

    /// Asks for what is missing, into `composer`.
    pub(crate) fn ask(&mut self, now: Time, us: Ssrc, composer: &mut Composer, figures: &mut Figures) {
        if self.wants_key && self.next_ask <= now && composer.picture_loss(us, Ssrc(self.ssrc)) {
            self.next_ask = now + KEY_FRAME_PATIENCE;
            figures.key_frames_asked += 1;
        }
        let lost = self.missing.due(now);
        figures.resends_asked += composer.nack(us, Ssrc(self.ssrc), &lost) as u64;
    }

    /// Counts a packet; false for one that has come before.
    pub(crate) fn count(&mut self, at: Time, seq: u16, bytes: u64, figures: &mut Figures) -> bool {
        match self.tracking.accept(seq) {
            Arrival::Newest(step) => {
                figures.packets_expected += step;
                if step > 1 && self.format != Format::Opus {
                    self.missing.add(at, self.tracking.newest_wire(), step - 1);
                }
            }
            Arrival::Late => {
                figures.reordered += 1;
                self.missing.came(seq);
            }
            Arrival::Duplicate | Arrival::Ancient => {
                figures.duplicates += 1;
                return false;
            }
        }
        figures.packets_received += 1;
        figures.bytes_received += bytes;
        true
    }

    /// Reads a decrypted payload; one of `clip` is known without a stamp.
    pub(crate) fn check(&mut self, at: Time, payload: &[u8], clip: Option<&Clip>, figures: &mut Figures) {
        self.unchecked = 0;
        if payload.is_empty() {
            return; // padding that fills up what a probe needs
        }
        let picture = match self.format {
            Format::Opus | Format::Resend => None,
            Format::Video(VideoCodec::Vp8) => vp8::read(payload),
            Format::Video(VideoCodec::H264) => h264::read(payload),
            Format::Video(VideoCodec::Vp9) => vp9::read(payload),
            Format::Video(VideoCodec::Av1) => av1::read(payload),
        };
        let (head, tail) = match self.format {
            Format::Opus | Format::Resend => (0, 0),
            Format::Video(codec) => (codec.head(), codec.tail_of(payload)),
        };
        if picture.is_some_and(|picture| picture.key_start) {
            self.wants_key = false;
        }
        figures.checked += 1;
        match stamp::read(&payload[..payload.len().saturating_sub(tail)], head) {
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
            // The last of its picture tells the time.
            Content::Foreign if clip.is_some_and(|clip| clip.knows(&payload[head.min(payload.len())..])) => {
                return;
            }
            Content::Damaged => figures.damaged += 1,
            Content::Foreign => figures.foreign += 1,
        }
        self.checked_at = at;
    }

    /// What a report says of it.
    pub(crate) fn block(&mut self, now: Time) -> ReportBlock {
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
