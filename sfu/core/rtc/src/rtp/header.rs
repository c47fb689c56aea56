//! The RTP header (RFC 3550, section 5.1): a view of a received packet, and the writer of sent ones.

use crate::rtp::extensions::ExtensionElements;
use crate::units::{Pt, RtpTime, Ssrc};

/// Longest header that we write: fixed part, 15 contributors, and 512 bytes of extensions.
pub const MAX_HEADER: usize = FIXED + 15 * 4 + 4 + 512;

/// Length of the part that every packet has, in bytes.
const FIXED: usize = 12;

/// A received packet, split into its parts.
#[derive(Debug, Clone, Copy)]
pub struct RtpPacket<'a> {
    /// The last packet of a picture, or the first of a talk spurt.
    pub marker: bool,
    /// Which payload format it carries.
    pub pt: Pt,
    /// Sequence number as in the header.
    pub seq: u16,
    /// Sampling instant.
    pub timestamp: RtpTime,
    /// The stream it belongs to.
    pub ssrc: Ssrc,
    /// Contributing sources, four bytes each.
    pub csrcs: &'a [u8],
    /// Header extension elements.
    pub extensions: ExtensionElements<'a>,
    /// What is carried, without padding.
    pub payload: &'a [u8],
}

impl<'a> RtpPacket<'a> {
    /// Splits `packet`; `None` when it is not well-formed RTP version 2.
    pub fn parse(packet: &'a [u8]) -> Option<RtpPacket<'a>> {
        let fixed: &[u8; FIXED] = packet.first_chunk()?;
        if fixed[0] >> 6 != 2 {
            return None;
        }
        let (csrcs, mut rest) = packet[FIXED..].split_at_checked(usize::from(fixed[0] & 0x0f) * 4)?;
        let mut extensions = ExtensionElements::default();
        if fixed[0] & 0x10 != 0 {
            let (head, after) = rest.split_first_chunk::<4>()?;
            let words = usize::from(u16::from_be_bytes([head[2], head[3]]));
            let (elements, after) = after.split_at_checked(words * 4)?;
            extensions = ExtensionElements::new(u16::from_be_bytes([head[0], head[1]]), elements);
            rest = after;
        }
        if fixed[0] & 0x20 != 0 {
            let padding = usize::from(*rest.last()?);
            if padding == 0 {
                return None;
            }
            rest = &rest[..rest.len().checked_sub(padding)?];
        }
        Some(RtpPacket {
            marker: fixed[1] & 0x80 != 0,
            pt: Pt(fixed[1] & 0x7f),
            seq: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: RtpTime(u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]])),
            ssrc: Ssrc(u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]])),
            csrcs,
            extensions,
            payload: rest,
        })
    }
}

/// The numbers of a header to be written.
#[derive(Debug, Clone, Copy)]
pub struct FixedHeader {
    /// Copied from the source.
    pub marker: bool,
    /// The receiver's number for the format.
    pub pt: Pt,
    /// Sequence number.
    pub seq: u16,
    /// Sampling instant.
    pub timestamp: RtpTime,
    /// The stream.
    pub ssrc: Ssrc,
    /// The payload ends with padding.
    pub padding: bool,
}

impl FixedHeader {
    /// Writes the fixed part and `csrcs` (whole four-byte numbers, at most 15) and returns the length.
    ///
    /// The extension bit is left clear; see [`crate::rtp::ExtensionWriter`].
    pub fn write(&self, csrcs: &[u8], out: &mut [u8; MAX_HEADER]) -> usize {
        let count = (csrcs.len() / 4).min(15);
        out[0] = 0x80 | u8::from(self.padding) << 5 | count as u8;
        out[1] = u8::from(self.marker) << 7 | self.pt.0 & 0x7f;
        out[2..4].copy_from_slice(&self.seq.to_be_bytes());
        out[4..8].copy_from_slice(&self.timestamp.0.to_be_bytes());
        out[8..12].copy_from_slice(&self.ssrc.0.to_be_bytes());
        out[FIXED..FIXED + count * 4].copy_from_slice(&csrcs[..count * 4]);
        FIXED + count * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::ExtensionWriter;
    use proptest::prelude::*;

    const PLAIN: [u8; 14] = [0x80, 0xe0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2, 0xaa, 0xbb];

    #[test]
    fn a_plain_packet_is_split() {
        let packet = RtpPacket::parse(&PLAIN).unwrap();
        assert!(packet.marker);
        assert_eq!((packet.pt, packet.seq, packet.timestamp, packet.ssrc), (Pt(96), 9, RtpTime(1), Ssrc(2)));
        assert_eq!(packet.payload, [0xaa, 0xbb]);
    }

    #[test]
    fn padding_longer_than_the_payload_is_refused() {
        let rows: [(u8, Option<usize>); 4] = [(0, None), (1, Some(1)), (2, Some(0)), (3, None)];
        for (padding, expected) in rows {
            let mut bytes = PLAIN;
            bytes[0] |= 0x20;
            bytes[13] = padding;
            assert_eq!(RtpPacket::parse(&bytes).map(|p| p.payload.len()), expected, "{padding}");
        }
    }

    #[test]
    fn a_header_longer_than_the_packet_is_refused() {
        for first in [0x8f, 0x90, 0x9f, 0xb0] {
            let mut bytes = PLAIN;
            bytes[0] = first;
            assert!(RtpPacket::parse(&bytes).is_none(), "{first:x}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_not_and_parts_lie_inside(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(packet) = RtpPacket::parse(&bytes) {
                prop_assert!(12 + packet.csrcs.len() + packet.payload.len() <= bytes.len());
                prop_assert!(packet.extensions.count() <= bytes.len());
            }
        }

        #[test]
        fn what_is_written_reads_back(
            seq: u16, timestamp: u32, ssrc: u32, pt in 0u8..128, marker: bool,
            csrcs in prop::collection::vec(any::<u32>(), 0..16),
            elements in prop::collection::vec((1u8..=255, prop::collection::vec(any::<u8>(), 0..40)), 0..6),
        ) {
            let fixed = FixedHeader {
                marker, pt: Pt(pt), seq, timestamp: RtpTime(timestamp), ssrc: Ssrc(ssrc), padding: false,
            };
            let csrcs: Vec<u8> = csrcs.iter().flat_map(|c| c.to_be_bytes()).collect();
            let mut out = [0; MAX_HEADER];
            let at = fixed.write(&csrcs, &mut out);
            let mut writer = ExtensionWriter::new(&mut out, at);
            for (id, data) in &elements {
                writer.push(*id, data);
            }
            let len = writer.finish();
            let packet = RtpPacket::parse(&out[..len]).unwrap();
            prop_assert_eq!(packet.csrcs, &csrcs[..]);
            prop_assert_eq!((packet.seq, packet.timestamp.0, packet.ssrc.0), (seq, timestamp, ssrc));
            let read: Vec<(u8, Vec<u8>)> = packet.extensions.map(|(id, data)| (id, data.to_vec())).collect();
            prop_assert_eq!(read, elements);
            prop_assert!(packet.payload.is_empty());
        }
    }
}
