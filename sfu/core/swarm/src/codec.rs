//! What is different from codec to codec in a synthetic camera's payloads.

use crate::layers::VP9_DESCRIPTOR;
use crate::stamp::STAMP;

/// Payload bytes of a full packet: what browsers send.
pub(crate) const FULL: usize = 1_160;
/// Most bytes at the start of a payload that are written anew for every receiver, or that say what follows.
pub(crate) const HEAD: usize = 7;

/// What a camera's payloads look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VideoCodec {
    /// RFC 7741, with a picture id of 15 bits.
    Vp8,
    /// RFC 6184, in fragments.
    H264,
    /// RFC 9628, with a picture id of 15 bits, in three temporal layers and up to three spatial ones.
    Vp9,
    /// The RTP payload format for AV1, in three temporal layers.
    Av1,
}

impl VideoCodec {
    /// Bytes of a payload that a stamp does not vouch for.
    pub const fn head(self) -> usize {
        match self {
            VideoCodec::Vp8 => HEAD,
            VideoCodec::H264 => 2,
            VideoCodec::Vp9 => VP9_DESCRIPTOR,
            VideoCodec::Av1 => 0,
        }
    }

    /// Bytes at the end of a picture that come behind its stamp, since decoders read from there: the index of a VP9
    /// superframe, which ends what belongs to its last frame before the stamp, and the last byte of an AV1 OBU of
    /// padding. This is the tail of a picture of one frame.
    pub const fn tail(self) -> usize {
        match self {
            VideoCodec::Vp8 | VideoCodec::H264 => 0,
            VideoCodec::Vp9 => 6,
            VideoCodec::Av1 => 1,
        }
    }

    /// Bytes of the tail that `payload` ends with: a VP9 index says itself for how many frames it is, and how long the
    /// number of each is (VP9 bitstream, annex B).
    pub(crate) fn tail_of(self, payload: &[u8]) -> usize {
        match (self, payload.last()) {
            (VideoCodec::Vp9, Some(&mark)) if mark & 0xe0 == 0xc0 => {
                2 + usize::from((mark & 7) + 1) * usize::from((mark >> 3 & 3) + 1)
            }
            _ => self.tail(),
        }
    }

    /// Its pictures come in three temporal layers.
    pub const fn is_layered(self) -> bool {
        matches!(self, VideoCodec::Vp9 | VideoCodec::Av1)
    }

    /// Bytes before what an encoder makes.
    pub(crate) const fn descriptor(self) -> usize {
        match self {
            VideoCodec::Vp8 => 6,
            VideoCodec::Vp9 => VP9_DESCRIPTOR,
            VideoCodec::H264 | VideoCodec::Av1 => 0,
        }
    }

    /// Bytes of the shortest invented payload.
    pub(crate) const fn least(self) -> usize {
        HEAD + STAMP + self.tail()
    }
}
