//! A decrypted packet's way into the history of its encoding.

use crate::command::{Extension, ExtensionIds, MediaKind};
use crate::counters::{Cell, LegCell};
use crate::drop_reason::DropReason;
use crate::id::{TrackId, TransportId};
use crate::outbox::MAX_DATAGRAM;
use crate::receive::stream::{Incoming, Stream};
use crate::receive::track::Format;
use crate::receive::{Content, Track, arrivals::Arrivals};
use crate::route::Router;
use crate::route::announce::Pending;
use crate::route::peer::SourceOf;
use crate::rtcp::transport_cc;
use crate::rtp::RtpPacket;
use crate::send::write::{KeptExtensions, keep};
use crate::timer::Timer;
use crate::units::Time;

/// How often it is checked whether encodings have stopped.
pub(super) const LAYERS_INTERVAL: std::time::Duration = std::time::Duration::from_millis(100);

impl Router {
    /// Takes in a decrypted packet that arrived `now`; subscribers get it at the next [`Router::flush`].
    ///
    /// The caller counts an `Err`.
    pub fn handle_rtp(&mut self, now: Time, from: TransportId, packet: &[u8]) -> Result<(), DropReason> {
        if packet.len() > MAX_DATAGRAM {
            return Err(DropReason::TooLong);
        }
        let packet = RtpPacket::parse(packet).ok_or(DropReason::RtpMalformed)?;
        let noted = self.note(now, from, &packet)?;
        let source = self.find_source(now, from, &packet, &noted)?;
        let track = self.tracks.get_mut(source.track).ok_or(DropReason::RtpUnroutable)?;
        if let Some(level) = noted.level {
            track.loudness.hear(now, level);
        }
        count_received(&self.counters, from, track.kind, packet.payload.len());
        self.take_in(now, source, &packet, &noted)
    }

    /// Reads the header extensions and remembers when the packet came.
    fn note<'a>(
        &mut self,
        now: Time,
        from: TransportId,
        packet: &RtpPacket<'a>,
    ) -> Result<Noted<'a>, DropReason> {
        let peer = self.peers.get_mut(from).ok_or(DropReason::UnknownId)?;
        let noted = Noted::read(packet, &peer.extensions);
        if let Some(number) = noted.transport_cc {
            let arrivals = peer.arrivals.get_or_insert_with(|| Box::new(Arrivals::default()));
            arrivals.record(now, number, packet.ssrc);
            let mut sent = peer.tracks.iter().filter_map(|&id| self.tracks.get(id));
            let interval = match sent.any(|track| track.kind == MediaKind::Video) {
                true => transport_cc::INTERVAL,
                false => transport_cc::INTERVAL_OF_SOUND,
            };
            self.timers.advance(Timer::TransportCc, now + interval);
        }
        Ok(noted)
    }

    fn take_in(
        &mut self,
        now: Time,
        source: SourceOf,
        packet: &RtpPacket,
        noted: &Noted,
    ) -> Result<(), DropReason> {
        let track = self.tracks.get_mut(source.track).ok_or(DropReason::RtpUnroutable)?;
        let (format, repair) = match track.format(packet.pt).ok_or(DropReason::RtpUnroutable)? {
            Format::Media(format) => (*format, false),
            Format::Repair(format) => (*format, true),
        };
        let (wire, payload) = match (repair, packet.payload) {
            (false, payload) => (packet.seq, payload),
            // A probe for bandwidth carries nothing, or only the number of a packet without content.
            (true, []) => return Ok(()),
            (true, [_]) => return Err(DropReason::RtpMalformed),
            (true, [high, low, rest @ ..]) => (u16::from_be_bytes([*high, *low]), rest),
        };
        if repair {
            self.counters.add(Cell::RtxUp, 1);
        }
        let encoding =
            track.encodings.get_mut(usize::from(source.encoding)).ok_or(DropReason::RtpUnroutable)?;
        if encoding.stream.is_none() && repair {
            return Err(DropReason::RtpUnroutable);
        }
        let begins = encoding.stream.is_none();
        let stream =
            encoding.stream.get_or_insert_with(|| Box::new(Stream::new(now, track.kind, packet.seq)));
        let incoming = Incoming {
            wire,
            timestamp: packet.timestamp,
            marker: packet.marker,
            format: &format,
            repair,
            dependency: noted.dependency,
            content: Content { csrcs: packet.csrcs, extensions: &noted.kept, payload },
        };
        stream.ingest(now, &incoming)?;
        if let Some(due) = stream.nacks.due() {
            self.timers.advance(Timer::Nack, due);
        }
        self.timers.advance(Timer::Keyframe, stream.requests.due());
        let wakes = track.notice_packet(now, usize::from(source.encoding));
        Router::queue_relays(&mut self.relaying, track);
        self.queue_packet(now, source.track);
        if begins {
            let encodings = self.counters.get(Cell::Encodings) + 1;
            self.counters.set(Cell::Encodings, encodings);
            self.events.push_back(Pending::Started(source.track, source.encoding, format.pt));
        }
        if wakes {
            self.layers_changed(now, source.track);
        }
        Ok(())
    }

    /// Lets the subscriptions of `track` have a turn.
    pub(super) fn queue(&mut self, track: TrackId) {
        let Some(track) = self.tracks.get_mut(track) else { return };
        if track.queued {
            self.again |= self.queue.front() == Some(&track.id);
        } else if !track.subscriptions.is_empty() {
            track.queued = true;
            self.queue.push_back(track.id);
        }
    }

    /// Other encodings of `track` are being sent than before.
    pub(super) fn layers_changed(&mut self, now: Time, track: TrackId) {
        let Some(track) = self.tracks.get_mut(track).filter(|track| track.kind == MediaKind::Video) else {
            return;
        };
        self.timers.advance(Timer::Layers, now + LAYERS_INTERVAL);
        if !track.announces_layers && track.home.is_none() {
            track.announces_layers = true;
            self.events.push_back(Pending::Layers(track.id));
        }
        let id = track.id;
        self.queue(id);
    }

    /// The encoding a packet belongs to: by its SSRC, or by what was negotiated (RFC 8843, section 9.2).
    fn find_source(
        &mut self,
        now: Time,
        from: TransportId,
        packet: &RtpPacket,
        noted: &Noted,
    ) -> Result<SourceOf, DropReason> {
        let unroutable = DropReason::RtpUnroutable;
        let peer = self.peers.get_mut(from).ok_or(DropReason::UnknownId)?;
        if let Some(source) = peer.source(packet.ssrc) {
            return Ok(source);
        }
        let tracks = || peer.tracks.iter().filter_map(|&id| self.tracks.get(id));
        let id = match (noted.mid, noted.stream_name()) {
            (Some(mid), _) => tracks().find(|track| track.mid.as_bytes() == mid).map(|track| track.id),
            (None, Some(rid)) => only(tracks().filter(|track| named(track, rid).is_some())),
            (None, None) => only(tracks().filter(|track| track.format(packet.pt).is_some())),
        };
        let track = id.and_then(|id| self.tracks.get_mut(id)).ok_or(unroutable)?;
        let repair = matches!(track.format(packet.pt).ok_or(unroutable)?, Format::Repair(_));
        let place = match noted.stream_name() {
            Some(rid) if track.encodings.iter().any(|encoding| encoding.rid.is_some()) => {
                named(track, rid).ok_or(unroutable)?
            }
            _ if track.encodings.len() == 1 => 0,
            _ => return Err(unroutable),
        };
        let encoding = &mut track.encodings[place];
        let before = if repair { encoding.rtx_ssrc } else { encoding.ssrc };
        let source = SourceOf { track: track.id, encoding: place as u8, repair };
        if repair {
            encoding.rtx_ssrc = Some(packet.ssrc);
        } else if !encoding.rebind(now, packet.ssrc) {
            return Err(unroutable);
        }
        if let Some(before) = before {
            peer.unbind(before);
        }
        if peer.bind(packet.ssrc, source) { Ok(source) } else { Err(DropReason::SsrcLimit) }
    }
}

/// The one track of `tracks`, if there is exactly one.
fn only<'a>(mut tracks: impl Iterator<Item = &'a Track>) -> Option<TrackId> {
    let first = tracks.next()?;
    tracks.next().is_none().then_some(first.id)
}

/// The encoding of `track` that is named `rid`.
fn named(track: &Track, rid: &[u8]) -> Option<usize> {
    track.encodings.iter().position(|encoding| encoding.rid.is_some_and(|name| name.as_bytes() == rid))
}

fn count_received(counters: &crate::counters::Counters, from: TransportId, kind: MediaKind, bytes: usize) {
    let cell = match kind {
        MediaKind::Audio => Cell::AudioUp,
        MediaKind::Video => Cell::VideoUp,
    };
    counters.add(cell, 1);
    counters.leg_add(from, LegCell::PacketsUp, 1);
    counters.leg_add(from, LegCell::BytesUp, bytes as u64);
}

/// What the header extensions of a packet say.
#[derive(Default)]
struct Noted<'a> {
    mid: Option<&'a [u8]>,
    rid: Option<&'a [u8]>,
    repaired_rid: Option<&'a [u8]>,
    /// dB below full scale.
    level: Option<u8>,
    transport_cc: Option<u16>,
    dependency: Option<&'a [u8]>,
    kept: KeptExtensions,
}

impl<'a> Noted<'a> {
    fn read(packet: &RtpPacket<'a>, ids: &ExtensionIds) -> Noted<'a> {
        let mut noted = Noted::default();
        let mut seen = 0u16;
        for (id, data) in packet.extensions {
            let Some(extension) = ids.extension(id) else { continue };
            // An element that comes twice is an error of the sender: what was read is what is passed on.
            let bit = 1 << extension as u16;
            if seen & bit != 0 {
                continue;
            }
            seen |= bit;
            match (extension, data) {
                (Extension::Mid, _) => noted.mid = Some(data),
                (Extension::Rid, _) => noted.rid = Some(data),
                (Extension::RepairedRid, _) => noted.repaired_rid = Some(data),
                (Extension::AudioLevel, [level, ..]) => noted.level = Some(level & 0x7f),
                (Extension::TransportCc, [high, low, ..]) => {
                    noted.transport_cc = Some(u16::from_be_bytes([*high, *low]));
                }
                (Extension::DependencyDescriptor, _) => noted.dependency = Some(data),
                _ => {}
            }
            keep(&mut noted.kept, extension, data);
        }
        noted
    }

    /// The name of the encoding, as it is or as it is repaired.
    fn stream_name(&self) -> Option<&'a [u8]> {
        self.repaired_rid.or(self.rid)
    }
}
