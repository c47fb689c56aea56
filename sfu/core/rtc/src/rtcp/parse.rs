//! Reading compound RTCP packets (RFC 3550, section 6; RFC 4585, section 6).

use crate::rtcp::{
    FORMAT_FIR, FORMAT_NACK, FORMAT_PLI, GOODBYE, NtpTime, PAYLOAD_FEEDBACK, RECEIVER_REPORT, ReportBlock,
    SENDER_REPORT, SenderInfo, TRANSPORT_FEEDBACK,
};
use crate::units::{RtpTime, Ssrc};

const BLOCK: usize = 24;
const SENDER_INFO: usize = 20;

/// The bytes are not RTCP, or end too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// One packet of a compound; kinds that we have no use for are `Other`.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)] // the fields are named in RFC 3550 and RFC 4585
pub enum RtcpPacket<'a> {
    SenderReport {
        sender: Ssrc,
        info: SenderInfo,
        blocks: Blocks<'a>,
    },
    ReceiverReport {
        blocks: Blocks<'a>,
    },
    Goodbye {
        sources: Sources<'a>,
    },
    /// Lost packets of `media` are asked for.
    Nack {
        media: Ssrc,
        lost: LostSeqs<'a>,
    },
    /// A key frame of `media` is asked for.
    PictureLoss {
        media: Ssrc,
    },
    /// Key frames of several streams are asked for.
    FullIntraRequest {
        entries: IntraRequests<'a>,
    },
    Other,
}

/// The packets of a compound in turn; the iteration ends at the first malformed one.
#[derive(Debug, Clone, Copy)]
pub struct Compound<'a> {
    rest: &'a [u8],
}

impl<'a> Compound<'a> {
    /// Reads `bytes`; reduced-size compounds (RFC 5506) are welcome.
    pub fn new(bytes: &'a [u8]) -> Compound<'a> {
        Compound { rest: bytes }
    }

    fn split(&mut self) -> Result<RtcpPacket<'a>, Malformed> {
        let (head, _) = self.rest.split_first_chunk::<4>().ok_or(Malformed)?;
        let words = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let (packet, rest) = self.rest.split_at_checked(words * 4 + 4).ok_or(Malformed)?;
        self.rest = rest;
        if head[0] >> 6 != 2 {
            return Err(Malformed);
        }
        let mut body = &packet[4..];
        if head[0] & 0x20 != 0 {
            let padding = usize::from(*body.last().ok_or(Malformed)?);
            if padding == 0 {
                return Err(Malformed);
            }
            body = &body[..body.len().checked_sub(padding).ok_or(Malformed)?];
        }
        read(head[1], head[0] & 0x1f, body).ok_or(Malformed)
    }
}

impl<'a> Iterator for Compound<'a> {
    type Item = Result<RtcpPacket<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let packet = self.split();
        if packet.is_err() {
            self.rest = &[];
        }
        Some(packet)
    }
}

fn read(kind: u8, count: u8, body: &[u8]) -> Option<RtcpPacket<'_>> {
    match (kind, count) {
        (SENDER_REPORT, _) => {
            let (sender, rest) = read_ssrc(body)?;
            let (info, rest) = rest.split_first_chunk::<SENDER_INFO>()?;
            let info = SenderInfo {
                ntp: NtpTime(u64::from(word(info, 0)) << 32 | u64::from(word(info, 4))),
                rtp: RtpTime(word(info, 8)),
                packets: word(info, 12),
                bytes: word(info, 16),
            };
            Some(RtcpPacket::SenderReport { sender, info, blocks: Blocks::read(rest, count)? })
        }
        (RECEIVER_REPORT, _) => {
            let (_, rest) = read_ssrc(body)?;
            Some(RtcpPacket::ReceiverReport { blocks: Blocks::read(rest, count)? })
        }
        (GOODBYE, _) => {
            Some(RtcpPacket::Goodbye { sources: Sources { rest: body.get(..usize::from(count) * 4)? } })
        }
        (TRANSPORT_FEEDBACK, FORMAT_NACK) => {
            let (media, rest) = read_ssrc(body.get(4..)?)?;
            Some(RtcpPacket::Nack { media, lost: LostSeqs { rest, base: 0, mask: 0 } })
        }
        (PAYLOAD_FEEDBACK, FORMAT_PLI) => {
            Some(RtcpPacket::PictureLoss { media: read_ssrc(body.get(4..)?)?.0 })
        }
        (PAYLOAD_FEEDBACK, FORMAT_FIR) => {
            Some(RtcpPacket::FullIntraRequest { entries: IntraRequests { rest: body.get(8..)? } })
        }
        _ => Some(RtcpPacket::Other),
    }
}

fn read_ssrc(bytes: &[u8]) -> Option<(Ssrc, &[u8])> {
    let (ssrc, rest) = bytes.split_first_chunk::<4>()?;
    Some((Ssrc(u32::from_be_bytes(*ssrc)), rest))
}

/// The 32-bit number at `at`, which the caller knows to lie inside.
fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The report blocks of a report.
#[derive(Debug, Clone, Copy)]
pub struct Blocks<'a> {
    rest: &'a [u8],
}

impl<'a> Blocks<'a> {
    fn read(bytes: &'a [u8], count: u8) -> Option<Blocks<'a>> {
        Some(Blocks { rest: bytes.get(..usize::from(count) * BLOCK)? })
    }
}

impl Iterator for Blocks<'_> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        let (block, rest) = self.rest.split_first_chunk::<BLOCK>()?;
        self.rest = rest;
        Some(ReportBlock {
            ssrc: Ssrc(word(block, 0)),
            fraction_lost: block[4],
            // 24 bits with sign: shifted up and back down, so that the sign fills the upper byte.
            lost: (word(block, 4) << 8) as i32 >> 8,
            highest: word(block, 8),
            jitter: word(block, 12),
            last_sr: word(block, 16),
            delay: word(block, 20),
        })
    }
}

/// The streams that a goodbye names.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    rest: &'a [u8],
}

impl Iterator for Sources<'_> {
    type Item = Ssrc;

    fn next(&mut self) -> Option<Ssrc> {
        let (ssrc, rest) = read_ssrc(self.rest)?;
        self.rest = rest;
        Some(ssrc)
    }
}

/// The sequence numbers that a NACK asks for, at most 17 for every four bytes.
#[derive(Debug, Clone, Copy)]
pub struct LostSeqs<'a> {
    rest: &'a [u8],
    base: u16,
    mask: u32,
}

impl Iterator for LostSeqs<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        if self.mask == 0 {
            let (entry, rest) = self.rest.split_first_chunk::<4>()?;
            self.rest = rest;
            self.base = u16::from_be_bytes([entry[0], entry[1]]);
            // Bit 0 is the packet itself, the others the 16 after it.
            self.mask = u32::from(u16::from_be_bytes([entry[2], entry[3]])) << 1 | 1;
        }
        let offset = self.mask.trailing_zeros();
        self.mask &= self.mask - 1;
        Some(self.base.wrapping_add(offset as u16))
    }
}

/// The streams and sequence numbers of full intra requests.
#[derive(Debug, Clone, Copy)]
pub struct IntraRequests<'a> {
    rest: &'a [u8],
}

impl Iterator for IntraRequests<'_> {
    type Item = (Ssrc, u8);

    fn next(&mut self) -> Option<(Ssrc, u8)> {
        let (entry, rest) = self.rest.split_first_chunk::<8>()?;
        self.rest = rest;
        Some((Ssrc(word(entry, 0)), entry[4]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::Composer;
    use proptest::prelude::*;

    #[test]
    fn a_compound_is_read_packet_by_packet() {
        let block = ReportBlock {
            ssrc: Ssrc(7),
            fraction_lost: 3,
            lost: -2,
            highest: 70_000,
            jitter: 5,
            last_sr: 0x1234_5678,
            delay: 9,
        };
        let info = SenderInfo { ntp: NtpTime(0x1_0000_0002), rtp: RtpTime(3), packets: 4, bytes: 5 };
        let mut composer = Composer::new();
        assert!(composer.sender_report(Ssrc(1), &info, &[block]));
        assert!(composer.source_description(Ssrc(1), "0123456789abcdef"));
        assert!(composer.goodbye(Ssrc(1)));
        let packets: Vec<_> = Compound::new(composer.bytes()).collect();
        let [
            Ok(RtcpPacket::SenderReport { sender, info: read, blocks }),
            Ok(RtcpPacket::Other),
            Ok(RtcpPacket::Goodbye { sources }),
        ] = &packets[..]
        else {
            panic!("{packets:?}")
        };
        assert_eq!((*sender, *read), (Ssrc(1), info));
        assert_eq!(blocks.collect::<Vec<_>>(), [block]);
        assert_eq!(sources.collect::<Vec<_>>(), [Ssrc(1)]);
    }

    #[test]
    fn malformed_packets_end_the_compound() {
        let rows: [(&[u8], usize); 8] = [
            (&[0x80], 0),
            (&[0x80, 201, 0, 1], 0),
            (&[0x00, 201, 0, 1, 0, 0, 0, 1], 0), // version 0
            (&[0x81, 201, 0, 1, 0, 0, 0, 1], 0), // a block is missing
            (&[0x82, 203, 0, 1, 0, 0, 0, 1], 0), // a source is missing
            (&[0xa0, 201, 0, 1, 0, 0, 0, 9], 0), // padding longer than the packet
            (&[0x80, 201, 0, 1, 0, 0, 0, 1, 0x80, 200, 0, 0], 1), // a good one, then an empty SR
            (&[0x81, 206, 0, 1, 0, 0, 0, 1], 0), // PLI without a media source
        ];
        for (bytes, good) in rows {
            let packets: Vec<_> = Compound::new(bytes).collect();
            assert_eq!(packets.iter().filter(|p| p.is_ok()).count(), good, "{bytes:x?}");
            assert!(packets.last().unwrap().is_err(), "{bytes:x?}");
        }
    }

    #[test]
    fn a_nack_names_the_packet_and_those_in_its_mask() {
        let bytes = [0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xff, 0x80, 0x01];
        let Some(Ok(RtcpPacket::Nack { media, lost })) = Compound::new(&bytes).next() else { panic!() };
        assert_eq!(media, Ssrc(2));
        assert_eq!(lost.collect::<Vec<_>>(), [65_535, 0, 15]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_within_a_bounded_number_of_steps(
            mut bytes in prop::collection::vec(any::<u8>(), 0..300), kind in 199u8..208,
        ) {
            if bytes.len() > 2 {
                // Makes most inputs reach the readers of single packets.
                bytes[0] = bytes[0] & 0x3f | 0x80;
                bytes[1] = kind;
                bytes[2] = 0;
            }
            let mut steps = 0;
            for packet in Compound::new(&bytes).flatten() {
                steps += 1 + match packet {
                    RtcpPacket::SenderReport { blocks, .. } | RtcpPacket::ReceiverReport { blocks } => blocks.count(),
                    RtcpPacket::Goodbye { sources } => sources.count(),
                    RtcpPacket::Nack { lost, .. } => lost.count(),
                    RtcpPacket::FullIntraRequest { entries } => entries.count(),
                    RtcpPacket::PictureLoss { .. } | RtcpPacket::Other => 0,
                };
            }
            prop_assert!(steps <= bytes.len() * 5);
        }
    }
}
