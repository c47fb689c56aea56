//! What another worker must be told of a track so that its *mirror* there can serve subscribers as the track does.
//!
//! A relay follows the order of arrival of each encoding with a cursor, as a subscription does. So packets wait in the
//! history while the way to the other worker is full, and only what is pushed out of that is lost.

use crate::command::{MAX_ENCODINGS, MediaKind};
use crate::id::TrackId;
use crate::memo::{Memo, MemoSink};
use crate::receive::{Encoding, Track, keyframe};
use crate::units::Time;

/// The way of a track to one other worker.
pub struct Relay {
    /// The mirror there.
    pub mirror: TrackId,
    cursors: [u64; MAX_ENCODINGS],
    /// Encodings of which something has been told, bit 0 the lowest: the mirror has a stream for these.
    begun: u8,
    /// Encodings whose sender report has to be told.
    clocks: u8,
    /// Encodings whose end has to be told.
    goodbyes: u8,
}

/// What one call of [`Relay::feed`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fed {
    /// Packets told.
    pub packets: u64,
    /// Packets that had left the history before they could be told.
    pub missed: u64,
    /// Room ran out: more is to be told.
    pub more: bool,
}

impl Relay {
    /// A relay that begins with a key frame that has just come, as a subscription would, or else with what comes next.
    ///
    /// Of pictures the last packet goes before that, for no use but to tell which encodings there are: subscribers of
    /// the mirror choose among these and ask for a key frame at once, as those at home do, and not when the next
    /// picture comes, which may be long after the last one where a screen is shown.
    pub fn new(now: Time, mirror: TrackId, track: &Track) -> Relay {
        let mut cursors = [0; MAX_ENCODINGS];
        let active = track.active();
        for (place, (cursor, encoding)) in cursors.iter_mut().zip(&track.encodings).enumerate() {
            let Some(stream) = &encoding.stream else { continue };
            let fresh = stream.last_key.filter(|key| now.since(key.at) <= keyframe::MIN_INTERVAL);
            let named = track.kind == MediaKind::Video && (active == 0 || active & 1 << place != 0);
            let next = stream.history.arrived();
            *cursor = fresh.map_or(next.saturating_sub(named.into()), |key| key.nth);
        }
        Relay { mirror, cursors, begun: 0, clocks: u8::MAX, goodbyes: 0 }
    }

    /// A sender report of `encoding` has come.
    pub fn clock_came(&mut self, encoding: u8) {
        self.clocks |= 1 << encoding;
    }

    /// The publisher has ended `encoding`.
    pub fn goodbye_came(&mut self, encoding: u8) {
        self.goodbyes |= 1 << encoding;
    }

    /// Tells what has come since the last time, as far as there is room.
    pub fn feed(&mut self, encodings: &[Encoding], sink: &mut impl MemoSink) -> Fed {
        let mut fed = Fed::default();
        fed.more = encodings.iter().enumerate().any(|(place, encoding)| {
            let told = self.feed_packets(place, encoding, &mut fed, sink)
                && self.feed_clock(place, encoding, sink)
                && self.feed_goodbye(place, encoding, sink);
            !told
        });
        fed
    }

    fn feed_packets(
        &mut self,
        place: usize,
        encoding: &Encoding,
        fed: &mut Fed,
        sink: &mut impl MemoSink,
    ) -> bool {
        let Some(stream) = &encoding.stream else { return true };
        let cursor = &mut self.cursors[place];
        let oldest = stream.history.oldest();
        fed.missed += oldest.saturating_sub(*cursor);
        *cursor = oldest.max(*cursor);
        while *cursor < stream.history.arrived() {
            let stored = stream.history.nth(*cursor);
            let found = stored.and_then(|stored| Some((*stored, stream.history.bytes(stored)?)));
            if let Some((stored, bytes)) = found {
                let (mirror, epoch) = (self.mirror, stream.epoch);
                let memo = Memo::Packet { mirror, encoding: place as u8, epoch, stored };
                if !sink.send(mirror.worker(), memo, bytes) {
                    return false;
                }
                fed.packets += 1;
                self.begun |= 1 << place;
            } else {
                fed.missed += 1;
            }
            *cursor += 1;
        }
        true
    }

    fn feed_clock(&mut self, place: usize, encoding: &Encoding, sink: &mut impl MemoSink) -> bool {
        // It follows the first packet: before that the mirror has nothing to keep it with.
        let due = self.clocks & self.begun & 1 << place != 0;
        let Some(stream) = encoding.stream.as_ref().filter(|_| due) else {
            return true;
        };
        let Some(clock) = stream.clock else { return true };
        let (mirror, epoch) = (self.mirror, stream.epoch);
        let told =
            sink.send(mirror.worker(), Memo::Clock { mirror, encoding: place as u8, epoch, clock }, &[]);
        self.clocks &= !(u8::from(told) << place);
        told
    }

    fn feed_goodbye(&mut self, place: usize, encoding: &Encoding, sink: &mut impl MemoSink) -> bool {
        if self.goodbyes & 1 << place == 0 {
            return true;
        }
        let memo = Memo::Goodbye { mirror: self.mirror, encoding: place as u8 };
        // One that goes on meanwhile has not ended.
        let told = encoding.active || sink.send(self.mirror.worker(), memo, &[]);
        self.goodbyes &= !(u8::from(told) << place);
        told
    }
}
