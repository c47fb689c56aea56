//! What a worker tells the others and hears from them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Outcome, Worker};
use crate::counters::Cell;
use crate::drop_reason::DropReason;
use crate::id::TransportId;
use crate::memo::{Memo, MemoSink};
use crate::outbox::Outbox;
use crate::units::Time;

impl Worker {
    /// Takes what worker `from` has told this one. The bytes are used as working space.
    pub fn handle_memo(&mut self, now: Time, from: u8, memo: Memo, bytes: &mut [u8], out: &mut Outbox) {
        self.guarded(now, out, |worker, out| {
            if let Err(reason) = worker.memo(now, from, memo, bytes, out) {
                worker.counters.dropped(reason);
            }
        });
    }

    /// Tells other workers what they need of this one; call it after every batch. True: `sink` had no room for all of
    /// it, and it is to be called again in a moment, whatever else happens.
    pub fn relay(&mut self, now: Time, sink: &mut impl MemoSink, out: &mut Outbox) -> bool {
        let mut waits = false;
        let outcome =
            self.guarded(now, out, |worker, _| waits = worker.router.relay(&mut worker.culprit, sink));
        waits || outcome != Outcome::Done
    }

    /// The worker that a local ufrag belongs to, unless that is this one or none.
    pub(super) fn other_home(&self, ufrag: &str) -> Option<u8> {
        let home = u8::try_from(ufrag.chars().next()?.to_digit(36)?).ok()?;
        (home != self.index && home < self.workers).then_some(home)
    }

    fn memo(
        &mut self,
        now: Time,
        from: u8,
        memo: Memo,
        bytes: &mut [u8],
        out: &mut Outbox,
    ) -> Result<(), DropReason> {
        match memo {
            Memo::Datagram { path, .. } => {
                self.counters.add(Cell::TakenOver, 1);
                match self.datagram(now, path, Some(from), bytes, out)? {
                    None => Ok(()),
                    // It would go round for ever.
                    Some(_) => Err(DropReason::Unvalidated),
                }
            }
            Memo::PathAdded { path } => {
                let fits = self.demux.add_foreign(path, from);
                self.count_paths();
                if fits { Ok(()) } else { Err(DropReason::TableFull) }
            }
            Memo::PathRemoved { path } => {
                self.demux.remove_foreign(path, from);
                self.count_paths();
                Ok(())
            }
            Memo::Poisonous { transport } => {
                self.end_after_panic(now, transport, out);
                Ok(())
            }
            Memo::Packet { .. } | Memo::Clock { .. } | Memo::Goodbye { .. } | Memo::KeyframeWanted { .. } => {
                self.router.handle_memo(now, memo, bytes, &mut self.culprit)
            }
        }
    }

    /// After a panic over the packets of a publisher of another worker, which ends it.
    pub(super) fn give_up_mirrors(&mut self, publisher: TransportId) -> Outcome {
        let memo = Memo::Poisonous { transport: publisher };
        self.router.memos.tell(&self.counters, publisher.worker(), memo);
        match catch_unwind(AssertUnwindSafe(|| self.router.close_mirrors(publisher))) {
            Ok(()) => Outcome::Closed,
            Err(_) => {
                self.counters.add(Cell::Panics, 1);
                Outcome::Unexplained
            }
        }
    }
}
