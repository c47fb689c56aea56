//! Sender reports of one subscription, and what its receiver answers.
//!
//! The NTP time in a report is the *publisher's* clock, carried on from its last report. Sound and picture of one
//! publisher are thus in the same clock and stay together at the receiver, however they were rewritten here. The
//! round trip needs only our own clock: we remember when each report left.

use std::time::Duration;

use crate::receive::stream::SenderClock;
use crate::rtcp::{ReportBlock, SenderInfo};
use crate::send::timestamps;
use crate::units::Time;

/// Reports whose echo is still understood: 4 s of them.
const REMEMBERED: usize = 4;
/// Longer round trips are not believed.
const MAX_ROUND_TRIP: Duration = Duration::from_secs(10);

/// What was sent and what came back.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reports {
    /// The receiver has told of this stream, so it knows where it belongs.
    pub confirmed: bool,
    packets: u32,
    bytes: u32,
    sent: [Option<(u32, Time)>; REMEMBERED],
    next: usize,
    lost: i32,
}

/// What a report block says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// Time to the receiver and back, when the block tells.
    pub round_trip: Option<Duration>,
    /// Packets lost since the last block.
    pub newly_lost: u64,
    /// Jitter in microseconds.
    pub jitter_micros: u64,
}

impl Reports {
    /// Counts what was sent.
    pub fn count(&mut self, packets: u64, bytes: u64) {
        self.packets = self.packets.wrapping_add(packets as u32);
        self.bytes = self.bytes.wrapping_add(bytes as u32);
    }

    /// Something was sent that a report can tell of.
    pub fn any_sent(&self) -> bool {
        self.packets > 0
    }

    /// The first report was not sent yet.
    pub fn never_reported(&self) -> bool {
        self.sent.iter().all(Option::is_none)
    }

    /// A report for this instant; `offset` is what is taken from the publisher's timestamps.
    pub fn make(&mut self, now: Time, clock: &SenderClock, offset: u32, clock_rate: u32) -> SenderInfo {
        let micros = now.since(clock.at).as_micros() as u64;
        let info = SenderInfo {
            ntp: clock.info.ntp.plus_micros(micros),
            rtp: timestamps::extrapolate(clock, offset, micros, clock_rate),
            packets: self.packets,
            bytes: self.bytes,
        };
        self.sent[self.next] = Some((info.ntp.middle(), now));
        self.next = (self.next + 1) % REMEMBERED;
        info
    }

    /// Reads what the receiver says of this stream.
    pub fn hear(&mut self, now: Time, block: &ReportBlock, clock_rate: u32) -> Heard {
        self.confirmed = true;
        let newly_lost = block.lost.saturating_sub(self.lost).max(0) as u64;
        self.lost = self.lost.max(block.lost);
        let jitter_micros = u64::from(block.jitter) * 1_000_000 / u64::from(clock_rate.max(1));
        Heard {
            round_trip: self.round_trip(now, block),
            newly_lost: newly_lost.min(u64::from(self.packets)),
            jitter_micros: jitter_micros.min(MAX_ROUND_TRIP.as_micros() as u64),
        }
    }

    fn round_trip(&self, now: Time, block: &ReportBlock) -> Option<Duration> {
        if block.last_sr == 0 {
            return None;
        }
        let &(_, left) = self.sent.iter().flatten().find(|(middle, _)| *middle == block.last_sr)?;
        let held = Duration::from_micros((u64::from(block.delay) * 1_000_000) >> 16);
        // A peer that claims to have held the report longer than it was away is lying or broken.
        now.since(left).checked_sub(held).filter(|&trip| trip <= MAX_ROUND_TRIP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::NtpTime;
    use crate::units::{RtpTime, Ssrc};

    fn block(last_sr: u32, delay: u32, lost: i32) -> ReportBlock {
        ReportBlock { ssrc: Ssrc(1), fraction_lost: 0, lost, highest: 0, jitter: 90, last_sr, delay }
    }

    fn clock() -> SenderClock {
        let info = SenderInfo { ntp: NtpTime(7 << 32), rtp: RtpTime(1_000), packets: 0, bytes: 0 };
        SenderClock { info, at: Time::from_millis(100) }
    }

    #[test]
    fn a_report_carries_the_publishers_clock_on_to_now() {
        let mut reports = Reports::default();
        reports.count(3, 300);
        let info = reports.make(Time::from_millis(600), &clock(), 400, 90_000);
        assert_eq!(info.ntp, NtpTime((7 << 32) + (1 << 31)));
        assert_eq!(info.rtp, RtpTime(1_000 + 45_000 - 400));
        assert_eq!((info.packets, info.bytes), (3, 300));
    }

    #[test]
    fn the_round_trip_is_measured_and_absurd_ones_are_not_believed() {
        let mut reports = Reports::default();
        let info = reports.make(Time::from_millis(1_000), &clock(), 0, 90_000);
        let middle = info.ntp.middle();
        let rows = [
            (middle, 65_536 / 2, 1_580, Some(80)),
            (middle, 65_536, 1_580, None), // held longer than it was away
            (middle, u32::MAX, 1_580, None),
            (middle, 0, 20_000, None),
            (middle + 1, 0, 1_580, None), // never sent
            (0, 0, 1_580, None),
        ];
        for (last_sr, delay, ms, expected) in rows {
            let heard = reports.hear(Time::from_millis(ms), &block(last_sr, delay, 0), 90_000);
            assert_eq!(heard.round_trip.map(|trip| trip.as_millis()), expected, "{last_sr} {delay} {ms}");
        }
    }

    #[test]
    fn loss_is_counted_once_and_never_beyond_what_was_sent() {
        let mut reports = Reports::default();
        reports.count(50, 0);
        let lost: Vec<_> = [0, 5, 5, 3, 7, i32::MAX, i32::MIN]
            .into_iter()
            .map(|lost| reports.hear(Time(0), &block(0, 0, lost), 90_000).newly_lost)
            .collect();
        assert_eq!(lost, [0, 5, 0, 0, 2, 50, 0]);
    }
}
