//! The life of one worker's thread: orders, memos of other workers, datagrams, timers, sending, events, sleep.

use std::io;
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rtc::counters::{Cell, Counters};
use rtc::demux::MAX_DATAGRAM_UP;
use rtc::drop_reason::DropReason;
use rtc::memo::Memo;
use rtc::outbox::Outbox;
use rtc::path::Path;
use rtc::units::Time;
use rtc::worker::Worker;

use crate::clock::{Clock, sleep_exactly};
use crate::event_fd::EventFd;
use crate::lane::{Order, WorkerEnd};
use crate::memo_lanes::MemoEnd;
use crate::patience::Patience;
use crate::poller::Poller;
use crate::receive::{BATCH, ReceiveBatch};
use crate::socket::UdpSocket;
use crate::steering::Steering;
use crate::transmit::Transmitter;

/// Datagrams that wait for the kernel at most. More of them cost nothing less to send, and the first would wait longer.
pub const OUTBOX: usize = 256;
/// Orders taken before the sockets have their turn again.
const ORDERS_A_TURN: usize = 512;
/// Memos of one worker that are taken before what they brought is forwarded: no more bytes than the smallest history of
/// pictures holds.
const MEMOS_A_TURN: usize = 32;
/// What found no room on the way to another worker is tried again so soon, also when nothing happens here.
const HELD_UP: Duration = Duration::from_millis(1);
/// Room that one datagram, memo, order or timer may need: the outbox is sent before it has less.
const RESERVE: usize = 64;
/// What a call to the poller takes that finds something at once.
const NO_SLEEP: Duration = Duration::from_micros(5);
/// Pause after a turn that panicked, so that one that panics every time does not take the whole core.
const AFTER_PANIC: Duration = Duration::from_millis(5);
/// Token of the bell in the poller; the sockets have their numbers.
const WAKE: u64 = u64::MAX;

/// Everything that one worker's thread owns.
pub(crate) struct WorkerThread {
    worker: Worker,
    sockets: Vec<UdpSocket>,
    overflows: Vec<u32>,
    lane: WorkerEnd,
    memos: MemoEnd,
    /// What stands beside the memo that is handled.
    memo_bytes: Box<[u8; MAX_DATAGRAM_UP]>,
    wake: Arc<EventFd>,
    stop: Arc<AtomicBool>,
    clock: Clock,
    counters: Counters,
    poller: Poller,
    batch: ReceiveBatch,
    outbox: Outbox,
    transmitter: Transmitter,
    /// When the newest datagram came.
    latest: Time,
    /// When the sockets were last looked at: what can be read and was not yet has come since then.
    looked: Time,
    patience: Patience,
    /// For each socket, where the kernel lets us choose whose datagrams it gets.
    steering: Arc<[Option<Steering>]>,
    /// The last turn brought datagrams.
    busy: bool,
    /// Another worker's way is too full for what it has to be told.
    held_up: bool,
}

/// What [`WorkerThread::new`] needs from its maker.
pub(crate) struct Parts {
    pub(crate) sockets: Vec<UdpSocket>,
    pub(crate) lane: WorkerEnd,
    pub(crate) memos: MemoEnd,
    pub(crate) wake: Arc<EventFd>,
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) clock: Clock,
    pub(crate) counters: Counters,
    pub(crate) marks: bool,
    pub(crate) busy_poll: Duration,
    pub(crate) steering: Arc<[Option<Steering>]>,
}

impl WorkerThread {
    pub(crate) fn new(worker: Worker, parts: Parts) -> io::Result<WorkerThread> {
        let Parts { sockets, lane, memos, wake, stop, clock, counters, marks, busy_poll, steering } = parts;
        let poller = Poller::new()?;
        poller.watch(wake.as_raw_fd(), WAKE)?;
        for (number, socket) in sockets.iter().enumerate() {
            poller.watch(socket.as_raw_fd(), number as u64)?;
        }
        let transmitter = Transmitter::new(&sockets).marking(marks);
        counters.set(Cell::SteeredSockets, steering.iter().flatten().count() as u64);
        Ok(WorkerThread {
            worker,
            overflows: vec![0; sockets.len()],
            sockets,
            lane,
            memos,
            memo_bytes: Box::new([0; MAX_DATAGRAM_UP]),
            wake,
            stop,
            clock,
            counters,
            poller,
            batch: ReceiveBatch::new(),
            outbox: Outbox::new(OUTBOX),
            transmitter,
            latest: Time(0),
            looked: Time(0),
            patience: Patience::new(busy_poll),
            steering,
            busy: false,
            held_up: false,
        })
    }

    /// Works until asked to stop; what was ordered before that is still carried out, so that goodbyes leave.
    pub(crate) fn run(mut self) {
        sleep_exactly();
        let mut more = false;
        while !self.stop.load(Ordering::Acquire) {
            // The worker answers for what panics while it handles an input; whatever else does must not end the media
            // of everybody.
            match catch_unwind(AssertUnwindSafe(|| self.turn(more))) {
                Ok(again) => more = again,
                Err(_) => {
                    self.counters.add(Cell::Panics, 1);
                    self.outbox.clear();
                    more = false;
                    std::thread::sleep(AFTER_PANIC);
                }
            }
        }
        let now = self.clock.now();
        self.take_orders(now, usize::MAX);
        self.flush(now);
    }

    /// Sleeps and does what there is to do; true when more may wait.
    fn turn(&mut self, more: bool) -> bool {
        let began = self.clock.now();
        let mut readable = self.sleep(more);
        // What another worker brings has waited there, if at all, and must not lie here too.
        if readable != 0 && !more && self.memos.sources() == 0 && self.doze(began) {
            readable |= self.look(Some(Duration::ZERO)).unwrap_or(0);
        }
        let woken = self.clock.now();
        self.looked = woken;
        let slept = woken.since(began);
        self.worker.rested(woken, if slept < NO_SLEEP { Duration::ZERO } else { slept });
        // What another worker sends may be about what an order made that was given before. So memos are counted before
        // the orders are taken, and handled when every order that was there then has been carried out.
        self.memos.look(MEMOS_A_TURN);
        let mut more = self.take_orders(woken, ORDERS_A_TURN);
        if !more {
            self.take_memos();
        }
        more |= self.receive(readable);
        let now = self.clock.now();
        self.run_timers(now);
        self.flush(now);
        self.hand_over_events(now);
        self.counters.add(Cell::BusyMicros, self.clock.now().since(woken).as_micros() as u64);
        more
    }

    /// Waits for a datagram, an order or a timer; returns the sockets that can be read, a bit each.
    fn sleep(&mut self, more: bool) -> u64 {
        let timeout = if more || !self.lane.may_sleep(|| self.memos.is_empty()) {
            Some(Duration::ZERO)
        } else {
            let due = self.worker.poll_timeout().map(|(at, _)| at.since(self.clock.now()));
            let again = self.held_up.then_some(HELD_UP);
            [due, again].into_iter().flatten().min()
        };
        let readable = self.look_awake(timeout).unwrap_or_else(|| self.look(timeout).unwrap_or(0));
        self.lane.awake();
        self.busy = readable != 0;
        readable
    }

    /// Leaves what came where it is, if it may lie, so that what comes next is handled with it, on whichever socket;
    /// true when it did.
    fn doze(&mut self, began: Time) -> bool {
        let now = self.clock.now();
        let due = self.worker.poll_timeout().map_or(Time::NEVER, |(at, _)| at);
        let came = came_at(began, now, self.looked);
        let rest = due.min(came + self.worker.leisure(now)).since(now);
        if rest.is_zero() {
            return false;
        }
        std::thread::sleep(rest);
        true
    }

    /// Looks without sleeping for as long as patience and `timeout` last; nothing when nothing came.
    fn look_awake(&mut self, timeout: Option<Duration>) -> Option<u64> {
        if !self.busy || timeout == Some(Duration::ZERO) {
            return None;
        }
        let began = self.clock.now();
        let until = self.patience.until(began)?.min(timeout.map_or(Time::NEVER, |timeout| began + timeout));
        loop {
            let found = self.look(Some(Duration::ZERO));
            let now = self.clock.now();
            if found.is_some() || now >= until {
                self.patience.spend(now.since(began));
                return found;
            }
            std::hint::spin_loop();
        }
    }

    /// Waits up to `timeout`; nothing when nothing came, else the sockets that can be read.
    fn look(&mut self, timeout: Option<Duration>) -> Option<u64> {
        let mut found = None;
        for token in self.poller.wait(timeout) {
            let readable = found.get_or_insert(0);
            match token {
                WAKE => self.wake.clear(),
                number => *readable |= 1 << number,
            }
        }
        found
    }

    /// Carries out up to `most` orders; true when there may be more.
    fn take_orders(&mut self, now: Time, most: usize) -> bool {
        for _ in 0..most {
            match self.lane.next_order() {
                None => return false,
                Some(Order::Command(command)) => {
                    self.make_room();
                    self.worker.handle_command(now, command, &mut self.outbox);
                }
                Some(Order::Report(answer)) => {
                    // Who asked may have stopped waiting.
                    let _ = answer.try_send(self.worker.debug_state());
                }
            }
        }
        true
    }

    /// Takes the memos that were seen, and forwards what each of the other workers brought.
    fn take_memos(&mut self) {
        for source in 0..self.memos.sources() {
            if !self.memos.has_seen(source) {
                continue;
            }
            let now = self.clock.now();
            while let Some((from, memo, len)) = self.memos.next(source, &mut self.memo_bytes) {
                self.make_room();
                self.steer(from, &memo);
                let at = match memo {
                    Memo::Datagram { at, .. } => {
                        self.latest = at.max(self.latest);
                        self.latest
                    }
                    _ => now,
                };
                self.worker.handle_memo(at, from, memo, &mut self.memo_bytes[..len], &mut self.outbox);
            }
            self.flush(now);
        }
    }

    /// What is another worker's and comes here is to come there from now on, instead of being handed over.
    fn steer(&self, from: u8, memo: &Memo) {
        let steering = |path: &Path| self.steering.get(usize::from(path.socket))?.as_ref();
        match memo {
            Memo::PathAdded { path } => {
                if let Some(steering) = steering(path) {
                    steering.steer(path.remote, from);
                }
            }
            Memo::PathRemoved { path } => {
                if let Some(steering) = steering(path) {
                    steering.forget(path.remote);
                }
            }
            _ => {}
        }
    }

    /// Takes one batch from each readable socket; true when one of them may hold more.
    fn receive(&mut self, readable: u64) -> bool {
        let mut more = false;
        for number in (0..self.sockets.len()).filter(|number| readable & 1 << number != 0) {
            let (worker, outbox, counters) = (&mut self.worker, &mut self.outbox, &self.counters);
            let (sockets, transmitter, latest) = (&self.sockets, &mut self.transmitter, &mut self.latest);
            let (clock, memos) = (&self.clock, &mut self.memos);
            let haul = self.batch.receive(
                &sockets[number],
                || clock.reading(),
                |received| {
                    if outbox.room() < RESERVE {
                        transmitter.send(sockets, outbox, counters, clock);
                    }
                    // Between datagrams time never goes back, also where one socket was read after another.
                    *latest = received.at.max(*latest);
                    let path = Path { socket: number as u8, remote: received.from };
                    if let Some(home) = worker.handle_datagram(*latest, path, received.bytes, outbox) {
                        let memo = Memo::Datagram { path, at: received.at };
                        if memos.hand_over(home, memo, received.bytes) {
                            counters.add(Cell::HandedOver, 1);
                        } else {
                            counters.dropped(DropReason::LaneFull);
                        }
                    }
                },
            );
            self.counters.add(Cell::ReceiveCalls, 1);
            more |= haul.messages == BATCH;
            if let Some(total) = haul.overflow {
                let lost = total.wrapping_sub(self.overflows[number]);
                self.overflows[number] = total;
                self.counters.dropped_many(DropReason::ReceiveOverflow, lost.into());
            }
            self.flush(self.clock.now());
        }
        more
    }

    fn run_timers(&mut self, now: Time) {
        if self.worker.poll_timeout().is_some_and(|(at, _)| at <= now) {
            self.send(); // the timers of all peers may be due at once
            self.worker.handle_timeout(now, &mut self.outbox);
        }
    }

    /// Lets the worker forward what it kept, and sends until nothing is left. Other workers come first, for they have
    /// to forward it too.
    fn flush(&mut self, now: Time) {
        self.held_up = self.worker.relay(now, &mut self.memos, &mut self.outbox);
        self.memos.wake();
        loop {
            let more = self.worker.flush(now, &mut self.outbox);
            self.send();
            if !more {
                return;
            }
        }
    }

    fn make_room(&mut self) {
        if self.outbox.room() < RESERVE {
            self.send();
        }
    }

    fn send(&mut self) {
        if !self.outbox.is_empty() {
            self.transmitter.send(&self.sockets, &mut self.outbox, &self.counters, &self.clock);
        }
    }

    fn hand_over_events(&mut self, now: Time) {
        let worker = &mut self.worker;
        self.lane.pump_events(|| worker.poll_event(now));
    }
}

/// When the oldest of what can be read came, at the earliest: just now if it woke the thread, which began to wait at
/// `began`; what was there already then came after the sockets were last looked at.
fn came_at(began: Time, now: Time, looked: Time) -> Time {
    if now.since(began) < NO_SLEEP { looked } else { now }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use arrayvec::ArrayVec;
    use rtc::command::{Command, MediaKind, Mid, TrackParams};
    use rtc::id::{TrackId, TransportId};
    use rtc::memo::MemoSink;
    use rtc::route::RouterConfig;
    use rtc::transport::TransportShared;
    use rtc::worker::WorkerConfig;

    use super::*;
    use crate::lane::{Bell, ControlEnd, lanes};
    use crate::memo_lanes::memo_lanes;

    /// Worker 1 of two, whose thread is the test's, the end for its orders, and the end of worker 0 for memos.
    fn worker() -> (WorkerThread, ControlEnd, MemoEnd) {
        let bell = Arc::new(Bell::new().unwrap());
        let lane = || {
            let wake = Arc::new(EventFd::new().unwrap());
            (lanes(Arc::clone(&bell), Arc::clone(&wake)), wake)
        };
        let (((_, _, other), _), ((control, _, lane), wake)) = (lane(), lane());
        let mut ends = memo_lanes(&[other.waker(), lane.waker()]);
        let counters = Counters::new(1);
        let router = RouterConfig {
            worker: 1,
            transports: 1,
            tracks: 8,
            subscriptions: 8,
            audio_gather: Duration::ZERO,
            seed: Default::default(),
        };
        let shared = Arc::new(TransportShared::generate(Instant::now()).unwrap());
        let config = WorkerConfig { index: 1, workers: 2, shared, max_transports: 1, router };
        let parts = Parts {
            sockets: Vec::new(),
            lane,
            memos: ends.remove(1),
            wake,
            stop: Arc::default(),
            clock: Clock::start(),
            counters: counters.clone(),
            marks: false,
            busy_poll: Duration::ZERO,
            steering: Arc::new([]),
        };
        let thread = WorkerThread::new(Worker::new(config, counters), parts).unwrap();
        (thread, control, ends.remove(0))
    }

    #[test]
    fn what_was_there_before_the_thread_slept_is_taken_for_as_old_as_it_can_be() {
        let (looked, began) = (Time(1_000), Time(1_200));
        assert_eq!(came_at(began, Time(1_202), looked), looked);
        assert_eq!(came_at(began, Time(1_900), looked), Time(1_900));
    }

    #[test]
    fn a_memo_does_not_pass_the_orders_that_were_there_before_it() {
        let (mut thread, mut control, mut other) = worker();
        let params = TrackParams {
            transport: TransportId::new(0, 0, 1),
            kind: MediaKind::Video,
            mid: Mid::new(),
            payloads: ArrayVec::new(),
            encodings: ArrayVec::new(),
        };
        for slot in 0..ORDERS_A_TURN as u32 {
            let track = TrackId::new(1, slot, 9);
            assert!(control.send(Order::Command(Command::PauseTrack { track, paused: true })));
        }
        let (mirror, of) = (TrackId::new(1, 0, 1), TrackId::new(0, 0, 1));
        let made = Command::AddMirror { mirror, of, params: Box::new(params) };
        assert!(control.send(Order::Command(made)));
        assert!(other.send(1, Memo::Goodbye { mirror, encoding: 0 }, &[]));
        let mut more = thread.turn(true);
        assert!(more && !thread.memos.is_empty(), "the order that it needs was not yet taken");
        while !thread.memos.is_empty() {
            more = thread.turn(more);
        }
        let unknown = thread.counters.drops(DropReason::UnknownId);
        assert_eq!(unknown, ORDERS_A_TURN as u64, "none but the orders for tracks that are not there");
    }
}
