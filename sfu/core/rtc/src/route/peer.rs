//! What the router knows of a transport: its streams in both directions.

use std::time::Duration;

use arrayvec::ArrayString;

use crate::command::ExtensionIds;
use crate::id::{SubscriptionId, TrackId, TransportId};
use crate::receive::arrivals::Arrivals;
use crate::units::{Kbps, SeqNo, Ssrc};

/// Most tracks published on one transport.
pub(crate) const MAX_TRACKS: usize = 64;
/// Most subscriptions of one transport.
pub(crate) const MAX_SUBSCRIPTIONS: usize = 512;
/// Most SSRCs received on one transport.
const MAX_SOURCES: usize = 256;
/// SSRCs of ended subscriptions whose numbers are remembered.
const MAX_RETIRED: usize = 1_024;

/// A transport.
pub(crate) struct Peer {
    /// It can be sent to.
    pub(crate) connected: bool,
    pub(crate) extensions: ExtensionIds,
    pub(crate) tracks: Vec<TrackId>,
    pub(crate) subscriptions: Vec<SubscriptionId>,
    /// Arrival times to be reported, once a packet carried a transport-wide number.
    pub(crate) arrivals: Option<Box<Arrivals>>,
    pub(crate) round_trip: Option<Duration>,
    /// The most that the peer is asked to send.
    pub(crate) up_cap: Option<Kbps>,
    /// How many more reports say that the cap was lifted.
    pub(crate) up_cap_lifted: u8,
    /// What we call ourselves in feedback.
    pub(crate) feedback_ssrc: Ssrc,
    /// Names the publisher's clock to subscribers without naming the publisher.
    pub(crate) cname: ArrayString<16>,
    sources: Vec<(Ssrc, SourceOf)>,
    targets: Vec<(Ssrc, SubscriptionId)>,
    retired: Vec<(Ssrc, SeqNo)>,
}

/// What a received SSRC carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SourceOf {
    pub(crate) track: TrackId,
    pub(crate) encoding: u8,
    pub(crate) repair: bool,
}

impl Peer {
    pub(crate) fn new(id: TransportId, seed: u64, feedback_ssrc: Ssrc) -> Peer {
        Peer {
            connected: false,
            extensions: ExtensionIds::default(),
            tracks: Vec::new(),
            subscriptions: Vec::new(),
            arrivals: None,
            round_trip: None,
            up_cap: None,
            up_cap_lifted: 0,
            feedback_ssrc,
            cname: cname(seed, id),
            sources: Vec::new(),
            targets: Vec::new(),
            retired: Vec::new(),
        }
    }

    pub(crate) fn source(&self, ssrc: Ssrc) -> Option<SourceOf> {
        let at = self.sources.binary_search_by_key(&ssrc, |(ssrc, _)| *ssrc).ok()?;
        Some(self.sources[at].1)
    }

    /// Expects `ssrc` to carry `source`; false when there are too many.
    pub(crate) fn bind(&mut self, ssrc: Ssrc, source: SourceOf) -> bool {
        match self.sources.binary_search_by_key(&ssrc, |(ssrc, _)| *ssrc) {
            Ok(at) => self.sources[at].1 = source,
            Err(_) if self.sources.len() >= MAX_SOURCES => return false,
            Err(at) => self.sources.insert(at, (ssrc, source)),
        }
        true
    }

    pub(crate) fn unbind(&mut self, ssrc: Ssrc) {
        if let Ok(at) = self.sources.binary_search_by_key(&ssrc, |(ssrc, _)| *ssrc) {
            self.sources.remove(at);
        }
    }

    pub(crate) fn unbind_track(&mut self, track: TrackId) {
        self.sources.retain(|(_, source)| source.track != track);
        self.tracks.retain(|&other| other != track);
    }

    /// The subscription that sends under `ssrc`, media or retransmissions.
    pub(crate) fn target(&self, ssrc: Ssrc) -> Option<SubscriptionId> {
        let at = self.targets.binary_search_by_key(&ssrc, |(ssrc, _)| *ssrc).ok()?;
        Some(self.targets[at].1)
    }

    /// Takes `ssrc` for a subscription; false when another one sends under it.
    pub(crate) fn take_target(&mut self, ssrc: Ssrc, subscription: SubscriptionId) -> bool {
        match self.targets.binary_search_by_key(&ssrc, |(ssrc, _)| *ssrc) {
            Ok(_) => false,
            Err(at) => {
                self.targets.insert(at, (ssrc, subscription));
                true
            }
        }
    }

    /// Frees the SSRCs of a subscription.
    pub(crate) fn release_targets(&mut self, subscription: SubscriptionId) {
        self.targets.retain(|&(_, other)| other != subscription);
        self.subscriptions.retain(|&other| other != subscription);
    }

    /// Remembers where the numbers of an ended stream stopped: the keys of the transport must never meet the same
    /// SSRC and number twice.
    pub(crate) fn retire(&mut self, ssrc: Ssrc, next: SeqNo) {
        self.retired.retain(|&(other, _)| other != ssrc);
        if self.retired.len() >= MAX_RETIRED {
            self.retired.remove(0);
        }
        self.retired.push((ssrc, next));
    }

    /// Where the numbers of `ssrc` go on, if it was in use before.
    pub(crate) fn resume_at(&self, ssrc: Ssrc) -> Option<SeqNo> {
        self.retired.iter().find(|(other, _)| *other == ssrc).map(|&(_, next)| next)
    }
}

/// Sixteen hexadecimal digits that are the same for all streams of a transport and say nothing else. Also for
/// transports of other workers.
pub(crate) fn cname(seed: u64, id: TransportId) -> ArrayString<16> {
    let mut mixed = seed ^ id.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    (0..16).map(|i| char::from_digit((mixed >> (60 - 4 * i)) as u32 & 15, 16).unwrap_or('0')).fold(
        ArrayString::new(),
        |mut name, digit| {
            name.push(digit);
            name
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_bounded() {
        let mut peer = Peer::new(TransportId::new(0, 0, 1), 7, Ssrc(1));
        let source = SourceOf { track: TrackId::new(0, 0, 1), encoding: 0, repair: false };
        let bound = (0..1_000).filter(|&i| peer.bind(Ssrc(i * 7919 % 1_000), source)).count();
        assert_eq!(bound, MAX_SOURCES);
        peer.unbind_track(source.track);
        assert_eq!(peer.source(Ssrc(0)), None);
    }

    #[test]
    fn numbers_of_an_ssrc_go_on_where_they_stopped() {
        let mut peer = Peer::new(TransportId::new(0, 0, 1), 7, Ssrc(1));
        peer.retire(Ssrc(5), SeqNo(10));
        peer.retire(Ssrc(5), SeqNo(12));
        assert_eq!((peer.resume_at(Ssrc(5)), peer.resume_at(Ssrc(6))), (Some(SeqNo(12)), None));
    }

    #[test]
    fn names_differ_between_transports() {
        assert_ne!(cname(1, TransportId(1)), cname(1, TransportId(2)));
        assert_eq!(cname(1, TransportId(1)).len(), 16);
    }
}
