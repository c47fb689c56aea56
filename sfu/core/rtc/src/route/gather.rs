//! Sound of several people is kept for a moment, so that it leaves as one message for each who hears them.
//!
//! A packet of sound costs its message to the kernel and little else, and a message with three packets costs hardly
//! more than one with one. Company comes only where several sound at once, so only there sound waits: in a room where
//! a few speak and the others listen nothing does, and pictures never do.

use std::time::Duration;

use crate::command::MediaKind;
use crate::id::{SubscriptionId, TrackId, TransportId};
use crate::receive::history::MAX_SOUND_FILLER;
use crate::receive::track::{Company, Track};
use crate::route::Router;
use crate::send::PacketSink;
use crate::timer::Timer;
use crate::units::Time;

/// Listeners of a track from which on its sound may wait: for fewer a second wake-up costs what it saves.
pub const LISTENERS: usize = 8;
/// Voices that its listeners have to hear at once: with fewer it would mostly wait in vain.
pub const VOICES: usize = 5;
/// How long it is believed that there are as many voices as were counted.
const BELIEVED: Duration = Duration::from_millis(500);
/// Somebody sounds of whom a packet came within this time: a little more than usual between two (20 ms). Of those who
/// save packets in silence (Opus DTX) few count, as few of their packets come.
const SOUNDS: Duration = Duration::from_millis(25);

/// What is due so soon leaves now: to wake up once more would cost more than the rest of the wait can save.
const NEARLY: Duration = Duration::from_micros(30);
/// Nothing but sound that waits came for this long: then what comes next can be expected to be the same.
const CALM: Duration = Duration::from_millis(100);

/// What waits, and what of it is being sent.
#[derive(Default)]
pub(super) struct Gathering {
    /// How long the first to come waits for others; not at all if zero.
    window: Duration,
    tracks: Vec<TrackId>,
    due: Option<Time>,
    /// When the last packet came that waited, and the last that did not.
    waited: Option<Time>,
    pressed: Time,
    /// Who gets what, listener by listener.
    turns: Vec<Turn>,
    next: usize,
}

/// A subscription that has its turn: sorted by listener, then by the place of its track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    listener: TransportId,
    place: usize,
    subscription: SubscriptionId,
    track: TrackId,
}

impl Gathering {
    pub(super) fn new(window: Duration) -> Gathering {
        Gathering { window, ..Gathering::default() }
    }

    /// Makes room, so that no packet has to.
    pub(super) fn reserve(&mut self, tracks: usize, subscriptions: usize) {
        if !self.window.is_zero() {
            self.tracks.reserve(tracks.saturating_sub(self.tracks.len()));
            self.turns.reserve(subscriptions.saturating_sub(self.turns.len()));
        }
    }

    pub(super) fn forget(&mut self, track: TrackId) {
        self.tracks.retain(|&other| other != track);
    }
}

impl Router {
    /// Lets the subscriptions of `track` have a turn for a packet that came: at the next flush, or with others.
    pub(super) fn queue_packet(&mut self, now: Time, track: TrackId) {
        if !self.keeps_company(now, track) {
            self.gathering.pressed = now;
            return self.queue(track);
        }
        self.gathering.waited = Some(now);
        let Some(found) = self.tracks.get_mut(track).filter(|track| !track.queued) else { return };
        found.queued = true;
        let gathering = &mut self.gathering;
        gathering.tracks.push(track);
        // What comes from another worker may be handled before what came earlier.
        let due = now + gathering.window;
        if gathering.due.is_none_or(|earlier| due < earlier) {
            gathering.due = Some(due);
            self.timers.advance(Timer::Sound, due);
        }
    }

    /// How long a packet that comes now may lie in the kernel before it is looked at: as long as sound waits for company
    /// where nothing else comes, and not at all anywhere else.
    pub fn leisure(&self, now: Time) -> Duration {
        let Gathering { window, waited, pressed, .. } = self.gathering;
        let calm = waited.is_some_and(|at| now.since(at) <= SOUNDS) && now.since(pressed) >= CALM;
        if calm { window.saturating_sub(NEARLY) } else { Duration::ZERO }
    }

    /// Sends what was gathered when its time has come; true when room ran out.
    pub(super) fn flush_gathered(&mut self, now: Time, sink: &mut impl PacketSink) -> bool {
        if let Some(due) = self.gathering.due.filter(|&due| due <= now + NEARLY) {
            self.timers.take(Timer::Sound, due);
            self.line_up();
        }
        while let Some(&turn) = self.gathering.turns.get(self.gathering.next) {
            if sink.room() == 0 || self.pump(now, turn.track, turn.subscription, sink) {
                return true;
            }
            self.gathering.next += 1;
        }
        self.gathering.turns.clear();
        self.gathering.next = 0;
        false
    }

    /// Makes what waits as equal as little padding can, and puts it in order: by listener, and the larger first, since
    /// of a message that is cut into equal pieces only the last may be smaller.
    fn line_up(&mut self) {
        self.gathering.due = None;
        let Gathering { tracks: waiting, turns, .. } = &mut self.gathering;
        let tracks = &mut self.tracks;
        waiting.sort_unstable_by_key(|&id| {
            let single = tracks.get(id).and_then(single);
            (std::cmp::Reverse(single), id)
        });
        let mut lead = None;
        for (place, &id) in waiting.iter().enumerate() {
            let Some(track) = tracks.get_mut(id) else { continue };
            track.queued = false;
            lead = level(track, lead);
            for &subscription in &track.subscriptions {
                let Some(of) = self.subscriptions.get(subscription) else { continue };
                turns.push(Turn { listener: of.transport, place, subscription, track: id });
            }
        }
        waiting.clear();
        turns.sort_unstable();
    }

    /// Whether others are heard where this track is.
    fn keeps_company(&mut self, now: Time, id: TrackId) -> bool {
        if self.gathering.window.is_zero() {
            return false;
        }
        let Some(track) = self.tracks.get(id).filter(|track| track.kind == MediaKind::Audio) else {
            return false;
        };
        // One listener stands for all of them; where there are fewer than it takes, there is none.
        let Some(&listener) = track.subscriptions.get(LISTENERS - 1) else { return false };
        if track.company.counted_at.is_some_and(|at| now.since(at) < BELIEVED) {
            return track.company.kept;
        }
        let kept = self.voices_of(now, listener) >= VOICES;
        if let Some(track) = self.tracks.get_mut(id) {
            track.company = Company { kept, counted_at: Some(now) };
        }
        kept
    }

    /// How many who sound now are heard by the one of this subscription.
    fn voices_of(&self, now: Time, subscription: SubscriptionId) -> usize {
        let listener = self.subscriptions.get(subscription).and_then(|of| self.peers.get(of.transport));
        let heard = listener.into_iter().flat_map(|peer| &peer.subscriptions);
        let tracks = heard.filter_map(|&id| self.tracks.get(self.subscriptions.get(id)?.track));
        tracks.filter(|track| track.kind == MediaKind::Audio && sounds(track, now)).count()
    }
}

fn sounds(track: &Track, now: Time) -> bool {
    let stream = track.encodings.first().and_then(|encoding| encoding.stream.as_ref());
    stream.is_some_and(|stream| now.since(stream.last_packet) <= SOUNDS)
}

/// The size of the packet that waits, if it is one alone.
fn single(track: &Track) -> Option<u16> {
    track.encodings.first()?.stream.as_ref()?.history.single()
}

/// Gives a packet the size of the one before it, if little is missing; returns the size that the next may get.
fn level(track: &mut Track, lead: Option<u16>) -> Option<u16> {
    let history = &mut track.encodings.first_mut()?.stream.as_mut()?.history;
    let size = history.single();
    let missing = lead.zip(size).and_then(|(lead, size)| lead.checked_sub(size));
    let filler = missing.filter(|&missing| missing <= MAX_SOUND_FILLER);
    history.settle(filler.unwrap_or(0) as u8);
    match (lead, filler) {
        (Some(lead), Some(_)) => Some(lead),
        // Much smaller than those before: the last of their message.
        (Some(_), None) => None,
        (None, _) => size,
    }
}
