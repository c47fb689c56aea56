//! When packets of one transport arrived, for transport-wide feedback to the publisher's bandwidth estimate.

use crate::rtcp::{Composer, transport_cc};
use crate::units::{SeqNo, Ssrc, Time};

/// Numbers remembered: 100 ms at 20,000 packets a second.
const WINDOW: usize = 2_048;

/// The arrival times that were not reported yet, and some older ones for when a late packet comes.
pub struct Arrivals {
    times: Box<[Option<Time>; WINDOW]>,
    newest: Option<SeqNo>,
    /// The first number that was not reported.
    next: SeqNo,
    /// Feedback is about the transport; it must name some stream of it.
    media: Ssrc,
    number: u8,
}

impl Default for Arrivals {
    fn default() -> Arrivals {
        Arrivals { times: Box::new([None; WINDOW]), newest: None, next: SeqNo(0), media: Ssrc(0), number: 0 }
    }
}

impl Arrivals {
    /// A packet with the transport-wide number `wire` came.
    pub fn record(&mut self, now: Time, wire: u16, media: Ssrc) {
        self.media = media;
        let Some(newest) = self.newest else {
            let seq = SeqNo(u64::from(wire) + (1 << 16)); // packets that overtook it keep their place below
            self.newest = Some(seq);
            self.next = seq;
            self.times[slot(seq)] = Some(now);
            return;
        };
        let seq = newest.extend(wire);
        if seq > newest {
            if seq.0 - newest.0 >= WINDOW as u64 {
                self.times.fill(None);
                self.next = seq;
            } else {
                for skipped in newest.0 + 1..seq.0 {
                    self.times[slot(SeqNo(skipped))] = None;
                }
                self.next = SeqNo(self.next.0.max(seq.0.saturating_sub(WINDOW as u64 - 1)));
            }
            self.newest = Some(seq);
        } else if newest.0 - seq.0 >= WINDOW as u64 / 2 || self.times[slot(seq)].is_some() {
            return; // too late to matter, or here before
        } else {
            self.next = self.next.min(seq);
        }
        self.times[slot(seq)] = Some(now);
    }

    /// Something is to be reported.
    pub fn pending(&self) -> bool {
        self.newest.is_some_and(|newest| self.next <= newest)
    }

    /// Adds one feedback to `composer`; false when there was nothing to say or no room.
    pub fn report(&mut self, composer: &mut Composer, sender: Ssrc) -> bool {
        let Some(newest) = self.newest else { return false };
        // The first number is the one after those reported, whether it came or not: a loss between two feedbacks is
        // one too. Only a hole that no feedback has room for is passed over.
        let came = (self.next.0..=newest.0).find(|&seq| self.times[slot(SeqNo(seq))].is_some());
        let Some(came) = came else { return false };
        if came - self.next.0 >= transport_cc::MAX_STATUSES as u64 {
            self.next = SeqNo(came);
        }
        let arrivals = (self.next.0..=newest.0).map(|seq| self.times[slot(SeqNo(seq))]);
        let told = transport_cc::write(composer, sender, self.media, self.next.wire(), self.number, arrivals);
        self.next = SeqNo(self.next.0 + told as u64);
        self.number = self.number.wrapping_add(u8::from(told > 0));
        told > 0
    }
}

fn slot(seq: SeqNo) -> usize {
    seq.0 as usize % WINDOW
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::transport_cc::tests::read;

    fn report(arrivals: &mut Arrivals) -> Vec<(u16, Vec<bool>)> {
        let mut reports = Vec::new();
        while arrivals.pending() {
            let mut composer = Composer::new();
            if !arrivals.report(&mut composer, Ssrc(1)) {
                break;
            }
            let (base, _, times) = read(composer.bytes());
            reports.push((base, times.iter().map(Option::is_some).collect()));
        }
        reports
    }

    #[test]
    fn each_arrival_is_reported_once_with_the_gaps_between() {
        let mut arrivals = Arrivals::default();
        for (i, seq) in [65_534u16, 65_535, 2, 3].into_iter().enumerate() {
            arrivals.record(Time(1_000 * i as u64), seq, Ssrc(9));
        }
        assert_eq!(report(&mut arrivals), [(65_534, vec![true, true, false, false, true, true])]);
        assert_eq!(report(&mut arrivals), []);
    }

    #[test]
    fn a_loss_between_two_feedbacks_is_told() {
        let mut arrivals = Arrivals::default();
        arrivals.record(Time(5), 10, Ssrc(9));
        assert_eq!(report(&mut arrivals), [(10, vec![true])]);
        arrivals.record(Time(9), 12, Ssrc(9));
        assert_eq!(report(&mut arrivals), [(11, vec![false, true])]);
        arrivals.record(Time(20), 1_012, Ssrc(9));
        assert_eq!(report(&mut arrivals), [(1_012, vec![true])]);
    }

    #[test]
    fn a_late_packet_is_reported_again_with_those_after_it() {
        let mut arrivals = Arrivals::default();
        for seq in [10u16, 12] {
            arrivals.record(Time(5), seq, Ssrc(9));
        }
        assert_eq!(report(&mut arrivals), [(10, vec![true, false, true])]);
        arrivals.record(Time(9), 11, Ssrc(9));
        assert_eq!(report(&mut arrivals), [(11, vec![true, true])]);
    }

    #[test]
    fn jumps_of_the_number_cost_a_bounded_effort() {
        let mut arrivals = Arrivals::default();
        for seq in [0u16, 30_000, 60_000, 59_000, 29_000, 61_000, 60_999] {
            arrivals.record(Time(5), seq, Ssrc(9));
        }
        assert!(report(&mut arrivals).len() <= 8);
    }
}
