//! Datagrams on their way to the kernel: one arena that is filled, sent and cleared as a whole.
//!
//! Packets to one subscriber are enqueued one after the other.

use crate::path::Path;

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
        if self.room() == 0 {
            return None;
        }
        let start = self.used;
        let len = write(&mut self.bytes[start..start + MAX_DATAGRAM])?;
        debug_assert!(len <= MAX_DATAGRAM);
        self.used += len;
        self.slots.push(Slot { path, class, start, len });
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
