//! What one picture looks like on the wire: of invented bytes, or of a clip.

use rtc::units::Time;

use crate::clip;
use crate::codec::VideoCodec;
use crate::layers::{Frame, Step};
use crate::stamp::{self, STAMP};

/// One frame of a picture, cut into payloads. A picture has several where there are spatial layers.
pub(crate) enum Look<'a> {
    /// So many payloads of `size` bytes, but for the last.
    Invented { key: bool, payloads: usize, size: usize, last_size: usize },
    /// As an encoder made it.
    Filmed(clip::Picture<'a>),
}

/// Which payload is written, for whom.
pub(crate) struct Place {
    pub(crate) codec: VideoCodec,
    /// Number of the encoding, or of the largest spatial layer.
    pub(crate) encoding: u8,
    /// Which frame of which picture it is.
    pub(crate) frame: Frame,
    /// Number of the payload in its frame.
    pub(crate) payload: usize,
    pub(crate) now: Time,
}

impl Look<'_> {
    pub(crate) fn is_key(&self) -> bool {
        match self {
            Look::Invented { key, .. } => *key,
            Look::Filmed(picture) => picture.is_key(),
        }
    }

    pub(crate) fn payloads(&self) -> usize {
        match self {
            Look::Invented { payloads, .. } => *payloads,
            Look::Filmed(picture) => picture.payloads(),
        }
    }

    /// Bytes of a payload of `frame`, with all that is added to it.
    pub(crate) fn len(&self, codec: VideoCodec, frame: Frame, payload: usize) -> usize {
        let last = payload + 1 == self.payloads();
        match self {
            Look::Invented { last_size, .. } if last => *last_size,
            Look::Invented { size, .. } => *size,
            Look::Filmed(picture) => {
                let stamped = last && frame.is_largest();
                codec.descriptor() + picture.payload(payload).len() + if stamped { STAMP } else { 0 }
            }
        }
    }

    /// Fills in a payload of that length.
    pub(crate) fn write(&self, out: &mut [u8], place: &Place) {
        let (first, last) = (place.payload == 0, place.payload + 1 == self.payloads());
        if let Look::Invented { .. } = self {
            out.fill(place.encoding);
        }
        let (filmed, step) = (matches!(self, Look::Filmed(_)), place.frame.step);
        let begins_key = step.key && first && place.frame.spatial == 0;
        match place.codec {
            VideoCodec::Vp8 => write_vp8_descriptor(out, step.picture, first),
            VideoCodec::Vp9 => place.frame.write_vp9(out, first, last, filmed && begins_key),
            VideoCodec::H264 | VideoCodec::Av1 => {}
        }
        let tail = match self {
            Look::Invented { .. } => place.codec.tail(),
            Look::Filmed(picture) => place.codec.tail_of(picture.payload(place.payload)),
        };
        let stamped = out.len() - tail;
        let stamps = !filmed || last && place.frame.is_largest();
        match self {
            Look::Invented { key, .. } => match place.codec {
                // The first byte of a payload header tells key frames.
                VideoCodec::Vp8 => out[6] = u8::from(!(*key && first)),
                VideoCodec::H264 => write_h264_fragment(out, first, last, *key),
                VideoCodec::Vp9 => {}
                VideoCodec::Av1 => write_av1_fragment(out, first, last, step),
            },
            Look::Filmed(picture) => {
                let (start, filmed) = (place.codec.descriptor(), picture.payload(place.payload));
                let (body, tail) = filmed.split_at(filmed.len() - if stamps { tail } else { 0 });
                out[start..][..body.len()].copy_from_slice(body);
                if stamps {
                    out[stamped..].copy_from_slice(tail);
                }
            }
        }
        if stamps {
            stamp::write(&mut out[..stamped], place.codec.head(), place.encoding, place.now);
        }
    }
}

/// With picture id, TL0PICIDX and the one temporal layer that the latter asks for (RFC 7741, section 4.2).
fn write_vp8_descriptor(out: &mut [u8], picture: u16, first: bool) {
    out[0] = if first { 0x90 } else { 0x80 };
    out[1] = 0xe0;
    out[2..4].copy_from_slice(&(0x8000 | picture & 0x7fff).to_be_bytes());
    out[4] = picture as u8;
    out[5] = 0;
}

/// A fragment of an IDR slice or of another one.
fn write_h264_fragment(out: &mut [u8], first: bool, last: bool, key: bool) {
    out[0] = 0x7c;
    out[1] = u8::from(first) << 7 | u8::from(last) << 6 | if key { 5 } else { 1 };
}

/// A fragment of the one OBU of a frame, in a temporal layer (RTP payload format for AV1, section 4.4).
fn write_av1_fragment(out: &mut [u8], first: bool, last: bool, step: Step) {
    let new_sequence = first && step.key;
    out[0] = u8::from(!first) << 7 | u8::from(!last) << 6 | 0x10 | u8::from(new_sequence) << 3;
    if first {
        out[1] = 0x34;
        out[2] = step.temporal() << 5;
    }
}
