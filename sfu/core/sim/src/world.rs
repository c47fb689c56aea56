//! Workers, their browsers and the network between them, in virtual time. Most tests need one worker.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrayvec::ArrayVec;
use rtc::command::{Command, Extension, ExtensionIds, IceCredentials, RemoteParams};
use rtc::counters::Counters;
use rtc::event::Event;
use rtc::id::TransportId;
use rtc::memo::{Memo, MemoSink};
use rtc::outbox::Outbox;
use rtc::path::Path;
use rtc::route::RouterConfig;
use rtc::transport::TransportShared;
use rtc::units::Time;
use rtc::worker::{Worker, WorkerConfig};

use crate::browser::{Browser, BrowserConfig, Occurrence, Server};
use crate::lanes::{Carried, Lanes};
use crate::network::{Datagram, Link, Network};

/// Outbox of the worker, in datagrams: small, so that a full one is met in tests too.
const OUTBOX: usize = 64;
const TRANSPORTS: usize = 512;
/// As servers wait unless they are told otherwise.
const AUDIO_GATHER: Duration = Duration::from_millis(1);
/// Memos delivered before what they bring is forwarded: as many as the shell does.
const MEMOS_A_TURN: usize = 32;

/// Everything that a test of the core needs, stepped from event to event.
pub struct World {
    now: Time,
    epoch: Instant,
    server: SocketAddr,
    shared: Arc<TransportShared>,
    seats: Vec<Seat>,
    lanes: Lanes,
    outbox: Outbox,
    network: Network,
    browsers: Vec<Person>,
    by_address: BTreeMap<SocketAddr, usize>,
    events: Vec<(Time, Event)>,
    sent_to: BTreeMap<SocketAddr, u64>,
    seed: u64,
}

struct Seat {
    worker: Worker,
    counters: Counters,
}

struct Person {
    browser: Browser,
    transport: TransportId,
    heard: Vec<(Time, Occurrence)>,
}

impl World {
    /// A worker without anybody, behind links that are all like `link`.
    ///
    /// # Panics
    /// If the system has no randomness for a certificate.
    pub fn new(link: Link, seed: u64) -> World {
        World::with_workers(link, seed, 1)
    }

    /// The same with several workers that share the port.
    ///
    /// # Panics
    /// If the system has no randomness for a certificate.
    pub fn with_workers(link: Link, seed: u64, workers: u8) -> World {
        // Only the distance to it counts, so that nothing depends on when the test runs.
        let epoch = Instant::now();
        let shared = Arc::new(TransportShared::generate(epoch).expect("randomness of the system"));
        let seat = |index: u8| {
            let counters = Counters::new(TRANSPORTS);
            let config = WorkerConfig {
                index,
                workers,
                shared: Arc::clone(&shared),
                max_transports: TRANSPORTS,
                router: RouterConfig {
                    worker: index,
                    transports: TRANSPORTS,
                    tracks: 256,
                    subscriptions: 1_024,
                    audio_gather: AUDIO_GATHER,
                    seed: [seed as u8 ^ index; 32],
                },
            };
            Seat { worker: Worker::new(config, counters.clone()), counters }
        };
        World {
            now: Time::from_millis(1_000),
            epoch,
            server: "192.0.2.1:10000".parse().expect("an address"),
            seats: (0..workers).map(seat).collect(),
            shared,
            lanes: Lanes::default(),
            outbox: Outbox::new(OUTBOX),
            network: Network::new(link, seed),
            browsers: Vec::new(),
            by_address: BTreeMap::new(),
            events: Vec::new(),
            sent_to: BTreeMap::new(),
            seed,
        }
    }

    /// The time now.
    pub fn now(&self) -> Time {
        self.now
    }

    /// What the first worker counted.
    pub fn counters(&self) -> &Counters {
        self.counters_of(0)
    }

    /// What a worker counted.
    pub fn counters_of(&self, worker: u8) -> &Counters {
        &self.seats[usize::from(worker)].counters
    }

    /// The ways between the workers.
    pub fn lanes(&mut self) -> &mut Lanes {
        &mut self.lanes
    }

    /// The network, to make it worse.
    pub fn network(&mut self) -> &mut Network {
        &mut self.network
    }

    /// Every event of the workers so far.
    pub fn events(&self) -> &[(Time, Event)] {
        &self.events
    }

    /// What a browser noticed so far.
    pub fn heard(&self, browser: usize) -> &[(Time, Occurrence)] {
        &self.browsers[browser].heard
    }

    /// A browser, to let it do something; its datagrams leave with the next step.
    pub fn browser(&mut self, browser: usize) -> &mut Browser {
        &mut self.browsers[browser].browser
    }

    /// How many have joined.
    pub fn people(&self) -> usize {
        self.browsers.len()
    }

    /// The transport of a browser.
    pub fn transport(&self, browser: usize) -> TransportId {
        self.browsers[browser].transport
    }

    /// How many datagrams the worker sent to an address.
    pub fn datagrams_to(&self, address: SocketAddr) -> u64 {
        self.sent_to.get(&address).copied().unwrap_or(0)
    }

    /// Adds a browser that has its answer and begins to connect; returns its number.
    ///
    /// # Panics
    /// If the system has no randomness for a certificate.
    pub fn join(&mut self) -> usize {
        let number = self.browsers.len() as u8;
        self.join_from(SocketAddr::from(([198, 51, 100, number + 1], 40_000)))
    }

    /// Adds a browser whose datagrams come from this address.
    ///
    /// # Panics
    /// If the system has no randomness for a certificate.
    pub fn join_from(&mut self, address: SocketAddr) -> usize {
        self.join_at(0, address)
    }

    /// The same with a transport on this worker.
    ///
    /// # Panics
    /// If the system has no randomness for a certificate.
    pub fn join_at(&mut self, worker: u8, address: SocketAddr) -> usize {
        let number = self.browsers.len();
        let transport = TransportId::new(worker, number as u32, 1);
        let local = credentials(&format!("{worker}srv"), number);
        let certificate = dimpl::certificate::generate_self_signed_certificate().expect("randomness");
        let seed = self.seed ^ (number as u64 + 1) << 32;
        let ice = credentials("brow", number);
        let config = BrowserConfig { address, ice, certificate, epoch: self.epoch, seed };
        let mut browser = Browser::new(self.now, config);
        let remote = RemoteParams {
            ice: browser.ice().clone(),
            fingerprints: ArrayVec::from_iter([browser.fingerprint()]),
            extensions: extension_ids(),
            sctp_port: Some(5_000),
            max_message_size: 262_144,
        };
        let server =
            Server { address: self.server, ice: local.clone(), fingerprint: self.shared.fingerprint() };
        browser.set_server(self.now, server);
        self.browsers.push(Person { browser, transport, heard: Vec::new() });
        self.by_address.insert(address, number);
        self.command_to(worker, Command::AddTransport { transport, local });
        self.command_to(worker, Command::SetRemote { transport, remote: Box::new(remote) });
        number
    }

    /// Moves a browser to another address.
    pub fn rebind(&mut self, browser: usize, address: SocketAddr) {
        let now = self.now;
        self.by_address.insert(address, browser);
        self.browsers[browser].browser.rebind(now, address);
    }

    /// Carries out a command on the first worker.
    pub fn command(&mut self, command: Command) {
        self.command_to(0, command);
    }

    /// Carries out a command on a worker.
    pub fn command_to(&mut self, worker: u8, command: Command) {
        self.seats[usize::from(worker)].worker.handle_command(self.now, command, &mut self.outbox);
        self.after_workers();
    }

    /// The first worker itself, for what a shell does with it.
    pub fn worker(&mut self) -> &mut Worker {
        self.worker_at(0)
    }

    /// A worker itself.
    pub fn worker_at(&mut self, worker: u8) -> &mut Worker {
        &mut self.seats[usize::from(worker)].worker
    }

    /// Puts a datagram on the wire that no browser sent.
    pub fn inject(&mut self, from: SocketAddr, bytes: Vec<u8>) {
        let to = self.server;
        self.network.send(self.now, Datagram { from, to, bytes });
    }

    /// Lets time pass.
    pub fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        self.collect_from_browsers();
        while let Some(next) = self.next_wake().filter(|at| *at <= end) {
            self.now = self.now.max(next);
            self.step();
        }
        self.now = end;
    }

    /// Takes the datagrams that browsers have ready, without sending them.
    pub fn take_outgoing(&mut self, browser: usize) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| self.browsers[browser].browser.poll_transmit()).collect()
    }

    /// Hands the first worker a browser's datagram past the network, as a shell does with one of a batch.
    pub fn hand_over(&mut self, browser: usize, datagram: &mut [u8]) {
        let path = Path { socket: 0, remote: self.browsers[browser].browser.address() };
        self.seats[0].worker.handle_datagram(self.now, path, datagram, &mut self.outbox);
    }

    /// The same, with an outbox of the caller for what it leads to.
    pub fn hand_over_into(&mut self, browser: usize, datagram: &mut [u8], out: &mut Outbox) {
        let path = Path { socket: 0, remote: self.browsers[browser].browser.address() };
        self.seats[0].worker.handle_datagram(self.now, path, datagram, out);
    }

    /// Lets the first worker tell the others what it has to, past the lanes.
    pub fn relay_straight(&mut self) {
        let (first, others) = self.seats.split_at_mut(1);
        let mut straight = Straight { now: self.now, others, buffer: [0; 1_500], out: Outbox::new(0) };
        first[0].worker.relay(self.now, &mut straight, &mut self.outbox);
    }

    /// Ends a batch handed over: fans out into an outbox of the caller, and does what is due; true when more is to
    /// come.
    pub fn flush_into(&mut self, out: &mut Outbox) -> bool {
        let worker = &mut self.seats[0].worker;
        if worker.flush(self.now, out) {
            return true;
        }
        if worker.poll_timeout().is_some_and(|(at, _)| at <= self.now) {
            worker.handle_timeout(self.now, out);
        }
        false
    }

    /// Ends a batch handed over: fans out and throws away what would be sent; returns how many datagrams.
    pub fn flush_and_discard(&mut self) -> usize {
        self.flush_and_discard_at(0)
    }

    /// The same on any worker.
    pub fn flush_and_discard_at(&mut self, worker: u8) -> usize {
        let worker = &mut self.seats[usize::from(worker)].worker;
        let mut sent = 0;
        loop {
            let more = worker.flush(self.now, &mut self.outbox);
            sent += self.outbox.len();
            self.outbox.clear();
            if !more {
                return sent;
            }
        }
    }

    /// Lets time pass for the workers alone.
    pub fn skip(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    fn next_wake(&self) -> Option<Time> {
        let workers = self.seats.iter().filter_map(|seat| Some(seat.worker.poll_timeout()?.0));
        let browsers = self.browsers.iter().map(|person| person.browser.poll_timeout());
        let next = browsers.chain(workers).chain([self.network.poll_timeout()]).min()?;
        (next != Time::NEVER).then_some(next)
    }

    fn step(&mut self) {
        let now = self.now;
        while let Some(datagram) = self.network.receive(now) {
            if datagram.to == self.server {
                let path = Path { socket: 0, remote: datagram.from };
                let mut bytes = datagram.bytes;
                let entry = self.entry(datagram.from);
                let worker = &mut self.seats[usize::from(entry)].worker;
                if let Some(home) = worker.handle_datagram(now, path, &mut bytes, &mut self.outbox) {
                    self.lanes.of(entry).send(home, Memo::Datagram { path, at: now }, &bytes);
                }
            } else if let Some(&number) = self.by_address.get(&datagram.to)
                && self.browsers[number].browser.address() == datagram.to
            {
                self.browsers[number].browser.handle_datagram(now, &datagram.bytes);
            }
        }
        for seat in &mut self.seats {
            if seat.worker.poll_timeout().is_some_and(|(at, _)| at <= now) {
                seat.worker.handle_timeout(now, &mut self.outbox);
            }
        }
        for person in &mut self.browsers {
            if person.browser.poll_timeout() <= now {
                person.browser.handle_timeout(now);
            }
        }
        self.after_workers();
        self.collect_from_browsers();
    }

    /// The worker that the kernel gives what comes from an address to.
    fn entry(&self, from: SocketAddr) -> u8 {
        let last = match from.ip() {
            std::net::IpAddr::V4(ip) => ip.octets()[3],
            std::net::IpAddr::V6(ip) => ip.octets()[15],
        };
        ((usize::from(last) + usize::from(from.port())) % self.seats.len()) as u8
    }

    /// Carries memos, fans out, sends and takes events, as the shell does after a batch.
    fn after_workers(&mut self) {
        loop {
            for (index, seat) in self.seats.iter_mut().enumerate() {
                seat.worker.relay(self.now, &mut self.lanes.of(index as u8), &mut self.outbox);
            }
            let mut quiet = true;
            for _ in 0..MEMOS_A_TURN {
                let Some(Carried { from, to, memo, mut bytes }) = self.lanes.next() else { break };
                let worker = &mut self.seats[usize::from(to)].worker;
                worker.handle_memo(self.now, from, memo, &mut bytes, &mut self.outbox);
                quiet = false;
            }
            (0..self.seats.len()).for_each(|index| self.flush(index));
            if quiet {
                break;
            }
        }
        for seat in &mut self.seats {
            while let Some(event) = seat.worker.poll_event(self.now) {
                self.events.push((self.now, event));
            }
        }
    }

    fn flush(&mut self, index: usize) {
        loop {
            let more = self.seats[index].worker.flush(self.now, &mut self.outbox);
            for (slot, bytes) in self.outbox.iter() {
                let datagram = Datagram { from: self.server, to: slot.path.remote, bytes: bytes.to_vec() };
                *self.sent_to.entry(datagram.to).or_default() += 1;
                self.network.send(self.now, datagram);
            }
            self.outbox.clear();
            if !more {
                break;
            }
        }
    }

    fn collect_from_browsers(&mut self) {
        let to = self.server;
        for person in &mut self.browsers {
            let from = person.browser.address();
            while let Some(bytes) = person.browser.poll_transmit() {
                self.network.send(self.now, Datagram { from, to, bytes });
            }
            while let Some(occurrence) = person.browser.poll_occurrence() {
                person.heard.push((self.now, occurrence));
            }
        }
    }
}

/// Takes memos of the first worker to the others at once.
struct Straight<'a> {
    now: Time,
    others: &'a mut [Seat],
    buffer: [u8; 1_500],
    out: Outbox,
}

impl MemoSink for Straight<'_> {
    fn send(&mut self, to: u8, memo: Memo, bytes: &[u8]) -> bool {
        let copy = &mut self.buffer[..bytes.len()];
        copy.copy_from_slice(bytes);
        self.others[usize::from(to) - 1].worker.handle_memo(self.now, 0, memo, copy, &mut self.out);
        true
    }
}

/// Header extensions as Chromium numbers them.
pub fn extension_ids() -> ExtensionIds {
    let mut ids = ExtensionIds::default();
    ids.set(Extension::AudioLevel, 1);
    ids.set(Extension::AbsSendTime, 2);
    ids.set(Extension::TransportCc, 3);
    ids.set(Extension::Mid, 4);
    ids.set(Extension::Rid, 10);
    ids.set(Extension::RepairedRid, 11);
    ids
}

fn credentials(prefix: &str, number: usize) -> IceCredentials {
    IceCredentials {
        ufrag: format!("{prefix}{number:04}").into(),
        pwd: format!("{prefix}-password-of-{number:08}").into(),
    }
}
