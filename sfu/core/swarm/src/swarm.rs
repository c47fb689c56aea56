//! The handle that the control side holds.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use dimpl::DtlsCertificate;
use net::clock::Clock;
use net::event_fd::EventFd;
use net::socket::UdpSocket;
use rtc::command::{ExtensionIds, Fingerprint, IceCredentials};
use rtc::units::Ssrc;
use sim::browser::Server;

use crate::audio::AudioConfig;
use crate::clip::Clip;
use crate::participant::{News, ParticipantConfig};
use crate::reception::Formats;
use crate::thread::{Order, Parts, SwarmThread};
use crate::video::VideoConfig;

/// How long a thread may take to report before we go on without it; one that is overloaded still answers within this.
const REPORT_PATIENCE: Duration = Duration::from_secs(5);

/// What a swarm is made from.
#[derive(Clone)]
pub struct SwarmConfig {
    /// Number of threads; participants are dealt out among them.
    pub threads: usize,
    /// One received packet in so many is decrypted and read.
    pub check_every: u32,
    /// What cameras may send in place of invented pictures.
    pub clip: Option<Arc<Clip>>,
    /// Of whatever is random.
    pub seed: u64,
}

/// What a participant needs to connect.
pub struct Connection {
    /// Its own credentials.
    pub ice: IceCredentials,
    /// What the server's description says.
    pub server: Server,
    /// What the server calls the header extensions.
    pub extensions: ExtensionIds,
    /// Payload types of its own description.
    pub formats: Formats,
}

/// Running threads of synthetic participants; ended when it is dropped.
pub struct Swarm {
    config: SwarmConfig,
    certificate: DtlsCertificate,
    bell: Arc<EventFd>,
    news: Mutex<Vec<Receiver<(usize, News)>>>,
    control: Mutex<Control>,
}

struct Control {
    threads: Vec<Thread>,
    participants: usize,
}

struct Thread {
    orders: Sender<Order>,
    wake: Arc<EventFd>,
    handle: JoinHandle<()>,
}

impl Swarm {
    /// Starts the threads, without anybody.
    ///
    /// # Panics
    /// If no thread is asked for.
    pub fn start(config: SwarmConfig) -> io::Result<Swarm> {
        assert!(config.threads > 0);
        let certificate = dimpl::certificate::generate_self_signed_certificate()
            .map_err(|error| io::Error::other(error.to_string()))?;
        let (clock, bell) = (Clock::start(), Arc::new(EventFd::new()?));
        let (mut threads, mut readers) = (Vec::new(), Vec::new());
        for number in 0..config.threads {
            let ((orders, taken), (told, news)) = (channel(), channel());
            let wake = Arc::new(EventFd::new()?);
            let parts =
                Parts { clock, orders: taken, wake: Arc::clone(&wake), news: told, bell: Arc::clone(&bell) };
            threads.push(Thread { orders, wake, handle: spawn(number, parts)? });
            readers.push(news);
        }
        let control = Mutex::new(Control { threads, participants: 0 });
        Ok(Swarm { config, certificate, bell, news: Mutex::new(readers), control })
    }

    /// The certificate that every participant shows.
    pub fn fingerprint(&self) -> Fingerprint {
        rtc::transport::fingerprint(&self.certificate.certificate)
    }

    /// Adds a participant that connects at once, and returns its number: they count from 0.
    pub fn connect(&self, connection: Connection) -> io::Result<usize> {
        let any: IpAddr = match connection.server.address {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind_first(SocketAddr::new(any, 0), false)?;
        let mut control = self.control();
        let number = control.participants;
        control.participants += 1;
        let config = ParticipantConfig {
            local: socket.local(),
            ice: connection.ice,
            certificate: self.certificate.clone(),
            server: connection.server,
            extensions: connection.extensions,
            formats: connection.formats,
            check_every: self.config.check_every,
            clip: self.config.clip.clone(),
            report_ssrc: Ssrc(0x0100_0000 | number as u32 & 0x00ff_ffff),
            seed: self.config.seed ^ (number as u64 + 1) << 20,
        };
        control.order(number, |place| Order::Connect(place, socket, Box::new(config)));
        Ok(number)
    }

    /// Adds a camera to a participant.
    pub fn add_video(&self, participant: usize, config: VideoConfig) {
        self.control().order(participant, |place| Order::AddVideo(place, Box::new(config)));
    }

    /// Adds a microphone to a participant.
    pub fn add_audio(&self, participant: usize, config: AudioConfig) {
        self.control().order(participant, |place| Order::AddAudio(place, Box::new(config)));
    }

    /// Sends only these encodings of a camera, bit 0 the lowest; cameras count from 0 in the order of adding.
    pub fn set_active(&self, participant: usize, camera: usize, mask: u8) {
        self.control().order(participant, |place| Order::SetActive(place, camera, mask));
    }

    /// Mutes or unmutes a microphone; they count from 0 in the order of adding.
    pub fn set_audible(&self, participant: usize, microphone: usize, on: bool) {
        self.control().order(participant, |place| Order::SetAudible(place, microphone, on));
    }

    /// Tells a participant what the packets of some SSRCs are resends of, as (resend, original).
    pub fn pair(&self, participant: usize, resends: Vec<(u32, u32)>) {
        self.control().order(participant, |place| Order::Pair(place, resends));
    }

    /// Lets a participant vanish.
    pub fn remove(&self, participant: usize) {
        self.control().order(participant, Order::Remove);
    }

    /// A descriptor that is readable when [`Swarm::drain`] has something to give.
    pub fn event_fd(&self) -> RawFd {
        self.bell.as_raw_fd()
    }

    /// Takes everything that participants have to tell.
    pub fn drain(&self) -> Vec<(usize, News)> {
        self.bell.clear();
        let readers = self.news.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let threads = readers.len();
        let of = |(thread, reader): (usize, &Receiver<(usize, News)>)| {
            reader.try_iter().map(|(place, news)| (place * threads + thread, news)).collect::<Vec<_>>()
        };
        readers.iter().enumerate().flat_map(of).collect()
    }

    /// The figures of each thread as [`crate::figures::Figures::to_bytes`] writes them. Waits for the threads; one that
    /// does not answer is left out.
    pub fn snapshot(&self) -> Vec<Vec<u8>> {
        let ask = |thread: &Thread| {
            let (answer, wait) = sync_channel(1);
            thread.order(Order::Report(answer));
            wait
        };
        let waits: Vec<_> = self.control().threads.iter().map(ask).collect();
        waits.into_iter().filter_map(|wait| wait.recv_timeout(REPORT_PATIENCE).ok()).collect()
    }

    /// Ends the threads; participants vanish.
    pub fn stop(&self) {
        let threads = std::mem::take(&mut self.control().threads);
        for Thread { orders, wake, handle } in threads {
            drop(orders);
            wake.ring();
            let _ = handle.join(); // one that panicked has nothing left to tell
        }
    }

    fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Control {
    fn order(&self, participant: usize, make: impl FnOnce(usize) -> Order) {
        if !self.threads.is_empty() {
            let place = participant / self.threads.len();
            self.threads[participant % self.threads.len()].order(make(place));
        }
    }
}

impl Thread {
    fn order(&self, order: Order) {
        if self.orders.send(order).is_ok() {
            self.wake.ring();
        }
    }
}

impl Drop for Swarm {
    fn drop(&mut self) {
        self.stop();
    }
}

fn spawn(number: usize, parts: Parts) -> io::Result<JoinHandle<()>> {
    let (ready, started) = sync_channel(1);
    let handle = Builder::new().name(format!("swarm-{number}")).spawn(move || {
        // Made here, so that what belongs to one thread never has to move to another.
        match SwarmThread::new(parts) {
            Ok(thread) => {
                let _ = ready.send(Ok(()));
                thread.run();
            }
            Err(error) => drop(ready.send(Err(error))),
        }
    })?;
    started.recv().unwrap_or_else(|_| Err(io::Error::other("a thread ended before it was ready")))?;
    Ok(handle)
}
