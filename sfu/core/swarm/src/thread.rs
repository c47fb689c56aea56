//! The life of one thread of the swarm: orders, datagrams, timers, sending, sleep.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, TryRecvError};
use std::time::Duration;

use net::clock::Clock;
use net::event_fd::EventFd;
use net::poller::Poller;
use net::receive::ReceiveBatch;
use net::socket::UdpSocket;
use net::transmit::Transmitter;
use rtc::counters::Counters;
use rtc::drop_reason::DropReason;
use rtc::outbox::Outbox;
use rtc::units::Time;

use crate::audio::AudioConfig;
use crate::figures::Figures;
use crate::participant::{Around, News, Participant, ParticipantConfig};
use crate::video::VideoConfig;

/// Datagrams that one participant may send at once: three encodings' key frames and then some.
const OUTBOX: usize = 1_024;
/// Who was just woken is not woken again before this, so that one who always wants to be does not stop the others.
const BREATH: Duration = Duration::from_micros(50);
/// Token of the bell in the poller; participants have their places.
const WAKE: u64 = u64::MAX;

/// Something to do. Participants are named by their place in the thread.
pub(crate) enum Order {
    Connect(usize, UdpSocket, Box<ParticipantConfig>),
    AddVideo(usize, Box<VideoConfig>),
    AddAudio(usize, Box<AudioConfig>),
    SetActive(usize, usize, u8),
    SetAudible(usize, usize, bool),
    Pair(usize, Vec<(u32, u32)>),
    Remove(usize),
    Report(SyncSender<Vec<u8>>),
}

/// What [`SwarmThread::new`] needs from its maker.
pub(crate) struct Parts {
    pub(crate) clock: Clock,
    pub(crate) orders: Receiver<Order>,
    pub(crate) wake: Arc<EventFd>,
    pub(crate) news: Sender<(usize, News)>,
    pub(crate) bell: Arc<EventFd>,
}

/// Everything that one thread owns.
pub(crate) struct SwarmThread {
    parts: Parts,
    poller: Poller,
    readable: Vec<u64>,
    batch: ReceiveBatch,
    outbox: Outbox,
    /// Made with the first socket, whose abilities all others share.
    transmitter: Option<Transmitter>,
    /// What the transmitter counts.
    counters: Counters,
    seats: Vec<Option<Box<Seat>>>,
    /// Wake-ups by time; one is out of date when its seat was given an earlier one, or is empty.
    timers: BinaryHeap<Reverse<(Time, usize)>>,
    figures: Figures,
    news: Vec<News>,
    started: Time,
}

/// A participant and its socket.
struct Seat {
    participant: Participant,
    socket: UdpSocket,
    overflow: u32,
    /// The earliest wake-up that is in the heap for it.
    scheduled: Time,
    connected: bool,
}

impl SwarmThread {
    pub(crate) fn new(parts: Parts) -> io::Result<SwarmThread> {
        let poller = Poller::new()?;
        poller.watch(parts.wake.as_raw_fd(), WAKE)?;
        let started = parts.clock.now();
        Ok(SwarmThread {
            parts,
            poller,
            readable: Vec::new(),
            batch: ReceiveBatch::new(),
            outbox: Outbox::new(OUTBOX),
            transmitter: None,
            counters: Counters::new(0),
            seats: Vec::new(),
            timers: BinaryHeap::new(),
            figures: Figures::default(),
            news: Vec::new(),
            started,
        })
    }

    /// Works until nobody can give orders any more.
    pub(crate) fn run(mut self) {
        while self.turn() {}
    }

    /// Sleeps and does what there is to do; false when it is over.
    fn turn(&mut self) -> bool {
        self.sleep();
        let woken = self.parts.clock.now();
        let go_on = self.take_orders(woken);
        for at in 0..self.readable.len() {
            self.receive(self.readable[at] as usize);
            self.run_timers(); // between sockets, so that sources keep time while much comes in
        }
        self.run_timers();
        self.figures.busy_micros += self.parts.clock.now().since(woken).as_micros() as u64;
        go_on
    }

    fn sleep(&mut self) {
        let next = self.timers.peek().map(|Reverse((at, _))| at.since(self.parts.clock.now()));
        self.readable.clear();
        let wake = &self.parts.wake;
        // The bell is silenced before orders are taken, so that none is overlooked.
        let place = |token: &u64| {
            *token != WAKE || {
                wake.clear();
                false
            }
        };
        self.readable.extend(self.poller.wait(next).filter(place));
    }

    fn take_orders(&mut self, now: Time) -> bool {
        loop {
            match self.parts.orders.try_recv() {
                Ok(order) => self.carry_out(now, order),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn carry_out(&mut self, now: Time, order: Order) {
        let place = match order {
            Order::Connect(place, socket, config) => {
                self.connect(now, place, socket, *config);
                place
            }
            Order::AddVideo(place, config) => {
                self.change(place, |participant| participant.add_video(now, *config));
                place
            }
            Order::AddAudio(place, config) => {
                self.change(place, |participant| participant.add_audio(now, *config));
                place
            }
            Order::SetActive(place, camera, mask) => {
                self.change(place, |participant| participant.set_active(camera, mask));
                return;
            }
            Order::SetAudible(place, microphone, on) => {
                self.change(place, |participant| participant.set_audible(now, microphone, on));
                place
            }
            Order::Pair(place, resends) => {
                return self.change(place, |participant| participant.pair(&resends));
            }
            Order::Remove(place) => return self.remove(place),
            Order::Report(answer) => {
                let _ = answer.try_send(self.report(now)); // who asked may have stopped waiting
                return;
            }
        };
        self.schedule(place, now);
    }

    fn report(&mut self, now: Time) -> Vec<u8> {
        self.figures.lived_micros = now.since(self.started).as_micros() as u64;
        self.figures.kernel_refused =
            self.counters.drops(DropReason::OutboxFull) + self.counters.drops(DropReason::SendFailed);
        self.figures.to_bytes()
    }

    fn connect(&mut self, now: Time, place: usize, socket: UdpSocket, config: ParticipantConfig) {
        if place >= self.seats.len() {
            self.seats.resize_with(place + 1, || None);
        }
        self.transmitter.get_or_insert_with(|| Transmitter::new(std::slice::from_ref(&socket)));
        let participant = Participant::new(now, self.parts.clock.epoch(), config);
        if self.poller.watch(socket.as_raw_fd(), place as u64).is_err() {
            self.tell(place, News::Closed);
            return;
        }
        let seat = Seat { participant, socket, overflow: 0, scheduled: Time::NEVER, connected: false };
        self.seats[place] = Some(Box::new(seat));
    }

    fn remove(&mut self, place: usize) {
        // Closing the socket takes it out of the poller.
        let gone = self.seats.get_mut(place).and_then(Option::take);
        self.figures.connected -= u64::from(gone.is_some_and(|seat| seat.connected));
    }

    fn change(&mut self, place: usize, change: impl FnOnce(&mut Participant)) {
        if let Some(Some(seat)) = self.seats.get_mut(place) {
            change(&mut seat.participant);
        }
    }

    fn receive(&mut self, place: usize) {
        let Some(Some(seat)) = self.seats.get_mut(place) else { return };
        let clock = self.parts.clock;
        let now = clock.now();
        let mut around =
            Around { outbox: &mut self.outbox, figures: &mut self.figures, news: &mut self.news };
        let Seat { participant, socket, .. } = &mut **seat;
        // One batch: if more waits, the poller says so again.
        let haul = self.batch.receive(
            socket,
            || clock.reading(),
            |received| participant.handle_datagram(now, received.at, received.bytes, &mut around),
        );
        if let Some(total) = haul.overflow {
            self.figures.receive_overflow += u64::from(total.wrapping_sub(seat.overflow));
            seat.overflow = total;
        }
        self.after(place, now);
    }

    fn run_timers(&mut self) {
        let now = self.parts.clock.now();
        loop {
            let Some(&Reverse((at, place))) = self.timers.peek() else { return };
            if at > now {
                return;
            }
            self.timers.pop();
            let Some(Some(seat)) = self.seats.get_mut(place) else { continue };
            if seat.scheduled != at {
                continue;
            }
            seat.scheduled = Time::NEVER;
            let mut around =
                Around { outbox: &mut self.outbox, figures: &mut self.figures, news: &mut self.news };
            seat.participant.handle_timeout(now, &mut around);
            self.after(place, now + BREATH);
        }
    }

    /// Sends what a participant has to send, tells what it has to tell and notes when it wants to be woken.
    fn after(&mut self, place: usize, earliest: Time) {
        let Some(Some(seat)) = self.seats.get_mut(place) else { return };
        if let Some(transmitter) = &mut self.transmitter
            && !self.outbox.is_empty()
        {
            let sockets = std::slice::from_ref(&seat.socket);
            transmitter.send(sockets, &mut self.outbox, &self.counters, &self.parts.clock);
        }
        if !self.news.is_empty() {
            if !seat.connected && seat.participant.is_connected() {
                seat.connected = true;
                self.figures.connected += 1;
            }
            for at in 0..self.news.len() {
                self.tell(place, self.news[at].clone());
            }
            self.news.clear();
        }
        self.schedule(place, earliest);
    }

    fn schedule(&mut self, place: usize, earliest: Time) {
        let Some(Some(seat)) = self.seats.get_mut(place) else { return };
        let wanted = seat.participant.poll_timeout().max(earliest);
        if wanted < seat.scheduled {
            seat.scheduled = wanted;
            self.timers.push(Reverse((wanted, place)));
        }
    }

    fn tell(&self, place: usize, news: News) {
        // Fails only when nobody listens any more.
        if self.parts.news.send((place, news)).is_ok() {
            self.parts.bell.ring();
        }
    }
}
