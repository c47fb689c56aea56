//! The handle that the control side holds: threads, queues, ids and counters behind one face.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, mpsc};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use rtc::command::{Command, IceCredentials, LayerPlan, RemoteParams, SubscriptionParams, TrackParams};
use rtc::counters::{Counters, ROW};
use rtc::event::Event;
use rtc::id::{GroupId, SubscriptionId, TrackId, TransportId};
use rtc::route::RouterConfig;
use rtc::transport::TransportShared;
use rtc::units::Kbps;
use rtc::worker::{Worker, WorkerConfig};

use crate::by_hand::ByHand;
use crate::clock::Clock;
use crate::config::{Busy, CoreConfig, MediaAddress, StartError};
use crate::directories::{Commands, Directories, MOST_COMMANDS};
use crate::directory::{Full, MAX_SUBSCRIPTIONS, MAX_TRACKS};
use crate::event_fd::EventFd;
use crate::lane::{Bell, ControlEnd, EventReader, Order, WorkerEnd, lanes};
use crate::memo_lanes::{MemoEnd, memo_lanes};
use crate::socket::UdpSocket;
use crate::steering::Steering;
use crate::thread::{Parts, WorkerThread};

/// How long a full queue of orders is waited for: a worker empties it in a few milliseconds.
const QUEUE_PATIENCE: Duration = Duration::from_millis(100);
/// How long a worker may take to report its state before we go on without it.
const REPORT_PATIENCE: Duration = Duration::from_millis(500);

/// The running core. Commands may come from any thread; they are carried out in their order.
pub struct Core {
    config: CoreConfig,
    shared: Arc<TransportShared>,
    clock: Clock,
    bell: Arc<Bell>,
    counters: Vec<Counters>,
    readers: Mutex<Vec<EventReader>>,
    control: Mutex<Control>,
}

/// What only one caller at a time may touch.
struct Control {
    lanes: Vec<ControlEnd>,
    directories: Directories,
    stop: Arc<AtomicBool>,
    phase: Phase,
    candidates: Vec<SocketAddr>,
}

enum Phase {
    New(Vec<(WorkerEnd, MemoEnd, Arc<EventFd>)>),
    Running(Vec<JoinHandle<()>>),
    Stopped,
}

impl Core {
    /// A core that is not started. `clock` must be the one whose epoch `shared` was made with.
    ///
    /// # Panics
    /// If there is no worker or no address.
    pub fn new(config: CoreConfig, shared: Arc<TransportShared>, clock: Clock) -> io::Result<Core> {
        assert!(config.workers > 0 && !config.addresses.is_empty());
        let bell = Arc::new(Bell::new()?);
        let (mut controls, mut readers, mut workers, mut wakes) = (vec![], vec![], vec![], vec![]);
        for _ in 0..config.workers {
            let wake = Arc::new(EventFd::new()?);
            let (control, reader, worker) = lanes(Arc::clone(&bell), Arc::clone(&wake));
            controls.push(control);
            readers.push(reader);
            workers.push(worker);
            wakes.push(wake);
        }
        let memos = memo_lanes(&workers.iter().map(WorkerEnd::waker).collect::<Vec<_>>());
        let waiting =
            workers.into_iter().zip(memos).zip(wakes).map(|((lane, memos), wake)| (lane, memos, wake));
        Ok(Core {
            shared,
            clock,
            bell,
            counters: (0..config.workers).map(|_| Counters::new(config.max_transports)).collect(),
            readers: Mutex::new(readers),
            control: Mutex::new(Control {
                lanes: controls,
                directories: Directories::new(config.workers, config.max_transports),
                stop: Arc::default(),
                phase: Phase::New(waiting.collect()),
                candidates: Vec::new(),
            }),
            config,
        })
    }

    /// Binds the media port and starts the workers.
    pub fn start(&self) -> Result<(), StartError> {
        let mut control = self.control();
        if !matches!(control.phase, Phase::New(_)) {
            return Err(StartError::AlreadyStarted);
        }
        let (mut sockets, candidates) = self.bind()?;
        control.candidates = candidates;
        let steering = self.steering(&sockets);
        let Phase::New(waiting) = std::mem::replace(&mut control.phase, Phase::Stopped) else {
            unreachable!("looked at above, and the lock is still held")
        };
        let mut threads = Vec::new();
        for (index, (lane, memos, wake)) in waiting.into_iter().enumerate() {
            let parts = Parts {
                sockets: sockets.remove(0),
                lane,
                memos,
                wake,
                stop: Arc::clone(&control.stop),
                clock: self.clock,
                counters: self.counters[index].clone(),
                marks: self.config.marks,
                busy_poll: self.busy_poll(),
                steering: Arc::clone(&steering),
            };
            threads.push(self.spawn(index as u8, parts).map_err(StartError::System)?);
        }
        control.phase = Phase::Running(threads);
        Ok(())
    }

    /// Begins without threads and sockets, and gives out the worker: for tests in virtual time. Clients are told to send
    /// to `candidate`.
    ///
    /// # Panics
    /// If there is more than one worker.
    pub fn start_by_hand(&self, candidate: SocketAddr) -> Result<ByHand, StartError> {
        assert_eq!(self.config.workers, 1);
        let mut control = self.control();
        if !matches!(control.phase, Phase::New(_)) {
            return Err(StartError::AlreadyStarted);
        }
        let config = self.worker_config(0).map_err(StartError::System)?;
        let Phase::New(mut waiting) = std::mem::replace(&mut control.phase, Phase::Running(Vec::new()))
        else {
            unreachable!("looked at above, and the lock is still held")
        };
        control.candidates = vec![candidate];
        let (lane, _, _) = waiting.remove(0);
        let worker = Worker::new(config, self.counters[0].clone());
        Ok(ByHand::new(worker, lane, self.clock.epoch()))
    }

    /// Nobody waits awake on a machine with one processor: that is what the others need.
    fn busy_poll(&self) -> Duration {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        if processors > 1 { self.config.busy_poll } else { Duration::ZERO }
    }

    /// Lets the workers carry out what was ordered, and ends them. Later commands do nothing.
    pub fn stop(&self) {
        let mut control = self.control();
        let phase = std::mem::replace(&mut control.phase, Phase::Stopped);
        control.stop.store(true, Ordering::Release);
        control.lanes.iter().for_each(ControlEnd::wake);
        if let Phase::Running(threads) = phase {
            for thread in threads {
                let _ = thread.join(); // one that panicked has nothing left to tell
            }
        }
    }

    /// An eventfd that is readable when [`Core::drain`] has something to give.
    pub fn event_fd(&self) -> RawFd {
        self.bell.fd.as_raw_fd()
    }

    /// Makes the eventfd unreadable and appends every event that waits.
    pub fn drain(&self, out: &mut Vec<Event>) {
        let mut readers = self.readers.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        self.bell.hear();
        for reader in readers.iter_mut() {
            reader.take_all(out);
        }
    }

    /// For each worker: the number of its rows, its cells, its drops and its rows, little-endian 64-bit numbers.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for counters in &self.counters {
            let start = out.len();
            out.extend_from_slice(&[0; 8]);
            counters.write_snapshot(&mut out);
            let numbers = (out.len() - start) / 8 - 1;
            let rows =
                (numbers - rtc::counters::Cell::ALL.len() - rtc::drop_reason::DropReason::ALL.len()) / ROW;
            out[start..start + 8].copy_from_slice(&(rows as u64).to_le_bytes());
        }
        out
    }

    /// The counters of one worker.
    pub fn counters(&self, worker: u8) -> Option<&Counters> {
        self.counters.get(usize::from(worker))
    }

    /// The announced address and the port of each pair, in the order of the settings; empty before the start.
    pub fn candidates(&self) -> Vec<SocketAddr> {
        self.control().candidates.clone()
    }

    /// The state of every worker as a JSON array. Waits for the workers; one that does not answer is `null`.
    pub fn debug_state(&self) -> String {
        let answers: Vec<_> = {
            let mut control = self.control();
            let running = matches!(control.phase, Phase::Running(_));
            let ask = |lane: &mut ControlEnd| {
                let (answer, wait) = mpsc::sync_channel(1);
                (running && lane.send(Order::Report(answer))).then_some(wait)
            };
            control.lanes.iter_mut().map(ask).collect()
        };
        let states: Vec<_> = answers
            .into_iter()
            .map(|wait| wait.and_then(|wait| wait.recv_timeout(REPORT_PATIENCE).ok()))
            .map(|state| state.unwrap_or_else(|| "null".into()))
            .collect();
        format!("[{}]", states.join(","))
    }

    /// Makes a transport on `worker`, whose base-36 digit `local.ufrag` begins with.
    pub fn add_transport(&self, worker: u8, local: IceCredentials) -> Result<TransportId, Busy> {
        self.order(Some(worker), |directories, commands| {
            let transport = directories.add_transport(worker)?;
            commands.push(worker, Command::AddTransport { transport, local });
            Ok(transport)
        })
    }

    /// Sets or renews what the peer described of itself.
    pub fn set_remote(&self, transport: TransportId, remote: RemoteParams) -> Result<(), Busy> {
        self.tell(transport.worker(), Command::SetRemote { transport, remote: Box::new(remote) })
    }

    /// Accepts new local credentials beside the old ones.
    pub fn restart_ice(&self, transport: TransportId, local: IceCredentials) -> Result<(), Busy> {
        self.tell(transport.worker(), Command::RestartIce { transport, local })
    }

    /// Frees a transport, its tracks and its subscriptions.
    pub fn close_transport(&self, transport: TransportId) -> Result<(), Busy> {
        self.order(None, |directories, commands| {
            commands.push(transport.worker(), Command::CloseTransport { transport });
            directories.close_transport(transport, commands);
            Ok(())
        })
    }

    /// Asks the peer to send no more than `cap`, or takes the request back.
    pub fn set_up_cap(&self, transport: TransportId, cap: Option<Kbps>) -> Result<(), Busy> {
        self.tell(transport.worker(), Command::SetUpCap { transport, cap })
    }

    /// Expects media of a published source.
    pub fn add_track(&self, params: TrackParams) -> Result<TrackId, Busy> {
        let worker = params.transport.worker();
        self.order(Some(worker), |directories, commands| {
            let track = directories.add_track(&params)?;
            commands.push(worker, Command::AddTrack { track, params: Box::new(params) });
            Ok(track)
        })
    }

    /// Stops or resumes forwarding of a track.
    pub fn pause_track(&self, track: TrackId, paused: bool) -> Result<(), Busy> {
        self.order(None, |directories, commands| {
            commands.push(track.worker(), Command::PauseTrack { track, paused });
            directories.pause_track(track, paused, commands);
            Ok(())
        })
    }

    /// Frees a track and its subscriptions.
    pub fn close_track(&self, track: TrackId) -> Result<(), Busy> {
        self.order(None, |directories, commands| {
            commands.push(track.worker(), Command::CloseTrack { track });
            directories.close_track(track, commands);
            Ok(())
        })
    }

    /// Delivers a track to a transport, also to one of another worker.
    pub fn subscribe(&self, mut params: SubscriptionParams) -> Result<SubscriptionId, Busy> {
        self.order(None, |directories, commands| {
            let to = params.transport;
            let (subscription, track) = directories.subscribe(params.track, to, commands)?;
            params.track = track;
            commands.push(to.worker(), Command::Subscribe { subscription, params: Box::new(params) });
            Ok(subscription)
        })
    }

    /// Ends a delivery.
    pub fn unsubscribe(&self, subscription: SubscriptionId) -> Result<(), Busy> {
        self.order(None, |directories, commands| {
            commands.push(subscription.worker(), Command::Unsubscribe { subscription });
            directories.unsubscribe(subscription, commands);
            Ok(())
        })
    }

    /// Sets what a subscription should get.
    pub fn set_layer_plan(&self, subscription: SubscriptionId, plan: LayerPlan) -> Result<(), Busy> {
        self.tell(subscription.worker(), Command::SetLayerPlan { subscription, plan })
    }

    /// Asks the publisher for a key frame of one encoding, or of all.
    pub fn request_keyframe(&self, track: TrackId, encoding: Option<u8>) -> Result<(), Busy> {
        self.tell(track.worker(), Command::RequestKeyframe { track, encoding })
    }

    /// Ranks an audio track among the speakers of a group, or of none.
    pub fn set_audio_group(&self, track: TrackId, group: Option<GroupId>) -> Result<(), Busy> {
        self.tell(track.worker(), Command::SetAudioGroup { track, group })
    }

    /// Sends a message on a data channel.
    pub fn send_data(
        &self,
        transport: TransportId,
        channel: u16,
        binary: bool,
        payload: Box<[u8]>,
    ) -> Result<(), Busy> {
        self.tell(transport.worker(), Command::SendData { transport, channel, binary, payload })
    }

    fn tell(&self, worker: u8, command: Command) -> Result<(), Busy> {
        self.order(Some(worker), |_, commands| {
            commands.push(worker, command);
            Ok(())
        })
    }

    /// Makes commands with the directories and queues them: for one worker, or for any. The room is looked for first,
    /// so that an id that was given out always reaches its worker.
    fn order<T>(
        &self,
        worker: Option<u8>,
        make: impl FnOnce(&mut Directories, &mut Commands) -> Result<T, Full>,
    ) -> Result<T, Busy> {
        let mut control = self.control();
        match worker {
            Some(worker) => await_room(&control, worker.into(), 1)?,
            None => {
                (0..control.lanes.len()).try_for_each(|worker| await_room(&control, worker, MOST_COMMANDS))?
            }
        }
        let mut commands = Commands::default();
        let value = make(&mut control.directories, &mut commands)?;
        if !matches!(control.phase, Phase::Stopped) {
            for (worker, command) in commands.into_iter() {
                control.lanes[usize::from(worker)].send(Order::Command(command));
            }
        }
        Ok(value)
    }

    fn control(&self) -> MutexGuard<'_, Control> {
        // Nothing panics while it holds the lock; if it did, the queues would still be whole.
        self.control.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Binds every address for every worker; returns the sockets by worker, and the candidates.
    fn bind(&self) -> Result<(Vec<Vec<UdpSocket>>, Vec<SocketAddr>), StartError> {
        let mut sockets: Vec<Vec<UdpSocket>> = (0..self.config.workers).map(|_| Vec::new()).collect();
        let mut candidates = Vec::new();
        for MediaAddress { bind, announce } in &self.config.addresses {
            let bound = sockets[0].iter().map(UdpSocket::local).find(|local| local.ip() == *bind);
            if let Some(local) = bound {
                candidates.push(SocketAddr::new(*announce, local.port()));
                continue;
            }
            let wanted = SocketAddr::new(*bind, self.config.udp_port);
            let shared = self.config.workers > 1;
            let first =
                UdpSocket::bind_first(wanted, shared).map_err(|error| StartError::Bind(wanted, error))?;
            let local = first.local();
            candidates.push(SocketAddr::new(*announce, local.port()));
            sockets[0].push(first);
            for sockets in &mut sockets[1..] {
                sockets.push(UdpSocket::bind_again(local).map_err(|error| StartError::Bind(local, error))?);
            }
        }
        Ok((sockets, candidates))
    }

    /// For each address a way to have the kernel choose the right worker, where there are several and it lets us.
    fn steering(&self, sockets: &[Vec<UdpSocket>]) -> Arc<[Option<Steering>]> {
        let wanted = self.config.steering && sockets.len() > 1;
        let addresses = 0..if wanted { sockets[0].len() } else { 0 };
        let of = |address: usize| sockets.iter().map(|worker| &worker[address]).collect::<Vec<_>>();
        addresses.map(|address| Steering::new(&of(address)).ok()).collect()
    }

    fn worker_config(&self, index: u8) -> io::Result<WorkerConfig> {
        Ok(WorkerConfig {
            index,
            workers: self.config.workers,
            shared: Arc::clone(&self.shared),
            max_transports: self.config.max_transports,
            router: RouterConfig {
                worker: index,
                transports: self.config.max_transports,
                tracks: MAX_TRACKS,
                subscriptions: MAX_SUBSCRIPTIONS,
                audio_gather: self.config.audio_gather,
                seed: random_seed()?,
            },
        })
    }

    fn spawn(&self, index: u8, parts: Parts) -> io::Result<JoinHandle<()>> {
        let config = self.worker_config(index)?;
        let (ready, started) = mpsc::sync_channel(1);
        let thread = Builder::new().name(format!("media-{index}")).spawn(move || {
            // Made here, so that what belongs to one thread never has to move to another.
            let worker = Worker::new(config, parts.counters.clone());
            match WorkerThread::new(worker, parts) {
                Ok(thread) => {
                    let _ = ready.send(Ok(()));
                    thread.run();
                }
                Err(error) => drop(ready.send(Err(error))),
            }
        })?;
        started.recv().unwrap_or_else(|_| Err(io::Error::other("a worker ended before it was ready")))?;
        Ok(thread)
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Waits, for a short while, until the queue of `worker` has room for so many orders.
fn await_room(control: &Control, worker: usize, orders: usize) -> Result<(), Busy> {
    let lane = &control.lanes[worker];
    let step = Duration::from_micros(100);
    let mut waited = Duration::ZERO;
    while !lane.has_room(orders) {
        if waited >= QUEUE_PATIENCE || !matches!(control.phase, Phase::Running(_)) {
            return Err(Busy("commands in the queue"));
        }
        std::thread::sleep(step);
        waited += step;
    }
    Ok(())
}

fn random_seed() -> io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    // SAFETY: the buffer is writable for the length given. Requests of up to 256 bytes are filled whole.
    let count = unsafe { libc::getrandom(seed.as_mut_ptr().cast(), seed.len(), 0) };
    if usize::try_from(count) == Ok(seed.len()) { Ok(seed) } else { Err(io::Error::last_os_error()) }
}
