//! The last packets of one encoding: copied once on arrival, read by every subscription, and again when a
//! subscriber asks for one that it lost.
//!
//! Payload bytes lie in one ring, facts about packets in another that is indexed by sequence number. A third tells
//! in which order packets came, so that subscriptions can follow at their own pace.

use crate::command::MediaKind;
use crate::rtp::Picture;
use crate::units::{Pt, RtpTime, SeqNo, Time};

/// How much is kept of an encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistorySize {
    /// Packets, a power of two.
    pub packets: usize,
    /// Bytes at first, a power of two like the packets: a place in the ring is found without a division.
    pub bytes: usize,
    /// Bytes that it may grow to, while what it holds is younger than `age_ms`.
    pub max_bytes: usize,
    /// Packets older than this are of no use, in milliseconds.
    pub age_ms: u64,
}

impl HistorySize {
    /// What is kept of sound or pictures.
    pub const fn of(kind: MediaKind) -> HistorySize {
        match kind {
            // 1 s at 50 packets a second, four times over for shorter packets.
            MediaKind::Audio => {
                HistorySize { packets: 256, bytes: 16 << 10, max_bytes: 32 << 10, age_ms: 1_000 }
            }
            // 2 s at 2 Mb/s.
            MediaKind::Video => {
                HistorySize { packets: 1_024, bytes: 64 << 10, max_bytes: 512 << 10, age_ms: 2_000 }
            }
        }
    }
}

/// Facts about one packet.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stored {
    /// The publisher's sequence number; 0 marks an unused place.
    pub seq: SeqNo,
    /// When it came.
    pub arrival: Time,
    /// The publisher's timestamp.
    pub timestamp: RtpTime,
    /// The publisher's payload type.
    pub pt: Pt,
    /// Marker bit.
    pub marker: bool,
    /// It carries nothing: a probe that is not forwarded.
    pub padding: bool,
    /// Bytes of padding that make it as long as its neighbours, so that they leave as one message.
    pub filler: u8,
    /// What its payload says.
    pub picture: Picture,
    /// Where its bytes are; filled in by the history.
    pub extent: Extent,
}

/// Where the bytes of a packet are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extent {
    at: u64,
    csrcs: u8,
    extensions: u16,
    payload: u16,
}

impl Extent {
    /// Bytes without sources, which all packets of a stream have alike.
    fn size(self) -> u16 {
        self.extensions + self.payload
    }

    fn len(&self) -> usize {
        usize::from(self.csrcs) + usize::from(self.extensions) + usize::from(self.payload)
    }

    /// Takes apart the bytes of a packet that was kept here or by another worker; `None` when there are fewer.
    pub(super) fn split<'a>(&self, bytes: &'a [u8]) -> Option<Content<'a>> {
        let (csrcs, rest) = bytes.split_at_checked(self.csrcs.into())?;
        let (extensions, rest) = rest.split_at_checked(self.extensions.into())?;
        Some(Content { csrcs, extensions, payload: rest.get(..self.payload.into())? })
    }
}

/// The bytes of one packet.
#[derive(Debug, Clone, Copy, Default)]
pub struct Content<'a> {
    /// Contributing sources, four bytes each.
    pub csrcs: &'a [u8],
    /// Header extensions to pass on: number of the extension, length and data of each.
    pub extensions: &'a [u8],
    /// The payload without padding.
    pub payload: &'a [u8],
}

/// The rings.
pub struct History {
    size: HistorySize,
    bytes: Box<[u8]>,
    /// Where the next byte goes, counted without end; its place in the ring is the remainder.
    head: u64,
    /// Where the ring ends this time round, counted likewise.
    lap_end: u64,
    lap_began: Time,
    index: Box<[Stored]>,
    order: Box<[SeqNo]>,
    arrived: u64,
    /// How many have their `filler`.
    levelled: u64,
}

/// Most bytes of padding that a packet gets to be as long as its neighbours. Encoders split a picture into packets of
/// almost one size (libwebrtc, `RtpPacketizer::SplitAboutEqually`).
pub const MAX_FILLER: u16 = 3;
/// The same for a packet of sound that leaves with those of others. Opus gives every packet another size, and a few bytes
/// cost less than a message of their own.
pub const MAX_SOUND_FILLER: u16 = 16;

impl History {
    /// An empty history, whose first packet is about to come.
    pub fn new(now: Time, size: HistorySize) -> History {
        debug_assert!(size.packets.is_power_of_two() && size.bytes.is_power_of_two());
        History {
            size,
            bytes: vec![0; size.bytes].into_boxed_slice(),
            head: 0,
            lap_end: size.bytes as u64,
            lap_began: now,
            index: vec![Stored::default(); size.packets].into_boxed_slice(),
            order: vec![SeqNo(0); size.packets].into_boxed_slice(),
            arrived: 0,
            levelled: 0,
        }
    }

    /// Packets it can hold.
    pub fn packets(&self) -> usize {
        self.size.packets
    }

    /// Keeps a packet under `stored.seq`. The oldest ones make room.
    pub fn insert(&mut self, mut stored: Stored, content: Content) {
        let len = content.csrcs.len() + content.extensions.len() + content.payload.len();
        debug_assert!(len <= self.bytes.len() && stored.seq.0 != 0);
        stored.extent = Extent {
            at: self.place(stored.arrival, len),
            csrcs: content.csrcs.len() as u8,
            extensions: content.extensions.len() as u16,
            payload: content.payload.len() as u16,
        };
        let mut at = self.position(stored.extent.at);
        for part in [content.csrcs, content.extensions, content.payload] {
            self.bytes[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        let slot = self.slot(stored.seq);
        self.index[slot] = stored;
        let slot = self.arrived as usize & (self.order.len() - 1);
        self.order[slot] = stored.seq;
        self.arrived += 1;
    }

    /// The size of what came since the last time that fillers were given, if that is one packet. To be asked before
    /// anybody gets it.
    pub fn single(&self) -> Option<u16> {
        let stored = self.nth(self.levelled).filter(|stored| !stored.padding)?;
        (self.levelled + 1 == self.arrived).then(|| stored.extent.size())
    }

    /// Gives the newest packet a filler; what came so far is left alone from now on.
    pub fn settle(&mut self, filler: u8) {
        self.levelled = self.arrived;
        if filler > 0
            && let Some(nth) = self.arrived.checked_sub(1)
        {
            let slot = self.slot(self.order[nth as usize & (self.order.len() - 1)]);
            self.index[slot].filler = filler;
        }
    }

    /// Makes packets of one picture that came one after the other since the last time equally long, where little is
    /// missing. To be called before anybody gets them.
    pub fn level(&mut self) {
        let mut first = self.levelled.max(self.oldest());
        self.levelled = self.arrived;
        while let Some(stored) = self.nth(first).filter(|_| first + 1 < self.arrived) {
            let (timestamp, mut sizes) = (stored.timestamp, (stored.extent.size(), stored.extent.size()));
            let mut end = first + 1;
            while let Some(next) = self.nth(end).filter(|next| next.timestamp == timestamp) {
                let (low, high) = (sizes.0.min(next.extent.size()), sizes.1.max(next.extent.size()));
                if high - low > MAX_FILLER {
                    break;
                }
                sizes = (low, high);
                end += 1;
            }
            if sizes.0 < sizes.1 {
                for nth in first..end {
                    let slot = self.slot(self.order[nth as usize & (self.order.len() - 1)]);
                    let stored = &mut self.index[slot];
                    stored.filler = if stored.padding { 0 } else { (sizes.1 - stored.extent.size()) as u8 };
                }
            }
            first = end;
        }
    }

    /// The packet `seq`, if it came and was not yet pushed out.
    pub fn get(&self, seq: SeqNo) -> Option<&Stored> {
        let stored = &self.index[self.slot(seq)];
        (stored.seq == seq && seq.0 != 0).then_some(stored)
    }

    /// The bytes of `stored`; `None` when later ones took their place.
    pub fn content(&self, stored: &Stored) -> Option<Content<'_>> {
        if stored.extent.at + (self.bytes.len() as u64) < self.head {
            return None;
        }
        let rest = &self.bytes[self.position(stored.extent.at)..];
        let (csrcs, rest) = rest.split_at(stored.extent.csrcs.into());
        let (extensions, rest) = rest.split_at(stored.extent.extensions.into());
        Some(Content { csrcs, extensions, payload: &rest[..stored.extent.payload.into()] })
    }

    /// The bytes of `stored` in one piece.
    pub fn bytes(&self, stored: &Stored) -> Option<&[u8]> {
        if stored.extent.at + (self.bytes.len() as u64) < self.head {
            return None;
        }
        let at = self.position(stored.extent.at);
        Some(&self.bytes[at..at + stored.extent.len()])
    }

    /// How many packets have come: the number that the next one will have in the order of arrival.
    pub fn arrived(&self) -> u64 {
        self.arrived
    }

    /// The lowest number in the order of arrival that may still be known.
    pub fn oldest(&self) -> u64 {
        self.arrived.saturating_sub(self.order.len() as u64)
    }

    /// The packet that came as number `n`, if it is still known.
    pub fn nth(&self, n: u64) -> Option<&Stored> {
        if n < self.oldest() || n >= self.arrived {
            return None;
        }
        self.get(self.order[n as usize & (self.order.len() - 1)])
    }

    /// Forgets all packets; the order of arrival counts on.
    pub fn clear(&mut self) {
        self.index.fill(Stored::default());
        self.order.fill(SeqNo(0));
    }

    fn slot(&self, seq: SeqNo) -> usize {
        seq.0 as usize & (self.index.len() - 1)
    }

    fn position(&self, at: u64) -> usize {
        at as usize & (self.bytes.len() - 1)
    }

    /// Takes `len` bytes that lie together.
    fn place(&mut self, now: Time, len: usize) -> u64 {
        if self.head + len as u64 > self.lap_end {
            self.begin_lap(now);
        }
        let at = self.head;
        self.head += len as u64;
        at
    }

    /// Goes back to the start of the ring, or makes it twice as large when it turns too fast.
    fn begin_lap(&mut self, now: Time) {
        let old = self.bytes.len() as u64;
        let lap = self.lap_end - old;
        self.head = self.lap_end;
        self.lap_end += old;
        let turned_in = now.since(self.lap_began).as_millis() as u64;
        self.lap_began = now;
        if turned_in >= self.size.age_ms || self.bytes.len() * 2 > self.size.max_bytes {
            return;
        }
        let mut bytes = vec![0; self.bytes.len() * 2].into_boxed_slice();
        bytes[..self.bytes.len()].copy_from_slice(&self.bytes);
        self.bytes = bytes;
        for stored in &mut self.index {
            // The last lap becomes the first half; what is older counts as gone.
            match stored.extent.at.checked_sub(lap) {
                Some(at) => stored.extent.at = at,
                None => *stored = Stored::default(),
            }
        }
        self.head = old;
        self.lap_end = 2 * old;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stored(seq: u64, ms: u64) -> Stored {
        Stored { seq: SeqNo(seq), arrival: Time::from_millis(ms), ..Stored::default() }
    }

    fn payload(payload: &[u8]) -> Content<'_> {
        Content { payload, ..Content::default() }
    }

    #[test]
    fn packets_are_found_by_number_and_by_order_of_arrival() {
        let mut history = History::new(Time(0), HistorySize::of(MediaKind::Audio));
        for seq in [10, 12, 11] {
            history.insert(stored(seq, 0), payload(&[seq as u8]));
        }
        let order: Vec<_> = (0..4).map(|n| history.nth(n).map(|s| s.seq.0)).collect();
        assert_eq!(order, [Some(10), Some(12), Some(11), None]);
        let eleven = history.get(SeqNo(11)).unwrap();
        assert_eq!(history.content(eleven).unwrap().payload, [11]);
        assert!(history.get(SeqNo(13)).is_none());
        assert!(history.get(SeqNo(11 + 256)).is_none());
    }

    #[test]
    fn packets_of_almost_one_size_are_made_equal_and_others_left_alone() {
        let mut history = History::new(Time(0), HistorySize::of(MediaKind::Video));
        // (timestamp, bytes, filler)
        let rows = [
            (1, 900, 0),
            (1, 600, 1),
            (1, 600, 1),
            (1, 601, 0),
            (1, 598, 3),
            (1, 597, 0),
            (2, 597, 0), // another picture
            (3, 500, 2),
            (3, 502, 0),
        ];
        for (seq, (timestamp, len, _)) in (1..).zip(rows) {
            let stored = Stored { timestamp: RtpTime(timestamp), ..stored(seq, 0) };
            history.insert(stored, payload(&vec![1; len]));
        }
        history.level();
        let fillers: Vec<u8> = (0..rows.len() as u64).map(|n| history.nth(n).unwrap().filler).collect();
        assert_eq!(fillers, rows.map(|row| row.2));
        history.insert(Stored { timestamp: RtpTime(3), ..stored(20, 0) }, payload(&[1; 503]));
        history.level();
        assert_eq!(history.get(SeqNo(9)).unwrap().filler, 0, "what may have been sent stays as it was");
    }

    #[test]
    fn the_ring_grows_only_while_it_turns_faster_than_packets_age() {
        let rows = [(10, 1_000, 512 << 10), (1_000, 1_000, 64 << 10), (10, 1_024, 512 << 10)]; // the last fits exactly
        for (gap_ms, len, expected) in rows {
            let mut history = History::new(Time(0), HistorySize::of(MediaKind::Video));
            for seq in 1..2_000u64 {
                history.insert(stored(seq, seq * gap_ms), payload(&vec![seq as u8; len]));
            }
            assert_eq!(history.bytes.len(), expected, "{len} bytes every {gap_ms} ms");
        }
    }

    #[test]
    fn the_beginning_of_a_fast_stream_is_kept_as_long_as_what_follows() {
        let begins = 3_600_000;
        let mut history = History::new(Time::from_millis(begins), HistorySize::of(MediaKind::Video));
        for seq in 1..=400u64 {
            history.insert(stored(seq, begins + seq * 3), payload(&[seq as u8; 1_000]));
            let first = history.nth(0).unwrap();
            assert!(history.content(first).is_some(), "after {seq} packets");
        }
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_was_kept(
            lengths in prop_oneof![
                prop::collection::vec(0usize..1_400, 1..1_500),
                prop::collection::vec(prop::sample::select(vec![51usize, 115, 243, 499, 1_011]), 1..1_500),
            ], gap_ms in 0u64..100,
        ) {
            let mut history = History::new(Time(0), HistorySize::of(MediaKind::Video));
            for (i, &len) in lengths.iter().enumerate() {
                let seq = i as u64 + 1;
                let bytes = vec![seq as u8; len];
                history.insert(stored(seq, seq * gap_ms), Content { csrcs: &[1; 4], extensions: &[2; 9], payload: &bytes });
                for back in 0..40.min(seq) {
                    let stored = history.get(SeqNo(seq - back)).unwrap();
                    let content = history.content(stored).unwrap();
                    prop_assert_eq!(content.csrcs, [1; 4]);
                    prop_assert_eq!(content.extensions, [2; 9]);
                    prop_assert_eq!(content.payload, &vec![(seq - back) as u8; lengths[i - back as usize]][..]);
                }
            }
            for n in 0..history.arrived() {
                if let Some(content) = history.nth(n).and_then(|stored| history.content(stored)) {
                    prop_assert_eq!(content.payload, &vec![(n + 1) as u8; lengths[n as usize]][..]);
                }
            }
        }
    }
}
