//! H.264 payloads (RFC 6184, section 5): whether a decoder may start here.

use crate::rtp::picture::Picture;

const IDR: u8 = 5;
const SPS: u8 = 7;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

/// Looks for parameter sets and IDR slices in single units, aggregates and first fragments.
pub fn read(payload: &[u8]) -> Option<Picture> {
    let (&first, rest) = payload.split_first()?;
    let key = match first & 0x1f {
        STAP_A => aggregate_starts_key(rest),
        FU_A => {
            let head = *rest.first()?;
            head & 0x80 != 0 && starts_key(head & 0x1f)
        }
        kind => starts_key(kind),
    };
    Some(Picture { key_start: key, start: key, switch_up: key, ..Picture::default() })
}

fn starts_key(kind: u8) -> bool {
    matches!(kind, IDR | SPS)
}

fn aggregate_starts_key(mut rest: &[u8]) -> bool {
    while let Some((head, after)) = rest.split_first_chunk::<2>() {
        let Some((unit, after)) = after.split_at_checked(usize::from(u16::from_be_bytes(*head))) else {
            return false;
        };
        if unit.first().is_some_and(|first| starts_key(first & 0x1f)) {
            return true;
        }
        rest = after;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_frames_are_found_in_every_kind_of_packet() {
        let rows: [(&[u8], bool); 9] = [
            (&[0x65, 1], true),
            (&[0x67, 1], true),
            (&[0x41, 1], false),
            (&[0x78, 0, 2, 0x67, 1, 0, 1, 0x68], true),
            (&[0x78, 0, 1, 0x09, 0, 1, 0x65], true),
            (&[0x78, 0, 9, 0x67], false),
            (&[0x7c, 0x85, 1], true),
            (&[0x7c, 0x05, 1], false),
            (&[0x7c, 0x81, 1], false),
        ];
        for (bytes, expected) in rows {
            assert_eq!(read(bytes).unwrap().key_start, expected, "{bytes:x?}");
        }
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[0x7c]), None);
    }
}
