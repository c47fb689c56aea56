//! Flat tables of the router's objects, found by slot and checked by the whole id: a slot and generation may be in use
//! on another worker too.

use crate::id::{SubscriptionId, TrackId, TransportId};

/// An id of a slot.
pub(crate) trait Key: Copy + Eq {
    fn slot(self) -> usize;
}

macro_rules! key {
    ($($name:ident),+) => {
        $(impl Key for $name {
            fn slot(self) -> usize {
                $name::slot(self)
            }
        })+
    };
}
key!(TransportId, TrackId, SubscriptionId);

/// Objects of one kind; grows up to a limit, never per packet.
pub(crate) struct Table<K, T> {
    slots: Vec<Option<(K, T)>>,
    limit: usize,
    len: usize,
}

impl<K: Key, T> Table<K, T> {
    pub(crate) fn new(limit: usize) -> Table<K, T> {
        Table { slots: Vec::new(), limit, len: 0 }
    }

    /// Puts `value` under `key`; false when the slot is taken or beyond the limit.
    pub(crate) fn insert(&mut self, key: K, value: T) -> bool {
        if key.slot() >= self.limit {
            return false;
        }
        if key.slot() >= self.slots.len() {
            self.slots.resize_with(key.slot() + 1, || None);
        }
        let slot = &mut self.slots[key.slot()];
        if slot.is_some() {
            return false;
        }
        *slot = Some((key, value));
        self.len += 1;
        true
    }

    pub(crate) fn get(&self, key: K) -> Option<&T> {
        let (owner, value) = self.slots.get(key.slot())?.as_ref()?;
        (*owner == key).then_some(value)
    }

    pub(crate) fn get_mut(&mut self, key: K) -> Option<&mut T> {
        let (owner, value) = self.slots.get_mut(key.slot())?.as_mut()?;
        (*owner == key).then_some(value)
    }

    pub(crate) fn remove(&mut self, key: K) -> Option<T> {
        self.get(key)?;
        let (_, value) = self.slots[key.slot()].take()?;
        self.len -= 1;
        Some(value)
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Slots to visit with [`Table::at_mut`] while something else is borrowed.
    pub(crate) fn slots(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn at_mut(&mut self, slot: usize) -> Option<(K, &mut T)> {
        self.slots.get_mut(slot)?.as_mut().map(|(key, value)| (*key, value))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().flatten().map(|(_, value)| value)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.slots.iter_mut().flatten().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_generation_and_another_worker_find_nothing() {
        let mut table = Table::new(4);
        let (old, new) = (TrackId::new(0, 3, 1), TrackId::new(0, 3, 2));
        assert!(table.insert(old, 'a'));
        assert!(!table.insert(new, 'b'));
        assert_eq!(table.remove(new), None);
        assert_eq!(table.remove(old), Some('a'));
        assert!(table.insert(new, 'b'));
        assert_eq!((table.get(old), table.get(new), table.len()), (None, Some(&'b'), 1));
        assert_eq!(table.get(TrackId::new(1, 3, 2)), None);
        assert!(!table.insert(TrackId::new(0, 4, 1), 'c'));
    }
}
