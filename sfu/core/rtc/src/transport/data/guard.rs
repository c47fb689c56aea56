//! Stands before SCTP and bounds what a peer can make it do.
//!
//! `sctp-proto` bounds the bytes it holds, but not the chunks they come in, and its work for a chunk grows with
//! the number of those it holds. A peer that sends its megabyte one byte at a time would cost memory and time out
//! of all proportion. So chunks are counted here; what is too much is dropped *before* it is acknowledged, which
//! is what a reliable sender understands: it comes again later.

use std::time::Duration;

use crate::units::Time;

/// Chunks of data held for reassembly or for a reader that is slow: 4 s of a thousand messages each.
const MAX_HELD: usize = 4_096;
/// Packets plus chunks per second, in the long run: an upload of 45 Mb/s takes 8,000.
const RATE: u64 = 10_000;
/// How many may come at once after a pause.
const BURST: u64 = 4_000;

const COMMON_HEADER: usize = 12;
const CHUNK_HEADER: usize = 4;
const DATA: u8 = 0;
const INIT: u8 = 1;
const SACK: u8 = 3;
const ABORT: u8 = 6;

/// Counts chunks of one association.
pub(super) struct Guard {
    held: usize,
    /// Up to here everything has come: what comes again is dropped by SCTP and not held.
    acknowledged: Option<u32>,
    credit: u64,
    refilled: Time,
    /// Ports and tag of our packets, once one was seen.
    header: Option<[u8; 8]>,
}

/// Why a packet is not given to SCTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Malformed,
    TooMuch,
}

impl Guard {
    pub(super) fn new(now: Time) -> Guard {
        Guard { held: 0, acknowledged: None, credit: BURST, refilled: now, header: None }
    }

    /// Looks at a packet of the peer; it may go on to SCTP if that is `Ok`.
    pub(super) fn admit(&mut self, now: Time, packet: &[u8], established: bool) -> Result<(), Refusal> {
        let (mut chunks, mut data) = (0, 0);
        for chunk in Chunks::of(packet) {
            let chunk = chunk.ok_or(Refusal::Malformed)?;
            // SCTP would take an INIT that was sent twice for the end of the association.
            if chunk.kind == INIT && established {
                return Err(Refusal::Malformed);
            }
            chunks += 1;
            data += usize::from(chunk.kind == DATA && !self.is_duplicate(chunk.value));
        }
        if chunks == 0 {
            return Err(Refusal::Malformed);
        }
        self.spend(now, 1 + chunks)?;
        if data > 0 && self.held + data > MAX_HELD {
            return Err(Refusal::TooMuch);
        }
        self.held += data;
        Ok(())
    }

    /// A message of so many chunks left SCTP.
    pub(super) fn released(&mut self, chunks: usize) {
        self.held = self.held.saturating_sub(chunks);
    }

    /// Looks at a packet of ours. Acknowledgements tell how many bytes SCTP holds, so that what was skipped or came
    /// twice all the same is not counted for ever.
    pub(super) fn sending(&mut self, packet: &[u8], receive_buffer: u32) {
        self.header = packet.first_chunk().copied();
        for chunk in Chunks::of(packet).flatten().filter(|chunk| chunk.kind == SACK) {
            if let Some((tsn, rest)) = chunk.value.split_first_chunk()
                && let Some(window) = rest.first_chunk()
            {
                self.acknowledged = Some(u32::from_be_bytes(*tsn));
                // A chunk has at least a byte.
                let bytes = receive_buffer.saturating_sub(u32::from_be_bytes(*window));
                self.held = self.held.min(bytes as usize);
            }
        }
    }

    /// The packet that ends the association, if the peer has ever heard of us.
    pub(super) fn abort(&self) -> Option<[u8; 16]> {
        let mut packet = [0; COMMON_HEADER + CHUNK_HEADER];
        packet[..8].copy_from_slice(&self.header?);
        packet[12..].copy_from_slice(&[ABORT, 0, 0, CHUNK_HEADER as u8]);
        let checksum = crc32c(&packet);
        packet[8..12].copy_from_slice(&checksum.to_le_bytes());
        Some(packet)
    }

    /// Whether a chunk of data was acknowledged before, by serial arithmetic (RFC 1982).
    fn is_duplicate(&self, value: &[u8]) -> bool {
        let (Some(tsn), Some(acknowledged)) = (value.first_chunk(), self.acknowledged) else { return false };
        acknowledged.wrapping_sub(u32::from_be_bytes(*tsn)) < 1 << 31
    }

    fn spend(&mut self, now: Time, cost: u64) -> Result<(), Refusal> {
        let passed = now.since(self.refilled).min(Duration::from_secs(1));
        let earned = passed.as_micros() as u64 * RATE / 1_000_000;
        if earned > 0 {
            self.credit = (self.credit + earned).min(BURST);
            self.refilled = now;
        }
        self.credit = self.credit.checked_sub(cost).ok_or(Refusal::TooMuch)?;
        Ok(())
    }
}

/// Whether the peer ends the association with this packet.
pub(super) fn aborts(packet: &[u8]) -> bool {
    Chunks::of(packet).flatten().any(|chunk| chunk.kind == ABORT)
}

struct Chunk<'a> {
    kind: u8,
    value: &'a [u8],
}

/// The chunks of a packet (RFC 9260, section 3.2); `None` once at one that does not fit.
struct Chunks<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Chunks<'a> {
    fn of(packet: &'a [u8]) -> Chunks<'a> {
        Chunks { rest: packet.get(COMMON_HEADER..) }
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Option<Chunk<'a>>;

    fn next(&mut self) -> Option<Option<Chunk<'a>>> {
        let rest = self.rest.take().filter(|rest| !rest.is_empty())?;
        let chunk = rest.get(..CHUNK_HEADER).and_then(|head| {
            let len = usize::from(u16::from_be_bytes([head[2], head[3]]));
            let value = rest.get(CHUNK_HEADER..len)?;
            // The padding of the last chunk may be missing.
            self.rest = Some(rest.get(len.next_multiple_of(4)..).unwrap_or_default());
            Some(Chunk { kind: head[0], value })
        });
        Some(chunk)
    }
}

/// CRC-32C, bit by bit: only for the 16 bytes of an ABORT (RFC 9260, appendix A).
pub(in crate::transport) fn crc32c(bytes: &[u8]) -> u32 {
    let shift = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), shift))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet(chunks: &[(u8, &[u8])]) -> Vec<u8> {
        let mut raw = vec![7; COMMON_HEADER];
        for (kind, value) in chunks {
            raw.extend_from_slice(&[*kind, 3]);
            raw.extend_from_slice(&((CHUNK_HEADER + value.len()) as u16).to_be_bytes());
            raw.extend_from_slice(value);
            raw.resize(raw.len().next_multiple_of(4), 0);
        }
        raw
    }

    #[test]
    fn the_checksum_is_that_of_rfc_3720_appendix_b_4() {
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
    }

    #[test]
    fn chunks_that_nobody_reads_are_refused_until_some_are_read() {
        let mut guard = Guard::new(Time(0));
        let one = packet(&[(DATA, b"x")]);
        let mut now = Time(0);
        for _ in 0..MAX_HELD {
            now = now + Duration::from_millis(1);
            assert_eq!(guard.admit(now, &one, true), Ok(()));
        }
        assert_eq!(guard.admit(now, &one, true), Err(Refusal::TooMuch));
        guard.released(1);
        assert_eq!(guard.admit(now, &one, true), Ok(()));
        // Everything else passes all the same.
        assert_eq!(guard.admit(now, &packet(&[(SACK, &[0; 12])]), true), Ok(()));
    }

    #[test]
    fn an_acknowledgement_says_how_much_can_be_held_at_most() {
        let mut guard = Guard::new(Time(0));
        assert_eq!(guard.admit(Time(0), &packet(&[(DATA, &b"x"[..]); 60]), true), Ok(()));
        for (window, held) in [(20, 60), (99, 1), (100, 0)] {
            guard.sending(&packet(&[(SACK, &[0, 0, 0, 9, 0, 0, 0, window, 0, 0, 0, 0])]), 100);
            assert_eq!(guard.held, held);
        }
    }

    #[test]
    fn what_was_acknowledged_is_not_counted_again() {
        let mut guard = Guard::new(Time(0));
        guard.sending(&packet(&[(SACK, &[0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0])]), 100);
        for (tsn, held) in [(8, 0), (9, 0), (10, 1), (u32::MAX, 1), (11, 2)] {
            let data = [&tsn.to_be_bytes()[..], b"rest"].concat();
            assert_eq!(guard.admit(Time(0), &packet(&[(DATA, &data)]), true), Ok(()));
            assert_eq!(guard.held, held, "{tsn}");
        }
    }

    #[test]
    fn a_flood_is_cut_to_its_rate() {
        let mut guard = Guard::new(Time(0));
        let packet = packet(&[(SACK, &[0; 12])]);
        let passed = (0..10 * 1_000_000)
            .step_by(10)
            .filter(|micros| guard.admit(Time(*micros), &packet, true).is_ok())
            .count() as u64;
        assert!((RATE * 10 / 2..=(RATE * 10 + BURST) / 2).contains(&passed), "{passed}");
    }

    #[test]
    fn a_second_init_is_kept_from_an_established_association() {
        let mut guard = Guard::new(Time(0));
        let init = packet(&[(INIT, &[0; 16])]);
        assert_eq!(guard.admit(Time(0), &init, false), Ok(()));
        assert_eq!(guard.admit(Time(0), &init, true), Err(Refusal::Malformed));
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged_without_a_panic(raw in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut guard = Guard::new(Time(0));
            let _ = guard.admit(Time(0), &raw, false);
            guard.sending(&raw, 1);
            let _ = aborts(&raw);
        }
    }
}
