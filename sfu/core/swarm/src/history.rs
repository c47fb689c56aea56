//! The last packets of a stream, to be sent again when somebody asks (RFC 4588).

use arrayvec::ArrayVec;
use rtc::units::SeqNo;

use crate::layers::MAX_DEPENDENCY;

/// Packets that can be sent again.
const KEPT: usize = 256;

/// What is needed to send a packet again.
#[derive(Debug, Clone, Default)]
struct Kept {
    number: Option<SeqNo>,
    marker: bool,
    timestamp: u32,
    dependency: ArrayVec<u8, MAX_DEPENDENCY>,
    len: usize,
}

/// A packet as it was sent.
pub(crate) struct Past<'a> {
    pub(crate) marker: bool,
    pub(crate) timestamp: u32,
    /// The dependency descriptor; empty for codecs without one.
    pub(crate) dependency: &'a [u8],
    pub(crate) payload: &'a [u8],
}

/// A ring of payloads of at most `stride` bytes.
pub(crate) struct History {
    kept: Box<[Kept]>,
    bytes: Box<[u8]>,
    stride: usize,
}

impl History {
    pub(crate) fn new(stride: usize) -> History {
        History { kept: vec![Kept::default(); KEPT].into(), bytes: vec![0; KEPT * stride].into(), stride }
    }

    /// Keeps a packet in place of the oldest.
    pub(crate) fn keep(&mut self, number: SeqNo, past: &Past<'_>) {
        let at = number.0 as usize % KEPT;
        let len = past.payload.len();
        self.bytes[at * self.stride..][..len].copy_from_slice(past.payload);
        let mut dependency = ArrayVec::new();
        dependency.extend(past.dependency.iter().copied());
        let (marker, timestamp) = (past.marker, past.timestamp);
        self.kept[at] = Kept { number: Some(number), marker, timestamp, dependency, len };
    }

    /// The packet that had `wire` in its header, if it is not too long ago.
    pub(crate) fn find(&self, wire: u16) -> Option<Past<'_>> {
        let at = usize::from(wire) % KEPT;
        let kept = &self.kept[at];
        kept.number.filter(|number| number.wire() == wire)?;
        let payload = &self.bytes[at * self.stride..][..kept.len];
        let (marker, timestamp, dependency) = (kept.marker, kept.timestamp, &kept.dependency[..]);
        Some(Past { marker, timestamp, dependency, payload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_packets_are_found_by_their_number_and_older_ones_are_not() {
        let mut history = History::new(4);
        for number in 65_500..66_000u64 {
            let payload = (number as u32).to_be_bytes();
            let (timestamp, dependency) = (number as u32, &[number as u8][..]);
            let past = Past { marker: false, timestamp, dependency, payload: &payload };
            history.keep(SeqNo(number), &past);
        }
        for number in 66_000 - KEPT as u64..66_000 {
            let past = history.find(number as u16).unwrap();
            assert_eq!(past.payload, (number as u32).to_be_bytes());
            assert_eq!((past.timestamp, past.dependency), (number as u32, &[number as u8][..]));
        }
        assert!(history.find((66_000 - KEPT as u64 - 1) as u16).is_none());
        assert!(history.find(66_000u32 as u16).is_none());
    }
}
