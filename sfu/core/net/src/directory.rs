//! Which ids of one worker are in use and what hangs on what, as the control side sees it.
//!
//! The worker frees a transport's tracks and subscriptions with it, and a track's subscriptions with it. The same is
//! done here at the moment of the command, so that ids are given out and taken back without asking the worker: its
//! queue keeps the order, so it never sees an id whose slot it has not freed.

use rtc::command::TrackParams;
use rtc::id::{SubscriptionId, TrackId, TransportId};

use crate::slots::Slots;

/// Tracks that one worker may hold.
pub(crate) const MAX_TRACKS: usize = 16_384;
/// Subscriptions that one worker may hold.
pub(crate) const MAX_SUBSCRIPTIONS: usize = 65_536;

/// A table of the worker is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full(pub(crate) &'static str);

pub(crate) struct Directory {
    worker: u8,
    transports: Slots<Transport>,
    tracks: Slots<Track>,
    subscriptions: Slots<Subscription>,
    /// Mirrors on other workers whose track has been closed here.
    orphans: Vec<TrackId>,
    /// Mirrors here whose last subscription has ended.
    idle: Vec<TrackId>,
}

#[derive(Default)]
struct Transport {
    tracks: Vec<TrackId>,
    subscriptions: Vec<SubscriptionId>,
}

pub(crate) struct Track {
    pub(crate) transport: TransportId,
    subscriptions: Vec<SubscriptionId>,
    /// The track that this is a mirror of; its transport is on another worker then.
    pub(crate) home: Option<TrackId>,
    /// Its mirrors on other workers.
    pub(crate) mirrors: Vec<TrackId>,
    pub(crate) paused: bool,
    /// What mirrors are made from, where there are other workers.
    pub(crate) params: Option<Box<TrackParams>>,
}

impl Track {
    fn new(transport: TransportId) -> Track {
        let (subscriptions, mirrors) = (Vec::new(), Vec::new());
        Track { transport, subscriptions, home: None, mirrors, paused: false, params: None }
    }

    pub(crate) fn mirror_on(&self, worker: u8) -> Option<TrackId> {
        self.mirrors.iter().copied().find(|mirror| mirror.worker() == worker)
    }
}

struct Subscription {
    track: TrackId,
    transport: TransportId,
}

impl Directory {
    pub(crate) fn new(worker: u8, max_transports: usize) -> Directory {
        Directory {
            worker,
            transports: Slots::new(max_transports),
            tracks: Slots::new(MAX_TRACKS),
            subscriptions: Slots::new(MAX_SUBSCRIPTIONS),
            orphans: Vec::new(),
            idle: Vec::new(),
        }
    }

    pub(crate) fn add_transport(&mut self) -> Result<TransportId, Full> {
        let (slot, generation) = self.transports.insert(Transport::default()).ok_or(Full("transports"))?;
        Ok(TransportId::new(self.worker, slot, generation))
    }

    /// Gives out an id even when the transport is gone: the worker then finds nothing to do, and nor does the caller.
    pub(crate) fn add_track(
        &mut self,
        transport: TransportId,
        params: Option<Box<TrackParams>>,
    ) -> Result<TrackId, Full> {
        let entry = Track { params, ..Track::new(transport) };
        let (slot, generation) = self.tracks.insert(entry).ok_or(Full("tracks"))?;
        let id = TrackId::new(self.worker, slot, generation);
        match self.transports.get_mut(transport.slot(), transport.generation()) {
            Some(transport) => transport.tracks.push(id),
            None => drop(self.tracks.remove(id.slot(), id.generation())),
        }
        Ok(id)
    }

    /// Makes room for a mirror of `home`, which is published on `transport`, both on another worker.
    pub(crate) fn add_mirror(&mut self, home: TrackId, transport: TransportId) -> Result<TrackId, Full> {
        let entry = Track { home: Some(home), ..Track::new(transport) };
        let (slot, generation) = self.tracks.insert(entry).ok_or(Full("tracks"))?;
        Ok(TrackId::new(self.worker, slot, generation))
    }

    pub(crate) fn track(&mut self, id: TrackId) -> Option<&mut Track> {
        self.tracks.get_mut(id.slot(), id.generation())
    }

    pub(crate) fn has_transport(&mut self, id: TransportId) -> bool {
        self.transports.get_mut(id.slot(), id.generation()).is_some()
    }

    /// Mirrors elsewhere without a track and mirrors here without a subscription, since this was last asked.
    pub(crate) fn take_loose_mirrors(&mut self) -> (Vec<TrackId>, Vec<TrackId>) {
        (std::mem::take(&mut self.orphans), std::mem::take(&mut self.idle))
    }

    /// Gives out an id for a subscription whose track is gone.
    pub(crate) fn subscribe_to_nothing(&mut self) -> Result<SubscriptionId, Full> {
        let nothing = Subscription { track: TrackId(0), transport: TransportId(0) };
        let (slot, generation) = self.subscriptions.insert(nothing).ok_or(Full("subscriptions"))?;
        self.subscriptions.remove(slot as usize, generation);
        Ok(SubscriptionId::new(self.worker, slot, generation))
    }

    /// Gives out an id even when the track or the transport is gone.
    pub(crate) fn subscribe(
        &mut self,
        track: TrackId,
        transport: TransportId,
    ) -> Result<SubscriptionId, Full> {
        let entry = Subscription { track, transport };
        let (slot, generation) = self.subscriptions.insert(entry).ok_or(Full("subscriptions"))?;
        let id = SubscriptionId::new(self.worker, slot, generation);
        let track = self.tracks.get_mut(track.slot(), track.generation());
        let transport = self.transports.get_mut(transport.slot(), transport.generation());
        match (track, transport) {
            (Some(track), Some(transport)) => {
                track.subscriptions.push(id);
                transport.subscriptions.push(id);
            }
            _ => drop(self.subscriptions.remove(slot as usize, generation)),
        }
        Ok(id)
    }

    pub(crate) fn close_transport(&mut self, id: TransportId) {
        let Some(transport) = self.transports.remove(id.slot(), id.generation()) else { return };
        for track in transport.tracks {
            self.close_track(track);
        }
        for subscription in transport.subscriptions {
            self.unsubscribe(subscription);
        }
    }

    pub(crate) fn close_track(&mut self, id: TrackId) {
        let Some(track) = self.tracks.remove(id.slot(), id.generation()) else { return };
        let owner = track.transport;
        if let Some(transport) = self.transports.get_mut(owner.slot(), owner.generation()) {
            transport.tracks.retain(|&other| other != id); // a mirror is in nobody's list
        }
        self.orphans.extend(track.mirrors);
        for subscription in track.subscriptions {
            self.unsubscribe(subscription);
        }
    }

    pub(crate) fn unsubscribe(&mut self, id: SubscriptionId) {
        let Some(Subscription { track: of, transport }) =
            self.subscriptions.remove(id.slot(), id.generation())
        else {
            return;
        };
        if let Some(track) = self.tracks.get_mut(of.slot(), of.generation()) {
            track.subscriptions.retain(|&other| other != id);
            if track.home.is_some() && track.subscriptions.is_empty() {
                self.idle.push(of);
            }
        }
        if let Some(transport) = self.transports.get_mut(transport.slot(), transport.generation()) {
            transport.subscriptions.retain(|&other| other != id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_a_transport_frees_what_it_published_and_what_it_received() {
        let mut directory = Directory::new(0, 8);
        let (a, b) = (directory.add_transport().unwrap(), directory.add_transport().unwrap());
        let (of_a, of_b) = (directory.add_track(a, None).unwrap(), directory.add_track(b, None).unwrap());
        directory.subscribe(of_a, b).unwrap();
        directory.subscribe(of_b, a).unwrap();
        directory.close_transport(a);
        assert_eq!(directory.transports.get_mut(b.slot(), b.generation()).unwrap().subscriptions, []);
        assert_eq!(directory.tracks.get_mut(of_b.slot(), of_b.generation()).unwrap().subscriptions, []);
        assert!(directory.tracks.get_mut(of_a.slot(), of_a.generation()).is_none());
    }

    #[test]
    fn an_id_that_hangs_on_something_gone_takes_no_place() {
        let mut directory = Directory::new(0, 1);
        let transport = directory.add_transport().unwrap();
        directory.close_transport(transport);
        let first = directory.add_track(transport, None).unwrap();
        let second = directory.add_track(transport, None).unwrap();
        assert_eq!(first.slot(), second.slot());
        assert_ne!(first, second);
        assert_eq!(directory.subscribe(first, transport).unwrap().slot(), 0);
    }

    #[test]
    fn a_full_table_says_which() {
        let mut directory = Directory::new(0, 1);
        directory.add_transport().unwrap();
        assert_eq!(directory.add_transport(), Err(Full("transports")));
    }

    #[test]
    fn no_id_is_zero() {
        assert_ne!(Directory::new(0, 1).add_transport().unwrap().0, 0);
    }
}
