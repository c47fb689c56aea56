//! Datagrams on their way to the kernel: one arena that is filled, sent and cleared as a whole.
//!
//! Packets to one subscriber are enqueued one after the other, so that the shell can hand a *run* of them to the kernel
//! as a single message (UDP generic segmentation offload).

use crate::path::Path;
use crate::units::Time;

/// Largest datagram we send; media stays below 1,250 bytes, and no link that WebRTC uses carries more than this.
pub const MAX_DATAGRAM: usize = 1_500;

/// What kind of traffic a datagram is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrafficClass {
    /// Voice.
    Audio,
    /// Pictures and what repairs them.
    Video,
    /// Everything else: checks, handshakes, data channels.
    Other,
}

/// One datagram in the arena.
#[derive(Debug, Clone, Copy)]
pub struct Slot {
    /// Where it goes.
    pub path: Path,
    /// What it is.
    pub class: TrafficClass,
    /// When what is forwarded in it came.
    pub arrival: Option<Time>,
    start: usize,
    len: usize,
}

/// A bounded batch of datagrams to send; never grows after it was made.
pub struct Outbox {
    bytes: Box<[u8]>,
    used: usize,
    slots: Vec<Slot>,
}

impl Outbox {
    /// Room for `datagrams` datagrams of the largest size.
    pub fn new(datagrams: usize) -> Outbox {
        Outbox {
            bytes: vec![0; datagrams * MAX_DATAGRAM].into_boxed_slice(),
            used: 0,
            slots: Vec::with_capacity(datagrams),
        }
    }

    /// How many more datagrams of the largest size fit.
    pub fn room(&self) -> usize {
        let slots = self.slots.capacity() - self.slots.len();
        slots.min((self.bytes.len() - self.used) / MAX_DATAGRAM)
    }

    /// Lets `write` fill a datagram in place and enqueues what it says it wrote.
    ///
    /// `write` gets [`MAX_DATAGRAM`] bytes and returns the length used, or `None` to enqueue nothing.
    /// Returns the length enqueued; `None` when nothing was, also when there is no room.
    pub fn push_with(
        &mut self,
        path: Path,
        class: TrafficClass,
        write: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) -> Option<usize> {
        self.push_arrived(path, class, None, write)
    }

    /// The same for what came at `arrival` and is forwarded.
    pub fn push_arrived(
        &mut self,
        path: Path,
        class: TrafficClass,
        arrival: Option<Time>,
        write: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) -> Option<usize> {
        if self.room() == 0 {
            return None;
        }
        let start = self.used;
        let len = write(&mut self.bytes[start..start + MAX_DATAGRAM])?;
        debug_assert!(len <= MAX_DATAGRAM);
        self.used += len;
        self.slots.push(Slot { path, class, arrival, start, len });
        Some(len)
    }

    /// Enqueues a copy of `datagram`; false when there is no room for it.
    pub fn push(&mut self, path: Path, class: TrafficClass, datagram: &[u8]) -> bool {
        let write = |slot: &mut [u8]| {
            slot.get_mut(..datagram.len())?.copy_from_slice(datagram);
            Some(datagram.len())
        };
        self.push_with(path, class, write).is_some()
    }

    /// The datagrams in the order in which they were enqueued.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Slot, &[u8])> {
        self.slots.iter().map(|slot| (slot, &self.bytes[slot.start..slot.start + slot.len]))
    }

    /// The datagrams through one of our sockets as runs of at most `most` datagrams.
    pub fn runs(&self, socket: u8, most: usize) -> Runs<'_> {
        Runs { outbox: self, socket, most: most.max(1), next: 0 }
    }

    /// Number of datagrams enqueued.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Nothing to send.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Forgets everything that was enqueued; keeps the memory.
    pub fn clear(&mut self) {
        self.used = 0;
        self.slots.clear();
    }
}

/// Datagrams that the kernel can take as one message: to one destination, side by side in memory and all of one size,
/// but for the last, which may be smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run<'a> {
    /// Where all of them go.
    pub path: Path,
    /// What they are.
    pub class: TrafficClass,
    /// All of them, one behind the other.
    pub bytes: &'a [u8],
    /// Size of each but the last.
    pub segment: usize,
    /// How many they are.
    pub datagrams: usize,
}

/// The most bytes of one run: what fits a UDP datagram before it is cut up, IPv6 extension headers included.
const MAX_RUN_BYTES: usize = 65_000;

/// Iterator of [`Outbox::runs`].
pub struct Runs<'a> {
    outbox: &'a Outbox,
    socket: u8,
    most: usize,
    next: usize,
}

impl<'a> Iterator for Runs<'a> {
    type Item = Run<'a>;

    fn next(&mut self) -> Option<Run<'a>> {
        let slots = &self.outbox.slots[..];
        let skipped = slots[self.next..].iter().position(|slot| slot.path.socket == self.socket)?;
        let first = &slots[self.next + skipped];
        let (mut end, mut datagrams) = (first.start + first.len, 1);
        for slot in &slots[self.next + skipped + 1..] {
            let fits = slot.start == end
                && slot.len <= first.len
                && slot.path == first.path
                && slot.class == first.class
                && datagrams < self.most
                && slot.start + slot.len - first.start <= MAX_RUN_BYTES;
            if !fits {
                break;
            }
            end += slot.len;
            datagrams += 1;
            if slot.len < first.len {
                break;
            }
        }
        self.next += skipped + datagrams;
        let bytes = &self.outbox.bytes[first.start..end];
        Some(Run { path: first.path, class: first.class, bytes, segment: first.len, datagrams })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(datagrams: &[(u8, u16, usize)], socket: u8, most: usize) -> Vec<(u16, usize, usize, usize)> {
        let mut outbox = Outbox::new(datagrams.len());
        for &(socket, port, len) in datagrams {
            let path = Path { socket, remote: ([192, 0, 2, 1], port).into() };
            assert!(outbox.push(path, TrafficClass::Video, &vec![port as u8; len]));
        }
        let runs = outbox.runs(socket, most);
        runs.map(|run| (run.path.remote.port(), run.datagrams, run.segment, run.bytes.len())).collect()
    }

    #[test]
    fn equal_sizes_to_one_destination_make_one_run_that_a_smaller_one_ends() {
        let sent = [(0, 1, 10), (0, 1, 10), (0, 1, 7), (0, 1, 7), (0, 2, 7), (0, 2, 8), (0, 1, 8)];
        assert_eq!(
            runs(&sent, 0, 64),
            [(1, 3, 10, 27), (1, 1, 7, 7), (2, 1, 7, 7), (2, 1, 8, 8), (1, 1, 8, 8)]
        );
    }

    #[test]
    fn runs_keep_to_their_socket_and_to_the_most() {
        let sent = [(0, 1, 5), (1, 1, 5), (0, 1, 5), (0, 1, 5), (0, 1, 5)];
        assert_eq!(runs(&sent, 0, 2), [(1, 1, 5, 5), (1, 2, 5, 10), (1, 1, 5, 5)]);
        assert_eq!(runs(&sent, 1, 2), [(1, 1, 5, 5)]);
        assert_eq!(runs(&sent, 2, 2), []);
    }

    #[test]
    fn a_run_is_no_larger_than_a_datagram_may_be() {
        let sent = [(0, 1, 1_400); 60];
        let got = runs(&sent, 0, 64);
        assert_eq!(got.iter().map(|run| run.1).sum::<usize>(), 60);
        assert!(got.iter().all(|run| run.3 <= 65_000) && got.len() == 2, "{got:?}");
    }
}
