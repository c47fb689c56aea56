//! Remembers which packets were here (RFC 3711, section 3.3.2).

/// The newest packet index and which of the 128 up to it have come.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReplayWindow {
    newest: u64,
    /// Bit n stands for `newest - n`.
    seen: u128,
}

impl ReplayWindow {
    /// A window in which only `index` has come.
    pub(super) fn starting_with(index: u64) -> ReplayWindow {
        ReplayWindow { newest: index, seen: 1 }
    }

    /// The highest index that has come.
    pub(super) fn newest(&self) -> u64 {
        self.newest
    }

    /// Whether `index` has come already, or is too old to tell.
    pub(super) fn is_replay(&self, index: u64) -> bool {
        match self.newest.checked_sub(index) {
            None => false,
            Some(age) if age >= u128::BITS.into() => true,
            Some(age) => self.seen >> age & 1 == 1,
        }
    }

    /// Remembers that `index` has come; call it only after the packet was authenticated.
    pub(super) fn accept(&mut self, index: u64) {
        match index.checked_sub(self.newest) {
            None => {
                let age = self.newest - index;
                if age < u128::BITS.into() {
                    self.seen |= 1 << age;
                }
            }
            Some(ahead) => {
                self.seen = if ahead < u128::BITS.into() { self.seen << ahead | 1 } else { 1 };
                self.newest = index;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_index_is_let_in_once_and_none_older_than_128(
            start in 0..1_000_u64,
            steps in prop::collection::vec(-200..200_i64, 0..500),
        ) {
            let mut window = ReplayWindow::starting_with(start);
            let mut here = BTreeSet::from([start]);
            let mut index = start;
            for step in steps {
                index = index.saturating_add_signed(step);
                let newest = *here.last().unwrap();
                let fresh = !here.contains(&index) && index + 128 > newest;
                prop_assert_eq!(!window.is_replay(index), fresh);
                if fresh {
                    window.accept(index);
                    here.insert(index);
                }
                prop_assert_eq!(window.newest(), *here.last().unwrap());
            }
        }
    }
}
