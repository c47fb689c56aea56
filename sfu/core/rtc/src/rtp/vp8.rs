//! VP8 payload descriptor (RFC 7741, section 4.2).

use crate::rtp::picture::{Picture, PictureId, Tl0};

/// Reads the descriptor and the first byte of the payload header; `None` when it is cut short.
pub fn read(payload: &[u8]) -> Option<Picture> {
    let first = *payload.first()?;
    let mut picture = Picture { close_gaps: true, ..Picture::default() };
    let mut at = 1;
    if first & 0x80 != 0 {
        let extended = *payload.get(at)?;
        at += 1;
        if extended & 0x80 != 0 {
            let byte = *payload.get(at)?;
            let wide = byte & 0x80 != 0;
            let value = if wide {
                u16::from(byte & 0x7f) << 8 | u16::from(*payload.get(at + 1)?)
            } else {
                byte.into()
            };
            picture.id = Some(PictureId { value, wide, at: at as u8 });
            at += if wide { 2 } else { 1 };
        }
        if extended & 0x40 != 0 {
            picture.tl0 = Some(Tl0 { value: *payload.get(at)?, at: at as u8 });
            at += 1;
        }
        if extended & 0x30 != 0 {
            let byte = *payload.get(at)?;
            if extended & 0x20 != 0 {
                picture.temporal = byte >> 6;
                picture.switch_up = byte & 0x20 != 0;
            }
            at += 1;
        }
    }
    let header = *payload.get(at)?;
    // S set and partition 0: the first packet of the picture; its first bit is 0 for a key frame.
    picture.start = first & 0x17 == 0x10;
    picture.key_start = picture.start && header & 1 == 0;
    picture.switch_up |= picture.key_start;
    Some(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_read() {
        let plain_key =
            Picture { key_start: true, start: true, switch_up: true, close_gaps: true, ..Picture::default() };
        let rows: [(&[u8], Option<Picture>); 7] = [
            (&[], None),
            (&[0x10], None),
            (&[0x10, 0x00], Some(plain_key)),
            (&[0x11, 0x00], Some(Picture { close_gaps: true, ..Picture::default() })), // partition 1
            (&[0x90, 0x80, 0x81], None),
            (
                &[0x90, 0x80, 0x05, 0x01],
                Some(Picture {
                    start: true,
                    close_gaps: true,
                    id: Some(PictureId { value: 5, wide: false, at: 2 }),
                    ..Picture::default()
                }),
            ),
            (
                &[0x80, 0xe0, 0x81, 0x02, 0x33, 0xa0, 0x00],
                Some(Picture {
                    close_gaps: true,
                    temporal: 2,
                    switch_up: true,
                    id: Some(PictureId { value: 0x102, wide: true, at: 2 }),
                    tl0: Some(Tl0 { value: 0x33, at: 4 }),
                    ..Picture::default()
                }),
            ),
        ];
        for (bytes, expected) in rows {
            assert_eq!(read(bytes), expected, "{bytes:x?}");
        }
    }
}
