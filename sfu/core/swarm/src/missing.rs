//! Packets of one stream that should have come, and when to ask for each (RFC 4585).

use std::time::Duration;

use arrayvec::ArrayVec;
use rtc::units::Time;

/// Most packets of one stream that are asked for at a time; a larger hole is a key frame's business.
pub(crate) const MOST: usize = 128;
/// A packet may be this late before it is asked for.
const PATIENCE: Duration = Duration::from_millis(10);
/// What was asked for is asked for again after this, as libwebrtc does before it knows the round trip.
const RETRY: Duration = Duration::from_millis(100);
const TRIES: u8 = 10;

/// The holes in a stream.
#[derive(Default)]
pub(crate) struct Missing(ArrayVec<Hole, MOST>);

struct Hole {
    wire: u16,
    due: Time,
    tries: u8,
}

impl Missing {
    /// Notes that `count` packets before `newest` have not come.
    pub(crate) fn add(&mut self, now: Time, newest: u16, count: u64) {
        if count > MOST as u64 {
            self.0.clear();
            return;
        }
        for back in (1..=count as u16).rev() {
            if self.0.is_full() {
                self.0.remove(0);
            }
            self.0.push(Hole { wire: newest.wrapping_sub(back), due: now + PATIENCE, tries: 0 });
        }
    }

    /// Notes that a packet came after all.
    pub(crate) fn came(&mut self, wire: u16) {
        self.0.retain(|hole| hole.wire != wire);
    }

    /// What to ask for now, the oldest first; what was asked for too often is given up.
    pub(crate) fn due(&mut self, now: Time) -> ArrayVec<u16, MOST> {
        self.0.retain(|hole| hole.due > now || hole.tries < TRIES);
        let due = self.0.iter_mut().filter(|hole| hole.due <= now);
        due.map(|hole| {
            hole.due = now + RETRY;
            hole.tries += 1;
            hole.wire
        })
        .collect()
    }

    /// When there is something to ask for.
    pub(crate) fn next(&self) -> Time {
        self.0.iter().map(|hole| hole.due).min().unwrap_or(Time::NEVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(millis: u64) -> Time {
        Time::from_millis(1_000 + millis)
    }

    #[test]
    fn a_hole_is_asked_for_after_a_moment_and_again_until_it_is_filled_or_given_up() {
        let mut missing = Missing::default();
        missing.add(after(0), 2, 4);
        assert_eq!(missing.due(after(9)).len(), 0);
        assert_eq!(missing.due(missing.next())[..], [65_534, 65_535, 0, 1]);
        missing.came(0);
        assert_eq!(missing.next(), after(110));
        let mut asked = 0;
        while missing.next() != Time::NEVER {
            asked += missing.due(missing.next()).len();
        }
        assert_eq!(asked, 3 * (usize::from(TRIES) - 1));
    }

    #[test]
    fn holes_are_bounded_and_the_oldest_go_first() {
        let mut missing = Missing::default();
        (0..10).for_each(|round| missing.add(after(0), 1_000 + round * 100, 50));
        let due = missing.due(after(10));
        assert_eq!((due.len(), due[MOST - 1]), (MOST, 1_899));
        missing.add(after(20), 10_000, 5_000);
        assert_eq!(missing.next(), Time::NEVER);
    }
}
