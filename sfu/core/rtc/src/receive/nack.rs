//! Asking a publisher for packets that did not come.

use std::collections::VecDeque;
use std::time::Duration;

use crate::units::{SeqNo, Time};

/// A reordered packet is usually back by then, or after two newer packets.
const PATIENCE: Duration = Duration::from_millis(20);
/// Requests for one packet are at least this far apart, or one round trip if that is longer.
const MIN_RETRY: Duration = Duration::from_millis(50);
/// After this many requests the path is broken, or the publisher has forgotten the packet.
const MAX_TRIES: u8 = 10;
/// Missing packets followed at a time: more than that is not a loss but an interruption.
pub const MAX_MISSING: usize = 1_000;

/// The missing packets of one stream.
#[derive(Debug, Default)]
pub struct NackGenerator {
    /// Ascending.
    missing: VecDeque<Missing>,
    due: Option<Time>,
}

#[derive(Debug, Clone, Copy)]
struct Missing {
    seq: SeqNo,
    /// The packet by which the gap was seen.
    seen_by: SeqNo,
    next: Time,
    tries: u8,
}

impl NackGenerator {
    /// `seq` came and was newer than `newest` was: what lies between is missing.
    ///
    /// Returns false when the gap is hopeless; everything is forgotten then, and only a key frame helps.
    pub fn newer(&mut self, now: Time, newest: SeqNo, seq: SeqNo) -> bool {
        if self.missing.back().is_some_and(|last| last.tries == 0) {
            self.due = Some(now); // the second packet after the gap: patience ends
        }
        let gap = (seq.0 - newest.0 - 1) as usize;
        if gap + self.missing.len() > MAX_MISSING {
            self.clear();
            return false;
        }
        for seq_missing in newest.0 + 1..seq.0 {
            let next = now + PATIENCE;
            self.missing.push_back(Missing { seq: SeqNo(seq_missing), seen_by: seq, next, tries: 0 });
            self.due = Some(self.due.map_or(next, |due| due.min(next)));
        }
        true
    }

    /// An older packet came; true if it was missing.
    pub fn recovered(&mut self, seq: SeqNo) -> bool {
        let Ok(at) = self.missing.binary_search_by_key(&seq, |missing| missing.seq) else { return false };
        self.missing.remove(at);
        if self.missing.is_empty() {
            self.due = None;
        }
        true
    }

    /// Packets that are missing and still asked for.
    pub fn missing(&self) -> usize {
        self.missing.len()
    }

    /// When the next request is to be sent.
    pub fn due(&self) -> Option<Time> {
        self.due
    }

    /// Calls `ask` for the packets to request now, in ascending order, and forgets those that were asked for too often.
    ///
    /// `ask` returns false when it takes no more; the others stay due.
    pub fn take_due(
        &mut self,
        now: Time,
        newest: SeqNo,
        round_trip: Duration,
        mut ask: impl FnMut(SeqNo) -> bool,
    ) {
        let retry = round_trip.max(MIN_RETRY);
        let mut due = None::<Time>;
        let mut open = true;
        self.missing.retain_mut(|missing| {
            let urgent = missing.tries == 0 && newest > missing.seen_by;
            if missing.next <= now || urgent {
                if missing.tries >= MAX_TRIES {
                    return false;
                }
                open = open && ask(missing.seq);
                if open {
                    missing.tries += 1;
                    missing.next = now + retry;
                } else {
                    missing.next = now;
                }
            }
            due = Some(due.map_or(missing.next, |due| due.min(missing.next)));
            true
        });
        self.due = due;
    }

    /// Stops asking for everything.
    pub fn clear(&mut self) {
        self.missing.clear();
        self.due = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(nacks: &mut NackGenerator, ms: u64, newest: u64) -> Vec<u64> {
        let mut seqs = Vec::new();
        nacks.take_due(Time::from_millis(ms), SeqNo(newest), Duration::from_millis(30), |seq| {
            seqs.push(seq.0);
            true
        });
        seqs
    }

    #[test]
    fn a_missing_packet_is_asked_for_after_twenty_milliseconds() {
        let mut nacks = NackGenerator::default();
        assert!(nacks.newer(Time::from_millis(100), SeqNo(1), SeqNo(4)));
        assert_eq!(nacks.due(), Some(Time::from_millis(120)));
        assert_eq!(asked(&mut nacks, 119, 4), []);
        assert_eq!(asked(&mut nacks, 120, 4), [2, 3]);
        assert_eq!(nacks.due(), Some(Time::from_millis(170)));
    }

    #[test]
    fn a_second_newer_packet_ends_the_patience() {
        let mut nacks = NackGenerator::default();
        assert!(nacks.newer(Time::from_millis(100), SeqNo(1), SeqNo(3)));
        assert!(nacks.newer(Time::from_millis(101), SeqNo(3), SeqNo(4)));
        assert_eq!(nacks.due(), Some(Time::from_millis(101)));
        assert_eq!(asked(&mut nacks, 101, 4), [2]);
        assert_eq!(asked(&mut nacks, 150, 4), []);
        assert_eq!(asked(&mut nacks, 151, 4), [2]);
    }

    #[test]
    fn a_new_gap_does_not_wait_for_the_retry_of_an_older_one() {
        let mut nacks = NackGenerator::default();
        assert!(nacks.newer(Time::from_millis(100), SeqNo(1), SeqNo(3)));
        assert_eq!(asked(&mut nacks, 120, 3), [2]);
        assert!(nacks.newer(Time::from_millis(121), SeqNo(3), SeqNo(5)));
        assert_eq!(nacks.due(), Some(Time::from_millis(141)));
        assert_eq!(asked(&mut nacks, 141, 5), [4]);
    }

    #[test]
    fn a_packet_that_comes_in_time_is_not_asked_for() {
        let mut nacks = NackGenerator::default();
        assert!(nacks.newer(Time::from_millis(100), SeqNo(1), SeqNo(3)));
        assert!(nacks.recovered(SeqNo(2)));
        assert!(!nacks.recovered(SeqNo(2)));
        assert_eq!(nacks.due(), None);
        assert_eq!(asked(&mut nacks, 500, 9), []);
    }

    #[test]
    fn ten_requests_are_enough() {
        let mut nacks = NackGenerator::default();
        assert!(nacks.newer(Time(0), SeqNo(1), SeqNo(3)));
        let total: usize = (1..100).map(|i| asked(&mut nacks, i * 50, 3).len()).sum();
        assert_eq!(total, 10);
        assert_eq!(nacks.due(), None);
    }

    #[test]
    fn what_finds_no_room_stays_due() {
        let mut nacks = NackGenerator::default();
        assert!(nacks.newer(Time(0), SeqNo(1), SeqNo(5)));
        let mut room = 1;
        nacks.take_due(Time::from_millis(20), SeqNo(5), Duration::ZERO, |_| {
            room -= 1;
            room >= 0
        });
        assert_eq!(nacks.due(), Some(Time::from_millis(20)));
        assert_eq!(asked(&mut nacks, 21, 5), [3, 4]);
    }

    #[test]
    fn a_hopeless_gap_is_not_asked_for() {
        let mut nacks = NackGenerator::default();
        assert!(nacks.newer(Time(0), SeqNo(1), SeqNo(900)));
        assert!(!nacks.newer(Time(0), SeqNo(900), SeqNo(1_100)));
        assert_eq!(nacks.due(), None);
    }
}
