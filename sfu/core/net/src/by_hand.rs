//! A worker without a thread and without sockets: whoever holds it brings it datagrams and the time.
//!
//! Orders, ids, events and counters are those of any core, so that the control side can be tested in virtual time
//! against the worker that it will have.

use std::time::Instant;

use rtc::outbox::Outbox;
use rtc::path::Path;
use rtc::units::Time;
use rtc::worker::Worker;

use crate::lane::{Order, WorkerEnd};
use crate::thread::OUTBOX;

/// The only worker of a core that was started with [`crate::Core::start_by_hand`].
pub struct ByHand {
    worker: Worker,
    lane: WorkerEnd,
    outbox: Outbox,
    epoch: Instant,
}

impl ByHand {
    pub(crate) fn new(worker: Worker, lane: WorkerEnd, epoch: Instant) -> ByHand {
        ByHand { worker, lane, outbox: Outbox::new(OUTBOX), epoch }
    }

    /// The instant that time 0 stands for.
    pub fn epoch(&self) -> Instant {
        self.epoch
    }

    /// When it wants to be let work, whatever comes before.
    pub fn poll_timeout(&self) -> Time {
        self.worker.poll_timeout().map_or(Time::NEVER, |(at, _)| at)
    }

    /// Takes a datagram; what it leads to is sent by the next [`ByHand::work`].
    pub fn handle_datagram(&mut self, now: Time, path: Path, datagram: &mut [u8]) {
        self.worker.handle_datagram(now, path, datagram, &mut self.outbox);
    }

    /// Carries out what was ordered, does what is due, gives what is to be sent to `send`, and hands events over.
    pub fn work(&mut self, now: Time, mut send: impl FnMut(Path, &[u8])) {
        while let Some(order) = self.lane.next_order() {
            match order {
                Order::Command(command) => {
                    self.worker.handle_command(now, command, &mut self.outbox);
                    self.flush(now, &mut send);
                }
                Order::Report(answer) => drop(answer.try_send(self.worker.debug_state())),
            }
        }
        if self.poll_timeout() <= now {
            self.worker.handle_timeout(now, &mut self.outbox);
        }
        self.flush(now, &mut send);
        let worker = &mut self.worker;
        self.lane.pump_events(|| worker.poll_event(now));
    }

    fn flush(&mut self, now: Time, send: &mut impl FnMut(Path, &[u8])) {
        loop {
            let more = self.worker.flush(now, &mut self.outbox);
            self.outbox.iter().for_each(|(slot, bytes)| send(slot.path, bytes));
            self.outbox.clear();
            if !more {
                break;
            }
        }
    }
}
