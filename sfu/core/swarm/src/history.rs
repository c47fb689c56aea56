//! The last packets of a stream, to be sent again when somebody asks (RFC 4588).

use rtc::units::SeqNo;

/// Packets that can be sent again.
const KEPT: usize = 256;

/// What is needed to send a packet again.
#[derive(Debug, Clone, Copy, Default)]
struct Kept {
    number: Option<SeqNo>,
    marker: bool,
    timestamp: u32,
    len: usize,
}

/// A packet as it was sent.
pub(crate) struct Past<'a> {
    pub(crate) marker: bool,
    pub(crate) timestamp: u32,
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
        self.kept[at] = Kept { number: Some(number), marker: past.marker, timestamp: past.timestamp, len };
    }

    /// The packet that had `wire` in its header, if it is not too long ago.
    pub(crate) fn find(&self, wire: u16) -> Option<Past<'_>> {
        let at = usize::from(wire) % KEPT;
        let kept = &self.kept[at];
        kept.number.filter(|number| number.wire() == wire)?;
        let payload = &self.bytes[at * self.stride..][..kept.len];
        Some(Past { marker: kept.marker, timestamp: kept.timestamp, payload })
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
            history.keep(SeqNo(number), &Past { marker: false, timestamp: number as u32, payload: &payload });
        }
        for number in 66_000 - KEPT as u64..66_000 {
            let past = history.find(number as u16).unwrap();
            assert_eq!(past.payload, (number as u32).to_be_bytes());
            assert_eq!(past.timestamp, number as u32);
        }
        assert!(history.find((66_000 - KEPT as u64 - 1) as u16).is_none());
        assert!(history.find(66_000u32 as u16).is_none());
    }
}
