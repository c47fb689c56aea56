//! Sound of several people to one listener, put side by side so that it leaves as one message.

use crate::outbox::{Outbox, Slot, TrafficClass};
use crate::path::Path;

/// Where the synchronization source stands in a packet, which no encryption covers (RFC 3550, section 5.1).
const SSRC: std::ops::Range<usize> = 8..12;
/// No slot.
const NONE: u16 = u16::MAX;

/// Memory for it, kept from one time to the next.
pub(super) struct Joining {
    /// By hash of the destination, the first and the last slot to it. Of two destinations in one place the second has
    /// its sound left where it is.
    ends: Box<[(u16, u16)]>,
    /// Of each slot, the next one to the same destination.
    next: Vec<u16>,
    /// The slots in their new order.
    order: Vec<Slot>,
}

impl Joining {
    pub(super) fn new(datagrams: usize) -> Joining {
        Joining {
            ends: vec![(NONE, NONE); 2 * datagrams].into_boxed_slice(),
            next: Vec::with_capacity(datagrams),
            order: Vec::with_capacity(datagrams),
        }
    }
}

impl Outbox {
    /// Puts sound to one destination side by side, the larger first where it is of different people.
    ///
    /// Nothing else moves, and what one person says stays in order.
    pub fn join_sound(&mut self) {
        if !self.chain() {
            return;
        }
        let mut at = self.bytes.len() / 2;
        for first in 0..self.slots.len() {
            let slot = self.slots[first];
            if slot.class != TrafficClass::Audio {
                self.joining.order.push(slot);
                continue;
            }
            let from = self.joining.order.len();
            let mut member = first as u16;
            // Who follows another has moved with the first.
            while member != NONE && !std::mem::replace(&mut self.slots[usize::from(member)].moved, true) {
                self.joining.order.push(self.slots[usize::from(member)]);
                member = self.joining.next[usize::from(member)];
            }
            let joined = &mut self.joining.order[from..];
            largest_first(joined, &self.bytes);
            if joined.len() > 1 {
                for slot in joined {
                    self.bytes.copy_within(slot.start..slot.start + slot.len, at);
                    slot.start = at;
                    at += slot.len;
                }
            }
        }
        std::mem::swap(&mut self.slots, &mut self.joining.order);
        self.joining.order.clear();
    }

    /// Finds what goes to the same destination; false when no two do.
    fn chain(&mut self) -> bool {
        let Joining { ends, next, .. } = &mut self.joining;
        next.clear();
        if self.slots.iter().filter(|slot| slot.class == TrafficClass::Audio).nth(1).is_none() {
            return false;
        }
        ends.fill((NONE, NONE));
        let places = ends.len();
        let mut found = false;
        for (number, slot) in self.slots.iter().enumerate() {
            next.push(NONE);
            if slot.class != TrafficClass::Audio {
                continue;
            }
            let (first, last) = &mut ends[hash(&slot.path) % places];
            if *first == NONE {
                (*first, *last) = (number as u16, number as u16);
            } else if self.slots[usize::from(*first)].path == slot.path {
                next[usize::from(*last)] = number as u16;
                *last = number as u16;
                found = true;
            }
        }
        found
    }
}

/// Sorts what several people say, and leaves what one of them says as it is.
fn largest_first(slots: &mut [Slot], bytes: &[u8]) {
    let source = |slot: &Slot| bytes.get(slot.start..slot.start + slot.len)?.get(SSRC);
    let twice =
        (1..slots.len()).any(|one| slots[..one].iter().any(|other| source(other) == source(&slots[one])));
    if !twice {
        slots.sort_unstable_by_key(|slot| std::cmp::Reverse(slot.len));
    }
}

fn hash(path: &Path) -> usize {
    let host = match path.remote.ip() {
        std::net::IpAddr::V4(ip) => u32::from(ip),
        std::net::IpAddr::V6(ip) => u128::from(ip) as u32 ^ (u128::from(ip) >> 64) as u32,
    };
    let mixed =
        (host ^ u32::from(path.remote.port()) << 16 ^ u32::from(path.socket)).wrapping_mul(0x9e37_79b1);
    (mixed >> 16) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The source, the number and the length of a datagram.
    type Datagram = (u8, u8, usize);

    /// Puts packets of (class, port, source, number, length) into an outbox, and gives what leaves after joining: of
    /// each message the port and the datagrams.
    fn messages(sent: &[(TrafficClass, u16, u8, u8, usize)]) -> Vec<(u16, Vec<Datagram>)> {
        let mut outbox = Outbox::new(64);
        for &(class, port, source, number, len) in sent {
            let path = Path { socket: 0, remote: ([192, 0, 2, 1], port).into() };
            let mut datagram = vec![0; len];
            (datagram[2], datagram[11]) = (number, source);
            assert!(outbox.push(path, class, &datagram));
        }
        outbox.join_sound();
        assert_eq!(outbox.len(), sent.len());
        let runs = outbox.runs(0, 64);
        runs.map(|run| {
            let datagrams = run.bytes.chunks(run.segment);
            (run.path.remote.port(), datagrams.map(|one| (one[11], one[2], one.len())).collect())
        })
        .collect()
    }

    use TrafficClass::{Audio, Other, Video};

    #[test]
    fn what_several_people_say_leaves_as_one_message_for_each_listener() {
        let sent = [
            (Audio, 1, 7, 0, 90),
            (Audio, 2, 7, 0, 90),
            (Audio, 3, 7, 0, 90),
            (Audio, 1, 8, 0, 120),
            (Audio, 2, 8, 0, 120),
            (Audio, 1, 9, 0, 120),
        ];
        assert_eq!(
            messages(&sent),
            [
                (1, vec![(8, 0, 120), (9, 0, 120), (7, 0, 90)]),
                (2, vec![(8, 0, 120), (7, 0, 90)]),
                (3, vec![(7, 0, 90)]),
            ]
        );
    }

    #[test]
    fn what_one_person_says_stays_in_order() {
        let sent = [(Audio, 1, 7, 0, 80), (Audio, 1, 8, 0, 90), (Audio, 1, 7, 1, 100)];
        assert_eq!(messages(&sent), [(1, vec![(7, 0, 80)]), (1, vec![(8, 0, 90)]), (1, vec![(7, 1, 100)])]);
    }

    #[test]
    fn pictures_and_the_rest_stay_where_they_are() {
        let sent = [
            (Other, 1, 0, 0, 40),
            (Video, 1, 5, 0, 100),
            (Audio, 1, 7, 0, 60),
            (Video, 1, 5, 1, 100),
            (Audio, 1, 8, 0, 60),
        ];
        assert_eq!(
            messages(&sent),
            [
                (1, vec![(0, 0, 40)]),
                (1, vec![(5, 0, 100)]),
                (1, vec![(7, 0, 60), (8, 0, 60)]),
                (1, vec![(5, 1, 100)]),
            ]
        );
    }

    #[test]
    fn an_outbox_is_as_good_as_new_afterwards() {
        let mut outbox = Outbox::new(4);
        for round in 0..3 {
            for port in [1, 1, 2, 2] {
                let path = Path { socket: 0, remote: ([192, 0, 2, 1], port).into() };
                assert!(outbox.push(path, Audio, &[round; 1_400]));
            }
            assert_eq!(outbox.room(), 0);
            outbox.join_sound();
            assert!(outbox.iter().all(|(_, bytes)| bytes == [round; 1_400]));
            outbox.clear();
        }
    }
}
