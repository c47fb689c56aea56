//! The `Simulation` class: a core's worker, its peers and the network between them, for tests in virtual time.

use std::net::SocketAddr;
use std::time::Duration;

use net::ByHand;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rtc::command::IceCredentials;
use rtc::path::Path;
use rtc::units::{SeqNo, Time};
use sim::browser::{Browser, BrowserConfig, Occurrence, Server};
use sim::network::{Datagram, Link, Network};

use crate::args::{self, wrong};
use crate::core::Core;
use crate::errors;

const SERVER: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), 10_000);
/// Each peer has a port of one address, so that a late datagram for one that is gone reaches nobody else.
const FIRST_PORT: u16 = 1_024;

/// A core's only worker, the peers that connect to it, and a network that delays, loses, reorders and doubles.
#[pyclass(unsendable, module = "sfu._core")]
pub(crate) struct Simulation {
    worker: ByHand,
    now: Time,
    network: Network,
    peers: Vec<Peer>,
    /// What left the server since it was last asked for: when, to which peer, and what it was.
    sent: Vec<(u64, usize, &'static str)>,
    seed: u64,
}

struct Peer {
    browser: Browser,
    next: SeqNo,
    /// RTP packets that were heard and deciphered.
    heard: u64,
}

#[pymethods]
impl Simulation {
    /// Starts `core` without threads and sockets; nothing of it happens but in `run_until`.
    #[new]
    #[pyo3(signature = (core, *, seed = 0, delay_ms = 10, jitter_ms = 0, loss = 0.0, duplicate = 0.0))]
    fn new(
        core: &Core,
        seed: u64,
        delay_ms: u64,
        jitter_ms: u64,
        loss: f64,
        duplicate: f64,
    ) -> PyResult<Simulation> {
        if core.workers != 1 {
            return Err(wrong("core: one worker only"));
        }
        let worker = core.core.start_by_hand(SERVER).map_err(errors::start)?;
        let link = Link {
            delay: Duration::from_millis(delay_ms),
            jitter: Duration::from_millis(jitter_ms),
            loss,
            duplicate,
        };
        let network = Network::new(link, seed);
        Ok(Simulation { worker, now: Time(0), network, peers: Vec::new(), sent: Vec::new(), seed })
    }

    /// Makes a peer that knows nothing of the server yet; returns its number, ufrag, password and the SHA-256 of its
    /// certificate.
    fn add_peer(&mut self) -> PyResult<(usize, String, String, [u8; 32])> {
        let number = self.peers.len();
        let port = u16::try_from(number).ok().and_then(|number| FIRST_PORT.checked_add(number));
        let port = port.ok_or_else(|| wrong("too many peers"))?;
        let certificate = dimpl::certificate::generate_self_signed_certificate()
            .map_err(|_| PyRuntimeError::new_err("no certificate could be made"))?;
        let ice = IceCredentials {
            ufrag: format!("peer{number:04}").into(),
            pwd: format!("password-of-peer-{number:08}").replace('-', "+").into(),
        };
        let config = BrowserConfig {
            address: SocketAddr::from(([198, 51, 100, 1], port)),
            ice: ice.clone(),
            certificate,
            epoch: self.worker.epoch(),
            seed: self.seed ^ (number as u64 + 1) << 32,
        };
        let browser = Browser::new(self.now, config);
        let fingerprint = browser.fingerprint().0;
        self.peers.push(Peer { browser, next: SeqNo(1), heard: 0 });
        Ok((number, ice.ufrag.into(), ice.pwd.into(), fingerprint))
    }

    /// Lets a peer take the answer of the server and begin to connect.
    fn connect(&mut self, peer: usize, ufrag: &str, pwd: &str, fingerprint: &[u8]) -> PyResult<()> {
        let now = self.now;
        let ice = args::credentials(ufrag, pwd)?;
        let server = Server { address: SERVER, ice, fingerprint: args::fingerprint(fingerprint)? };
        self.peer(peer)?.browser.set_server(now, server);
        Ok(())
    }

    /// Sends a packet of sound; nothing before the peer has its keys.
    fn send_audio(&mut self, peer: usize, ssrc: u32, pt: u8) -> PyResult<()> {
        let peer = self.peer(peer)?;
        let seq = peer.next;
        peer.next = seq.next();
        let mut packet = vec![0x80, args::pt("pt", pt)?.0];
        packet.extend_from_slice(&seq.wire().to_be_bytes());
        packet.extend_from_slice(&(seq.wire() as u32 * 960).to_be_bytes());
        packet.extend_from_slice(&ssrc.to_be_bytes());
        packet.extend_from_slice(&[0x5a; 40]);
        peer.browser.send_rtp(seq, &packet);
        Ok(())
    }

    /// Lets a peer vanish without a word.
    fn vanish(&mut self, peer: usize) -> PyResult<()> {
        self.peer(peer)?.browser.fall_silent();
        Ok(())
    }

    /// Whether a peer has its keys.
    fn is_connected(&mut self, peer: usize) -> PyResult<bool> {
        Ok(self.peer(peer)?.browser.is_connected())
    }

    /// How many packets of media a peer has heard and deciphered.
    fn heard(&mut self, peer: usize) -> PyResult<u64> {
        Ok(self.peer(peer)?.heard)
    }

    /// Microseconds at which something is due next.
    fn next_due(&self) -> Option<u64> {
        let peers = self.peers.iter().map(|peer| peer.browser.poll_timeout());
        let next = peers.chain([self.worker.poll_timeout(), self.network.poll_timeout()]).min()?;
        (next != Time::NEVER).then_some(next.0)
    }

    /// Lets everything happen until then, in microseconds, the orders given since first.
    fn run_until(&mut self, micros: u64) {
        let end = Time(micros).max(self.now);
        self.settle();
        while let Some(next) = self.next_due().map(Time).filter(|at| *at <= end) {
            self.now = self.now.max(next);
            self.step();
        }
        self.now = end;
    }

    /// Datagrams that left the server since this was last asked, as (microseconds, peer, kind): `stun`, `dtls`, `rtp`
    /// or `rtcp`.
    fn take_sent(&mut self) -> Vec<(u64, usize, &'static str)> {
        std::mem::take(&mut self.sent)
    }
}

impl Simulation {
    fn peer(&mut self, number: usize) -> PyResult<&mut Peer> {
        self.peers.get_mut(number).ok_or_else(|| wrong("there is no such peer"))
    }

    fn step(&mut self) {
        let now = self.now;
        while let Some(mut datagram) = self.network.receive(now) {
            if datagram.to == SERVER {
                let path = Path { socket: 0, remote: datagram.from };
                self.worker.handle_datagram(now, path, &mut datagram.bytes);
            } else if let Some(peer) = self.peers.get_mut(number_of(datagram.to)) {
                peer.browser.handle_datagram(now, &datagram.bytes);
            }
        }
        for peer in &mut self.peers {
            if peer.browser.poll_timeout() <= now {
                peer.browser.handle_timeout(now);
            }
        }
        self.settle();
    }

    /// Lets the worker work, and carries what it and the peers have to send.
    fn settle(&mut self) {
        let (now, network, sent) = (self.now, &mut self.network, &mut self.sent);
        self.worker.work(now, |path, bytes| {
            sent.push((now.0, number_of(path.remote), kind_of(bytes)));
            network.send(now, Datagram { from: SERVER, to: path.remote, bytes: bytes.to_vec() });
        });
        for peer in &mut self.peers {
            let from = peer.browser.address();
            while let Some(bytes) = peer.browser.poll_transmit() {
                network.send(now, Datagram { from, to: SERVER, bytes });
            }
            while let Some(occurrence) = peer.browser.poll_occurrence() {
                peer.heard += u64::from(matches!(occurrence, Occurrence::Rtp(_)));
            }
        }
    }
}

fn number_of(address: SocketAddr) -> usize {
    usize::from(address.port() - FIRST_PORT)
}

/// What a datagram is, by RFC 7983 and RFC 5761.
fn kind_of(bytes: &[u8]) -> &'static str {
    match bytes {
        [0..=3, ..] => "stun",
        [20..=63, ..] => "dtls",
        [_, 192..=223, ..] => "rtcp",
        _ => "rtp",
    }
}
