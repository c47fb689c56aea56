//! What workers tell each other: short memos, some with bytes beside them.
//!
//! A worker reads from its own memory what it has to tell, and gives it to a [`MemoSink`] of the shell, which carries
//! it to [`crate::worker::Worker::handle_memo`] of the other. Memos from one worker to another stay in order. A sink
//! without room says so, and the worker keeps for later what it could not tell.

use std::collections::VecDeque;

use crate::counters::Counters;
use crate::drop_reason::DropReason;
use crate::id::{TrackId, TransportId};
use crate::path::Path;
use crate::receive::Stored;
use crate::receive::stream::SenderClock;
use crate::units::Time;

/// Memos that wait for room: a key-frame request and a path each for most of the legs of a full worker. Packets do
/// not wait here but in the history of their encoding.
const MAX_MEMOS: usize = 4_096;

/// What one worker tells another.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)] // the fields are what the variants speak of
pub enum Memo {
    /// A datagram that the kernel gave to the wrong worker; its bytes beside it, untouched.
    Datagram { path: Path, at: Time },
    /// What comes to the receiver of this memo from `path` is the sender's.
    PathAdded { path: Path },
    /// That is no longer so.
    PathRemoved { path: Path },
    /// A packet of a mirrored track; its bytes beside it.
    Packet { mirror: TrackId, encoding: u8, epoch: u8, stored: Stored },
    /// The newest sender report of an encoding.
    Clock { mirror: TrackId, encoding: u8, epoch: u8, clock: SenderClock },
    /// The publisher has ended an encoding.
    Goodbye { mirror: TrackId, encoding: u8 },
    /// Someone who watches a mirror needs a key frame of its track.
    KeyframeWanted { track: TrackId, encoding: u8 },
    /// A packet of this transport brought out a defect.
    Poisonous { transport: TransportId },
}

/// Takes memos to other workers.
pub trait MemoSink {
    /// Carries `memo` and `bytes` to `worker`; false when there is no room for them now.
    fn send(&mut self, worker: u8, memo: Memo, bytes: &[u8]) -> bool;
}

/// Memos without bytes that have not been carried yet.
#[derive(Default)]
pub(crate) struct Memos(VecDeque<(u8, Memo)>);

impl Memos {
    /// Keeps a memo until it can be carried.
    pub(crate) fn tell(&mut self, counters: &Counters, worker: u8, memo: Memo) {
        if self.0.len() < MAX_MEMOS {
            self.0.push_back((worker, memo));
        } else {
            counters.dropped(DropReason::LaneFull);
        }
    }

    /// Has all carried that there is room for. What follows one that found none waits with it, should there be room
    /// again meanwhile: so those to one worker stay in order.
    pub(crate) fn carry(&mut self, sink: &mut impl MemoSink) {
        let mut full = 0u64;
        for _ in 0..self.0.len() {
            let Some((worker, memo)) = self.0.pop_front() else { return };
            let way = 1u64.checked_shl(worker.into()).unwrap_or(0);
            if full & way != 0 || !sink.send(worker, memo, &[]) {
                full |= way;
                self.0.push_back((worker, memo));
            }
        }
    }

    /// Nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct OnlyTo(u8, Vec<u8>);

    impl MemoSink for OnlyTo {
        fn send(&mut self, worker: u8, _: Memo, _: &[u8]) -> bool {
            if worker == self.0 {
                self.1.push(worker);
            }
            worker == self.0
        }
    }

    #[test]
    fn memos_wait_within_a_bound_and_not_behind_those_of_a_full_lane() {
        let (mut memos, counters) = (Memos::default(), Counters::new(1));
        let memo = Memo::Poisonous { transport: TransportId::new(0, 0, 1) };
        memos.tell(&counters, 1, memo);
        for _ in 1..MAX_MEMOS + 5 {
            memos.tell(&counters, 2, memo);
        }
        assert_eq!(counters.drops(DropReason::LaneFull), 5);
        let mut second = OnlyTo(2, Vec::new());
        memos.carry(&mut second);
        assert_eq!(second.1.len(), MAX_MEMOS - 1);
        let mut first = OnlyTo(1, Vec::new());
        memos.carry(&mut first);
        assert_eq!(first.1, [1]);
        assert!(memos.is_empty());
    }

    #[test]
    fn those_to_one_worker_stay_in_order_also_when_room_comes_while_they_are_carried() {
        /// Refuses the first.
        struct Drained(bool, Vec<u64>);
        impl MemoSink for Drained {
            fn send(&mut self, _: u8, memo: Memo, _: &[u8]) -> bool {
                let Memo::Poisonous { transport } = memo else { unreachable!() };
                let room = std::mem::replace(&mut self.0, true);
                self.1.extend(room.then_some(transport.0));
                room
            }
        }
        let (mut memos, counters) = (Memos::default(), Counters::new(1));
        for number in 1..=3 {
            memos.tell(&counters, 1, Memo::Poisonous { transport: TransportId(number) });
        }
        let mut sink = Drained(false, Vec::new());
        memos.carry(&mut sink);
        memos.carry(&mut sink);
        assert_eq!(sink.1, [1, 2, 3]);
    }
}
