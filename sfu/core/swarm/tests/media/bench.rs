//! Keys, an outbox and a clock, without a network.

use std::sync::Arc;
use std::time::Duration;

use arrayvec::ArrayVec;
use rtc::command::{Extension, ExtensionIds, Mid, Rid};
use rtc::event::SrtpProfile;
use rtc::outbox::Outbox;
use rtc::path::Path;
use rtc::rtp::RtpPacket;
use rtc::rtp::dependency::{self, Descriptor};
use rtc::transport::srtp::{Keys, Receiver, Sender, Side};
use rtc::units::{Pt, Time};
use swarm::audio::{AudioConfig, AudioSource};
use swarm::clip::Clip;
use swarm::codec::VideoCodec;
use swarm::figures::Figures;
use swarm::line::{Line, Uplink};
use swarm::reception::{Format, Formats, Reception};
use swarm::video::{Amount, EncodingConfig, VideoConfig, VideoSource};

pub(crate) const VIDEO_PT: Pt = Pt(96);
pub(crate) const RTX_PT: Pt = Pt(97);
pub(crate) const AUDIO_PT: Pt = Pt(111);
const DEPENDENCY: Extension = Extension::DependencyDescriptor;
pub(crate) const STEP: Duration = Duration::from_millis(1);

/// One participant's way out and another's way in.
pub(crate) struct Bench {
    pub(crate) now: Time,
    pub(crate) figures: Figures,
    pub(crate) receiver: Receiver,
    sender: Sender,
    uplink: Uplink,
    outbox: Outbox,
}

impl Bench {
    pub(crate) fn new() -> Bench {
        let keys = Keys::from_exporter(SrtpProfile::AeadAes128Gcm, &[7; 56]).unwrap();
        let mut ids = ExtensionIds::default();
        let extensions =
            [Extension::Mid, Extension::Rid, Extension::RepairedRid, Extension::TransportCc, DEPENDENCY];
        for (id, extension) in extensions.into_iter().enumerate() {
            ids.set(extension, id as u8 + 1);
        }
        let path = Path { socket: 0, remote: "192.0.2.1:10000".parse().unwrap() };
        Bench {
            now: Time::from_millis(1_000),
            figures: Figures::default(),
            receiver: keys.receiver(Side::Server).unwrap(),
            sender: keys.sender(Side::Client).unwrap(),
            uplink: Uplink::new(path, ids),
            outbox: Outbox::new(4_000),
        }
    }

    /// Lets `act` send, and returns the datagrams.
    pub(crate) fn sent(&mut self, act: impl FnOnce(&mut Line<'_>)) -> Vec<Vec<u8>> {
        act(&mut self.uplink.line(self.now, &mut self.sender, &mut self.outbox, &mut self.figures));
        let sent = self.outbox.iter().map(|(_, datagram)| datagram.to_vec()).collect();
        self.outbox.clear();
        sent
    }

    /// Lets a camera run for some time, in steps of a millisecond.
    pub(crate) fn shoot(&mut self, camera: &mut VideoSource, time: Duration) -> Vec<Vec<u8>> {
        let (end, mut sent) = (self.now + time, Vec::new());
        while self.now < end {
            self.now = self.now + STEP;
            if camera.poll_timeout() <= self.now {
                sent.extend(self.sent(|line| camera.handle_timeout(line)));
            }
        }
        sent
    }

    /// Lets a microphone run for some time, in steps of a millisecond.
    pub(crate) fn speak(&mut self, microphone: &mut AudioSource, time: Duration) -> Vec<Vec<u8>> {
        let (end, mut sent) = (self.now + time, Vec::new());
        while self.now < end {
            self.now = self.now + STEP;
            if microphone.poll_timeout() <= self.now {
                sent.extend(self.sent(|line| microphone.handle_timeout(line)));
            }
        }
        sent
    }

    /// Hands a datagram to a receiver after `delay`.
    pub(crate) fn arrive(&mut self, reception: &mut Reception, datagram: &[u8], delay: Duration) {
        let at = self.now + delay;
        reception.handle_rtp(at, &mut datagram.to_vec(), &mut self.receiver, &mut self.figures);
    }

    /// Bytes of a datagram's payload.
    pub(crate) fn payload_len(&mut self, datagram: &[u8]) -> usize {
        RtpPacket::parse(&self.open(datagram)).unwrap().payload.len()
    }

    /// The decrypted packet.
    pub(crate) fn open(&mut self, datagram: &[u8]) -> Vec<u8> {
        let mut packet = datagram.to_vec();
        let len = self.receiver.unprotect_rtp(self.now, &mut packet).unwrap();
        packet.truncate(len);
        packet
    }
}

/// Three encodings at 30 pictures a second.
pub(crate) fn camera(now: Time, amount: Amount) -> VideoSource {
    let encoding = |number: u32, rid: &str, kilobits| EncodingConfig {
        rid: Some(Rid::from(rid).unwrap()),
        ssrc: 0x10 + number,
        rtx_ssrc: 0x20 + number,
        kilobits: ArrayVec::from_iter([kilobits]),
    };
    let config = VideoConfig {
        mid: Mid::from("cam").unwrap(),
        codec: VideoCodec::Vp8,
        pt: VIDEO_PT,
        rtx_pt: Some(RTX_PT),
        interval: Duration::from_secs(1) / 30,
        amount,
        encodings: ArrayVec::from([encoding(0, "q", 150), encoding(1, "h", 500), encoding(2, "f", 1_700)]),
        phase: STEP,
    };
    VideoSource::new(now, config)
}

pub(crate) fn microphone(now: Time, spurts: bool) -> AudioSource {
    let config = AudioConfig {
        mid: Mid::from("mic").unwrap(),
        pt: AUDIO_PT,
        ssrc: 0x30,
        interval: Duration::from_millis(20),
        bytes: 120,
        spurts,
        phase: STEP,
        seed: 1,
    };
    AudioSource::new(now, config)
}

/// One encoding in three temporal layers, at 30 pictures a second.
pub(crate) fn layered_camera(now: Time, codec: VideoCodec, amount: Amount) -> VideoSource {
    spatial_camera(now, codec, amount, &[600])
}

/// The same with spatial layers of these bit rates.
pub(crate) fn spatial_camera(now: Time, codec: VideoCodec, amount: Amount, kilobits: &[u32]) -> VideoSource {
    let config = VideoConfig {
        mid: Mid::from("cam").unwrap(),
        codec,
        pt: VIDEO_PT,
        rtx_pt: Some(RTX_PT),
        interval: Duration::from_secs(1) / 30,
        amount,
        encodings: ArrayVec::from_iter([EncodingConfig {
            rid: None,
            ssrc: 0x10,
            rtx_ssrc: 0x20,
            kilobits: kilobits.iter().copied().collect(),
        }]),
        phase: STEP,
    };
    VideoSource::new(now, config)
}

/// The dependency descriptor of a decrypted packet.
pub(crate) fn dependency(packet: &RtpPacket<'_>) -> Option<Descriptor> {
    let (_, data) = packet.extensions.clone().find(|(id, _)| *id == 5)?;
    dependency::read(data)
}

pub(crate) fn reception(check_every: u32) -> Reception {
    reception_of(VideoCodec::Vp8, check_every)
}

pub(crate) fn reception_of(codec: VideoCodec, check_every: u32) -> Reception {
    let mut formats = Formats::default();
    formats.set(VIDEO_PT, Format::Video(codec));
    formats.set(RTX_PT, Format::Resend);
    formats.set(AUDIO_PT, Format::Opus);
    Reception::new(formats, check_every)
}

/// A clip of one encoding and four pictures, of which the first is a key frame.
pub(crate) fn layered_clip(codec: VideoCodec) -> Arc<Clip> {
    let picture = |number: u8| {
        let payload = |n: u8| {
            let mut payload = vec![0x40 + 16 * number + n; 500 + usize::from(n)];
            if codec == VideoCodec::Av1 {
                payload[0] = if number == 0 && n == 0 { 0x18 } else { 0x90 };
            }
            payload
        };
        (number == 0, (0..if number == 0 { 4 } else { 2 }).map(payload).collect())
    };
    Arc::new(Clip::new(codec, &[(0..4).map(picture).collect()]).unwrap())
}

/// A clip of three spatial layers and four pictures, of which the first is a key frame, whose last frame ends with the
/// index of three.
pub(crate) fn spatial_clip() -> Arc<Clip> {
    let frame = |layer: u8, number: u8| {
        let mut payloads: Vec<_> = (0..=layer).map(|n| vec![64 * layer + 8 * number + n; 300]).collect();
        if let Some(last) = payloads.last_mut().filter(|_| layer == 2) {
            last.extend([0xda; 14]);
        }
        (number == 0, payloads)
    };
    let layer = |layer| (0..4).map(|number| frame(layer, number)).collect();
    Arc::new(Clip::new(VideoCodec::Vp9, &[layer(0), layer(1), layer(2)]).unwrap())
}

/// A clip of three encodings and two pictures each, of which the first is a key frame.
pub(crate) fn clip() -> Arc<Clip> {
    let picture = |encoding: usize, key: bool| {
        let payload = |n: usize| {
            let mut payload = vec![(16 * encoding + n) as u8; 300 + 100 * encoding + n];
            payload[0] = u8::from(!(key && n == 0));
            payload
        };
        (key, (0..if key { 4 } else { 2 }).map(payload).collect())
    };
    let encoding = |number| vec![picture(number, true), picture(number, false)];
    Arc::new(Clip::new(VideoCodec::Vp8, &[encoding(0), encoding(1), encoding(2)]).unwrap())
}
