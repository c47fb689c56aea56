//! Keeping timestamps continuous when a subscription goes from one encoding to another.

use crate::receive::Stored;
use crate::receive::stream::SenderClock;
use crate::send::rewrite::Last;
use crate::units::RtpTime;

/// The sender's clock is not believed when it differs from arrival times by more than this many seconds.
const MAX_DISAGREEMENT: u32 = 2;

/// The encoding that was sent until now.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    /// What was last sent.
    pub last: &'a Last,
    /// What was taken from its timestamps.
    pub offset: u32,
    /// The publisher's clock for it.
    pub clock: Option<SenderClock>,
}

/// What to take from the timestamps of a stretch that begins with `first`.
///
/// Both encodings are shots of the same scene: their sender reports tell which timestamps mean the same instant, so
/// that sound and picture stay together over any number of switches. Before the reports have come, arrival times
/// must do. In any case the result lies behind what was sent.
pub fn offset(before: Option<Before>, first: &Stored, clock: Option<SenderClock>, clock_rate: u32) -> u32 {
    let Some(before) = before else { return 0 };
    let by_arrival = {
        let micros = first.arrival.since(before.last.arrival).as_micros();
        before.last.timestamp.0.wrapping_add((micros * u128::from(clock_rate) / 1_000_000) as u32)
    };
    let by_reports = before.clock.zip(clock).map(|(old, new)| {
        let apart = new.info.ntp.0.wrapping_sub(old.info.ntp.0) as i64;
        let apart = ((i128::from(apart) * i128::from(clock_rate)) >> 32) as u32;
        let since_report = first.timestamp.0.wrapping_sub(new.info.rtp.0);
        let old = old.info.rtp.0.wrapping_sub(before.offset);
        old.wrapping_add(apart).wrapping_add(since_report)
    });
    let trusted = by_reports.filter(|&timestamp| {
        let difference = timestamp.wrapping_sub(by_arrival) as i32;
        difference.unsigned_abs() <= MAX_DISAGREEMENT * clock_rate
    });
    let mut timestamp = trusted.unwrap_or(by_arrival);
    if timestamp.wrapping_sub(before.last.timestamp.0) as i32 <= 0 {
        timestamp = before.last.timestamp.0.wrapping_add(1);
    }
    first.timestamp.0.wrapping_sub(timestamp)
}

/// The instant `micros` after a report was made, in the timestamps of a subscription.
pub fn extrapolate(clock: &SenderClock, offset: u32, micros: u64, clock_rate: u32) -> RtpTime {
    let ticks = (u128::from(micros) * u128::from(clock_rate) / 1_000_000) as u32;
    RtpTime(clock.info.rtp.0.wrapping_add(ticks).wrapping_sub(offset))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::{NtpTime, SenderInfo};
    use crate::send::rewrite::Rewriter;
    use crate::send::sent::Source;
    use crate::units::{SeqNo, Time};

    const SECOND: u64 = 1 << 32;

    fn clock(ntp: u64, rtp: u32) -> Option<SenderClock> {
        let info = SenderInfo { ntp: NtpTime(ntp), rtp: RtpTime(rtp), packets: 0, bytes: 0 };
        Some(SenderClock { info, at: Time(0) })
    }

    /// The timestamp that the first packet of the new stretch gets; the last one sent had 10,000 at 1 s.
    fn first_sent(old: Option<SenderClock>, new: Option<SenderClock>, timestamp: u32, ms: u64) -> u32 {
        let mut rewriter = Rewriter::new(8, SeqNo(1));
        let at = |timestamp, ms| Stored {
            seq: SeqNo(9),
            timestamp: RtpTime(timestamp),
            arrival: Time::from_millis(ms),
            ..Stored::default()
        };
        rewriter.begin(Source::new(0, 0), &at(15_000, 1_000), 5_000);
        rewriter.place(&at(15_000, 1_000), false);
        let before = Before { last: rewriter.last().unwrap(), offset: 5_000, clock: old };
        let first = at(timestamp, ms);
        first.timestamp.0.wrapping_sub(offset(Some(before), &first, new, 90_000))
    }

    #[test]
    fn switches_keep_the_publishers_time() {
        let old = clock(7 * SECOND, 15_000); // timestamp 15,000 was 7.0 s
        let rows = [
            (
                "reports: 33 ms later",
                old,
                clock(8 * SECOND, 500_000),
                500_000 - 90_000 + 2_970,
                1_040,
                12_970,
            ),
            ("reports: same picture", old, clock(7 * SECOND, 40), 40, 1_005, 10_001),
            ("reports: an older picture", old, clock(7 * SECOND, 40), 40 - 30, 1_005, 10_001),
            ("reports: wrapped", old, clock(7 * SECOND, u32::MAX), 899, 1_010, 10_900),
            ("no report of the new one", old, None, 77, 1_100, 19_000),
            ("no report of the old one", None, clock(7 * SECOND, 40), 77, 1_100, 19_000),
            ("absurd report", old, clock(u64::MAX / 2, 40), 77, 1_100, 19_000),
            ("same instant, no reports", None, None, 77, 1_000, 10_001),
        ];
        for (what, old, new, timestamp, ms, expected) in rows {
            assert_eq!(first_sent(old, new, timestamp, ms), expected, "{what}");
        }
    }

    #[test]
    fn the_first_stretch_keeps_its_timestamps() {
        assert_eq!(offset(None, &Stored { timestamp: RtpTime(5), ..Stored::default() }, None, 90_000), 0);
    }
}
