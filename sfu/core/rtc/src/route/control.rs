//! RTCP from peers: reports, goodbyes, and requests about what we send them.

use std::time::Duration;

use crate::command::MediaKind;
use crate::counters::{Cell, LegCell};
use crate::drop_reason::DropReason;
use crate::id::TransportId;
use crate::receive::stream::SenderClock;
use crate::route::{MAX_RESENDS, Router};
use crate::rtcp::parse::LostSeqs;
use crate::rtcp::{Compound, ReportBlock, RtcpPacket, SenderInfo};
use crate::units::{Ssrc, Time};

/// Streams of one full intra request that are looked at.
const MAX_INTRA_REQUESTS: usize = 16;

/// Packets of one NACK that are looked at: half of what is remembered of a stream.
const MAX_NACKED: usize = 512;

impl Router {
    /// Takes in a decrypted compound that arrived `now`.
    ///
    /// What cannot be read ends the compound; what came before it counts. The caller counts an `Err`.
    pub fn handle_rtcp(&mut self, now: Time, from: TransportId, compound: &[u8]) -> Result<(), DropReason> {
        if self.peers.get(from).is_none() {
            return Err(DropReason::UnknownId);
        }
        for packet in Compound::new(compound) {
            let known = match packet.map_err(|_| DropReason::RtcpMalformed)? {
                RtcpPacket::SenderReport { sender, info, blocks } => {
                    blocks.into_iter().for_each(|block| self.hear_block(now, from, &block));
                    self.hear_sender(now, from, sender, info)
                }
                RtcpPacket::ReceiverReport { blocks } => {
                    blocks.into_iter().for_each(|block| self.hear_block(now, from, &block));
                    Some(())
                }
                RtcpPacket::Goodbye { sources } => {
                    sources.into_iter().for_each(|ssrc| self.hear_goodbye(now, from, ssrc));
                    Some(())
                }
                RtcpPacket::Nack { media, lost } => self.hear_nack(now, from, media, lost),
                RtcpPacket::PictureLoss { media } => self.hear_picture_loss(now, from, media),
                RtcpPacket::FullIntraRequest { entries } => {
                    // More than a few streams in one request is no honest need.
                    let media = entries.into_iter().take(MAX_INTRA_REQUESTS).map(|(media, _)| media);
                    let mut known = Some(());
                    media.for_each(|media| known = self.hear_picture_loss(now, from, media).and(known));
                    known
                }
                RtcpPacket::Other => Some(()),
            };
            if known.is_none() {
                self.counters.dropped(DropReason::RtcpForeign);
            }
        }
        Ok(())
    }

    /// The publisher tells which instant a timestamp means.
    fn hear_sender(&mut self, now: Time, from: TransportId, sender: Ssrc, info: SenderInfo) -> Option<()> {
        let Some(source) = self.peers.get(from)?.source(sender) else {
            // Browsers without media of their own report under an SSRC that was never described.
            return (info.packets == 0).then_some(());
        };
        if source.repair {
            return Some(());
        }
        let track = self.tracks.get_mut(source.track)?;
        let stream = track.encodings.get_mut(usize::from(source.encoding))?.stream.as_mut()?;
        if stream.clock.replace(SenderClock { info, at: now }).is_none() {
            self.first_reports.push(source.track);
        }
        track.relays.iter_mut().for_each(|relay| relay.clock_came(source.encoding));
        Router::queue_relays(&mut self.relaying, track);
        Some(())
    }

    /// A subscriber tells how a stream of ours arrives.
    fn hear_block(&mut self, now: Time, from: TransportId, block: &ReportBlock) {
        let Some(peer) = self.peers.get_mut(from) else { return };
        let Some(subscription) = peer.target(block.ssrc).and_then(|id| self.subscriptions.get_mut(id)) else {
            return self.counters.dropped(DropReason::RtcpForeign);
        };
        if subscription.ssrc != block.ssrc {
            return; // retransmissions are not counted twice
        }
        let clock_rate = self.tracks.get(subscription.track).map_or(1, |track| track.clock_rate());
        let heard = subscription.reports.hear(now, block, clock_rate);
        if let Some(trip) = heard.round_trip {
            let smoothed = peer.round_trip.map_or(trip, |before| (before * 3 + trip) / 4);
            peer.round_trip = Some(smoothed);
            let micros = smoothed.max(Duration::from_micros(1)).as_micros() as u64;
            self.counters.leg_set(from, LegCell::RttMicros, micros);
        }
        self.counters.leg_add(from, LegCell::LostDown, heard.newly_lost);
        self.counters.leg_set(from, LegCell::JitterDownMicros, heard.jitter_micros);
    }

    /// The publisher stops some of its streams.
    fn hear_goodbye(&mut self, now: Time, from: TransportId, ssrc: Ssrc) {
        let Some(peer) = self.peers.get(from) else { return };
        let Some(source) = peer.source(ssrc) else {
            if ssrc != peer.feedback_ssrc {
                self.counters.dropped(DropReason::RtcpForeign);
            }
            return;
        };
        let Some(track) = self.tracks.get_mut(source.track).filter(|_| !source.repair) else { return };
        track.relays.iter_mut().for_each(|relay| relay.goodbye_came(source.encoding));
        Router::queue_relays(&mut self.relaying, track);
        if track.notice_goodbye(usize::from(source.encoding)) {
            self.layers_changed(now, source.track);
        }
    }

    /// A subscriber asks for packets that it lost.
    fn hear_nack(&mut self, now: Time, from: TransportId, media: Ssrc, lost: LostSeqs) -> Option<()> {
        let peer = self.peers.get(from)?;
        let subscription = peer.target(media).and_then(|id| self.subscriptions.get_mut(id))?;
        if subscription.ssrc != media {
            return Some(()); // retransmissions are not sent again
        }
        let track = self.tracks.get(subscription.track)?;
        for wire in lost.take(MAX_NACKED) {
            self.counters.add(Cell::NackDown, 1);
            self.counters.leg_add(from, LegCell::NackDown, 1);
            let granted = match self.resends.len() < MAX_RESENDS {
                true => subscription.grant_resend(now, track, wire, peer.round_trip),
                false => Err(DropReason::ResendRefused),
            };
            match granted {
                Ok(seq) => self.resends.push_back((subscription.id, seq)),
                Err(reason) => self.counters.dropped(reason),
            }
        }
        Some(())
    }

    /// A subscriber cannot decode and asks for a key frame.
    fn hear_picture_loss(&mut self, now: Time, from: TransportId, media: Ssrc) -> Option<()> {
        let subscription = self.peers.get(from)?.target(media)?;
        let subscription = self.subscriptions.get(subscription)?;
        let track = self.tracks.get(subscription.track)?;
        self.counters.add(Cell::PliDown, 1);
        self.counters.leg_add(from, LegCell::PliDown, 1);
        if let (MediaKind::Video, Some(encoding)) = (track.kind, subscription.requested()) {
            let track = track.id;
            self.want_keyframe(now, track, encoding);
        }
        Some(())
    }
}
