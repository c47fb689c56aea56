//! Redundant audio (RFC 2198): finding the primary block.

/// Offset of the primary block in a RED payload; `None` when the payload is cut short.
pub fn primary(payload: &[u8]) -> Option<usize> {
    let mut at = 0;
    let mut redundant = 0;
    while payload.get(at)? & 0x80 != 0 {
        let head = payload.get(at..at + 4)?;
        redundant += usize::from(u16::from_be_bytes([head[2], head[3]]) & 0x3ff);
        at += 4;
    }
    let start = at + 1 + redundant;
    (start <= payload.len()).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_primary_block_follows_the_redundant_ones() {
        let rows: [(&[u8], Option<usize>); 5] = [
            (&[111, 1, 2], Some(1)),
            (&[0x80 | 111, 0, 0, 2, 111, 8, 8, 1, 2], Some(7)),
            (&[0x80 | 111, 0, 0, 9, 111, 8, 8, 1, 2], None),
            (&[0x80 | 111, 0, 0], None),
            (&[], None),
        ];
        for (bytes, expected) in rows {
            assert_eq!(primary(bytes), expected, "{bytes:x?}");
        }
    }

    proptest! {
        #[test]
        fn the_primary_block_lies_inside(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(primary(&bytes).is_none_or(|start| (1..=bytes.len()).contains(&start)));
        }
    }
}
