//! Simulated senders and receivers of media: a camera that answers requests, and a viewer that makes them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use rtc::rtcp::{Composer, Compound, NtpTime, RtcpPacket, SenderInfo};
use rtc::rtp::RtpPacket;
use rtc::units::{Pt, RtpTime, SeqNo, Ssrc, Time};

/// Time from one picture to the next.
pub const PICTURE_INTERVAL: Duration = Duration::from_millis(33);
/// Packets that a camera can send again.
const KEPT: usize = 2_000;

/// A packet and its index for SRTP.
#[derive(Debug, Clone)]
pub struct Numbered {
    /// The extended sequence number.
    pub index: SeqNo,
    /// RTP without protection.
    pub packet: Vec<u8>,
}

/// One VP8 stream: 30 pictures a second, key frames when asked for, lost packets again by RTX.
pub struct Camera {
    ssrc: u32,
    rtx_ssrc: u32,
    pt: Pt,
    rtx_pt: Pt,
    packets_per_picture: u8,
    next: SeqNo,
    next_rtx: SeqNo,
    picture: u32,
    key_wanted: bool,
    sent: VecDeque<Numbered>,
    /// Key frames made so far.
    pub key_frames: u32,
}

impl Camera {
    /// A camera whose first picture is a key frame.
    pub fn new(ssrc: u32, rtx_ssrc: u32, pt: Pt, rtx_pt: Pt, packets_per_picture: u8) -> Camera {
        Camera {
            ssrc,
            rtx_ssrc,
            pt,
            rtx_pt,
            packets_per_picture,
            next: SeqNo(u64::from(ssrc & 0x7fff)),
            next_rtx: SeqNo(1),
            picture: 0,
            key_wanted: true,
            sent: VecDeque::new(),
            key_frames: 0,
        }
    }

    /// The packets of the next picture. Each tells in its last bytes which picture and packet it is.
    pub fn shoot(&mut self) -> Vec<Numbered> {
        let key = std::mem::take(&mut self.key_wanted);
        self.key_frames += u32::from(key);
        self.picture += 1;
        let packets =
            (0..self.packets_per_picture).map(|number| self.packet(number, key)).collect::<Vec<_>>();
        self.sent.extend(packets.iter().cloned());
        while self.sent.len() > KEPT {
            self.sent.pop_front();
        }
        packets
    }

    /// Reads what the server asks for; returns the packets to send again.
    pub fn hear(&mut self, compound: &[u8]) -> Vec<Numbered> {
        let mut again = Vec::new();
        for packet in Compound::new(compound).flatten() {
            match packet {
                RtcpPacket::PictureLoss { media: Ssrc(media) } if media == self.ssrc => {
                    self.key_wanted = true
                }
                RtcpPacket::Nack { media: Ssrc(media), lost } if media == self.ssrc => {
                    again.extend(lost.filter_map(|wire| self.repair(wire)));
                }
                _ => {}
            }
        }
        again
    }

    /// A sender report for `now`, by a clock that began with the simulation.
    pub fn report(&self, now: Time) -> Vec<u8> {
        let info = SenderInfo {
            ntp: NtpTime(3_000_000_000 << 32).plus_micros(now.micros()),
            rtp: RtpTime(self.timestamp()),
            packets: self.picture,
            bytes: self.picture,
        };
        let mut composer = Composer::new();
        composer.sender_report(Ssrc(self.ssrc), &info, &[]);
        composer.bytes().to_vec()
    }

    fn timestamp(&self) -> u32 {
        self.picture.wrapping_mul(2_970).wrapping_add(self.ssrc)
    }

    fn packet(&mut self, number: u8, key: bool) -> Numbered {
        let index = self.next;
        self.next = index.next();
        let last = number + 1 == self.packets_per_picture;
        let mut packet = header(self.pt, last, index, self.timestamp(), self.ssrc);
        // Descriptor with a picture id of 15 bits, TL0PICIDX and its temporal layer, then the first byte of the payload header.
        packet.extend([if number == 0 { 0x90 } else { 0x80 }, 0xe0]);
        packet.extend((0x8000 | self.picture as u16 & 0x7fff).to_be_bytes());
        packet.extend([self.picture as u8, 0]);
        packet.push(u8::from(!(key && number == 0)));
        packet.extend([0xc5; 500]);
        packet.extend(self.picture.to_be_bytes());
        packet.extend([number, self.packets_per_picture]);
        Numbered { index, packet }
    }

    fn repair(&mut self, wire: u16) -> Option<Numbered> {
        let original = self.sent.iter().find(|sent| sent.index.wire() == wire)?;
        let read = RtpPacket::parse(&original.packet)?;
        let index = self.next_rtx;
        let mut packet = header(self.rtx_pt, read.marker, index, read.timestamp.0, self.rtx_ssrc);
        packet.extend(wire.to_be_bytes());
        packet.extend(read.payload);
        self.next_rtx = index.next();
        Some(Numbered { index, packet })
    }
}

fn header(pt: Pt, marker: bool, index: SeqNo, timestamp: u32, ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, pt.0 | u8::from(marker) << 7];
    packet.extend(index.wire().to_be_bytes());
    packet.extend(timestamp.to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet
}

/// A packet of a picture as the viewer knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Which picture of the camera.
    pub picture: u32,
    /// Which packet of the picture.
    pub number: u8,
    /// Of how many.
    pub of: u8,
    /// Timestamp as received.
    pub timestamp: RtpTime,
    /// Picture id as received.
    pub id: u16,
    /// A decoder could start here.
    pub key_start: bool,
}

/// Receives one VP8 stream and asks for what is missing.
pub struct Viewer {
    ssrc: u32,
    rtx_ssrc: u32,
    pieces: BTreeMap<u64, Option<Piece>>,
    newest: Option<SeqNo>,
    asked: BTreeMap<u64, Time>,
    retry: Duration,
    /// Packets that came by retransmission and were missing.
    pub repaired: u32,
}

impl Viewer {
    /// A viewer that asks for a missing packet again after `retry`.
    pub fn new(ssrc: u32, rtx_ssrc: u32, retry: Duration) -> Viewer {
        Viewer {
            ssrc,
            rtx_ssrc,
            pieces: BTreeMap::new(),
            newest: None,
            asked: BTreeMap::new(),
            retry,
            repaired: 0,
        }
    }

    /// Takes in a packet.
    ///
    /// # Panics
    /// If one number stands for two different packets.
    pub fn receive(&mut self, packet: &[u8]) {
        let Some(packet) = RtpPacket::parse(packet) else { return };
        let repair = packet.ssrc.0 == self.rtx_ssrc;
        if !repair && packet.ssrc.0 != self.ssrc {
            return;
        }
        let (wire, payload) = match packet.payload {
            [high, low, rest @ ..] if repair => (u16::from_be_bytes([*high, *low]), rest),
            payload => (packet.seq, payload),
        };
        let newest = *self.newest.get_or_insert(SeqNo(u64::from(wire)));
        let index = newest.extend(wire);
        self.newest = Some(newest.max(index));
        let piece = read_piece(packet.timestamp, payload);
        let known = self.pieces.insert(index.0, piece);
        assert!(known.is_none_or(|known| known == piece), "{known:?} and {piece:?} under {index:?}");
        self.repaired += u32::from(repair && known.is_none());
        self.asked.remove(&index.0);
    }

    /// What to ask for now: packets missing among those of the last two seconds.
    pub fn ask(&mut self, now: Time) -> Option<Vec<u8>> {
        let (first, newest) = (*self.pieces.first_key_value()?.0, self.newest?.0);
        let due = |asked: &BTreeMap<u64, Time>, index: &u64| {
            asked.get(index).is_none_or(|&at| now.since(at) >= self.retry)
        };
        let missing: Vec<u64> = (first.max(newest.saturating_sub(300))..newest)
            .filter(|index| !self.pieces.contains_key(index) && due(&self.asked, index))
            .collect();
        let wires: Vec<u16> = missing.iter().map(|&index| index as u16).collect();
        self.asked.extend(missing.into_iter().map(|index| (index, now)));
        let mut composer = Composer::new();
        (composer.nack(Ssrc(1), Ssrc(self.ssrc), &wires) > 0).then(|| composer.bytes().to_vec())
    }

    /// Asks for a key frame.
    pub fn ask_for_key_frame(&self) -> Vec<u8> {
        let mut composer = Composer::new();
        composer.picture_loss(Ssrc(1), Ssrc(self.ssrc));
        composer.bytes().to_vec()
    }

    /// Packets in the order of their numbers; `None` for padding.
    pub fn pieces(&self) -> impl Iterator<Item = (u64, Option<Piece>)> {
        self.pieces.iter().map(|(&index, &piece)| (index, piece))
    }
}

fn read_piece(timestamp: RtpTime, payload: &[u8]) -> Option<Piece> {
    let (head, tail) = (payload.first_chunk::<7>()?, payload.last_chunk::<6>()?);
    Some(Piece {
        picture: u32::from_be_bytes([tail[0], tail[1], tail[2], tail[3]]),
        number: tail[4],
        of: tail[5],
        timestamp,
        id: u16::from_be_bytes([head[2], head[3]]) & 0x7fff,
        key_start: head[0] & 0x10 != 0 && head[6] & 1 == 0,
    })
}
