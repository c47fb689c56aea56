//! Everything that has come goes to its subscribers, one subscription after the other, so that the packets of one
//! stream to one destination leave side by side.

use crate::command::MediaKind;
use crate::counters::{Cell, LegCell};
#[cfg(feature = "faults")]
use crate::fault::Fault;
use crate::id::{SubscriptionId, TrackId};
use crate::route::Router;
use crate::route::announce::Pending;
use crate::rtcp::Composer;
use crate::send::PacketSink;
use crate::send::subscription::Pumped;
use crate::timer::Timer;
use crate::units::Time;

impl Router {
    /// Sends what has come in since the last call; true when room ran out before the end: empty the sink and call
    /// again.
    pub fn flush(&mut self, now: Time, sink: &mut impl PacketSink) -> bool {
        if !self.flush_goodbyes(sink) || !self.flush_resends(sink) {
            return true;
        }
        if self.flush_gathered(now, sink) {
            return true;
        }
        while let Some(&track) = self.queue.front() {
            // Also where it goes on in the middle: more may have come, and nothing may change once it was sent.
            self.level(track);
            while let Some(subscription) = self.next_turn(track) {
                if sink.room() == 0 || self.pump(now, track, subscription, sink) {
                    return true;
                }
                self.turn += 1;
            }
            self.end_turns(track);
        }
        false
    }

    /// Sees to it that what has come can leave in as few messages as possible.
    fn level(&mut self, track: TrackId) {
        let Some(track) = self.tracks.get_mut(track).filter(|track| track.kind == MediaKind::Video) else {
            return;
        };
        for stream in track.encodings.iter_mut().filter_map(|encoding| encoding.stream.as_mut()) {
            stream.history.level();
        }
    }

    fn next_turn(&self, track: TrackId) -> Option<SubscriptionId> {
        self.tracks.get(track)?.subscriptions.get(self.turn).copied()
    }

    fn end_turns(&mut self, track: TrackId) {
        self.turn = 0;
        self.queue.pop_front();
        if let Some(track) = self.tracks.get_mut(track) {
            track.queued = self.again;
            if self.again {
                self.queue.push_back(track.id);
            }
        }
        self.again = false;
    }

    /// One subscription's turn; true when room ran out.
    pub(super) fn pump(
        &mut self,
        now: Time,
        track: TrackId,
        subscription: SubscriptionId,
        sink: &mut impl PacketSink,
    ) -> bool {
        let Some(track) = self.tracks.get(track) else { return false };
        let Some(subscription) = self.subscriptions.get_mut(subscription) else { return false };
        let Some(peer) = self.peers.get(subscription.transport).filter(|peer| peer.connected) else {
            return false;
        };
        if track.kind == MediaKind::Video {
            let (number, viewers) = (track.id.slot() as u64, track.subscriptions.len());
            subscription.limit_to(self.overload.limit(number, track.burden, self.turn, viewers));
        }
        sink.blame(track.transport);
        #[cfg(feature = "faults")]
        self.faults.strike(Fault::FanOut(track.id));
        let pumped = subscription.pump(now, track, &peer.extensions, &mut self.scratch, sink);
        let (id, kind) = (track.id, track.kind);
        if pumped.packets > 0 {
            let cell = match kind {
                MediaKind::Audio => Cell::AudioDown,
                MediaKind::Video => Cell::VideoDown,
            };
            self.counters.add(cell, pumped.packets);
            self.counters.leg_add(subscription.transport, LegCell::PacketsDown, pumped.packets);
            self.counters.leg_add(subscription.transport, LegCell::BytesDown, pumped.bytes);
        }
        let subscription = subscription.id;
        self.settle(now, id, subscription, pumped);
        pumped.more
    }

    /// Does what a subscription needs of others.
    pub(super) fn settle(&mut self, now: Time, track: TrackId, subscription: SubscriptionId, pumped: Pumped) {
        if let Some(encoding) = pumped.ask {
            self.want_keyframe(now, track, encoding);
        }
        if pumped.switched
            && let Some(subscription) = self.subscriptions.get_mut(subscription)
        {
            if pumped.changed_encoding {
                self.counters.add(Cell::LayerSwitches, 1);
            }
            if !subscription.announces {
                subscription.announces = true;
                self.events.push_back(Pending::Switched(subscription.id));
            }
        }
    }

    /// A key frame of `encoding` is needed; it is asked for as soon as the throttle allows.
    pub(super) fn want_keyframe(&mut self, now: Time, track: TrackId, encoding: u8) {
        let Some(track) = self.tracks.get_mut(track) else { return };
        let stream = track.encodings.get_mut(usize::from(encoding)).and_then(|e| e.stream.as_mut());
        if let Some(stream) = stream {
            stream.requests.want();
            self.timers.advance(Timer::Keyframe, stream.requests.due().max(now));
        }
    }

    fn flush_resends(&mut self, sink: &mut impl PacketSink) -> bool {
        while let Some(&(subscription, seq)) = self.resends.front() {
            if sink.room() == 0 {
                return false;
            }
            self.resends.pop_front();
            let Some(subscription) = self.subscriptions.get_mut(subscription) else { continue };
            let Some(track) = self.tracks.get(subscription.track) else { continue };
            let Some(peer) = self.peers.get(subscription.transport) else { continue };
            sink.blame(track.transport);
            if subscription.resend(seq, track, &peer.extensions, &mut self.scratch, sink) {
                self.counters.add(Cell::RtxDown, 1);
            }
        }
        true
    }

    fn flush_goodbyes(&mut self, sink: &mut impl PacketSink) -> bool {
        while let Some(&(transport, ssrc)) = self.goodbyes.front() {
            if sink.room() == 0 {
                return false;
            }
            self.goodbyes.pop_front();
            let Some(peer) = self.peers.get(transport).filter(|peer| peer.connected) else { continue };
            let mut composer = Composer::new();
            composer.receiver_report(peer.feedback_ssrc, &[]);
            composer.source_description(peer.feedback_ssrc, &peer.cname);
            composer.goodbye(ssrc);
            sink.send_rtcp(transport, composer.bytes());
        }
        true
    }
}
