//! What the control side asks for. A command that names an object that is gone does nothing and is counted.

use crate::command::{ExtensionIds, LayerPlan, MediaKind, SubscriptionParams, TrackParams};
use crate::counters::Cell;
use crate::drop_reason::DropReason;
use crate::id::{GroupId, SubscriptionId, TrackId, TransportId};
use crate::receive::Track;
use crate::route::announce::Pending;
use crate::route::peer::{MAX_SUBSCRIPTIONS, MAX_TRACKS, Peer, SourceOf};
use crate::route::{Router, feedback, rates};
use crate::send::Subscription;
use crate::send::subscription::Pumped;
use crate::speakers::{self, Group};
use crate::timer::Timer;
use crate::units::{Kbps, SeqNo, Ssrc, Time};

use rand_core::Rng;

impl Router {
    /// Makes room for the tracks and subscriptions of a transport. Nothing is sent to it before
    /// [`Router::set_connected`].
    pub fn add_transport(&mut self, now: Time, transport: TransportId) {
        let ssrc = Ssrc(self.random.next_u32());
        if !self.peers.insert(transport, Peer::new(transport, self.name_seed, ssrc)) {
            self.counters.dropped(DropReason::TableFull);
        }
        self.timers.advance(Timer::Report, now + feedback::REPORT_TICK);
    }

    /// The transport can be sent to from now on; its subscriptions begin.
    pub fn set_connected(&mut self, now: Time, transport: TransportId) {
        let Some(peer) = self.known(transport) else { return };
        if std::mem::replace(&mut peer.connected, true) {
            return;
        }
        for i in 0..peer.subscriptions.len() {
            let Some(&subscription) = self.peers.get(transport).and_then(|peer| peer.subscriptions.get(i))
            else {
                return;
            };
            self.aim(now, subscription);
        }
    }

    /// Sets the ids of header extensions, for both directions.
    pub fn set_extensions(&mut self, transport: TransportId, ids: ExtensionIds) {
        let Some(peer) = self.known(transport) else { return };
        if std::mem::replace(&mut peer.extensions, ids) == ids {
            return;
        }
        // With other ids a resend would not be the same packet under the same number.
        for &subscription in &self.peers.get(transport).map_or(Vec::new(), |peer| peer.subscriptions.clone())
        {
            if let Some(subscription) = self.subscriptions.get_mut(subscription) {
                subscription.forget_sent();
            }
        }
    }

    /// Asks the peer to send no more than `cap`, or takes that back; it hears so with its next report.
    pub fn set_up_cap(&mut self, transport: TransportId, cap: Option<Kbps>) {
        if let Some(peer) = self.known(transport) {
            let lifted = peer.up_cap.is_some() && cap.is_none();
            peer.up_cap_lifted = if lifted { rates::LIFTED_REPORTS } else { 0 };
            peer.up_cap = cap;
        }
    }

    /// Forgets a transport with its tracks and subscriptions.
    pub fn close_transport(&mut self, transport: TransportId) {
        let Some(peer) = self.known(transport) else { return };
        let (tracks, subscriptions) = (peer.tracks.clone(), peer.subscriptions.clone());
        tracks.into_iter().for_each(|track| self.close_track(track));
        subscriptions.into_iter().for_each(|subscription| self.unsubscribe(subscription));
        self.peers.remove(transport);
    }

    /// Expects the media of a track.
    pub fn add_track(&mut self, id: TrackId, params: &TrackParams) {
        let Some(peer) = self.known(params.transport) else { return };
        if peer.tracks.len() >= MAX_TRACKS || !self.tracks.insert(id, Track::new(id, params)) {
            self.counters.dropped(DropReason::TableFull);
            return;
        }
        let Some(peer) = self.peers.get_mut(params.transport) else { return };
        peer.tracks.push(id);
        for (place, encoding) in params.encodings.iter().enumerate() {
            for (ssrc, repair) in [(encoding.ssrc, false), (encoding.rtx_ssrc, true)] {
                let Some(ssrc) = ssrc else { continue };
                if !peer.bind(ssrc, SourceOf { track: id, encoding: place as u8, repair }) {
                    self.counters.dropped(DropReason::SsrcLimit);
                }
            }
        }
        // Room in the queues is made here, so that no packet has to.
        self.queue.reserve(self.tracks.len().saturating_sub(self.queue.len()));
        self.count_objects();
    }

    /// Stops or resumes forwarding of a track.
    pub fn pause_track(&mut self, now: Time, track: TrackId, paused: bool) {
        let Some(found) = self.tracks.get_mut(track) else {
            self.counters.dropped(DropReason::UnknownId);
            return;
        };
        found.paused = paused;
        for i in 0..found.subscriptions.len() {
            let Some(&subscription) = self.tracks.get(track).and_then(|track| track.subscriptions.get(i))
            else {
                return;
            };
            self.aim(now, subscription);
        }
    }

    /// Forgets a track; its subscribers are told that the stream has ended.
    pub fn close_track(&mut self, id: TrackId) {
        let Some(track) = self.tracks.get(id) else {
            self.counters.dropped(DropReason::UnknownId);
            return;
        };
        let (transport, group) = (track.transport, track.group);
        for subscription in track.subscriptions.clone() {
            self.unsubscribe(subscription);
        }
        if group.is_some() {
            self.set_audio_group(Time(0), id, None);
        }
        if let Some(peer) = self.peers.get_mut(transport) {
            peer.unbind_track(id);
        }
        self.unqueue(id);
        if let Some(track) = self.tracks.remove(id) {
            self.counters.adjust(Cell::Mirrors, usize::from(track.home.is_some()), 0);
            let begun = track.encodings.iter().filter(|encoding| encoding.stream.is_some()).count() as u64;
            self.counters.set(Cell::Encodings, self.counters.get(Cell::Encodings).saturating_sub(begun));
        }
        self.count_objects();
    }

    /// Delivers a track to a transport.
    pub fn subscribe(&mut self, now: Time, id: SubscriptionId, params: &SubscriptionParams) {
        let first = SeqNo(u64::from(self.random.next_u32() & 0x7fff));
        let first_rtx = SeqNo(u64::from(self.random.next_u32() & 0x7fff));
        let (Some(track), Some(peer)) =
            (self.tracks.get_mut(params.track), self.peers.get_mut(params.transport))
        else {
            self.counters.dropped(DropReason::UnknownId);
            return;
        };
        let first = peer.resume_at(params.ssrc).unwrap_or(first);
        let first_rtx = params.rtx_ssrc.and_then(|ssrc| peer.resume_at(ssrc)).unwrap_or(first_rtx);
        let subscription = Subscription::new(id, track.kind, params, first, first_rtx);
        let fits = peer.subscriptions.len() < MAX_SUBSCRIPTIONS
            && peer.target(params.ssrc).is_none()
            && params.rtx_ssrc.is_none_or(|ssrc| ssrc != params.ssrc && peer.target(ssrc).is_none())
            && self.subscriptions.insert(id, subscription);
        if !fits {
            self.counters.dropped(DropReason::TableFull);
            return;
        }
        peer.subscriptions.push(id);
        for ssrc in [Some(params.ssrc), params.rtx_ssrc].into_iter().flatten() {
            peer.take_target(ssrc, id);
        }
        track.subscriptions.push(id);
        self.gathering.reserve(self.tracks.len(), self.subscriptions.len());
        self.turn = 0;
        self.count_objects();
        self.aim(now, id);
    }

    /// Ends a delivery; its receiver is told that the stream has ended.
    pub fn unsubscribe(&mut self, id: SubscriptionId) {
        let Some(subscription) = self.subscriptions.remove(id) else {
            self.counters.dropped(DropReason::UnknownId);
            return;
        };
        if let Some(track) = self.tracks.get_mut(subscription.track) {
            track.subscriptions.retain(|&other| other != id);
        }
        if let Some(peer) = self.peers.get_mut(subscription.transport) {
            peer.release_targets(id);
            let (next, next_rtx) = subscription.next_numbers();
            peer.retire(subscription.ssrc, next);
            if let Some(ssrc) = subscription.rtx_ssrc {
                peer.retire(ssrc, next_rtx);
            }
            if subscription.reports.any_sent() {
                self.goodbyes.push_back((subscription.transport, subscription.ssrc));
            }
        }
        self.turn = 0;
        self.count_objects();
    }

    /// Sets which layer a subscription is to get.
    pub fn set_layer_plan(&mut self, now: Time, id: SubscriptionId, plan: LayerPlan) {
        let Some(subscription) = self.subscriptions.get_mut(id) else {
            self.counters.dropped(DropReason::UnknownId);
            return;
        };
        subscription.plan = plan;
        self.aim(now, id);
    }

    /// Asks the publisher for a key frame of one encoding or of all that are being sent.
    pub fn request_keyframe(&mut self, now: Time, id: TrackId, encoding: Option<u8>) {
        let Some(track) = self.tracks.get(id) else {
            self.counters.dropped(DropReason::UnknownId);
            return;
        };
        if track.kind == MediaKind::Audio {
            return;
        }
        let active = track.active();
        for place in 0..track.encodings.len() as u8 {
            if encoding.map_or(active & 1 << place != 0, |wanted| wanted == place) {
                self.want_keyframe(now, id, place);
            }
        }
    }

    /// Ranks a track among the speakers of a group, or of none.
    pub fn set_audio_group(&mut self, now: Time, id: TrackId, group: Option<GroupId>) {
        let Some(track) = self.tracks.get_mut(id) else {
            self.counters.dropped(DropReason::UnknownId);
            return;
        };
        let before = std::mem::replace(&mut track.group, group);
        if before == group {
            return;
        }
        if let Some(left) = self.groups.iter_mut().find(|other| Some(other.id) == before) {
            left.members.retain(|&member| member != id);
        }
        if let Some(joined) = group {
            let at = self.groups.iter().position(|other| other.id == joined).unwrap_or_else(|| {
                self.groups.push(Group::new(joined));
                self.groups.len() - 1
            });
            self.groups[at].members.push(id);
            self.timers.advance(Timer::Speakers, now + speakers::INTERVAL);
        }
    }

    /// Makes a subscription choose its encoding again.
    fn aim(&mut self, now: Time, id: SubscriptionId) {
        let Some(subscription) = self.subscriptions.get_mut(id) else { return };
        if self.peers.get(subscription.transport).is_none_or(|peer| !peer.connected) {
            return;
        }
        let Some(track) = self.tracks.get(subscription.track) else { return };
        let track_id = track.id;
        let pumped: Pumped = subscription.aim(now, track);
        self.settle(now, track_id, id, pumped);
        // A key frame that is in the history already goes out at the next flush.
        self.queue(track_id);
    }

    fn unqueue(&mut self, id: TrackId) {
        if self.queue.front() == Some(&id) {
            self.turn = 0;
            self.again = false;
        }
        self.queue.retain(|&other| other != id);
        self.gathering.forget(id);
    }

    fn known(&mut self, transport: TransportId) -> Option<&mut Peer> {
        let peer = self.peers.get_mut(transport);
        if peer.is_none() {
            self.counters.dropped(DropReason::UnknownId);
        }
        peer
    }

    /// Marks a group for announcement.
    pub(super) fn announce_group(events: &mut std::collections::VecDeque<Pending>, group: &mut Group) {
        if !group.announces {
            group.announces = true;
            events.push_back(Pending::Speakers(group.id));
        }
    }
}
