//! Tracks across workers. A track lives on the worker of its publisher, its home. Another worker that has subscribers
//! for it keeps a *mirror*: a track like any other, but fed by the home with packets that are decrypted, in order and
//! without duplicates. Subscribers follow it, and get lost packets from its history, as those of the home do.
//!
//! A mirror asks nobody for lost packets and tells nobody how well they arrive: that is done at home. Key frames it
//! asks the home for.

use std::collections::VecDeque;

use crate::command::{MediaKind, TrackParams};
use crate::counters::Cell;
use crate::drop_reason::DropReason;
use crate::id::{TrackId, TransportId};
use crate::memo::{Memo, MemoSink};
use crate::receive::stream::SenderClock;
use crate::receive::{Relay, Stored, Stream, Track};
use crate::route::Router;
use crate::units::Time;

impl Router {
    /// Feeds `mirror`, on its worker, with a track of this one.
    pub fn add_relay(&mut self, now: Time, track: TrackId, mirror: TrackId) {
        let Some(found) = self.tracks.get_mut(track) else {
            self.counters.dropped(DropReason::UnknownId);
            return;
        };
        found.relays.push(Relay::new(now, mirror, found));
        Router::queue_relays(&mut self.relaying, found);
        // Room in the queue is made here, so that no packet has to.
        self.relaying.reserve(self.tracks.len().saturating_sub(self.relaying.len()));
    }

    /// Feeds `mirror` no longer.
    pub fn end_relay(&mut self, track: TrackId, mirror: TrackId) {
        if let Some(track) = self.tracks.get_mut(track) {
            track.relays.retain(|relay| relay.mirror != mirror);
        }
    }

    /// Tells other workers what they need of this one. True: something found no room and waits for the next call.
    pub fn relay(&mut self, culprit: &mut Option<TransportId>, sink: &mut impl MemoSink) -> bool {
        for _ in 0..self.relaying.len() {
            let Some(id) = self.relaying.pop_front() else { break };
            let Some(track) = self.tracks.get_mut(id) else { continue };
            *culprit = Some(track.transport);
            track.relay_queued = false;
            let mut more = false;
            for relay in &mut track.relays {
                let fed = relay.feed(&track.encodings, sink);
                self.counters.add(Cell::RelayedDown, fed.packets);
                self.counters.dropped_many(DropReason::LaneFull, fed.missed);
                more |= fed.more;
            }
            if more {
                Router::queue_relays(&mut self.relaying, track);
            }
        }
        self.memos.carry(sink);
        !self.relaying.is_empty() || !self.memos.is_empty()
    }

    /// Lets the relays of `track` have a turn.
    pub(super) fn queue_relays(relaying: &mut VecDeque<TrackId>, track: &mut Track) {
        if !track.relays.is_empty() && !std::mem::replace(&mut track.relay_queued, true) {
            relaying.push_back(track.id);
        }
    }

    /// Makes room for a mirror of `home`.
    pub fn add_mirror(&mut self, id: TrackId, home: TrackId, params: &TrackParams) {
        if !self.tracks.insert(id, Track::mirror(id, home, params)) {
            self.counters.dropped(DropReason::TableFull);
            return;
        }
        self.queue.reserve(self.tracks.len().saturating_sub(self.queue.len()));
        self.counters.adjust(Cell::Mirrors, 0, 1);
        self.count_objects();
    }

    /// Forgets all mirrors of what a transport of another worker publishes.
    pub fn close_mirrors(&mut self, publisher: TransportId) {
        let mirrors =
            self.tracks.values().filter(|track| track.home.is_some() && track.transport == publisher);
        for mirror in mirrors.map(|track| track.id).collect::<Vec<_>>() {
            self.close_track(mirror);
        }
    }

    /// Acts on a memo about media. The caller counts an `Err`.
    pub fn handle_memo(
        &mut self,
        now: Time,
        memo: Memo,
        bytes: &[u8],
        culprit: &mut Option<TransportId>,
    ) -> Result<(), DropReason> {
        let (Memo::Packet { mirror: track, encoding, .. }
        | Memo::Clock { mirror: track, encoding, .. }
        | Memo::Goodbye { mirror: track, encoding }
        | Memo::KeyframeWanted { track, encoding }) = memo
        else {
            return Ok(());
        };
        let found = self.tracks.get_mut(track).ok_or(DropReason::UnknownId)?;
        *culprit = Some(found.transport);
        match memo {
            Memo::Packet { epoch, stored, .. } => {
                self.mirror_packet(now, track, encoding, epoch, stored, bytes)?
            }
            Memo::Clock { epoch, clock, .. } => self.mirror_clock(track, encoding, epoch, clock),
            Memo::Goodbye { .. } => self.mirror_goodbye(now, track, encoding),
            _ if found.kind == MediaKind::Video => self.want_keyframe(now, track, encoding),
            _ => {}
        }
        Ok(())
    }

    fn mirror_packet(
        &mut self,
        now: Time,
        mirror: TrackId,
        encoding: u8,
        epoch: u8,
        stored: Stored,
        bytes: &[u8],
    ) -> Result<(), DropReason> {
        let track = self.tracks.get_mut(mirror).ok_or(DropReason::UnknownId)?;
        let kind = track.kind;
        let place = track.encodings.get_mut(usize::from(encoding)).ok_or(DropReason::RtpUnroutable)?;
        let begins = place.stream.is_none();
        let stream = place.stream.get_or_insert_with(|| Box::new(Stream::new(now, kind, stored.seq.wire())));
        stream.mirror(epoch, stored, bytes)?;
        let wakes = track.notice_packet(now, usize::from(encoding));
        self.queue_packet(now, mirror);
        self.counters.add(Cell::RelayedUp, 1);
        if begins {
            self.counters.set(Cell::Encodings, self.counters.get(Cell::Encodings) + 1);
        }
        if wakes {
            self.layers_changed(now, mirror);
        }
        Ok(())
    }

    fn mirror_goodbye(&mut self, now: Time, mirror: TrackId, encoding: u8) {
        let Some(track) = self.tracks.get_mut(mirror) else { return };
        if track.notice_goodbye(usize::from(encoding)) {
            self.layers_changed(now, mirror);
        }
    }

    fn mirror_clock(&mut self, mirror: TrackId, encoding: u8, epoch: u8, clock: SenderClock) {
        let Some(track) = self.tracks.get_mut(mirror) else { return };
        let stream = track.encodings.get_mut(usize::from(encoding)).and_then(|e| e.stream.as_mut());
        if let Some(stream) = stream.filter(|stream| stream.epoch == epoch)
            && stream.clock.replace(clock).is_none()
        {
            self.first_reports.push(mirror);
        }
    }
}
