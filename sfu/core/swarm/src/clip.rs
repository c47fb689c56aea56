//! Pictures that a real encoder has made, cut into payloads: what cameras send in place of invented ones.
//!
//! A clip begins with a key frame and is sent again and again. Who receives it knows the checksum of every payload, so
//! that nothing has to be added to them but for the last one of each picture, which carries a stamp where a decoder
//! does not look: VP8 and H.264 both ignore what follows a whole picture; in VP9 and AV1 whoever cuts the pictures
//! leaves a place for it (`VideoCodec::tail`).

use rtc::command::MAX_ENCODINGS;

use crate::codec::{FULL, VideoCodec};
use crate::stamp::{self, STAMP};

/// Most bytes of a clip.
const MAX_BYTES: usize = 256 << 20;

/// A key frame or not, and its payloads: of VP8 and VP9 without their descriptors, but for the scalability structure
/// that the first payload of a VP9 key frame begins with. The tail of VP9 and AV1 is there.
pub type Filmed = (bool, Vec<Vec<u8>>);

/// Pictures of a camera's encodings, or the frames of its spatial layers, which are all one stream.
pub struct Clip {
    codec: VideoCodec,
    encodings: Box<[Encoding]>,
    /// Of every payload behind what a forwarder may rewrite, rising.
    sums: Box<[u32]>,
}

struct Encoding {
    bytes: Box<[u8]>,
    /// Where each payload ends.
    ends: Box<[u32]>,
    pictures: Box<[Shot]>,
}

#[derive(Clone, Copy)]
struct Shot {
    key: bool,
    first: u32,
    payloads: u32,
}

/// One picture of a clip.
#[derive(Clone, Copy)]
pub(crate) struct Picture<'a> {
    encoding: &'a Encoding,
    shot: Shot,
}

impl Clip {
    /// Takes the pictures of each encoding, the lowest first; says what is wrong with them.
    pub fn new(codec: VideoCodec, encodings: &[Vec<Filmed>]) -> Result<Clip, &'static str> {
        if encodings.is_empty() || encodings.len() > MAX_ENCODINGS {
            return Err("a clip has one to three encodings");
        }
        let skipped = codec.head() - codec.descriptor();
        let least = skipped.max(codec.tail());
        let most = FULL - codec.descriptor() - STAMP;
        let payloads = || encodings.iter().flatten().flat_map(|(_, payloads)| payloads);
        if payloads().any(|payload| payload.len() < least || payload.len() > most) {
            return Err("a payload of a clip is too short or too long");
        }
        if payloads().map(Vec::len).sum::<usize>() > MAX_BYTES {
            return Err("a clip is too large");
        }
        if encodings.iter().any(|pictures| pictures.first().is_none_or(|(key, _)| !key)) {
            return Err("an encoding of a clip begins with a key frame");
        }
        if encodings.iter().flatten().any(|(_, payloads)| payloads.is_empty()) {
            return Err("a picture of a clip has a payload");
        }
        let mut sums: Vec<u32> = payloads().map(|payload| stamp::sum(&payload[skipped..])).collect();
        sums.sort_unstable();
        Ok(Clip {
            codec,
            encodings: encodings.iter().map(|pictures| Encoding::new(pictures)).collect(),
            sums: sums.into(),
        })
    }

    /// What its payloads are.
    pub fn codec(&self) -> VideoCodec {
        self.codec
    }

    /// How many encodings it has.
    pub fn encodings(&self) -> usize {
        self.encodings.len()
    }

    /// Says whether what follows the head of a payload is one of its own, whole and without a stamp.
    pub(crate) fn knows(&self, behind_head: &[u8]) -> bool {
        self.sums.binary_search(&stamp::sum(behind_head)).is_ok()
    }

    /// How many pictures of an encoding there are.
    pub(crate) fn pictures(&self, encoding: usize) -> usize {
        self.encodings[encoding].pictures.len()
    }

    /// One of them.
    pub(crate) fn picture(&self, encoding: usize, number: usize) -> Picture<'_> {
        let encoding = &self.encodings[encoding];
        Picture { encoding, shot: encoding.pictures[number] }
    }
}

impl Encoding {
    fn new(pictures: &[Filmed]) -> Encoding {
        let (mut bytes, mut ends, mut shots) = (Vec::new(), Vec::new(), Vec::new());
        for (key, payloads) in pictures {
            shots.push(Shot { key: *key, first: ends.len() as u32, payloads: payloads.len() as u32 });
            for payload in payloads {
                bytes.extend_from_slice(payload);
                ends.push(bytes.len() as u32);
            }
        }
        Encoding { bytes: bytes.into(), ends: ends.into(), pictures: shots.into() }
    }
}

impl<'a> Picture<'a> {
    pub(crate) fn is_key(&self) -> bool {
        self.shot.key
    }

    pub(crate) fn payloads(&self) -> usize {
        self.shot.payloads as usize
    }

    pub(crate) fn payload(&self, number: usize) -> &'a [u8] {
        let at = self.shot.first as usize + number;
        let start = at.checked_sub(1).map_or(0, |before| self.encoding.ends[before]);
        &self.encoding.bytes[start as usize..self.encoding.ends[at] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(key: bool, sizes: &[usize]) -> Filmed {
        (key, sizes.iter().enumerate().map(|(n, &size)| vec![n as u8 + 1; size]).collect())
    }

    #[test]
    fn payloads_come_back_in_their_order_and_are_known() {
        let clip = Clip::new(
            VideoCodec::Vp8,
            &[vec![picture(true, &[3, 4])], vec![picture(true, &[5]), picture(false, &[6, 7])]],
        )
        .unwrap();
        assert_eq!((clip.encodings(), clip.pictures(0), clip.pictures(1)), (2, 1, 2));
        let last = clip.picture(1, 1);
        assert_eq!((last.is_key(), last.payloads()), (false, 2));
        assert_eq!((last.payload(0), last.payload(1)), (&[1; 6][..], &[2; 7][..]));
        assert_eq!(clip.picture(0, 0).payload(0), [1; 3]);
        assert!(clip.knows(&[2; 6]), "its first byte is rewritten for receivers");
        assert!(!clip.knows(&[2; 7]));
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        let rows: [&[Vec<Filmed>]; 6] = [
            &[],
            &[vec![]],
            &[vec![picture(false, &[3])]],
            &[vec![picture(true, &[])]],
            &[vec![picture(true, &[0])]],
            &[vec![picture(true, &[FULL - 6 - STAMP + 1])]],
        ];
        for row in rows {
            assert!(Clip::new(VideoCodec::Vp8, row).is_err());
        }
        for (codec, least) in
            [(VideoCodec::Vp8, 1), (VideoCodec::H264, 2), (VideoCodec::Vp9, 6), (VideoCodec::Av1, 1)]
        {
            assert!(Clip::new(codec, &[vec![picture(true, &[least - 1])]]).is_err());
            assert!(Clip::new(codec, &[vec![picture(true, &[least])]]).is_ok());
        }
    }
}
