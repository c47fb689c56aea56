//! The two bounded queues between Python and one worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;

use rtc::command::Command;
use rtc::event::Event;
use rtrb::{Consumer, Producer, RingBuffer};

use crate::event_fd::EventFd;
use crate::wake::{Doorbell, Sleeper};

/// Orders that may wait for a worker; it takes them between two batches of datagrams.
const ORDERS: usize = 16_384;
/// Events that may wait for Python; beyond them they stay with the worker, where states replace older states.
const EVENTS: usize = 8_192;
/// Bytes of data messages that may wait for Python. One more message may go beyond.
const EVENT_BYTES: usize = 8 * 1024 * 1024;

/// What the control side sends to a worker.
pub(crate) enum Order {
    Command(Command),
    /// Answer with the state as JSON.
    Report(SyncSender<String>),
}

/// Both ends of both queues of one worker.
pub(crate) fn lanes(bell: Arc<Bell>, wake: Arc<EventFd>) -> (ControlEnd, EventReader, WorkerEnd) {
    let (order_tx, order_rx) = RingBuffer::new(ORDERS);
    let (event_tx, event_rx) = RingBuffer::new(EVENTS);
    let shared = Arc::new(Shared {
        wake,
        for_work: Sleeper::new(),
        for_room: Sleeper::new(),
        event_bytes: AtomicUsize::new(0),
    });
    (
        ControlEnd { orders: order_tx, shared: Arc::clone(&shared) },
        EventReader { events: event_rx, shared: Arc::clone(&shared) },
        WorkerEnd { orders: order_rx, events: event_tx, shared, bell },
    )
}

/// The eventfd that all workers ring when they have events, with its flag.
pub(crate) struct Bell {
    flag: Doorbell,
    pub(crate) fd: EventFd,
}

impl Bell {
    pub(crate) fn new() -> std::io::Result<Bell> {
        Ok(Bell { flag: Doorbell::new(), fd: EventFd::new()? })
    }

    /// The reader's first step of a visit; after it, take from every queue.
    pub(crate) fn hear(&self) {
        self.fd.clear();
        self.flag.clear();
    }

    fn ring(&self) {
        if self.flag.must_ring() {
            self.fd.ring();
        }
    }
}

struct Shared {
    wake: Arc<EventFd>,
    for_work: Sleeper,
    for_room: Sleeper,
    event_bytes: AtomicUsize,
}

/// Wakes one worker. Any number of others may hold one.
#[derive(Clone)]
pub(crate) struct Waker(Arc<Shared>);

impl Waker {
    /// Wakes the worker if it sleeps; to be called after bringing it something.
    pub(crate) fn wake(&self) {
        if self.0.for_work.must_wake() {
            self.0.wake.ring();
        }
    }
}

/// Where the control side puts orders.
pub(crate) struct ControlEnd {
    orders: Producer<Order>,
    shared: Arc<Shared>,
}

impl ControlEnd {
    /// Whether the next so many [`ControlEnd::send`] will find room; nobody else can take it in between.
    pub(crate) fn has_room(&self, orders: usize) -> bool {
        self.orders.slots() >= orders
    }

    /// Queues `order` and wakes the worker if it sleeps. False when the queue is full.
    pub(crate) fn send(&mut self, order: Order) -> bool {
        let queued = self.orders.push(order).is_ok();
        if self.shared.for_work.must_wake() {
            self.shared.wake.ring();
        }
        queued
    }

    /// Wakes the worker, whatever it does.
    pub(crate) fn wake(&self) {
        self.shared.wake.ring();
    }
}

/// Where Python takes events.
pub(crate) struct EventReader {
    events: Consumer<Event>,
    shared: Arc<Shared>,
}

impl EventReader {
    /// Takes every event that waits, after [`Bell::hear`].
    pub(crate) fn take_all(&mut self, out: &mut Vec<Event>) {
        let from = out.len();
        // What comes while we take is left for the next visit, so that a busy worker cannot hold Python here.
        for _ in 0..self.events.slots() {
            out.extend(self.events.pop().ok());
        }
        let bytes = out[from..].iter().map(held_bytes).sum();
        self.shared.event_bytes.fetch_sub(bytes, Ordering::AcqRel);
        if self.shared.for_room.must_wake() {
            self.shared.wake.ring();
        }
    }
}

/// Where a worker takes orders and puts events.
pub(crate) struct WorkerEnd {
    orders: Consumer<Order>,
    events: Producer<Event>,
    shared: Arc<Shared>,
    bell: Arc<Bell>,
}

impl WorkerEnd {
    pub(crate) fn next_order(&mut self) -> Option<Order> {
        self.orders.pop().ok()
    }

    /// Moves events from `source` to Python as long as there is room, and rings the bell once.
    ///
    /// When the queue is full the rest stays where it is, and Python wakes the worker after its next visit.
    pub(crate) fn pump_events(&mut self, mut source: impl FnMut() -> Option<Event>) {
        let mut any = false;
        loop {
            if !self.has_event_room() {
                self.shared.for_room.announce();
                if !self.has_event_room() {
                    break;
                }
                self.shared.for_room.awake();
            }
            let Some(event) = source() else { break };
            self.shared.event_bytes.fetch_add(held_bytes(&event), Ordering::AcqRel);
            let pushed = self.events.push(event);
            debug_assert!(pushed.is_ok(), "room was seen, and only we fill it");
            any = true;
        }
        if any {
            self.bell.ring();
        }
    }

    /// What others wake the worker with after they have brought it something.
    pub(crate) fn waker(&self) -> Waker {
        Waker(Arc::clone(&self.shared))
    }

    /// Announces that the worker is about to sleep; false when it must not, for orders wait, or something `else_idle`
    /// knows of.
    pub(crate) fn may_sleep(&self, else_idle: impl FnOnce() -> bool) -> bool {
        self.shared.for_work.announce();
        if self.orders.is_empty() && else_idle() {
            return true;
        }
        self.shared.for_work.awake();
        false
    }

    /// Back from sleep.
    pub(crate) fn awake(&self) {
        self.shared.for_work.awake();
    }

    fn has_event_room(&self) -> bool {
        !self.events.is_full() && self.shared.event_bytes.load(Ordering::Acquire) < EVENT_BYTES
    }
}

/// Bytes that an event holds beyond its place in the queue.
fn held_bytes(event: &Event) -> usize {
    match event {
        Event::DataReceived { payload, .. } => payload.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use rtc::id::TransportId;

    use super::*;

    fn ends() -> (ControlEnd, EventReader, WorkerEnd, Arc<Bell>) {
        let bell = Arc::new(Bell::new().unwrap());
        let (control, reader, worker) = lanes(Arc::clone(&bell), Arc::new(EventFd::new().unwrap()));
        (control, reader, worker, bell)
    }

    fn message(len: usize) -> Event {
        let payload = vec![0; len].into_boxed_slice();
        Event::DataReceived { transport: TransportId(1), channel: 0, binary: true, payload }
    }

    #[test]
    fn events_beyond_the_queue_stay_with_the_worker_until_python_has_visited() {
        let (_, mut reader, mut worker, bell) = ends();
        let mut left = EVENTS + 10;
        let mut source = || {
            left = left.checked_sub(1)?;
            Some(Event::EventsDropped { count: 1 })
        };
        worker.pump_events(&mut source);
        let mut taken = Vec::new();
        bell.hear();
        reader.take_all(&mut taken);
        assert_eq!(taken.len(), EVENTS);
        worker.pump_events(&mut source);
        reader.take_all(&mut taken);
        assert_eq!(taken.len(), EVENTS + 10);
    }

    #[test]
    fn a_full_queue_asks_to_be_woken_when_there_is_room_again() {
        let (_, mut reader, mut worker, _) = ends();
        worker.pump_events(|| Some(message(1024 * 1024)));
        let mut taken = Vec::new();
        reader.take_all(&mut taken);
        assert_eq!(taken.len(), 8);
        assert!(!reader.shared.for_room.must_wake(), "the visit has already woken the worker");
        worker.pump_events(|| None);
        reader.take_all(&mut taken);
        assert!(!reader.shared.for_room.must_wake(), "nobody waits for room");
    }

    #[test]
    fn orders_come_out_in_order_and_a_full_queue_refuses() {
        let (mut control, _, mut worker, _) = ends();
        for n in 0..ORDERS {
            let transport = TransportId(n as u64);
            assert!(control.has_room(1));
            assert!(control.send(Order::Command(Command::CloseTransport { transport })));
        }
        assert!(!control.has_room(1));
        assert!(!worker.may_sleep(|| true));
        for n in 0..ORDERS {
            let Some(Order::Command(Command::CloseTransport { transport })) = worker.next_order() else {
                panic!("an order is missing")
            };
            assert_eq!(transport, TransportId(n as u64));
        }
        assert!(!worker.may_sleep(|| false));
        assert!(worker.may_sleep(|| true));
    }
}
