//! The media path of a worker, from a decrypted packet to the packets its subscribers get.
//!
//! | stage | where |
//! |---|---|
//! | split the packet, find its encoding, unwrap a retransmission, note arrival and loudness | `route/ingest.rs` |
//! | put in order, measure, keep one copy, notice what is missing | [`crate::receive::stream`] |
//! | let sound of many wait for that of others | `route/gather.rs` |
//! | give every subscription its turn | `route/fan_out.rs` |
//! | choose the layer, renumber, write header and descriptor | [`crate::send::subscription`] |
//! | reports, requests and goodbyes of peers | `route/control.rs` |
//! | NACK, PLI, transport feedback, reports to peers | `route/feedback.rs` |
//! | what is left out when there is too much | `route/overload.rs` |
//! | what mirrors on other workers need, and what feeds those here | `route/relay.rs` |
//! | commands of the control side | `route/commands.rs` |
//! | events for the control side | `route/announce.rs` |
//!
//! The router is driven like this: [`Router::handle_rtp`] and [`Router::handle_rtcp`] for every packet of a batch,
//! then [`Router::flush`] until it returns false (emptying the sink in between), then, while
//! [`Router::poll_timeout`] is not later than now, [`Router::handle_timeout`] and `flush` again; and
//! [`Router::poll_event`] until it is empty. Nothing is sent outside `flush` and `handle_timeout`.

mod announce;
mod commands;
mod control;
mod debug;
mod fan_out;
mod feedback;
pub mod gather;
mod ingest;
pub mod overload;
mod peer;
mod rates;
mod relay;
mod table;

use std::collections::VecDeque;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use crate::counters::{Cell, Counters};
use crate::id::{SubscriptionId, TrackId, TransportId};
use crate::memo::Memos;
use crate::receive::Track;
use crate::route::announce::Pending;
use crate::route::gather::Gathering;
use crate::route::overload::Overload;
use crate::route::peer::Peer;
use crate::route::table::Table;
use crate::send::{Scratch, Subscription};
use crate::speakers::Group;
use crate::timer::Timer;
use crate::units::{Burden, SeqNo, Ssrc, Time};

/// How much a router may hold, and where its randomness comes from.
#[derive(Debug, Clone, Copy)]
pub struct RouterConfig {
    /// The number of its worker.
    pub worker: u8,
    /// Most transports: one more than the highest slot of a [`TransportId`].
    pub transports: usize,
    /// Most tracks, counted likewise.
    pub tracks: usize,
    /// Most subscriptions, counted likewise.
    pub subscriptions: usize,
    /// How long sound of many waits for that of others; not at all if zero.
    pub audio_gather: Duration,
    /// Start of all sequence numbers; drawn at random by the shell.
    pub seed: [u8; 32],
}

/// Resends that may wait for room.
const MAX_RESENDS: usize = 2_048;

/// Tracks, subscriptions and what flows between them.
pub struct Router {
    worker: u8,
    counters: Counters,
    random: ChaCha8Rng,
    name_seed: u64,
    peers: Table<TransportId, Peer>,
    tracks: Table<TrackId, Track>,
    subscriptions: Table<SubscriptionId, Subscription>,
    groups: Vec<Group>,
    /// Tracks with packets to be forwarded.
    queue: VecDeque<TrackId>,
    /// Tracks with sound that waits for that of others.
    gathering: Gathering,
    /// The next subscription of the first track in `queue`.
    turn: usize,
    /// The first track in `queue` got more packets while it had its turn.
    again: bool,
    /// Tracks with something to be told to their mirrors.
    relaying: VecDeque<TrackId>,
    pub(crate) memos: Memos,
    /// Numbers that were granted to be sent again.
    resends: VecDeque<(SubscriptionId, SeqNo)>,
    /// Streams that have ended, to be said to their receivers.
    goodbyes: VecDeque<(TransportId, Ssrc)>,
    /// Tracks whose first sender report has come and can be passed on.
    first_reports: Vec<TrackId>,
    /// Which tenth of the transports gets its reports next.
    report_phase: usize,
    events: VecDeque<Pending>,
    timers: Timers,
    scratch: Scratch,
    overload: Overload,
    #[cfg(feature = "faults")]
    pub(crate) faults: crate::fault::Faults,
}

impl Router {
    /// A router without transports.
    pub fn new(config: RouterConfig, counters: Counters) -> Router {
        let mut random = ChaCha8Rng::from_seed(config.seed);
        Router {
            worker: config.worker,
            counters,
            name_seed: random.next_u64(),
            random,
            peers: Table::new(config.transports),
            tracks: Table::new(config.tracks),
            subscriptions: Table::new(config.subscriptions),
            groups: Vec::new(),
            queue: VecDeque::new(),
            gathering: Gathering::new(config.audio_gather),
            turn: 0,
            again: false,
            relaying: VecDeque::new(),
            memos: Memos::default(),
            resends: VecDeque::with_capacity(MAX_RESENDS),
            goodbyes: VecDeque::new(),
            first_reports: Vec::new(),
            report_phase: 0,
            events: VecDeque::new(),
            timers: Timers::default(),
            scratch: Scratch::default(),
            overload: Overload::default(),
            #[cfg(feature = "faults")]
            faults: crate::fault::Faults::default(),
        }
    }

    /// When [`Router::handle_timeout`] is to be called, and why.
    pub fn poll_timeout(&self) -> Option<(Time, Timer)> {
        self.timers.next()
    }

    /// Hears how long the worker slept since the last time, and leaves out more or less accordingly.
    pub fn rested(&mut self, now: Time, slept: Duration) {
        let (tracks, subscriptions, peers) = (&mut self.tracks, &self.subscriptions, &self.peers);
        // Who see a track are in one call, so what they all get is what the call costs.
        let deliveries = |viewer: &SubscriptionId| {
            let transport = subscriptions.get(*viewer)?.transport;
            Some(peers.get(transport)?.subscriptions.len())
        };
        let weigh = || {
            for track in tracks.values_mut() {
                track.burden = Burden::of(track.subscriptions.iter().filter_map(deliveries).sum());
            }
            tracks.values().map(|track| track.burden).max().unwrap_or_default()
        };
        if self.overload.rested(now, slept, weigh) {
            self.counters.set(Cell::OverloadStep, self.overload.step().into());
        }
    }

    fn count_objects(&self) {
        self.counters.set(Cell::Tracks, self.tracks.len() as u64);
        self.counters.set(Cell::Subscriptions, self.subscriptions.len() as u64);
    }
}

/// One slot for each timer of the router.
#[derive(Debug, Clone, Copy)]
struct Timers([Time; TIMERS.len()]);

const TIMERS: [Timer; 7] = [
    Timer::Nack,
    Timer::TransportCc,
    Timer::Report,
    Timer::Speakers,
    Timer::Keyframe,
    Timer::Layers,
    Timer::Sound,
];

impl Default for Timers {
    fn default() -> Timers {
        Timers([Time::NEVER; TIMERS.len()])
    }
}

impl Timers {
    /// Makes `timer` fire at `at`, or earlier if it was to.
    fn advance(&mut self, timer: Timer, at: Time) {
        if let Some(slot) = Timers::slot(timer) {
            self.0[slot] = self.0[slot].min(at);
        }
    }

    fn next(&self) -> Option<(Time, Timer)> {
        let (at, timer) = self.0.into_iter().zip(TIMERS).min_by_key(|(at, _)| *at)?;
        (at != Time::NEVER).then_some((at, timer))
    }

    /// Stops `timer` and says whether it was due.
    fn take(&mut self, timer: Timer, now: Time) -> bool {
        let Some(slot) = Timers::slot(timer).filter(|&slot| self.0[slot] <= now) else { return false };
        self.0[slot] = Time::NEVER;
        true
    }

    fn slot(timer: Timer) -> Option<usize> {
        TIMERS.iter().position(|&other| other == timer)
    }
}
