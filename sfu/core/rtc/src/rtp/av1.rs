//! AV1 aggregation header (RTP payload format for AV1, section 4.4).

use crate::rtp::picture::Picture;

const OBU_EXTENSION: u8 = 0x04;

/// Reads the aggregation header and, if it is whole, the first OBU's header.
///
/// N marks the first packet of a coded video sequence, which begins with a key frame.
pub fn read(payload: &[u8]) -> Option<Picture> {
    let first = *payload.first()?;
    let (continues, elements, new_sequence) = (first & 0x80 != 0, first >> 4 & 0x03, first & 0x08 != 0);
    let key = new_sequence && !continues;
    let mut picture = Picture { key_start: key, start: key, switch_up: key, ..Picture::default() };
    if !continues {
        // With W = 1 the only element has no length in front of it.
        let obu = if elements == 1 { payload.get(1..) } else { payload.get(1..).and_then(skip_leb128) };
        if let Some(&[header, extension, ..]) = obu
            && header & OBU_EXTENSION != 0
        {
            picture.temporal = extension >> 5;
        }
    }
    Some(picture)
}

/// What follows a number in the variable-length form of AV1.
fn skip_leb128(bytes: &[u8]) -> Option<&[u8]> {
    let last = bytes.iter().take(8).position(|byte| byte & 0x80 == 0)?;
    bytes.get(last + 1..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aggregation_headers_are_read() {
        let rows: [(&[u8], bool, u8); 5] = [
            (&[0x18, 0x0a, 0x01], true, 0),
            (&[0x88, 0x0a, 0x01], false, 0),
            (&[0x10, 0x36, 0x40, 0], false, 2),
            (&[0x20, 0x85, 0x01, 0x36, 0x20, 0], false, 1),
            (&[0x20, 0xff], false, 0),
        ];
        for (bytes, key, temporal) in rows {
            let picture = read(bytes).unwrap();
            assert_eq!((picture.key_start, picture.temporal), (key, temporal), "{bytes:x?}");
        }
        assert_eq!(read(&[]), None);
    }
}
