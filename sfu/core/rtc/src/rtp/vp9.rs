//! VP9 payload descriptor (RFC 9628, section 4.2).

use crate::rtp::picture::{Picture, PictureId, Tl0};

/// Reads the descriptor; `None` when it is cut short.
///
/// Gaps in picture ids stay open: in the flexible mode pictures name the ones they need by distance.
pub fn read(payload: &[u8]) -> Option<Picture> {
    let first = *payload.first()?;
    let (has_id, inter, has_layers) = (first & 0x80 != 0, first & 0x40 != 0, first & 0x20 != 0);
    let (flexible, begins) = (first & 0x10 != 0, first & 0x08 != 0);
    let mut picture = Picture::default();
    let mut spatial = 0;
    let mut at = 1;
    if has_id {
        let byte = *payload.get(at)?;
        let wide = byte & 0x80 != 0;
        let value =
            if wide { u16::from(byte & 0x7f) << 8 | u16::from(*payload.get(at + 1)?) } else { byte.into() };
        picture.id = Some(PictureId { value, wide, at: at as u8 });
        at += if wide { 2 } else { 1 };
    }
    if has_layers {
        let byte = *payload.get(at)?;
        picture.temporal = byte >> 5;
        picture.switch_up = byte & 0x10 != 0;
        spatial = byte >> 1 & 0x07;
        at += 1;
        if !flexible {
            picture.tl0 = Some(Tl0 { value: *payload.get(at)?, at: at as u8 });
        }
    }
    picture.start = begins && spatial == 0;
    picture.key_start = picture.start && !inter;
    picture.switch_up |= picture.key_start;
    Some(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_read() {
        type Facts = (bool, bool, u8, Option<u16>, Option<u8>);
        let rows: [(&[u8], Option<Facts>); 6] = [
            (&[], None),
            (&[0x08, 0], Some((true, true, 0, None, None))),
            (&[0x48, 0], Some((true, false, 0, None, None))),
            (&[0xa8, 0x81, 0x02, 0x40, 0x07], Some((true, true, 2, Some(0x102), Some(7)))),
            (&[0xa8, 0x05, 0x02, 0x07], Some((false, false, 0, Some(5), Some(7)))), // spatial layer 1
            (&[0xa8, 0x05, 0x02], None),
        ];
        for (bytes, expected) in rows {
            let read = read(bytes)
                .map(|p| (p.start, p.key_start, p.temporal, p.id.map(|i| i.value), p.tl0.map(|t| t.value)));
            assert_eq!(read, expected, "{bytes:x?}");
        }
    }
}
