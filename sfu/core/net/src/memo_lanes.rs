//! The bounded ways between workers: for each ordered pair a ring of memos and one of the bytes beside them.
//!
//! Both are written and read without a lock, and nobody waits for a full one. Their memory is touched only as they are
//! used: 1.4 MB for each pair when all of it was.

use rtc::demux::MAX_DATAGRAM_UP;
use rtc::memo::{Memo, MemoSink};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::lane::Waker;

/// Memos that may be under way from one worker to another.
const MEMOS: usize = 2_048;
/// Bytes beside them: a tenth of a second of 80 Mb/s.
const BYTES: usize = 1 << 20;

/// A memo and how many bytes belong to it.
type Entry = (Memo, usize);

/// One worker's ends of its ways to and from all others.
pub(crate) struct MemoEnd {
    /// By worker; none to itself.
    to: Vec<Option<Outgoing>>,
    from: Vec<Incoming>,
}

struct Outgoing {
    memos: Producer<Entry>,
    bytes: Producer<u8>,
    waker: Waker,
    /// Something was sent since the other was last woken.
    sent: bool,
}

struct Incoming {
    worker: u8,
    memos: Consumer<Entry>,
    bytes: Consumer<u8>,
    /// Memos that had come at the last look and have not been taken.
    seen: usize,
}

/// The ends of every worker, whose wakers these are.
pub(crate) fn memo_lanes(wakers: &[Waker]) -> Vec<MemoEnd> {
    let mut ends: Vec<_> = wakers.iter().map(|_| MemoEnd { to: Vec::new(), from: Vec::new() }).collect();
    for sender in 0..ends.len() {
        for (receiver, waker) in wakers.iter().enumerate() {
            if receiver == sender {
                ends[sender].to.push(None);
                continue;
            }
            let (memos, memos_out) = RingBuffer::new(MEMOS);
            let (bytes, bytes_out) = RingBuffer::new(BYTES);
            ends[sender].to.push(Some(Outgoing { memos, bytes, waker: waker.clone(), sent: false }));
            let worker = sender as u8;
            ends[receiver].from.push(Incoming { worker, memos: memos_out, bytes: bytes_out, seen: 0 });
        }
    }
    ends
}

impl MemoEnd {
    /// Hands a datagram over; false when the way is more than half full. Anybody can make us hand over datagrams, and
    /// the rest is kept for what workers have to tell.
    pub(crate) fn hand_over(&mut self, worker: u8, memo: Memo, datagram: &[u8]) -> bool {
        let way = self.to.get(usize::from(worker)).and_then(Option::as_ref);
        let roomy = way.is_some_and(|way| way.memos.slots() > MEMOS / 2 && way.bytes.slots() > BYTES / 2);
        roomy && self.send(worker, memo, datagram)
    }

    /// Wakes those who were sent something and sleep.
    pub(crate) fn wake(&mut self) {
        for way in self.to.iter_mut().flatten().filter(|way| way.sent) {
            way.sent = false;
            way.waker.wake();
        }
    }

    /// How many workers memos come from.
    pub(crate) fn sources(&self) -> usize {
        self.from.len()
    }

    /// Looks what has come, up to `most` from each source: this and nothing later is given by [`MemoEnd::next`].
    pub(crate) fn look(&mut self, most: usize) {
        for way in &mut self.from {
            way.seen = way.memos.slots().min(most);
        }
    }

    /// Something was seen from this source that has not been taken.
    pub(crate) fn has_seen(&self, source: usize) -> bool {
        self.from[source].seen > 0
    }

    /// The next memo from a source, who that is, and how many bytes of `buffer` it has filled.
    pub(crate) fn next(
        &mut self,
        source: usize,
        buffer: &mut [u8; MAX_DATAGRAM_UP],
    ) -> Option<(u8, Memo, usize)> {
        let way = &mut self.from[source];
        way.seen = way.seen.checked_sub(1)?;
        let (memo, len) = way.memos.pop().ok()?;
        // The bytes were written before their memo.
        let whole = way.bytes.pop_entire_slice(&mut buffer[..len]).is_ok();
        debug_assert!(whole);
        Some((way.worker, memo, len))
    }

    /// Nothing waits to be taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.from.iter().all(|way| way.memos.is_empty())
    }
}

impl MemoSink for MemoEnd {
    fn send(&mut self, worker: u8, memo: Memo, bytes: &[u8]) -> bool {
        let Some(way) = self.to.get_mut(usize::from(worker)).and_then(Option::as_mut) else { return false };
        if bytes.len() > MAX_DATAGRAM_UP || way.memos.is_full() {
            return false;
        }
        if way.bytes.push_entire_slice(bytes).is_err() {
            return false;
        }
        let pushed = way.memos.push((memo, bytes.len())).is_ok();
        debug_assert!(pushed, "room was seen, and only we fill it");
        way.sent = true;
        pushed
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rtc::id::TransportId;

    use super::*;
    use crate::event_fd::EventFd;
    use crate::lane::{Bell, lanes};

    fn ends(workers: usize) -> Vec<MemoEnd> {
        let bell = Arc::new(Bell::new().unwrap());
        let waker = || lanes(Arc::clone(&bell), Arc::new(EventFd::new().unwrap())).2.waker();
        memo_lanes(&(0..workers).map(|_| waker()).collect::<Vec<_>>())
    }

    fn memo(number: u64) -> Memo {
        Memo::Poisonous { transport: TransportId(number) }
    }

    #[test]
    fn memos_come_in_order_with_their_bytes_from_whoever_sent_them() {
        let mut ends = ends(3);
        let mut buffer = [0; MAX_DATAGRAM_UP];
        for round in 0..2_000u64 {
            let bytes = vec![round as u8; round as usize % (MAX_DATAGRAM_UP + 1)];
            for sender in [0, 2] {
                assert!(ends[sender].send(1, memo(round), &bytes));
            }
            assert!(!ends[1].is_empty() && ends[0].is_empty());
            ends[1].look(1);
            for source in 0..ends[1].sources() {
                let (from, Memo::Poisonous { transport }, len) = ends[1].next(source, &mut buffer).unwrap()
                else {
                    panic!("another memo")
                };
                assert_eq!((from, transport.0, &buffer[..len]), (source as u8 * 2, round, &bytes[..]));
            }
            assert!(ends[1].is_empty());
        }
    }

    #[test]
    fn a_full_way_refuses_and_datagrams_leave_half_of_it_to_the_rest() {
        let mut ends = ends(2);
        let handed = (0..MEMOS).take_while(|_| ends[0].hand_over(1, memo(0), &[0; 10])).count();
        assert_eq!(handed, MEMOS / 2);
        let sent = (0..MEMOS).take_while(|_| ends[0].send(1, memo(0), &[])).count();
        assert_eq!(sent, MEMOS / 2);
        ends[1].look(MEMOS);
        while ends[1].next(0, &mut [0; MAX_DATAGRAM_UP]).is_some() {}
        let large = (0..MEMOS).take_while(|_| ends[0].send(1, memo(0), &[0; MAX_DATAGRAM_UP])).count();
        assert_eq!(large, BYTES / MAX_DATAGRAM_UP);
    }

    #[test]
    fn what_comes_after_the_look_waits_for_the_next() {
        let (mut ends, mut buffer) = (ends(2), [0; MAX_DATAGRAM_UP]);
        let mut taken = |ends: &mut Vec<MemoEnd>| {
            std::iter::from_fn(|| ends[1].next(0, &mut buffer)).map(|(_, _, len)| len).collect::<Vec<_>>()
        };
        assert!(ends[0].send(1, memo(0), &[0; 1]) && ends[0].send(1, memo(0), &[0; 2]));
        assert_eq!((taken(&mut ends), ends[1].has_seen(0)), (vec![], false), "nobody has looked");
        ends[1].look(8);
        assert!(ends[1].has_seen(0) && ends[0].send(1, memo(0), &[0; 3]));
        assert_eq!(taken(&mut ends), [1, 2]);
        assert!(!ends[1].is_empty());
        ends[1].look(8);
        assert_eq!(taken(&mut ends), [3]);
    }

    #[test]
    fn a_worker_has_no_way_to_itself_nor_to_one_that_is_not_there() {
        let mut ends = ends(1);
        assert!(!ends[0].send(0, memo(0), &[]) && !ends[0].hand_over(1, memo(0), &[]));
        assert_eq!((ends[0].sources(), ends[0].is_empty()), (0, true));
    }
}
