//! What one participant receives: streams found by their SSRC, the books of each, and what is told of them.
//!
//! Of a packet that is not checked only the header is looked at, which is not encrypted: that is how one thread can
//! receive for hundreds. The first packet of a stream is always checked, and every packet until a key frame has come.

use std::sync::Arc;

use rtc::drop_reason::DropReason;
use rtc::rtcp::{Composer, Compound, RtcpPacket};
use rtc::rtp::RtpPacket;
use rtc::transport::srtp::Receiver;
use rtc::units::{Pt, Ssrc, Time};

use crate::clip::Clip;
use crate::codec::VideoCodec;
use crate::figures::Figures;
use crate::stream::Stream;
use crate::tracking::Arrival;

/// Most streams of one participant.
const MAX_STREAMS: usize = 1_024;
/// Most streams that one report tells of.
const BLOCKS: usize = 31;

/// How a payload type is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Format {
    Opus,
    Video(VideoCodec),
    /// Something that was sent before (RFC 4588).
    Resend,
}

/// The payload types of a participant's description.
#[derive(Debug, Clone)]
pub struct Formats([Option<Format>; 128]);

impl Default for Formats {
    fn default() -> Formats {
        Formats([None; 128])
    }
}

impl Formats {
    /// Reads `pt` as `format` from now on.
    pub fn set(&mut self, pt: Pt, format: Format) {
        self.0[usize::from(pt.0 & 0x7f)] = Some(format);
    }
}

/// Everything that one participant receives.
pub struct Reception {
    formats: Formats,
    check_every: u32,
    /// By rising SSRC.
    streams: Vec<Stream>,
    /// SSRC of resends and of what they are resends of.
    resends: Vec<(u32, u32)>,
    next_ask: Time,
    clip: Option<Arc<Clip>>,
    /// Where the last packet's stream was: packets come in bursts of one stream.
    last: usize,
}

impl Reception {
    /// Nothing received yet; one packet in `check_every` is decrypted and read.
    pub fn new(formats: Formats, check_every: u32) -> Reception {
        Reception {
            formats,
            check_every: check_every.max(1),
            streams: Vec::new(),
            resends: Vec::new(),
            next_ask: Time::NEVER,
            clip: None,
            last: 0,
        }
    }

    /// Knows the payloads of a clip from now on, which have no stamps.
    pub fn know(&mut self, clip: Arc<Clip>) {
        self.clip = Some(clip);
    }

    /// Takes in an RTP packet that the kernel got at `at`; tells of a new stream which format it has.
    pub fn handle_rtp(
        &mut self,
        at: Time,
        datagram: &mut [u8],
        receiver: &mut Receiver,
        figures: &mut Figures,
    ) -> Option<Format> {
        let [_, pt, high, low, _, _, _, _, ssrc @ ..] = *datagram.first_chunk::<12>()?;
        let (seq, ssrc) = (u16::from_be_bytes([high, low]), u32::from_be_bytes(ssrc));
        let format = self.formats.0[usize::from(pt & 0x7f)]?;
        let bytes = datagram.len() as u64;
        if format == Format::Resend {
            self.handle_resend(at, ssrc, datagram, receiver, figures);
            return None;
        }
        let known = self.find(ssrc);
        let check = known.is_none_or(|stream| {
            let stream = &self.streams[stream];
            stream.wants_key || stream.unchecked + 1 >= self.check_every
        });
        let mut payload = None;
        if check {
            match receiver.unprotect_rtp(at, datagram) {
                Ok(len) => payload = RtpPacket::parse(&datagram[..len]).map(|packet| packet.payload),
                Err(DropReason::SrtpReplay) if known.is_some() => {}
                Err(_) => {
                    figures.undecipherable += 1;
                    return None;
                }
            }
        }
        let at_stream = known.or_else(|| self.begin(at, ssrc, format, seq))?;
        self.last = at_stream;
        let stream = &mut self.streams[at_stream];
        if known.is_none() {
            figures.packets_expected += 1;
            figures.packets_received += 1;
            figures.bytes_received += bytes;
        } else if !stream.count(at, seq, bytes, figures) {
            return None;
        }
        self.next_ask = self.next_ask.min(stream.missing.next());
        match payload {
            Some(payload) => stream.check(at, payload, self.clip.as_deref(), figures),
            None => stream.unchecked += 1,
        }
        known.is_none().then_some(format)
    }

    /// Knows from now on what the packets of some SSRCs are resends of.
    pub fn pair(&mut self, resends: &[(u32, u32)]) {
        for &(resend, original) in resends {
            self.resends.retain(|(known, _)| *known != resend);
            if self.resends.len() < MAX_STREAMS {
                self.resends.push((resend, original));
            }
        }
    }

    /// Takes in decrypted RTCP: when the server's clock was what.
    pub fn handle_control(&mut self, at: Time, compound: &[u8]) {
        for packet in Compound::new(compound).flatten() {
            if let RtcpPacket::SenderReport { sender, info, .. } = packet
                && let Some(stream) = self.find(sender.0)
            {
                self.streams[stream].sender_report = Some((info.ntp.middle(), at));
            }
        }
    }

    /// When there is something to ask for.
    pub fn poll_timeout(&self) -> Time {
        self.next_ask
    }

    /// Asks for key frames and packets that are missing, into `composer`.
    pub fn ask(&mut self, now: Time, us: Ssrc, composer: &mut Composer, figures: &mut Figures) {
        self.next_ask = Time::NEVER;
        for stream in &mut self.streams {
            stream.ask(now, us, composer, figures);
            self.next_ask = self.next_ask.min(stream.ask_at());
        }
    }

    /// Reports on all streams; `send` takes one compound after the other.
    pub fn report(&mut self, now: Time, us: Ssrc, mut send: impl FnMut(&[u8])) {
        for some in self.streams.chunks_mut(BLOCKS) {
            let mut blocks = arrayvec::ArrayVec::<_, BLOCKS>::new();
            blocks.extend(some.iter_mut().map(|stream| stream.block(now)));
            let mut composer = Composer::new();
            composer.receiver_report(us, &blocks);
            send(composer.bytes());
        }
    }

    fn handle_resend(
        &mut self,
        at: Time,
        ssrc: u32,
        datagram: &mut [u8],
        receiver: &mut Receiver,
        figures: &mut Figures,
    ) {
        figures.resends_received += 1;
        let original = self.resends.iter().find(|(resend, _)| *resend == ssrc).map(|(_, original)| *original);
        let Some(stream) = original.and_then(|original| self.find(original)) else { return };
        let bytes = datagram.len() as u64;
        let Ok(len) = receiver.unprotect_rtp(at, datagram) else {
            figures.undecipherable += 1;
            return;
        };
        let payload = RtpPacket::parse(&datagram[..len]).map(|packet| packet.payload);
        // Without a number it is padding that fills up what a probe needs.
        let Some([high, low, payload @ ..]) = payload else { return };
        let stream = &mut self.streams[stream];
        let wire = u16::from_be_bytes([*high, *low]);
        if stream.tracking.accept(wire) == Arrival::Late {
            stream.missing.came(wire);
            figures.repaired += 1;
            figures.packets_received += 1;
            figures.bytes_received += bytes;
            stream.check(at, payload, self.clip.as_deref(), figures);
        }
    }

    fn find(&self, ssrc: u32) -> Option<usize> {
        if self.streams.get(self.last).is_some_and(|stream| stream.ssrc == ssrc) {
            return Some(self.last);
        }
        self.streams.binary_search_by_key(&ssrc, |stream| stream.ssrc).ok()
    }

    fn begin(&mut self, at: Time, ssrc: u32, format: Format, seq: u16) -> Option<usize> {
        if self.streams.len() >= MAX_STREAMS {
            return None;
        }
        let place = self.streams.partition_point(|stream| stream.ssrc < ssrc);
        let stream = Stream::new(at, ssrc, format, seq);
        self.next_ask = self.next_ask.min(stream.ask_at());
        self.streams.insert(place, stream);
        Some(place)
    }
}
