//! What publishers' streams take on the way, and what they are asked not to exceed; once a second, with the reports.

use arrayvec::ArrayVec;

use crate::command::MediaKind;
use crate::id::TransportId;
use crate::route::Router;
use crate::route::announce::Pending;
use crate::rtcp::Composer;
use crate::send::PacketSink;
use crate::units::{Kbps, Ssrc, Time};

/// Streams named in a request; it means all of them anyhow.
const MAX_NAMED: usize = 31;
/// Reports that say that a cap was lifted, as many as mediasoup's.
pub(super) const LIFTED_REPORTS: u8 = 4;
/// More than anybody sends. Zero would mean the same to browsers, and "nothing" to others.
const UNBOUNDED: Kbps = Kbps(1_000_000);

impl Router {
    /// Ends a stretch of measuring what the pictures of a transport take, and announces what has changed much.
    pub(super) fn measure(&mut self, now: Time, transport: TransportId) {
        let Some(peer) = self.peers.get(transport) else { return };
        for &id in &peer.tracks {
            let Some(track) = self.tracks.get_mut(id).filter(|track| track.kind == MediaKind::Video) else {
                continue;
            };
            let mut changed = false;
            for stream in track.encodings.iter_mut().filter_map(|encoding| encoding.stream.as_mut()) {
                changed |= stream.rate.measure(now);
            }
            if changed && !track.announces_rates {
                track.announces_rates = true;
                self.events.push_back(Pending::Rates(id));
            }
        }
    }

    /// Asks a publisher to stay under its cap. It keeps to the newest request that it got, for good, and any may be lost:
    /// so a cap is said again and again, and that it was lifted a few times.
    pub(super) fn send_up_cap(&mut self, transport: TransportId, sink: &mut impl PacketSink) {
        let Some(peer) = self.peers.get_mut(transport).filter(|peer| peer.connected) else { return };
        let most = match peer.up_cap {
            Some(cap) => cap,
            None if peer.up_cap_lifted > 0 => UNBOUNDED,
            None => return,
        };
        let tracks = peer.tracks.iter().filter_map(|&id| self.tracks.get(id));
        let video = tracks.filter(|track| track.kind == MediaKind::Video);
        let named: ArrayVec<Ssrc, MAX_NAMED> =
            video.flat_map(|track| &track.encodings).filter_map(|each| each.ssrc).take(MAX_NAMED).collect();
        if !named.is_empty() && sink.room() > 0 {
            peer.up_cap_lifted = peer.up_cap_lifted.saturating_sub(1);
            let mut composer = Composer::new();
            composer.most(peer.feedback_ssrc, &named, most);
            sink.send_rtcp(transport, composer.bytes());
        }
    }
}
