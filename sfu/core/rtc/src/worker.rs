//! One worker: every transport, track and subscription of one thread, and the way of a packet through them.
//!
//! `handle_datagram` is the table of contents: demux, then ICE, DTLS or SRTP of the transport, then the router,
//! which keeps the packet. `flush` is the second half: the router fans out what it kept, each subscriber's packets
//! together, and every copy is encrypted straight into its place in the outbox.
//!
//! Where several workers share the port and the calls, a worker also gets datagrams that are another's, which it hands
//! over, and tells the others what [`crate::memo`] lists: see `route/relay.rs` for tracks that cross workers.
//!
//! A panic while one input is handled ends the transport that the input belongs to, never the worker.

mod memos;
mod panics;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::command::Command;
use crate::counters::{Cell, Counters};
use crate::demux::{self, Demux, Protocol};
use crate::drop_reason::DropReason;
use crate::event::Event;
#[cfg(feature = "faults")]
use crate::fault::Fault;
use crate::id::TransportId;
use crate::memo::Memo;
use crate::outbox::Outbox;
use crate::path::Path;
use crate::route::{Router, RouterConfig};
use crate::timer::Timer;
use crate::transport::{Transport, TransportShared, stun};
use crate::transports::{Sink, Transports};
use crate::units::Time;
use crate::worker::panics::Outcome;

/// Most edge events that wait for Python before more are dropped and counted.
const MAX_EVENTS: usize = 4_096;
/// Paths of other workers that are remembered, for each transport that this one may have: what one of theirs may have.
const FOREIGN_PATHS: usize = 8;
/// Most bytes of data messages that wait for Python; beyond them SCTP holds its sender back.
const MAX_EVENT_BYTES: usize = 4 << 20;

/// What a worker is made from.
pub struct WorkerConfig {
    /// The worker's number, the top byte of its objects' ids.
    pub index: u8,
    /// How many workers share the port.
    pub workers: u8,
    /// The process's certificate and the settings that all transports share.
    pub shared: Arc<TransportShared>,
    /// Most transports at a time.
    pub max_transports: usize,
    /// Bounds of the media path.
    pub router: RouterConfig,
}

/// The packet core of one thread, without the thread.
pub struct Worker {
    index: u8,
    workers: u8,
    shared: Arc<TransportShared>,
    counters: Counters,
    demux: Demux,
    transports: Transports,
    router: Router,
    events: VecDeque<Event>,
    event_bytes: usize,
    events_dropped: u64,
    /// Whose input is being handled, should it panic.
    culprit: Option<TransportId>,
}

impl Worker {
    /// A worker without transports.
    pub fn new(config: WorkerConfig, counters: Counters) -> Worker {
        Worker {
            index: config.index,
            workers: config.workers,
            shared: config.shared,
            demux: Demux::new(config.max_transports * FOREIGN_PATHS),
            transports: Transports::new(config.max_transports),
            router: Router::new(config.router, counters.clone()),
            events: VecDeque::with_capacity(MAX_EVENTS),
            event_bytes: 0,
            events_dropped: 0,
            culprit: None,
            counters,
        }
    }

    /// Takes one datagram from the network; answers and acknowledgements go to `out`.
    ///
    /// Media is only kept: [`Worker::flush`] forwards it. The buffer is used as working space. When the datagram is
    /// another worker's, that one's number is returned and the buffer is as it was: it is to be handed over.
    pub fn handle_datagram(
        &mut self,
        now: Time,
        path: Path,
        datagram: &mut [u8],
        out: &mut Outbox,
    ) -> Option<u8> {
        self.counters.add(Cell::DatagramsUp, 1);
        self.counters.add(Cell::BytesUp, datagram.len() as u64);
        let mut other = None;
        self.guarded(now, out, |worker, out| match worker.datagram(now, path, None, datagram, out) {
            Ok(home) => other = home,
            Err(reason) => worker.counters.dropped(reason),
        });
        other
    }

    /// Carries out what Python asked for.
    pub fn handle_command(&mut self, now: Time, command: Command, out: &mut Outbox) {
        self.guarded(now, out, |worker, out| {
            if let Err(reason) = worker.command(now, command, out) {
                worker.counters.dropped(reason);
            }
        });
    }

    /// Forwards the media kept since the last time. True: the outbox is full and more is to come; send and call again.
    pub fn flush(&mut self, now: Time, out: &mut Outbox) -> bool {
        let mut more = false;
        let outcome = self.guarded(now, out, |worker, out| {
            let mut sink = Sink::new(&mut worker.transports, out, &worker.counters, &mut worker.culprit);
            more = worker.router.flush(now, &mut sink);
        });
        match outcome {
            Outcome::Done => more,
            // What waited behind it goes on now.
            Outcome::Closed => true,
            Outcome::Unexplained => false,
        }
    }

    /// Hears from the shell, in every turn, how long it slept: too little for long means that there is too much to do,
    /// and then pictures are left out.
    pub fn rested(&mut self, now: Time, slept: Duration) {
        self.router.rested(now, slept);
    }

    /// How long the shell may let datagrams lie that come from `now` on, so that it handles several at once.
    pub fn leisure(&self, now: Time) -> Duration {
        self.router.leisure(now)
    }

    /// When and why the worker wants `handle_timeout`.
    pub fn poll_timeout(&self) -> Option<(Time, Timer)> {
        let transports = self.transports.poll_timeout();
        let router = self.router.poll_timeout();
        [transports, router].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Time, out: &mut Outbox) {
        while let Some(transport) = self.transports.pop_due(now) {
            self.guarded(now, out, |worker, out| {
                worker.culprit = Some(transport);
                if let Some(state) = worker.transports.get_mut(transport) {
                    state.handle_timeout(now, out);
                }
                worker.after_transport(now, transport);
            });
        }
        if self.router.poll_timeout().is_some_and(|(at, _)| at <= now) {
            self.guarded(now, out, |worker, out| {
                let mut sink = Sink::new(&mut worker.transports, out, &worker.counters, &mut worker.culprit);
                worker.router.handle_timeout(now, &mut sink);
            });
        }
    }

    /// The next thing to tell Python. Pull only while there is room to hand it on: what is not pulled waits here,
    /// where newer states replace older ones and SCTP holds back its senders.
    pub fn poll_event(&mut self, now: Time) -> Option<Event> {
        if self.events_dropped > 0 {
            return Some(Event::EventsDropped { count: std::mem::take(&mut self.events_dropped) });
        }
        while let Some(transport) = self.transports.pop_with_events() {
            self.pull_events_guarded(now, transport);
            if !self.has_event_room() {
                break;
            }
        }
        let event = self.events.pop_front().or_else(|| self.router.poll_event())?;
        self.event_bytes -= event_bytes(&event).min(self.event_bytes);
        self.counters.set(Cell::EventsQueued, self.events.len() as u64);
        Some(event)
    }

    /// The worker's objects in numbers, as JSON, for people who look for a fault.
    pub fn debug_state(&self) -> String {
        format!(
            r#"{{"worker":{},"transports":{},"paths":{},"events_queued":{},"router":{}}}"#,
            self.index,
            self.transports.len(),
            self.demux.paths(),
            self.events.len(),
            self.router.debug_state(),
        )
    }

    /// Orders a panic where `fault` says, every time until another is ordered; none with `None`.
    #[cfg(feature = "faults")]
    pub fn order_fault(&mut self, fault: Option<Fault>) {
        self.router.faults.order(fault);
    }

    fn datagram(
        &mut self,
        now: Time,
        path: Path,
        through: Option<u8>,
        datagram: &mut [u8],
        out: &mut Outbox,
    ) -> Result<Option<u8>, DropReason> {
        let protocol = demux::classify(datagram)?;
        if protocol == Protocol::Stun {
            return self.check(now, path, through, datagram, out);
        }
        let Some(id) = self.demux.by_path(path) else {
            return self.demux.foreign(path).map(Some).ok_or(DropReason::Unvalidated);
        };
        self.culprit = Some(id);
        #[cfg(feature = "faults")]
        self.router.faults.strike(Fault::Datagram(id));
        let transport = self.transports.get_mut(id).ok_or(DropReason::Unvalidated)?;
        let handled = match protocol {
            Protocol::Rtp => {
                let len = transport.unprotect_rtp(now, path, datagram)?;
                let resumed = transport.has_news();
                let handled = self.router.handle_rtp(now, id, &datagram[..len]);
                if resumed {
                    self.after_transport(now, id);
                }
                handled
            }
            Protocol::Rtcp => {
                let len = transport.unprotect_rtcp(now, path, datagram)?;
                let resumed = transport.has_news();
                let handled = self.router.handle_rtcp(now, id, &datagram[..len]);
                if resumed {
                    self.after_transport(now, id);
                }
                handled
            }
            Protocol::Dtls | Protocol::Stun => {
                let handled = transport.handle_dtls(now, path, datagram, out);
                self.after_transport(now, id);
                handled
            }
        };
        handled.map(|()| None)
    }

    /// A connectivity check: the only input that is answered to an address not known yet.
    fn check(
        &mut self,
        now: Time,
        path: Path,
        through: Option<u8>,
        raw: &[u8],
        out: &mut Outbox,
    ) -> Result<Option<u8>, DropReason> {
        let ufrag = stun::peek_ufrag(raw)?;
        if let Some(home) = self.other_home(ufrag) {
            return Ok(Some(home));
        }
        let id = self.demux.by_ufrag(ufrag).ok_or(DropReason::StunUnknownUfrag)?;
        self.culprit = Some(id);
        let transport = self.transports.get_mut(id).ok_or(DropReason::StunUnknownUfrag)?;
        let change = transport.handle_stun(now, path, raw, out)?;
        // An authentic check takes an address back from a transport that checked from it in the meantime, so that a
        // participant with a forged address disturbs another one for a few seconds at most.
        if self.demux.by_path(path) != Some(id) && transport.has_path(path) {
            self.demux.add_path(path, id);
        }
        if let Some(worker) = through.filter(|_| self.demux.by_path(path) == Some(id)) {
            self.demux.set_through(path, worker);
            self.router.memos.tell(&self.counters, worker, Memo::PathAdded { path });
        }
        if let Some(change) = change {
            if let Some(retired) = change.retired {
                self.demux.remove_ufrag(&retired, id);
            }
            if let Some(evicted) = change.evicted {
                self.remove_path(evicted, id);
            }
        }
        self.count_paths();
        self.after_transport(now, id);
        Ok(None)
    }

    fn command(&mut self, now: Time, command: Command, out: &mut Outbox) -> Result<(), DropReason> {
        match command {
            Command::AddTransport { transport: id, local } => {
                let ufrag = local.ufrag.clone();
                let transport = Transport::new(now, local, &self.shared, self.counters.clone());
                self.transports.insert(id, transport)?;
                self.router.add_transport(now, id);
                self.demux.add_ufrag(&ufrag, id);
                self.counters.open_row(id);
                self.count_transports();
            }
            Command::SetRemote { transport: id, remote } => {
                let transport = self.transports.get_mut(id).ok_or(DropReason::UnknownId)?;
                self.culprit = Some(id);
                transport.set_remote(now, &remote);
                self.router.set_extensions(id, remote.extensions);
                self.after_transport(now, id);
            }
            Command::RestartIce { transport: id, local } => {
                let transport = self.transports.get_mut(id).ok_or(DropReason::UnknownId)?;
                self.culprit = Some(id);
                self.demux.add_ufrag(&local.ufrag, id);
                if let Some(overtaken) = transport.restart_ice(local) {
                    self.demux.remove_ufrag(&overtaken, id);
                }
            }
            Command::CloseTransport { transport } => self.close_transport(now, transport, out)?,
            Command::AddTrack { track, params } => {
                let home = params.transport;
                self.transports.get_mut(home).ok_or(DropReason::UnknownId)?;
                self.culprit = Some(home);
                self.router.add_track(track, &params);
            }
            Command::SetUpCap { transport, cap } => self.router.set_up_cap(transport, cap),
            Command::PauseTrack { track, paused } => self.router.pause_track(now, track, paused),
            Command::CloseTrack { track } => self.router.close_track(track),
            Command::AddMirror { mirror, of, params } => self.router.add_mirror(mirror, of, &params),
            Command::CloseMirrors { mirrors } => {
                mirrors.iter().for_each(|&mirror| self.router.close_track(mirror));
            }
            Command::Relay { track, mirror } => self.router.add_relay(now, track, mirror),
            Command::EndRelays { relays } => {
                relays.iter().for_each(|&(track, mirror)| self.router.end_relay(track, mirror));
            }
            Command::Subscribe { subscription, params } => {
                let to = params.transport;
                self.transports.get_mut(to).ok_or(DropReason::UnknownId)?;
                self.culprit = Some(to);
                self.router.subscribe(now, subscription, &params);
            }
            Command::Unsubscribe { subscription } => self.router.unsubscribe(subscription),
            Command::SetLayerPlan { subscription, plan } => {
                self.router.set_layer_plan(now, subscription, plan);
            }
            Command::RequestKeyframe { track, encoding } => {
                self.router.request_keyframe(now, track, encoding);
            }
            Command::SetAudioGroup { track, group } => self.router.set_audio_group(now, track, group),
            Command::SendData { transport: id, channel, binary, payload } => {
                let transport = self.transports.get_mut(id).ok_or(DropReason::UnknownId)?;
                self.culprit = Some(id);
                let sent = transport.send_data(now, channel, binary, &payload, out);
                self.after_transport(now, id);
                sent?;
            }
        }
        Ok(())
    }

    fn close_transport(&mut self, now: Time, id: TransportId, out: &mut Outbox) -> Result<(), DropReason> {
        let mut transport = self.transports.remove(id).ok_or(DropReason::UnknownId)?;
        for ufrag in transport.local_ufrags() {
            self.demux.remove_ufrag(ufrag, id);
        }
        for path in transport.paths() {
            self.remove_path(path, id);
        }
        self.counters.close_row(id);
        self.count_paths();
        self.count_transports();
        self.router.close_transport(id);
        transport.close(now, out);
        Ok(())
    }

    /// Forgets a path, here and where its datagrams come in.
    fn remove_path(&mut self, path: Path, id: TransportId) {
        if let Some(worker) = self.demux.remove_path(path, id) {
            self.router.memos.tell(&self.counters, worker, Memo::PathRemoved { path });
        }
    }

    fn count_paths(&self) {
        self.counters.set(Cell::Paths, self.demux.paths() as u64);
        self.counters.set(Cell::ForeignPaths, self.demux.foreign_paths() as u64);
    }

    fn count_transports(&self) {
        self.counters.set(Cell::Transports, self.transports.len() as u64);
    }

    /// Keeps a transport's wake-up and events up to date after anything was done to it.
    fn after_transport(&mut self, now: Time, id: TransportId) {
        if self.transports.get_mut(id).is_some_and(|transport| transport.is_connected()) {
            self.router.set_connected(now, id);
        }
        self.transports.reschedule(id);
        self.pull_events(now, id);
    }

    /// The same for a transport that had to wait, outside of any other input.
    fn pull_events_guarded(&mut self, now: Time, id: TransportId) {
        // Nothing that events lead to is sent at once: only a goodbye would be, and the peer is told by silence too.
        let mut unsent = Outbox::new(0);
        self.guarded(now, &mut unsent, |worker, _| {
            worker.culprit = Some(id);
            worker.pull_events(now, id);
        });
    }

    /// Takes a transport's events as long as there is room; the rest stays with the transport.
    fn pull_events(&mut self, now: Time, id: TransportId) {
        loop {
            if !self.has_event_room() {
                self.transports.mark_with_events(id);
                return;
            }
            #[cfg(feature = "faults")]
            self.router.faults.strike(Fault::Event(id));
            let Some(event) = self.transports.poll_event(now, id) else { return };
            self.push_event(event);
        }
    }

    fn has_event_room(&self) -> bool {
        self.events.len() < MAX_EVENTS && self.event_bytes < MAX_EVENT_BYTES
    }

    fn push_event(&mut self, event: Event) {
        // The end of a transport is told in any case: there are no more ends than transports.
        let ends = matches!(event, Event::TransportFailed { .. });
        if self.events.len() >= MAX_EVENTS && !ends {
            self.events_dropped += 1;
            self.counters.add(Cell::EventsDropped, 1);
            return;
        }
        self.event_bytes += event_bytes(&event);
        self.events.push_back(event);
        self.counters.set(Cell::EventsQueued, self.events.len() as u64);
    }
}

/// What an event holds beyond its fixed size.
fn event_bytes(event: &Event) -> usize {
    match event {
        Event::DataReceived { payload, .. } => payload.len(),
        _ => 0,
    }
}
