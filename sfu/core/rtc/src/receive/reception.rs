//! How well one stream arrives: loss and jitter for receiver reports (RFC 3550, appendices A.3 and A.8).

use crate::units::{RtpTime, SeqNo, Time};

/// The figures of one stream since it began.
#[derive(Debug, Clone, Copy)]
pub struct Reception {
    first: SeqNo,
    newest: SeqNo,
    /// Different packets that came, also by retransmission.
    unique: u64,
    /// Packets that came on their own: what a receiver report counts.
    original: u64,
    last_transit: Option<u32>,
    last_timestamp: RtpTime,
    /// In 1/16 of a timestamp unit.
    jitter: u32,
    reported_expected: u64,
    reported_original: u64,
    counted_lost: u64,
}

/// Loss as a report block says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    /// Share lost since the last report, of 256.
    pub fraction: u8,
    /// Packets lost since the start.
    pub total: i32,
}

impl Reception {
    /// A stream that began with `first`, which is not counted yet.
    pub fn new(first: SeqNo) -> Reception {
        Reception {
            first,
            newest: first,
            unique: 0,
            original: 0,
            last_transit: None,
            last_timestamp: RtpTime(0),
            jitter: 0,
            reported_expected: 0,
            reported_original: 0,
            counted_lost: 0,
        }
    }

    /// A packet that had not come before arrived on its own.
    pub fn original(&mut self, now: Time, seq: SeqNo, timestamp: RtpTime, clock_rate: u32) {
        self.unique += 1;
        self.original += 1;
        self.first = self.first.min(seq);
        if seq < self.newest {
            return;
        }
        self.newest = seq;
        // Packets of one picture share a timestamp but leave one after the other: only the first tells of jitter.
        if self.last_transit.is_some() && timestamp == self.last_timestamp {
            return;
        }
        let arrival = (u128::from(now.micros()) * u128::from(clock_rate) / 1_000_000) as u32;
        let transit = arrival.wrapping_sub(timestamp.0);
        if let Some(last) = self.last_transit {
            // A jump of the publisher's clock is no jitter.
            let difference = (transit.wrapping_sub(last) as i32).unsigned_abs().min(clock_rate.max(1));
            self.jitter = self.jitter + difference - ((self.jitter + 8) >> 4).min(self.jitter);
        }
        self.last_transit = Some(transit);
        self.last_timestamp = timestamp;
    }

    /// A packet that had been lost came by retransmission.
    pub fn repaired(&mut self, seq: SeqNo) {
        self.unique += 1;
        self.first = self.first.min(seq);
        self.newest = self.newest.max(seq);
    }

    /// Jitter in timestamp units.
    pub fn jitter(&self) -> u32 {
        self.jitter >> 4
    }

    /// Loss before retransmission, and starts the next interval.
    pub fn report(&mut self) -> Loss {
        let expected = self.expected();
        let interval = expected - self.reported_expected.min(expected);
        let received = self.original - self.reported_original;
        let lost = interval.saturating_sub(received);
        self.reported_expected = expected;
        self.reported_original = self.original;
        let fraction = (lost * 256).checked_div(interval).unwrap_or(0).min(255) as u8;
        let total = expected as i64 - self.original as i64;
        Loss { fraction, total: total.clamp(-0x80_0000, 0x7f_ffff) as i32 }
    }

    /// Packets lost for good since this was last asked, as far as can be said: never negative.
    pub fn newly_lost(&mut self) -> u64 {
        let lost = self.expected().saturating_sub(self.unique);
        let newly = lost.saturating_sub(self.counted_lost);
        self.counted_lost = self.counted_lost.max(lost);
        newly
    }

    fn expected(&self) -> u64 {
        self.newest.0 - self.first.0 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_is_told_for_the_interval_and_in_total() {
        let mut reception = Reception::new(SeqNo(100));
        for seq in (100..200).filter(|seq| seq % 4 != 3) {
            reception.original(Time(0), SeqNo(seq), RtpTime(0), 90_000);
        }
        reception.original(Time(0), SeqNo(200), RtpTime(0), 90_000);
        assert_eq!(reception.report(), Loss { fraction: (25 * 256 / 101) as u8, total: 25 });
        reception.repaired(SeqNo(103));
        for seq in 201..301 {
            reception.original(Time(0), SeqNo(seq), RtpTime(0), 90_000);
        }
        assert_eq!(reception.report(), Loss { fraction: 0, total: 25 });
        assert_eq!(reception.newly_lost(), 24);
        assert_eq!(reception.newly_lost(), 0);
    }

    #[test]
    fn even_arrivals_have_no_jitter_and_uneven_ones_have() {
        let mut even = Reception::new(SeqNo(0));
        let mut uneven = Reception::new(SeqNo(0));
        for i in 0..200u64 {
            let timestamp = RtpTime(i as u32 * 960);
            even.original(Time::from_millis(i * 20), SeqNo(i), timestamp, 48_000);
            uneven.original(Time::from_millis(i * 20 + i % 2 * 10), SeqNo(i), timestamp, 48_000);
        }
        assert_eq!(even.jitter(), 0);
        assert!((400..=480).contains(&uneven.jitter()), "{}", uneven.jitter()); // 10 ms are 480 units
    }

    #[test]
    fn a_jump_of_the_clock_is_bounded() {
        let mut reception = Reception::new(SeqNo(0));
        for (i, timestamp) in [0, u32::MAX / 2, 5, u32::MAX - 3].into_iter().enumerate() {
            reception.original(Time(0), SeqNo(i as u64), RtpTime(timestamp), 90_000);
        }
        assert!(reception.jitter() <= 90_000);
    }
}
