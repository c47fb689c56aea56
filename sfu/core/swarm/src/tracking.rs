//! What the sequence numbers of one stream tell: what is missing, what came twice, what came late.

use rtc::units::SeqNo;

/// So many packets back it is known which have come.
const WINDOW: u64 = 1_024;
const WORDS: usize = WINDOW as usize / 64;

/// What a packet meant for the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// The newest so far, so many numbers after the one before; 1 when nothing is missing between them.
    Newest(u64),
    /// One that was missing, after younger ones.
    Late,
    /// One that had come before.
    Duplicate,
    /// Too old to tell.
    Ancient,
}

/// The books of one stream.
#[derive(Debug, Clone)]
pub struct Tracking {
    newest: SeqNo,
    /// A bit for each of the last [`WINDOW`] numbers, at the number modulo the window.
    seen: [u64; WORDS],
    expected: u64,
    received: u64,
}

impl Tracking {
    /// Begins with the first packet of a stream.
    pub fn new(first: u16) -> Tracking {
        // A cycle up, so that a packet from before the first has a number, too.
        let newest = SeqNo(0x1_0000 | u64::from(first));
        let mut tracking = Tracking { newest, seen: [0; WORDS], expected: 1, received: 1 };
        tracking.mark(newest.0);
        tracking
    }

    /// Takes in another packet.
    pub fn accept(&mut self, wire: u16) -> Arrival {
        let number = self.newest.extend(wire).0;
        if number <= self.newest.0 {
            if self.newest.0 - number >= WINDOW {
                return Arrival::Ancient;
            }
            if self.is_marked(number) {
                return Arrival::Duplicate;
            }
            self.mark(number);
            self.received += 1;
            return Arrival::Late;
        }
        let step = number - self.newest.0;
        if step < WINDOW {
            (self.newest.0 + 1..number).for_each(|missing| self.unmark(missing));
        } else {
            self.seen.fill(0);
        }
        self.mark(number);
        self.newest = SeqNo(number);
        self.expected += step;
        self.received += 1;
        Arrival::Newest(step)
    }

    /// The highest number received, with the count of cycles above it.
    pub fn newest(&self) -> u32 {
        (self.newest.0 - 0x1_0000) as u32
    }

    /// The highest number as in its header.
    pub fn newest_wire(&self) -> u16 {
        self.newest.wire()
    }

    /// Packets that were sent, as far as is known.
    pub fn expected(&self) -> u64 {
        self.expected
    }

    /// Packets that came, each counted once.
    pub fn received(&self) -> u64 {
        self.received
    }

    fn mark(&mut self, number: u64) {
        self.seen[(number % WINDOW / 64) as usize] |= 1 << (number % 64);
    }

    fn unmark(&mut self, number: u64) {
        self.seen[(number % WINDOW / 64) as usize] &= !(1 << (number % 64));
    }

    fn is_marked(&self, number: u64) -> bool {
        self.seen[(number % WINDOW / 64) as usize] & 1 << (number % 64) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(first: u16, rest: &[u16]) -> (Vec<Arrival>, Tracking) {
        let mut tracking = Tracking::new(first);
        (rest.iter().map(|&wire| tracking.accept(wire)).collect(), tracking)
    }

    #[test]
    fn packets_in_order_are_all_there_also_over_the_wrap() {
        let (arrivals, tracking) = after(65_534, &[65_535, 0, 1]);
        assert_eq!(arrivals, [Arrival::Newest(1); 3]);
        assert_eq!((tracking.expected(), tracking.received()), (4, 4));
        assert_eq!(tracking.newest(), 65_537);
    }

    #[test]
    fn a_gap_is_a_loss_until_it_is_filled_and_what_comes_twice_counts_once() {
        let (arrivals, tracking) = after(10, &[13, 12, 12, 13, 10]);
        let duplicate = Arrival::Duplicate;
        assert_eq!(arrivals, [Arrival::Newest(3), Arrival::Late, duplicate, duplicate, duplicate]);
        assert_eq!((tracking.expected(), tracking.received()), (4, 3));
    }

    #[test]
    fn numbers_of_the_last_round_of_the_window_are_not_mistaken_for_new_ones() {
        let mut tracking = Tracking::new(0);
        (1..=1_023).for_each(|wire| assert_eq!(tracking.accept(wire), Arrival::Newest(1)));
        assert_eq!(tracking.accept(1_030), Arrival::Newest(7));
        assert_eq!(tracking.accept(1_025), Arrival::Late, "not the 1 of the round before");
        assert_eq!(tracking.accept(6), Arrival::Ancient);
        assert_eq!(tracking.accept(7), Arrival::Duplicate);
        assert_eq!(tracking.accept(5_000), Arrival::Newest(3_970));
        assert_eq!(tracking.accept(4_500), Arrival::Late);
    }

    #[test]
    fn packets_from_before_the_first_are_late_and_do_not_disturb() {
        let (arrivals, tracking) = after(0, &[65_535, 1]);
        assert_eq!(arrivals, [Arrival::Late, Arrival::Newest(1)]);
        assert_eq!(tracking.expected(), 2);
    }
}
