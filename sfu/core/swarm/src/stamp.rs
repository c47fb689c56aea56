//! The last bytes of every synthetic payload: which encoding it is of, whether it is whole, and when it was sent.
//!
//! `encoding, mark (3) | CRC-32 (4) | microseconds (8)`, big-endian. The checksum covers everything before it but the
//! first bytes of the payload, which a forwarder may rewrite, and the time after it. Every bit of the time is turned
//! over, since the zeros that it begins with would be a start code of H.264.

use rtc::units::Time;

/// Length of a stamp in bytes.
pub const STAMP: usize = 16;
/// Tells our payloads from those of other senders in the same call.
const MARK: [u8; 3] = [0xc0, 0x11, 0x0c];

/// What a payload turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Made by a source here, and whole.
    Ours {
        /// Number of the encoding, the lowest is 0.
        encoding: u8,
        /// When it was made.
        sent: Time,
    },
    /// Made by a source here, and changed on the way.
    Damaged,
    /// Not made by a source here.
    Foreign,
}

/// Writes the stamp over the last bytes of `payload`, whose first `head` bytes are not vouched for.
///
/// # Panics
/// If the payload has no room for `head` and a stamp.
pub fn write(payload: &mut [u8], head: usize, encoding: u8, sent: Time) {
    let at = payload.len() - STAMP;
    payload[at] = encoding;
    payload[at + 1..at + 4].copy_from_slice(&MARK);
    payload[at + 8..].copy_from_slice(&(!sent.0).to_be_bytes());
    let sum = checksum(payload, head, at);
    payload[at + 4..at + 8].copy_from_slice(&sum.to_be_bytes());
}

/// Reads the stamp of `payload` and checks the payload against it.
pub fn read(payload: &[u8], head: usize) -> Content {
    let Some((_, stamp)) = payload.split_last_chunk::<STAMP>() else { return Content::Foreign };
    let [encoding, a, b, c, sum @ .., _, _, _, _, _, _, _, _] = *stamp;
    let at = payload.len() - STAMP;
    if [a, b, c] != MARK || at < head {
        return Content::Foreign;
    }
    if u32::from_be_bytes(sum) != checksum(payload, head, at) {
        return Content::Damaged;
    }
    let micros = u64::from_be_bytes(*stamp.last_chunk().expect("a stamp has 16 bytes"));
    Content::Ours { encoding, sent: Time(!micros) }
}

/// The checksum of what has no stamp.
pub(crate) fn sum(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

fn checksum(payload: &[u8], head: usize, at: usize) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&payload[head..at + 4]);
    sum.update(&payload[at + 8..]);
    sum.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: Time = Time(123_456_789_012);

    fn stamped() -> [u8; 100] {
        let mut payload = [7; 100];
        write(&mut payload, 6, 2, SENT);
        payload
    }

    #[test]
    fn a_stamp_reads_back_although_the_head_was_rewritten() {
        let mut payload = stamped();
        payload[..6].fill(0xff);
        assert_eq!(read(&payload, 6), Content::Ours { encoding: 2, sent: SENT });
    }

    #[test]
    fn a_change_anywhere_behind_the_head_is_noticed() {
        let mark = 85..88;
        for at in (6..100).filter(|at| !mark.contains(at)) {
            let mut payload = stamped();
            payload[at] ^= 1;
            assert_eq!(read(&payload, 6), Content::Damaged, "{at}");
        }
    }

    #[test]
    fn payloads_of_other_senders_are_foreign() {
        for payload in [&[0; 100][..], &[0; 16], &[0; 3], &[]] {
            assert_eq!(read(payload, 6), Content::Foreign);
        }
        assert_eq!(read(&stamped()[80..], 6), Content::Foreign, "cut off inside what is vouched for");
    }
}
