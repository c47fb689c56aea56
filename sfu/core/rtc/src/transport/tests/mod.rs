//! A transport against a peer over a network in virtual time.

mod channels;
mod connect;
mod hostile_data;
mod orders;
mod peer;
mod sctp;
mod security;
mod switching;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use self::peer::{Peer, credentials, path, shared};
use super::*;

/// One transport, one peer, and what is on its way between them.
struct Pair {
    now: Time,
    shared: Arc<TransportShared>,
    server: Transport,
    peer: Peer,
    out: Outbox,
    counters: Counters,
    /// Arrivals by time and then by order of sending; true is towards the server.
    wire: BTreeMap<(Time, u64), (bool, Path, Vec<u8>)>,
    sent: u64,
    /// Shares of datagrams lost, sent twice and late, in percent.
    loss: u64,
    twice: u64,
    late: u64,
    dice: ChaCha8Rng,
    events: Vec<TransportEvent>,
    paths: Vec<PathChange>,
    drops: Vec<DropReason>,
    /// The peer checks its path this often.
    check_every: Duration,
    next_check: Time,
    nominate: bool,
    /// The peer shakes hands before its check was answered, which no browser does.
    eager: bool,
    sctp: Option<sctp::Sctp>,
    /// The worker has no room for events.
    hold_events: bool,
    /// What an attacker does to each SCTP packet of the peer, and to how many it did that.
    mangle: Option<Mangle>,
    mangled: usize,
}

/// Changes the packet with this number, before its checksum is mended.
type Mangle = Box<dyn FnMut(usize, &mut Vec<u8>)>;

const DELAY: Duration = Duration::from_millis(20);

impl Pair {
    fn new() -> Pair {
        Pair::with(|now, epoch, remote| Peer::new(now, epoch, path(4_000), remote))
    }

    fn with(peer: impl FnOnce(Time, Instant, IceCredentials) -> Peer) -> Pair {
        let now = Time::from_millis(1_000);
        let shared = shared();
        let counters = Counters::new(1);
        let local = credentials("serv");
        let peer = peer(now, shared.epoch, local.clone());
        let mut server = Transport::new(now, local, &shared, counters.clone());
        server.set_remote(now, &peer.description());
        Pair {
            now,
            shared,
            server,
            peer,
            out: Outbox::new(64),
            counters,
            wire: BTreeMap::new(),
            sent: 0,
            loss: 0,
            twice: 0,
            late: 0,
            dice: ChaCha8Rng::seed_from_u64(1),
            events: Vec::new(),
            paths: Vec::new(),
            drops: Vec::new(),
            check_every: Duration::from_millis(500),
            next_check: now,
            nominate: true,
            eager: false,
            sctp: None,
            hold_events: false,
            mangle: None,
            mangled: 0,
        }
    }

    /// Connects without loss.
    fn connected() -> Pair {
        let mut pair = Pair::new();
        pair.run(Duration::from_secs(1));
        assert!(pair.server.is_connected());
        pair
    }

    /// Lets `time` pass.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.flush();
            let arrival = self.wire.first_key_value().map(|((at, _), _)| *at);
            let timer = self.server.poll_timeout().map(|(at, _)| at);
            let sctp = self.sctp.as_ref().map(|sctp| sctp.timeout());
            let wake = [arrival, timer, self.peer_timer(), sctp, Some(self.next_check), Some(end)];
            let next = wake.into_iter().flatten().min().unwrap().max(self.now);
            self.now = next;
            if next >= end {
                self.now = end;
                return;
            }
            self.step();
        }
    }

    fn peer_timer(&self) -> Option<Time> {
        (self.eager || !self.peer.answers.is_empty()).then_some(self.peer.timeout)
    }

    fn step(&mut self) {
        if self.next_check <= self.now {
            self.next_check = self.now + self.check_every;
            let check = self.peer.check(self.nominate);
            self.send_up(check);
        }
        while let Some(entry) = self.wire.first_entry() {
            if entry.key().0 > self.now {
                break;
            }
            let (up, path, datagram) = entry.remove();
            if up {
                self.arrive(path, datagram);
            } else if path == self.peer.path {
                self.peer.receive(self.now, &datagram);
            }
        }
        self.server.handle_timeout(self.now, &mut self.out);
    }

    /// What a worker does with a datagram.
    fn arrive(&mut self, path: Path, mut datagram: Vec<u8>) {
        let result = if stun::is_stun(&datagram) {
            self.server.handle_stun(self.now, path, &datagram, &mut self.out).map(|change| {
                self.paths.extend(change);
            })
        } else if !self.server.paths().any(|known| known == path) {
            Err(DropReason::Unvalidated)
        } else if datagram[0] < 64 {
            self.server.handle_dtls(self.now, path, &datagram, &mut self.out)
        } else {
            self.server.unprotect_rtp(self.now, path, &mut datagram).map(drop)
        };
        self.drops.extend(result.err());
    }

    fn flush(&mut self) {
        self.flush_peer();
        if let Some(sctp) = &mut self.sctp {
            for packet in std::mem::take(&mut self.peer.data) {
                sctp.receive(self.now, &packet);
            }
            for packet in sctp.flush(self.now) {
                let mut packet = packet.to_vec();
                if let Some(mangle) = &mut self.mangle {
                    mangle(self.mangled, &mut packet);
                    self.mangled += 1;
                    mend(&mut packet);
                }
                // A connection that is over takes nothing more.
                let _ = self.peer.dtls.send_application_data(&packet);
                self.flush_peer();
            }
        }
        let down: Vec<_> = self.out.iter().map(|(slot, datagram)| (slot.path, datagram.to_vec())).collect();
        self.out.clear();
        for (path, datagram) in down {
            self.put(false, path, datagram);
        }
        while !self.hold_events
            && let Some(event) = self.server.poll_event(self.now)
        {
            self.events.push(event);
        }
    }

    fn flush_peer(&mut self) {
        if self.eager || !self.peer.answers.is_empty() {
            for datagram in self.peer.flush(self.now) {
                self.send_up(datagram);
            }
        }
    }

    fn send_up(&mut self, datagram: Vec<u8>) {
        self.put(true, self.peer.path, datagram);
    }

    fn put(&mut self, up: bool, path: Path, datagram: Vec<u8>) {
        let mut chance = |percent: u64| u64::from(self.dice.next_u32()) % 100 < percent;
        let (lost, copies) = (chance(self.loss), 1 + u32::from(chance(self.twice)));
        if lost {
            return;
        }
        for _ in 0..copies {
            let delay = if chance(self.late) { DELAY * 4 } else { DELAY };
            self.sent += 1;
            self.wire.insert((self.now + delay, self.sent), (up, path, datagram.clone()));
        }
    }

    fn failure(&self) -> Option<FailReason> {
        self.events.iter().find_map(|event| match event {
            TransportEvent::Failed(reason) => Some(*reason),
            _ => None,
        })
    }
}

fn mend(packet: &mut [u8]) {
    packet[8..12].fill(0);
    let checksum = data::crc32c(packet);
    packet[8..12].copy_from_slice(&checksum.to_le_bytes());
}
