//! Writing RTCP into a buffer on the stack.

use crate::rtcp::{
    FORMAT_APPLICATION, FORMAT_FIR, FORMAT_NACK, FORMAT_PLI, GOODBYE, PAYLOAD_FEEDBACK, RECEIVER_REPORT,
    ReportBlock, SENDER_REPORT, SOURCE_DESCRIPTION, SenderInfo, TRANSPORT_FEEDBACK,
};
use crate::units::{Kbps, Ssrc};

/// Largest compound that we send: fits every path together with SRTCP, UDP and IP.
pub const MAX_COMPOUND: usize = 1_200;

const CNAME: u8 = 1;

/// Collects RTCP packets into one compound. A packet that finds no room is left out and `false` returned.
///
/// Feedback is composed without a report in front (RFC 5506): every WebRTC endpoint accepts that.
pub struct Composer {
    out: [u8; MAX_COMPOUND],
    len: usize,
}

impl Default for Composer {
    fn default() -> Composer {
        Composer::new()
    }
}

impl Composer {
    /// An empty compound.
    pub fn new() -> Composer {
        Composer { out: [0; MAX_COMPOUND], len: 0 }
    }

    /// Adds a sender report with at most 31 `blocks`.
    pub fn sender_report(&mut self, ssrc: Ssrc, info: &SenderInfo, blocks: &[ReportBlock]) -> bool {
        let blocks = &blocks[..blocks.len().min(31)];
        if !self.begin(SENDER_REPORT, blocks.len() as u8, 24 + blocks.len() * 24) {
            return false;
        }
        self.word(ssrc.0);
        self.word((info.ntp.0 >> 32) as u32);
        self.word(info.ntp.0 as u32);
        self.word(info.rtp.0);
        self.word(info.packets);
        self.word(info.bytes);
        self.blocks(blocks);
        true
    }

    /// Adds a receiver report with at most 31 `blocks`.
    pub fn receiver_report(&mut self, ssrc: Ssrc, blocks: &[ReportBlock]) -> bool {
        let blocks = &blocks[..blocks.len().min(31)];
        if !self.begin(RECEIVER_REPORT, blocks.len() as u8, 4 + blocks.len() * 24) {
            return false;
        }
        self.word(ssrc.0);
        self.blocks(blocks);
        true
    }

    /// Adds a source description with a canonical name of at most 255 bytes.
    pub fn source_description(&mut self, ssrc: Ssrc, cname: &str) -> bool {
        let cname = &cname.as_bytes()[..cname.len().min(255)];
        // One zero at least ends the list of items.
        let body = (4 + 2 + cname.len() + 1).next_multiple_of(4);
        if !self.begin(SOURCE_DESCRIPTION, 1, body) {
            return false;
        }
        let end = self.len + body;
        self.word(ssrc.0);
        self.put(&[CNAME, cname.len() as u8]);
        self.put(cname);
        self.out[self.len..end].fill(0);
        self.len = end;
        true
    }

    /// Says that the stream `ssrc` has ended.
    pub fn goodbye(&mut self, ssrc: Ssrc) -> bool {
        let fits = self.begin(GOODBYE, 1, 4);
        if fits {
            self.word(ssrc.0);
        }
        fits
    }

    /// Asks `media` for packets, given in ascending order; returns how many of `lost` found room.
    pub fn nack(&mut self, sender: Ssrc, media: Ssrc, lost: &[u16]) -> usize {
        let start = self.len;
        if lost.is_empty() || !self.begin(TRANSPORT_FEEDBACK, FORMAT_NACK, 12) {
            return 0;
        }
        self.word(sender.0);
        self.word(media.0);
        let mut taken = 0;
        while let Some(&base) = lost.get(taken)
            && self.len + 4 <= MAX_COMPOUND
        {
            taken += 1;
            let mut mask = 0u16;
            while let Some(&next) = lost.get(taken)
                && (1..=16).contains(&next.wrapping_sub(base))
            {
                mask |= 1 << (next.wrapping_sub(base) - 1);
                taken += 1;
            }
            self.put(&base.to_be_bytes());
            self.put(&mask.to_be_bytes());
        }
        self.set_length(start);
        taken
    }

    /// Asks for a key frame of `media` by PLI.
    pub fn picture_loss(&mut self, sender: Ssrc, media: Ssrc) -> bool {
        let fits = self.begin(PAYLOAD_FEEDBACK, FORMAT_PLI, 8);
        if fits {
            self.word(sender.0);
            self.word(media.0);
        }
        fits
    }

    /// Asks for a key frame of `media` by FIR; `number` differs from that of the request before.
    pub fn full_intra_request(&mut self, sender: Ssrc, media: Ssrc, number: u8) -> bool {
        let fits = self.begin(PAYLOAD_FEEDBACK, FORMAT_FIR, 16);
        if fits {
            self.word(sender.0);
            self.word(0);
            self.word(media.0);
            self.put(&[number, 0, 0, 0]);
        }
        fits
    }

    /// Asks for no more than `most` in all of `media`, of which the first 255 are named, by REMB
    /// (draft-alvestrand-rmcat-remb-03, section 2.2).
    pub fn most(&mut self, sender: Ssrc, media: &[Ssrc], most: Kbps) -> bool {
        let media = &media[..media.len().min(255)];
        let fits = self.begin(PAYLOAD_FEEDBACK, FORMAT_APPLICATION, 16 + media.len() * 4);
        if fits {
            self.word(sender.0);
            self.word(0);
            self.put(b"REMB");
            let bits = u64::from(most.0) * 1_000;
            // Eighteen bits of mantissa; what does not fit is rounded down.
            let exponent = (64 - bits.leading_zeros()).saturating_sub(18);
            let rate = exponent << 18 | (bits >> exponent) as u32;
            self.word((media.len() as u32) << 24 | rate);
            media.iter().for_each(|ssrc| self.word(ssrc.0));
        }
        fits
    }

    /// The compound so far.
    pub fn bytes(&self) -> &[u8] {
        &self.out[..self.len]
    }

    /// Bytes that can still be added.
    pub fn room(&self) -> usize {
        MAX_COMPOUND - self.len
    }

    /// Nothing was added.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Starts over.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Writes a packet header if `body` bytes (whole words) still fit behind it.
    pub(crate) fn begin(&mut self, kind: u8, count: u8, body: usize) -> bool {
        debug_assert!(body.is_multiple_of(4) && count < 32);
        if self.len + 4 + body > MAX_COMPOUND {
            return false;
        }
        self.put(&[0x80 | count, kind]);
        self.put(&((body / 4) as u16).to_be_bytes());
        true
    }

    pub(crate) fn word(&mut self, word: u32) {
        self.put(&word.to_be_bytes());
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.out[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// Corrects the length of the packet that began at `start` and reaches to the end.
    pub(crate) fn set_length(&mut self, start: usize) {
        let words = ((self.len - start) / 4 - 1) as u16;
        self.out[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    fn blocks(&mut self, blocks: &[ReportBlock]) {
        for block in blocks {
            self.word(block.ssrc.0);
            let lost = block.lost.clamp(-0x80_0000, 0x7f_ffff) as u32 & 0xff_ffff;
            self.word(u32::from(block.fraction_lost) << 24 | lost);
            self.word(block.highest);
            self.word(block.jitter);
            self.word(block.last_sr);
            self.word(block.delay);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::{Compound, RtcpPacket};

    #[test]
    fn lost_packets_are_packed_into_masks() {
        let lost = [65_534, 65_535, 3, 14, 15, 400];
        let mut composer = Composer::new();
        assert_eq!(composer.nack(Ssrc(1), Ssrc(2), &lost), lost.len());
        assert_eq!(composer.bytes().len(), 12 + 3 * 4);
        let Some(Ok(RtcpPacket::Nack { media, lost: read })) = Compound::new(composer.bytes()).next() else {
            panic!()
        };
        assert_eq!(media, Ssrc(2));
        assert_eq!(read.collect::<Vec<_>>(), lost);
    }

    #[test]
    fn a_full_compound_takes_no_more() {
        let mut composer = Composer::new();
        let lost: Vec<u16> = (0..1_000).map(|i| i * 20).collect();
        let taken = composer.nack(Ssrc(1), Ssrc(2), &lost);
        assert_eq!(taken, (MAX_COMPOUND - 12) / 4);
        assert!(!composer.picture_loss(Ssrc(1), Ssrc(2)));
        assert!(!composer.source_description(Ssrc(1), "x"));
        assert!(Compound::new(composer.bytes()).all(|packet| packet.is_ok()));
    }

    #[test]
    fn the_most_that_is_wanted_is_written_as_mantissa_and_exponent() {
        // (kbps, exponent, mantissa)
        for (most, exponent, mantissa) in
            [(0, 0, 0), (262, 0, 262_000), (300, 1, 150_000), (2_500, 4, 156_250)]
        {
            let mut composer = Composer::new();
            assert!(composer.most(Ssrc(1), &[Ssrc(7), Ssrc(8)], Kbps(most)));
            let bytes = composer.bytes();
            assert_eq!(bytes[..4], [0x8f, 206, 0, 6]);
            assert_eq!(bytes[12..16], *b"REMB");
            let rate: u32 = 2 << 24 | exponent << 18 | mantissa;
            assert_eq!(bytes[16..20], rate.to_be_bytes(), "{most}");
            assert_eq!(bytes[20..], [0, 0, 0, 7, 0, 0, 0, 8]);
        }
    }

    #[test]
    fn requests_for_key_frames_read_back() {
        let mut composer = Composer::new();
        assert!(composer.picture_loss(Ssrc(1), Ssrc(2)));
        assert!(composer.full_intra_request(Ssrc(1), Ssrc(3), 9));
        let packets: Vec<_> = Compound::new(composer.bytes()).flatten().collect();
        let [RtcpPacket::PictureLoss { media: Ssrc(2) }, RtcpPacket::FullIntraRequest { entries }] =
            packets[..]
        else {
            panic!("{packets:?}")
        };
        assert_eq!(entries.collect::<Vec<_>>(), [(Ssrc(3), 9)]);
    }
}
