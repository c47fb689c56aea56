//! Which packet of the publisher each sent number stands for: a ring of 16 bytes an entry, so that a lost packet
//! can be made again from the publisher's history. It starts small and doubles only while it turns faster than packets
//! age, so that a subscription costs what its stream needs.

use std::time::Duration;

use crate::units::{RtpTime, SeqNo, Time};

/// What is known of one sent number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Low half of the publisher's extended sequence number.
    pub source: u32,
    /// Timestamp in the packet sent.
    pub timestamp: RtpTime,
    /// What was taken from the publisher's picture id.
    pub id_offset: u16,
    /// What was taken from the publisher's frame number.
    pub frame_offset: u16,
    /// What was taken from the publisher's TL0PICIDX.
    pub tl0_offset: u8,
    tag: u8,
    resent: u16,
}

/// What became of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Kept for a packet that has not come.
    Reserved = 0,
    /// Sent once.
    Sent = 1,
    /// Sent again at least once.
    Resent = 2,
    /// Used up by padding in place of a packet that is not forwarded.
    Filled = 3,
}

/// The stream a number was taken from: an encoding, and how often it had started over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// Index into the track's encodings.
    pub encoding: u8,
    /// Low bits of [`crate::receive::Stream::epoch`].
    epoch: u8,
}

impl Source {
    /// The stream of `encoding` in its `epoch`.
    pub fn new(encoding: u8, epoch: u8) -> Source {
        Source { encoding: encoding & 3, epoch: epoch & 7 }
    }
}

impl Sent {
    /// A number kept for the packet `source` of `stream`.
    pub fn reserved(stream: Source, source: u32) -> Sent {
        Sent {
            source,
            timestamp: RtpTime(0),
            id_offset: 0,
            frame_offset: 0,
            tl0_offset: 0,
            tag: stream.encoding | stream.epoch << 2,
            resent: 0,
        }
    }

    /// Where the packet came from.
    pub fn stream(&self) -> Source {
        Source { encoding: self.tag & 3, epoch: self.tag >> 2 & 7 }
    }

    /// What became of the number.
    pub fn state(&self) -> State {
        [State::Reserved, State::Sent, State::Resent, State::Filled][usize::from(self.tag >> 5 & 3)]
    }

    /// Changes what became of the number.
    pub fn set_state(&mut self, state: State) {
        self.tag = self.tag & 0x9f | (state as u8) << 5;
    }

    /// The packet carried the mid.
    pub fn with_mid(&self) -> bool {
        self.tag & 0x80 != 0
    }

    /// Remembers whether the packet carried the mid.
    pub fn set_with_mid(&mut self, with_mid: bool) {
        self.tag = self.tag & 0x7f | u8::from(with_mid) << 7;
    }

    /// Remembers that the packet was sent again.
    pub fn resent(&mut self, now: Time) {
        self.set_state(State::Resent);
        self.resent = millis(now);
    }

    /// Milliseconds since the packet was last sent again; `None` if it never was. Good for a minute.
    pub fn since_resent(&self, now: Time) -> Option<u16> {
        (self.state() == State::Resent).then(|| millis(now).wrapping_sub(self.resent))
    }
}

fn millis(now: Time) -> u16 {
    (now.micros() / 1_000) as u16
}

/// Entries at first: a second of sound.
const FEW: usize = 64;
/// Numbers younger than this should still be known: later a packet is of no use to a player.
const AGE: Duration = Duration::from_secs(1);

/// The last numbers sent.
pub struct SentMap {
    entries: Box<[Sent]>,
    most: usize,
    first: SeqNo,
    next: SeqNo,
    lap: (SeqNo, Time),
}

impl SentMap {
    /// Room for at most `most` packets (a power of two); the first number sent will be `first`.
    pub fn new(most: usize, first: SeqNo) -> SentMap {
        debug_assert!(most.is_power_of_two());
        let entries = vec![EMPTY; most.min(FEW)].into_boxed_slice();
        SentMap { entries, most, first, next: first, lap: (first, Time(0)) }
    }

    /// The number that the next packet gets.
    pub fn next(&self) -> SeqNo {
        self.next
    }

    /// The lowest number still known.
    pub fn oldest(&self) -> SeqNo {
        SeqNo(self.first.0.max(self.next.0.saturating_sub(self.entries.len() as u64)))
    }

    /// Gives out the next number, `now`.
    pub fn push(&mut self, now: Time, sent: Sent) -> SeqNo {
        let seq = self.next;
        let (began_with, began) = self.lap;
        if seq == began_with {
            self.lap.1 = began.max(now);
        } else if seq.0 - began_with.0 >= self.entries.len() as u64 {
            self.end_lap(now);
        }
        let slot = self.slot(seq);
        self.entries[slot] = sent;
        self.next = seq.next();
        seq
    }

    /// Gives out `count` numbers of which only the last ones, made by `sent`, are remembered.
    pub fn push_many(&mut self, now: Time, count: u64, sent: impl Fn(u64) -> Sent) {
        let skipped = count.saturating_sub(self.most as u64);
        self.next = SeqNo(self.next.0 + skipped);
        if skipped > 0 {
            self.first = self.next;
        }
        for i in skipped..count {
            self.push(now, sent(i));
        }
    }

    /// What is known of `seq`.
    pub fn get(&self, seq: SeqNo) -> Option<&Sent> {
        (self.oldest()..self.next).contains(&seq).then(|| &self.entries[self.slot(seq)])
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, seq: SeqNo) -> Option<&mut Sent> {
        let slot = self.slot(seq);
        (self.oldest()..self.next).contains(&seq).then(|| &mut self.entries[slot])
    }

    /// The number from `from` on whose packet is `source`; packets rise with numbers in that range.
    pub fn find(&self, from: SeqNo, source: u32) -> Option<SeqNo> {
        let (mut low, mut high) = (from.max(self.oldest()).0, self.next.0);
        while low < high {
            let middle = low + (high - low) / 2;
            let ahead = source.wrapping_sub(self.entries[self.slot(SeqNo(middle))].source) as i32;
            match ahead {
                0 => return Some(SeqNo(middle)),
                1.. => low = middle + 1,
                _ => high = middle,
            }
        }
        None
    }

    /// Forgets everything that was sent; numbers go on.
    pub fn forget(&mut self) {
        self.first = self.next;
    }

    /// The ring is full once more; it is made twice as large when that came too soon.
    fn end_lap(&mut self, now: Time) {
        let turned_in = now.since(self.lap.1);
        self.lap = (self.next, now);
        if turned_in >= AGE || self.entries.len() >= self.most {
            return;
        }
        let mut entries = vec![EMPTY; self.entries.len() * 2].into_boxed_slice();
        let mask = entries.len() - 1;
        for seq in self.oldest().0..self.next.0 {
            entries[seq as usize & mask] = self.entries[self.slot(SeqNo(seq))];
        }
        // What was pushed out of the smaller ring is not in the larger one either.
        self.first = self.oldest();
        self.entries = entries;
    }

    fn slot(&self, seq: SeqNo) -> usize {
        seq.0 as usize & (self.entries.len() - 1)
    }
}

const EMPTY: Sent = Sent {
    source: 0,
    timestamp: RtpTime(0),
    id_offset: 0,
    frame_offset: 0,
    tl0_offset: 0,
    tag: 0,
    resent: 0,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_sixteen_bytes() {
        assert_eq!(size_of::<Sent>(), 16);
    }

    #[test]
    fn state_stream_and_mid_share_a_byte_without_touching_each_other() {
        for encoding in 0..3 {
            for epoch in 0..8 {
                let mut sent = Sent::reserved(Source::new(encoding, epoch), 1);
                for state in [State::Sent, State::Filled, State::Resent, State::Reserved] {
                    for with_mid in [true, false] {
                        sent.set_state(state);
                        sent.set_with_mid(with_mid);
                        assert_eq!((sent.state(), sent.with_mid()), (state, with_mid));
                        assert_eq!(sent.stream(), Source::new(encoding, epoch));
                    }
                }
            }
        }
    }

    #[test]
    fn a_packet_is_found_by_the_publishers_number() {
        let mut map = SentMap::new(8, SeqNo(100));
        let stream = Source::new(0, 0);
        for source in [u32::MAX - 1, u32::MAX, 1, 2, 5, 6, 9, 10, 11, 12] {
            map.push(Time(0), Sent::reserved(stream, source));
        }
        assert_eq!(map.oldest(), SeqNo(102));
        for (source, expected) in
            [(1, Some(102)), (9, Some(106)), (12, Some(109)), (7, None), (u32::MAX, None)]
        {
            assert_eq!(map.find(SeqNo(0), source).map(|s| s.0), expected, "{source}");
        }
        assert_eq!(map.find(SeqNo(107), 9), None);
    }

    #[test]
    fn a_large_hole_costs_no_more_than_the_ring() {
        let mut map = SentMap::new(8, SeqNo(100));
        map.push_many(Time(0), 3_000, |i| Sent::reserved(Source::new(0, 0), i as u32));
        assert_eq!((map.next(), map.oldest()), (SeqNo(3_100), SeqNo(3_092)));
        assert_eq!(map.find(SeqNo(100), 2_999), Some(SeqNo(3_099)));
        assert_eq!(map.get(SeqNo(3_091)), None);
    }

    #[test]
    fn the_ring_grows_only_while_it_turns_faster_than_packets_age() {
        // (milliseconds between packets, entries afterwards)
        for (gap, expected) in [(20, 64), (16, 64), (10, 128), (3, 512), (1, 1_024), (0, 1_024)] {
            let mut map = SentMap::new(1_024, SeqNo(500));
            for i in 0..5_000u64 {
                let sent = Sent::reserved(Source::new(0, 0), i as u32);
                let seq = map.push(Time::from_millis(i * gap), sent);
                // Whatever was sent within the last second is known, as far as the bound lets.
                let back = (1_000u64.checked_div(gap).unwrap_or(u64::MAX)).min(1_023).min(i);
                let known = map.get(SeqNo(seq.0 - back)).map(|sent| u64::from(sent.source));
                assert!(known == Some(i - back) || i < 2_000, "{gap} ms: {known:?} after {i}");
            }
            assert_eq!(map.entries.len(), expected, "{gap} ms");
        }
    }
}
