//! What forwarding needs to know of the picture a packet belongs to, whichever codec wrote it.

use crate::command::Codec;
use crate::rtp::{av1, h264, vp8, vp9};

/// Facts of one packet's payload, read once on arrival and used for every subscription.
///
/// Payloads may be end-to-end encrypted or random: then nothing is known and every field is at its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Picture {
    /// The packet begins a picture that needs no other one: a decoder may start here.
    pub key_start: bool,
    /// The packet begins a picture.
    pub start: bool,
    /// From this picture on the temporal layers above the ones forwarded may be added.
    pub switch_up: bool,
    /// Temporal layer, 0 the base.
    pub temporal: u8,
    /// Picture id and where it stands in the payload.
    pub id: Option<PictureId>,
    /// Index of the base layer and where it stands in the payload.
    pub tl0: Option<Tl0>,
    /// Frame number of the dependency descriptor.
    pub frame_number: Option<u16>,
    /// Gaps in picture ids left by dropped layers are closed: the decoder would wait for the missing ones.
    pub close_gaps: bool,
    /// Where the primary block of redundant audio begins.
    pub primary: u16,
}

/// A picture id of 7 or 15 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureId {
    /// Its value.
    pub value: u16,
    /// 15 bits in two bytes, instead of 7 in one.
    pub wide: bool,
    /// Offset of its first byte in the payload.
    pub at: u8,
}

impl PictureId {
    /// The bits that count.
    pub const fn mask(self) -> u16 {
        if self.wide { 0x7fff } else { 0x7f }
    }

    /// Offset of the byte after it.
    pub const fn end(self) -> usize {
        self.at as usize + if self.wide { 2 } else { 1 }
    }

    /// Writes `value` in its place in `payload`, which must reach up to [`PictureId::end`].
    pub fn write(self, value: u16, payload: &mut [u8]) {
        let at = usize::from(self.at);
        if self.wide {
            payload[at..at + 2].copy_from_slice(&(value & 0x7fff | 0x8000).to_be_bytes());
        } else {
            payload[at] = (value & 0x7f) as u8;
        }
    }
}

/// The TL0PICIDX field of VP8 and VP9.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tl0 {
    /// Its value.
    pub value: u8,
    /// Its offset in the payload.
    pub at: u8,
}

impl Picture {
    /// Reads the clear part of a payload.
    pub fn read(codec: Codec, payload: &[u8]) -> Picture {
        let known = match codec {
            Codec::Vp8 => vp8::read(payload),
            Codec::Vp9 => vp9::read(payload),
            Codec::H264 => h264::read(payload),
            Codec::Av1 => av1::read(payload),
            Codec::Red | Codec::Opus | Codec::Opaque => None,
        };
        known.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn offsets_lie_in_the_first_bytes_of_the_payload(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            for codec in [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1, Codec::Red, Codec::Opaque] {
                let picture = Picture::read(codec, &bytes);
                if let Some(id) = picture.id {
                    prop_assert!(id.end() <= bytes.len().min(8));
                    prop_assert!(id.value <= id.mask());
                    let mut copy = bytes.clone();
                    id.write(id.value, &mut copy);
                    prop_assert_eq!(&copy, &bytes, "writing the same id changes nothing");
                }
                if let Some(tl0) = picture.tl0 {
                    prop_assert_eq!(bytes[usize::from(tl0.at)], tl0.value);
                    prop_assert!(tl0.at < 8);
                }
                prop_assert!(picture.temporal < 8);
            }
        }
    }
}
