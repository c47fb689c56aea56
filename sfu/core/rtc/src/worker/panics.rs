//! A panic while one input is handled ends the transport that the input belongs to, never the worker.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Worker;
use crate::counters::Cell;
use crate::drop_reason::DropReason;
use crate::event::{Event, FailReason};
use crate::id::TransportId;
use crate::outbox::Outbox;
use crate::units::Time;

impl Worker {
    /// Runs `work`; if it panics, fails the transport it was for and goes on.
    pub(super) fn guarded(
        &mut self,
        now: Time,
        out: &mut Outbox,
        work: impl FnOnce(&mut Worker, &mut Outbox),
    ) -> Outcome {
        self.culprit = None;
        // Unwind-safe in the sense that counts: whatever the panic left half done belongs to the culprit, and that
        // is thrown away before anything else is handled.
        let outcome = catch_unwind(AssertUnwindSafe(|| work(self, out)));
        if outcome.is_ok() {
            return Outcome::Done;
        }
        self.counters.add(Cell::Panics, 1);
        self.counters.dropped(DropReason::Panic);
        match self.culprit.take() {
            None => Outcome::Unexplained,
            Some(id) if id.worker() == self.index => self.end_after_panic(now, id, out),
            Some(id) => self.give_up_mirrors(id),
        }
    }

    /// Ends a transport whose input brought out a defect, here or on another worker.
    pub(super) fn end_after_panic(&mut self, now: Time, id: TransportId, out: &mut Outbox) -> Outcome {
        let closed = catch_unwind(AssertUnwindSafe(|| self.close_transport(now, id, out)));
        let outcome = match closed {
            Ok(Ok(())) => Outcome::Closed,
            Ok(Err(_)) => return Outcome::Unexplained, // it is gone already, and that was told
            Err(_) => {
                self.counters.add(Cell::Panics, 1);
                Outcome::Unexplained
            }
        };
        self.push_event(Event::TransportFailed { transport: id, reason: FailReason::InternalError });
        outcome
    }
}

/// How a guarded piece of work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// As it should.
    Done,
    /// By a panic that cost the transport it was for.
    Closed,
    /// By a panic that no transport answers for any more.
    Unexplained,
}
