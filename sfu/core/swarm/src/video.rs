//! A synthetic camera: pictures of up to three encodings at their time, key frames when asked for, lost packets again.

use std::sync::Arc;
use std::time::Duration;

use arrayvec::ArrayVec;
use rtc::command::{Extension, MAX_ENCODINGS, Mid, Rid};
use rtc::outbox::TrafficClass;
use rtc::rtcp::{Composer, NtpTime, SenderInfo};
use rtc::units::{Pt, RtpTime, SeqNo, Ssrc, Time};

use crate::clip::Clip;
use crate::codec::{FULL, VideoCodec};
use crate::history::{History, Past};
use crate::layers::{Frame, MAX_SPATIAL, Step};
use crate::line::{Head, Line, MAX_PAYLOAD};
use crate::look::{Look, Place};

/// A key frame is so many times as large as a picture that builds on the one before.
const KEY_FRAME_FACTOR: usize = 5;
/// More behind than this, pictures are left out rather than made up for.
const HOPELESS: Duration = Duration::from_millis(250);
/// A picture that leaves later than this was held up by the tool itself.
const LATE: Duration = Duration::from_millis(2);

/// How large pictures are.
#[derive(Clone)]
pub enum Amount {
    /// Of the bit rate of their encoding; key frames are larger.
    Rate,
    /// Always so many packets of so many payload bytes.
    Packets(u16, u16),
    /// As an encoder made them; the clip has the camera's codec and encodings.
    Clip(Arc<Clip>),
}

/// One encoding of a camera: a stream of its own.
#[derive(Debug, Clone)]
pub struct EncodingConfig {
    /// Stream id for the header extension, with simulcast.
    pub rid: Option<Rid>,
    /// Of its packets.
    pub ssrc: u32,
    /// Of its resends.
    pub rtx_ssrc: u32,
    /// Thousands of bits a second of each spatial layer, the smallest first. More than one has only VP9.
    pub kilobits: ArrayVec<u32, MAX_SPATIAL>,
}

/// What a camera is made from.
#[derive(Clone)]
pub struct VideoConfig {
    /// The section it is sent in.
    pub mid: Mid,
    /// What it pretends to be.
    pub codec: VideoCodec,
    /// Payload type.
    pub pt: Pt,
    /// Payload type of resends; without one nothing is sent again.
    pub rtx_pt: Option<Pt>,
    /// Time from one picture to the next.
    pub interval: Duration,
    /// How large pictures are.
    pub amount: Amount,
    /// From the lowest to the highest.
    pub encodings: ArrayVec<EncodingConfig, MAX_ENCODINGS>,
    /// The first picture comes so long after the start, so that not all cameras shoot at once.
    pub phase: Duration,
}

/// A camera that runs.
pub struct VideoSource {
    config: VideoConfig,
    due: Time,
    encodings: ArrayVec<Encoding, MAX_ENCODINGS>,
}

struct Encoding {
    config: EncodingConfig,
    /// How many spatial layers are sent; none if it is not wanted at all.
    layers: u8,
    key_wanted: bool,
    next: SeqNo,
    next_rtx: SeqNo,
    step: Step,
    /// Which picture of a clip comes next.
    scene: usize,
    history: Option<History>,
    packets: u32,
    bytes: u32,
}

impl VideoSource {
    /// A camera that begins to shoot as soon as its participant is connected.
    pub fn new(now: Time, config: VideoConfig) -> VideoSource {
        let stride = match config.amount {
            Amount::Rate | Amount::Clip(_) => FULL,
            Amount::Packets(_, bytes) => usize::from(bytes).clamp(config.codec.least(), MAX_PAYLOAD),
        };
        let encoding = |encoding: &EncodingConfig| Encoding {
            layers: encoding.kilobits.len() as u8,
            key_wanted: true,
            next: SeqNo(u64::from(encoding.ssrc & 0x3fff)),
            next_rtx: SeqNo(1),
            step: Step::START,
            scene: 0,
            history: config.rtx_pt.map(|_| History::new(stride)),
            packets: 0,
            bytes: 0,
            config: encoding.clone(),
        };
        VideoSource {
            due: now + config.phase,
            encodings: config.encodings.iter().map(encoding).collect(),
            config,
        }
    }

    /// When the next picture is due.
    pub fn poll_timeout(&self) -> Time {
        self.due
    }

    /// Sends the pictures that are due.
    pub fn handle_timeout(&mut self, line: &mut Line<'_>) {
        let behind = line.now.since(self.due);
        if behind > HOPELESS {
            self.due = line.now;
        }
        while self.due <= line.now {
            line.figures.late += u64::from(line.now.since(self.due) > LATE);
            for number in 0..self.encodings.len() {
                self.shoot(number, line);
            }
            self.due = self.due + self.config.interval;
        }
    }

    /// Sends only the encodings whose bit is set from now on, the lowest is bit 0; new ones begin with a key frame. Of
    /// spatial layers it sends those up to the highest bit that is set.
    pub fn set_active(&mut self, mask: u8) {
        for (number, encoding) in self.encodings.iter_mut().enumerate() {
            let layers = match encoding.config.kilobits.len() as u8 {
                1 => mask >> number & 1,
                all => all.min((u8::BITS - mask.leading_zeros()) as u8),
            };
            encoding.key_wanted |= layers > encoding.layers;
            encoding.layers = layers;
        }
    }

    /// Makes the next picture of `ssrc` a key frame; false if it is not a stream of this camera.
    pub fn want_key_frame(&mut self, ssrc: u32) -> bool {
        let encoding = self.encodings.iter_mut().find(|encoding| encoding.config.ssrc == ssrc);
        encoding.map(|encoding| encoding.key_wanted = true).is_some()
    }

    /// Sends packets of `ssrc` again; false if it is not a stream of this camera.
    pub fn resend(&mut self, ssrc: u32, lost: impl Iterator<Item = u16>, line: &mut Line<'_>) -> bool {
        let found = self.encodings.iter_mut().find(|encoding| encoding.config.ssrc == ssrc);
        let Some(encoding) = found else { return false };
        let (Some(history), Some(pt)) = (&encoding.history, self.config.rtx_pt) else { return true };
        for wire in lost {
            line.figures.resend_requests += 1;
            let Some(past) = history.find(wire) else { continue };
            let rid = encoding.config.rid.unwrap_or_default();
            let mut extensions = ArrayVec::<_, 3>::new();
            extensions.push((Extension::Mid, self.config.mid.as_bytes()));
            if encoding.config.rid.is_some() {
                extensions.push((Extension::RepairedRid, rid.as_bytes()));
            }
            if !past.dependency.is_empty() {
                extensions.push((Extension::DependencyDescriptor, past.dependency));
            }
            let head = Head {
                marker: past.marker,
                pt,
                number: encoding.next_rtx,
                timestamp: past.timestamp,
                ssrc: encoding.config.rtx_ssrc,
                extensions: &extensions,
            };
            encoding.next_rtx = encoding.next_rtx.next();
            let sent = line.send(&head, TrafficClass::Video, 2 + past.payload.len(), |payload| {
                payload[..2].copy_from_slice(&wire.to_be_bytes());
                payload[2..].copy_from_slice(past.payload);
            });
            line.figures.resent += u64::from(sent);
        }
        true
    }

    /// Says of every encoding how much was sent, and which timestamp is now.
    pub fn report(&self, now: Time, ntp: NtpTime, composer: &mut Composer) {
        for encoding in self.encodings.iter().filter(|encoding| encoding.packets > 0 && encoding.layers > 0) {
            let info = SenderInfo {
                ntp,
                rtp: RtpTime(timestamp(now)),
                packets: encoding.packets,
                bytes: encoding.bytes,
            };
            composer.sender_report(Ssrc(encoding.config.ssrc), &info, &[]);
        }
    }

    /// Sends the next picture of an encoding: a frame for each spatial layer.
    fn shoot(&mut self, number: usize, line: &mut Line<'_>) {
        let (config, encoding) = (&self.config, &mut self.encodings[number]);
        if encoding.layers == 0 {
            return;
        }
        let wanted = std::mem::take(&mut encoding.key_wanted);
        let scene = if wanted { 0 } else { encoding.scene };
        encoding.scene = config.scene_after(number, scene);
        for spatial in 0..encoding.layers {
            let place = number + usize::from(spatial);
            let kilobits = encoding.config.kilobits[usize::from(spatial)];
            let look = config.look(place, scene, kilobits, wanted);
            if spatial == 0 {
                line.figures.key_frames_sent += u64::from(look.is_key());
                encoding.step = encoding.step.next(look.is_key());
            }
            encoding.send(config, self.due, &look, (number, spatial), line);
        }
    }
}

impl Encoding {
    /// Sends the frame of one spatial layer.
    fn send(
        &mut self,
        config: &VideoConfig,
        due: Time,
        look: &Look<'_>,
        (number, spatial): (usize, u8),
        line: &mut Line<'_>,
    ) {
        let frame = Frame { step: self.step, spatial, of: self.config.kilobits.len() as u8 };
        let rid = self.config.rid.unwrap_or_default();
        for payload in 0..look.payloads() {
            let last = payload + 1 == look.payloads();
            let marker = last && spatial + 1 == self.layers;
            let mut dependency = ArrayVec::new();
            let mut extensions = ArrayVec::<_, 3>::new();
            extensions.push((Extension::Mid, config.mid.as_bytes()));
            if self.config.rid.is_some() {
                extensions.push((Extension::Rid, rid.as_bytes()));
            }
            if config.codec.is_layered() {
                dependency = frame.dependency(payload == 0, last);
                extensions.push((Extension::DependencyDescriptor, &dependency));
            }
            let head = Head {
                marker,
                pt: config.pt,
                number: self.next,
                timestamp: timestamp(due),
                ssrc: self.config.ssrc,
                extensions: &extensions,
            };
            let len = look.len(config.codec, frame, payload);
            let encoding = number as u8 + self.layers - 1;
            let place = Place { codec: config.codec, encoding, frame, payload, now: line.now };
            let history = &mut self.history;
            let sent = line.send(&head, TrafficClass::Video, len, |payload| {
                look.write(payload, &place);
                if let Some(history) = history {
                    let (timestamp, dependency) = (head.timestamp, &dependency[..]);
                    history.keep(head.number, &Past { marker, timestamp, dependency, payload });
                }
            });
            self.next = self.next.next();
            if sent {
                line.figures.packets_sent += 1;
                line.figures.bytes_sent += len as u64;
                self.packets = self.packets.wrapping_add(1);
                self.bytes = self.bytes.wrapping_add(len as u32);
            }
        }
    }
}

impl VideoConfig {
    /// Which picture of a clip comes after that one.
    fn scene_after(&self, encoding: usize, scene: usize) -> usize {
        match &self.amount {
            Amount::Clip(clip) => (scene + 1) % clip.pictures(encoding),
            Amount::Rate | Amount::Packets(..) => 0,
        }
    }

    /// One frame of a picture; of a key frame if one is wanted. A clip begins with one.
    fn look(&self, place: usize, scene: usize, kilobits: u32, key: bool) -> Look<'_> {
        let least = self.codec.least();
        match &self.amount {
            Amount::Clip(clip) => Look::Filmed(clip.picture(place, scene)),
            Amount::Packets(packets, bytes) => {
                let size = usize::from(*bytes).clamp(least, MAX_PAYLOAD);
                Look::Invented { key, payloads: usize::from(*packets), size, last_size: size }
            }
            Amount::Rate => {
                let bytes = kilobits as usize * self.interval.as_micros() as usize / 8_000;
                let bytes = if key { bytes * KEY_FRAME_FACTOR } else { bytes }.max(least);
                let payloads = bytes.div_ceil(FULL);
                let size = bytes.div_ceil(payloads).max(least);
                let last_size = (bytes - size * (payloads - 1)).max(least);
                Look::Invented { key, payloads, size, last_size }
            }
        }
    }
}

/// 90 kHz since the clock began.
fn timestamp(at: Time) -> u32 {
    (at.micros() * 9 / 100) as u32
}
