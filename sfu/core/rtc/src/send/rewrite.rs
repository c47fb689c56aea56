//! One continuous stream of numbers out of the pieces of several (theory of operation).
//!
//! A *segment* is a stretch of packets from one encoding. Inside it the distance between the publisher's numbers
//! and ours stays the same, except where we drop a packet on purpose: then it grows by one and no hole is left.
//! A packet that the network lost keeps its number *reserved*, so that the receiver asks for it or gets it when it
//! comes late. If it then turns out to be one that we drop, its number is used up by padding.
//!
//! The same holds for the picture ids of VP8; in other codecs pictures refer to each other by distance, so that
//! dropped ones must leave their gap. A new segment begins with a key frame that gets the next number of each kind.
//!
//! Peers solve this with a list of ranges (galene `packetmap/packetmap.go`, livekit `pkg/sfu/rangemap.go`); here the
//! map that answers NACKs tells the number of a late packet, too.

use crate::receive::Stored;
use crate::rtp::picture::PictureId;
use crate::send::sent::{Sent, SentMap, Source, State};
use crate::units::{RtpTime, SeqNo, Time};

/// The numbers of one subscription.
pub struct Rewriter {
    /// What was sent under each number.
    pub sent: SentMap,
    segment: Option<Segment>,
    last: Option<Last>,
}

/// The newest picture that was sent.
#[derive(Debug, Clone, Copy)]
pub struct Last {
    /// Its timestamp, as sent.
    pub timestamp: RtpTime,
    /// When it came from the publisher.
    pub arrival: Time,
    id: Option<u16>,
    tl0: Option<u8>,
    frame: Option<u16>,
}

/// A stretch of packets from one encoding.
#[derive(Debug, Clone, Copy)]
pub struct Segment {
    /// Which encoding.
    pub source: Source,
    /// What is taken from the publisher's timestamps.
    pub timestamp_offset: u32,
    /// Highest number of the publisher's seen so far, sent or dropped.
    newest: SeqNo,
    /// Our number of its first packet.
    first: SeqNo,
    id_offset: u16,
    tl0_offset: u8,
    frame_offset: u16,
    dropped_id: Option<u16>,
}

impl Rewriter {
    /// Numbers from `first` on; `packets` (a power of two) of them are remembered.
    pub fn new(packets: usize, first: SeqNo) -> Rewriter {
        Rewriter { sent: SentMap::new(packets, first), segment: None, last: None }
    }

    /// The stretch that is being sent.
    pub fn segment(&self) -> Option<&Segment> {
        self.segment.as_ref()
    }

    /// The newest picture that was sent.
    pub fn last(&self) -> Option<&Last> {
        self.last.as_ref()
    }

    /// Begins a stretch with the packet `first` of `source`.
    pub fn begin(&mut self, source: Source, first: &Stored, timestamp_offset: u32) {
        let last = self.last.as_ref();
        let id_offset = match (first.picture.id, last.and_then(|last| last.id)) {
            (Some(id), Some(last)) => id.value.wrapping_sub(last).wrapping_sub(1),
            _ => 0,
        };
        let tl0_offset = match (first.picture.tl0, last.and_then(|last| last.tl0)) {
            (Some(tl0), Some(last)) => tl0.value.wrapping_sub(last).wrapping_sub(1),
            _ => 0,
        };
        let frame_offset = match (first.picture.frame_number, last.and_then(|last| last.frame)) {
            (Some(number), Some(last)) => number.wrapping_sub(last).wrapping_sub(1),
            _ => 0,
        };
        self.segment = Some(Segment {
            source,
            timestamp_offset,
            newest: SeqNo(first.seq.0 - 1),
            first: self.sent.next(),
            id_offset,
            tl0_offset,
            frame_offset,
            dropped_id: None,
        });
    }

    /// Ends the stretch; the next one continues where it stopped.
    pub fn end(&mut self) {
        self.segment = None;
    }

    /// The number of a packet to be sent; `None` when it has no place (sent before, or older than the stretch).
    pub fn place(&mut self, stored: &Stored, with_mid: bool) -> Option<SeqNo> {
        let segment = self.segment.as_mut()?;
        let timestamp = RtpTime(stored.timestamp.0.wrapping_sub(segment.timestamp_offset));
        if stored.seq <= segment.newest {
            let seq = self.sent.find(segment.first, stored.seq.0 as u32)?;
            let sent = self.sent.get_mut(seq)?;
            if sent.state() != State::Reserved {
                return None;
            }
            sent.timestamp = timestamp;
            sent.set_state(State::Sent);
            sent.set_with_mid(with_mid);
            return Some(seq);
        }
        segment.reserve_up_to(&mut self.sent, stored);
        segment.newest = stored.seq;
        let mut sent = segment.entry(stored.seq.0);
        sent.timestamp = timestamp;
        sent.set_state(State::Sent);
        sent.set_with_mid(with_mid);
        let seq = self.sent.push(stored.arrival, sent);
        let last = self.last.get_or_insert(Last {
            timestamp,
            arrival: stored.arrival,
            id: None,
            tl0: None,
            frame: None,
        });
        if timestamp.0.wrapping_sub(last.timestamp.0) as i32 > 0 {
            last.timestamp = timestamp;
            last.arrival = stored.arrival;
        }
        let picture = &stored.picture;
        last.id = picture.id.map(|id| id.value.wrapping_sub(segment.id_offset) & id.mask()).or(last.id);
        last.tl0 = picture.tl0.map(|tl0| tl0.value.wrapping_sub(segment.tl0_offset)).or(last.tl0);
        last.frame = picture.frame_number.map(|n| n.wrapping_sub(segment.frame_offset)).or(last.frame);
        Some(seq)
    }

    /// Leaves a packet out. Returns a number that had been reserved for it and must be used up by padding.
    pub fn skip(&mut self, stored: &Stored) -> Option<SeqNo> {
        let segment = self.segment.as_mut()?;
        if stored.seq <= segment.newest {
            let seq = self.sent.find(segment.first, stored.seq.0 as u32)?;
            let sent = self.sent.get_mut(seq)?;
            if sent.state() != State::Reserved {
                return None;
            }
            sent.set_state(State::Filled);
            return Some(seq);
        }
        segment.reserve_up_to(&mut self.sent, stored);
        segment.newest = stored.seq;
        if let Some(PictureId { value, .. }) = stored.picture.id
            && stored.picture.close_gaps
            && segment.dropped_id != Some(value)
        {
            segment.dropped_id = Some(value);
            segment.id_offset = segment.id_offset.wrapping_add(1);
        }
        None
    }
}

impl Segment {
    /// Keeps numbers for the packets before `stored` that have not come.
    fn reserve_up_to(&self, sent: &mut SentMap, stored: &Stored) {
        let missing = stored.seq.0 - self.newest.0 - 1;
        sent.push_many(stored.arrival, missing, |i| self.entry(self.newest.0 + 1 + i));
    }

    fn entry(&self, source: u64) -> Sent {
        let mut sent = Sent::reserved(self.source, source as u32);
        sent.id_offset = self.id_offset;
        sent.frame_offset = self.frame_offset;
        sent.tl0_offset = self.tl0_offset;
        sent
    }
}

#[cfg(test)]
#[path = "rewrite_tests.rs"]
mod tests;
