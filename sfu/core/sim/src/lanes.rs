//! The ways between workers, in virtual time: in order, bounded, and held up when a test wants it.

use std::collections::VecDeque;

use rtc::memo::{Memo, MemoSink};

/// Memos that fit one way: few, so that a full one is met in tests too.
const ROOM: usize = 256;

/// The ways from every worker to every other.
#[derive(Default)]
pub struct Lanes {
    waiting: VecDeque<Carried>,
    /// Nothing is delivered while this is set.
    pub held: bool,
}

/// A memo on its way.
pub(crate) struct Carried {
    pub(crate) from: u8,
    pub(crate) to: u8,
    pub(crate) memo: Memo,
    pub(crate) bytes: Vec<u8>,
}

impl Lanes {
    /// The end at which `from` gives away its memos.
    pub(crate) fn of(&mut self, from: u8) -> LaneEnd<'_> {
        LaneEnd { lanes: self, from }
    }

    pub(crate) fn next(&mut self) -> Option<Carried> {
        if self.held { None } else { self.waiting.pop_front() }
    }
}

pub(crate) struct LaneEnd<'a> {
    lanes: &'a mut Lanes,
    from: u8,
}

impl MemoSink for LaneEnd<'_> {
    fn send(&mut self, to: u8, memo: Memo, bytes: &[u8]) -> bool {
        let from = self.from;
        assert_ne!(from, to, "a worker tells itself nothing");
        let before = self.lanes.waiting.iter().filter(|other| (other.from, other.to) == (from, to)).count();
        if before < ROOM {
            self.lanes.waiting.push_back(Carried { from, to, memo, bytes: bytes.to_vec() });
        }
        before < ROOM
    }
}
