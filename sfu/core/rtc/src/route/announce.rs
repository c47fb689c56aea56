//! Events for the control side. What is *state* waits as a mark on its object, so that a slow reader gets the newest
//! value and the queue never holds more than one entry for each object.

use crate::event::Event;
use crate::id::{GroupId, SubscriptionId, TrackId};
use crate::route::Router;
use crate::units::Pt;

/// An event that waits; its value is read when it is taken.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pending {
    /// Once for each encoding of a track.
    Started(TrackId, u8, Pt),
    Layers(TrackId),
    Rates(TrackId),
    Switched(SubscriptionId),
    Speakers(GroupId),
}

impl Router {
    /// The next event, if there is one.
    pub fn poll_event(&mut self) -> Option<Event> {
        while let Some(pending) = self.events.pop_front() {
            if let Some(event) = self.resolve(pending) {
                return Some(event);
            }
        }
        None
    }

    /// What `pending` says now; `None` if its object is gone.
    fn resolve(&mut self, pending: Pending) -> Option<Event> {
        match pending {
            Pending::Started(track, encoding, pt) => {
                self.tracks.get(track)?;
                Some(Event::TrackStarted { track, encoding, pt })
            }
            Pending::Layers(track) => {
                let track = self.tracks.get_mut(track)?;
                track.announces_layers = false;
                Some(Event::LayersChanged { track: track.id, active: track.active() })
            }
            Pending::Rates(track) => {
                let track = self.tracks.get_mut(track)?;
                track.announces_rates = false;
                let rates = track.encodings.iter_mut().map(|encoding| {
                    encoding.stream.as_mut().map_or_else(Default::default, |stream| stream.rate.tell())
                });
                Some(Event::RatesChanged { track: track.id, rates: rates.collect() })
            }
            Pending::Switched(subscription) => {
                let subscription = self.subscriptions.get_mut(subscription)?;
                subscription.announces = false;
                Some(Event::LayerSwitched { subscription: subscription.id, encoding: subscription.current() })
            }
            Pending::Speakers(group) => {
                let at = self.groups.iter().position(|other| other.id == group)?;
                let group = &mut self.groups[at];
                group.announces = false;
                let speakers = group.ranking.to_vec();
                let event = Event::SpeakersChanged { worker: self.worker, group: group.id, speakers };
                if group.members.is_empty() {
                    self.groups.swap_remove(at);
                }
                Some(event)
            }
        }
    }
}
