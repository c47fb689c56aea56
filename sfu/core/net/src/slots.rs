//! Places in a worker's flat tables, given out on the control side.

use std::collections::VecDeque;

/// A bounded table whose slots are used again, each time in a new generation.
pub(crate) struct Slots<T> {
    entries: Vec<Entry<T>>,
    free: VecDeque<u32>,
    capacity: usize,
}

struct Entry<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Slots<T> {
    pub(crate) fn new(capacity: usize) -> Slots<T> {
        Slots { entries: Vec::new(), free: VecDeque::new(), capacity }
    }

    /// Takes a slot; returns its number and generation, or `None` when all are in use.
    ///
    /// The slot that has been free for longest comes first, so that a late command meets a free slot rather than
    /// another object.
    pub(crate) fn insert(&mut self, value: T) -> Option<(u32, u32)> {
        if let Some(slot) = self.free.pop_front() {
            let entry = &mut self.entries[slot as usize];
            entry.generation += 1; // a slot whose generations are used up was never put back
            entry.value = Some(value);
            return Some((slot, entry.generation));
        }
        if self.entries.len() == self.capacity {
            return None;
        }
        // Generations start at 1, so that no id is 0: that means "free" in the counters.
        self.entries.push(Entry { generation: 1, value: Some(value) });
        Some(((self.entries.len() - 1) as u32, 1))
    }

    /// Frees a slot; `None` if it is free or in another generation.
    pub(crate) fn remove(&mut self, slot: usize, generation: u32) -> Option<T> {
        let entry = self.entries.get_mut(slot).filter(|entry| entry.generation == generation)?;
        let value = entry.value.take()?;
        if generation < u32::MAX {
            self.free.push_back(slot as u32);
        }
        Some(value)
    }

    pub(crate) fn get_mut(&mut self, slot: usize, generation: u32) -> Option<&mut T> {
        self.entries.get_mut(slot).filter(|entry| entry.generation == generation)?.value.as_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_used_again_in_another_generation() {
        let mut slots = Slots::new(2);
        assert_eq!(slots.insert('a'), Some((0, 1)));
        assert_eq!(slots.insert('b'), Some((1, 1)));
        assert_eq!(slots.insert('c'), None);
        assert_eq!(slots.remove(0, 1), Some('a'));
        assert_eq!(slots.remove(0, 1), None);
        assert_eq!(slots.insert('c'), Some((0, 2)));
        assert_eq!(slots.get_mut(0, 1), None);
        assert_eq!(slots.get_mut(0, 2), Some(&mut 'c'));
    }

    #[test]
    fn a_slot_is_retired_when_its_generations_are_used_up() {
        let mut slots = Slots::new(1);
        slots.insert('a');
        slots.entries[0].generation = u32::MAX;
        assert_eq!(slots.remove(0, u32::MAX), Some('a'));
        assert_eq!(slots.insert('b'), None);
    }
}
