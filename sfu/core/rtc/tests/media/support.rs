//! A router with peers around it, and the packets they would send.

#![allow(dead_code)] // the allocation test uses a part of it

use std::collections::BTreeMap;
use std::time::Duration;

use rtc::command::*;
use rtc::counters::Counters;
use rtc::drop_reason::DropReason;
use rtc::event::Event;
use rtc::id::{SubscriptionId, TrackId, TransportId};
use rtc::outbox::TrafficClass;
use rtc::route::{Router, RouterConfig};
use rtc::rtp::{ExtensionWriter, FixedHeader, MAX_HEADER, RtpPacket};
use rtc::send::{Outgoing, PacketSink};
use rtc::units::{Pt, RtpTime, SeqNo, Ssrc, Time};

pub(crate) const PUBLISHER: TransportId = TransportId::new(0, 0, 1);
pub(crate) const ALICE: TransportId = TransportId::new(0, 1, 1);
pub(crate) const BOB: TransportId = TransportId::new(0, 2, 1);
pub(crate) const VIDEO: TrackId = TrackId::new(0, 0, 1);
pub(crate) const AUDIO: TrackId = TrackId::new(0, 1, 1);

pub(crate) const VP8: Pt = Pt(96);
pub(crate) const VP8_RTX: Pt = Pt(97);
pub(crate) const OPUS: Pt = Pt(111);
pub(crate) const RED: Pt = Pt(63);

/// The ids that the publisher and the subscribers negotiated: different ones on purpose.
pub(crate) const MID_UP: u8 = 1;
pub(crate) const RID_UP: u8 = 2;
pub(crate) const REPAIRED_UP: u8 = 3;
pub(crate) const LEVEL_UP: u8 = 4;
pub(crate) const CC_UP: u8 = 5;
pub(crate) const DESCRIPTOR_UP: u8 = 6;
pub(crate) const MID_DOWN: u8 = 7;
pub(crate) const LEVEL_DOWN: u8 = 8;
pub(crate) const DESCRIPTOR_DOWN: u8 = 9;

/// A packet as a subscriber received it.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) to: TransportId,
    pub(crate) class: TrafficClass,
    pub(crate) index: SeqNo,
    pub(crate) bytes: Vec<u8>,
}

impl Got {
    pub(crate) fn packet(&self) -> RtpPacket<'_> {
        RtpPacket::parse(&self.bytes).expect("what we send is well-formed")
    }

    /// (picture id, TL0PICIDX) of a VP8 packet with both.
    pub(crate) fn picture(&self) -> (u16, u8) {
        let payload = self.packet().payload;
        (u16::from_be_bytes([payload[2], payload[3]]) & 0x7fff, payload[4])
    }

    /// What the publisher put behind the descriptor: frame and packet.
    pub(crate) fn content(&self) -> (u32, u8) {
        let payload = self.packet().payload;
        let rest = &payload[payload.len() - 6..];
        (u32::from_be_bytes([rest[0], rest[1], rest[2], rest[3]]), rest[4])
    }
}

/// Records what is sent and checks what must hold for every packet.
#[derive(Default)]
pub(crate) struct Sink {
    pub(crate) room: Option<usize>,
    pub(crate) rtp: Vec<Got>,
    pub(crate) rtcp: Vec<(TransportId, Vec<u8>)>,
    indices: BTreeMap<(TransportId, u32, u64), Vec<u8>>,
}

impl PacketSink for Sink {
    fn room(&self) -> usize {
        self.room.unwrap_or(usize::MAX)
    }

    fn send_rtp(&mut self, to: TransportId, packet: &Outgoing<'_>) -> bool {
        if let Some(room) = &mut self.room {
            assert!(*room > 0, "sent without room");
            *room -= 1;
        }
        let Outgoing { index, class, .. } = *packet;
        let bytes = [packet.header, packet.prefix, packet.payload, packet.filler].concat();
        let packet = RtpPacket::parse(&bytes).expect("what we send is well-formed");
        assert_eq!(packet.seq, index.wire());
        // Two packets under one SRTP index would give the key away.
        let known = self.indices.entry((to, packet.ssrc.0, index.0)).or_insert_with(|| bytes.clone());
        assert_eq!(*known, bytes, "another packet under the same index");
        self.rtp.push(Got { to, class, index, bytes });
        true
    }

    fn send_rtcp(&mut self, to: TransportId, compound: &[u8]) -> bool {
        if let Some(room) = &mut self.room {
            assert!(*room > 0, "sent without room");
            *room -= 1;
        }
        self.rtcp.push((to, compound.to_vec()));
        true
    }
}

impl Sink {
    pub(crate) fn take(&mut self) -> Vec<Got> {
        std::mem::take(&mut self.rtp)
    }

    pub(crate) fn take_rtcp(&mut self) -> Vec<(TransportId, Vec<u8>)> {
        std::mem::take(&mut self.rtcp)
    }
}

/// A router, its clock and what came out of it.
pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) counters: Counters,
    pub(crate) sink: Sink,
    pub(crate) now: Time,
    pub(crate) events: Vec<Event>,
}

impl World {
    pub(crate) fn new() -> World {
        World::gathering(Duration::ZERO)
    }

    /// One in which sound of many for many waits so long.
    pub(crate) fn gathering(audio_gather: Duration) -> World {
        let counters = Counters::new(16);
        let config = RouterConfig {
            worker: 0,
            transports: 16,
            tracks: 128,
            subscriptions: 1_024,
            audio_gather,
            seed: [7; 32],
        };
        let now = Time::from_millis(1_000);
        let router = Router::new(config, counters.clone());
        let mut world = World { router, counters, sink: Sink::default(), now, events: Vec::new() };
        [PUBLISHER, ALICE, BOB].into_iter().for_each(|transport| world.join(transport));
        world
    }

    /// Somebody is there.
    pub(crate) fn join(&mut self, transport: TransportId) {
        self.router.add_transport(self.now, transport);
        self.counters.open_row(transport);
        self.router.set_connected(self.now, transport);
        let ids = if transport == PUBLISHER {
            [
                (Extension::Mid, MID_UP),
                (Extension::Rid, RID_UP),
                (Extension::RepairedRid, REPAIRED_UP),
                (Extension::AudioLevel, LEVEL_UP),
                (Extension::TransportCc, CC_UP),
                (Extension::DependencyDescriptor, DESCRIPTOR_UP),
            ]
            .to_vec()
        } else {
            [
                (Extension::Mid, MID_DOWN),
                (Extension::AudioLevel, LEVEL_DOWN),
                (Extension::DependencyDescriptor, DESCRIPTOR_DOWN),
            ]
            .to_vec()
        };
        let mut extensions = ExtensionIds::default();
        ids.into_iter().for_each(|(extension, id)| extensions.set(extension, id));
        self.router.set_extensions(transport, extensions);
    }

    /// Takes in a packet of the publisher and sends on what it causes.
    pub(crate) fn publish(&mut self, packet: &[u8]) -> Result<(), DropReason> {
        let result = self.router.handle_rtp(self.now, PUBLISHER, packet);
        self.settle();
        result
    }

    pub(crate) fn publish_all(&mut self, packets: &[Vec<u8>]) {
        for packet in packets {
            self.router.handle_rtp(self.now, PUBLISHER, packet).expect("a good packet");
        }
        self.settle();
    }

    pub(crate) fn rtcp(&mut self, from: TransportId, compound: &[u8]) -> Result<(), DropReason> {
        let result = self.router.handle_rtcp(self.now, from, compound);
        self.settle();
        result
    }

    /// Does what is due now, as a worker does after each batch.
    pub(crate) fn settle(&mut self) {
        self.router.flush(self.now, &mut self.sink);
        while self.router.poll_timeout().is_some_and(|(at, _)| at <= self.now) {
            self.router.handle_timeout(self.now, &mut self.sink);
            self.router.flush(self.now, &mut self.sink);
        }
        while let Some(event) = self.router.poll_event() {
            self.events.push(event);
        }
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        while let Some((at, _)) = self.router.poll_timeout().filter(|(at, _)| *at <= end) {
            self.now = self.now.max(at);
            self.settle();
        }
        self.now = end;
        self.settle();
    }

    pub(crate) fn add_video(&mut self, encodings: usize) {
        self.add_camera(Codec::Vp8, encodings);
    }

    pub(crate) fn add_h264(&mut self) {
        self.add_camera(Codec::H264, 1);
    }

    fn add_camera(&mut self, codec: Codec, encodings: usize) {
        let rids = ["q", "h", "f"];
        let encodings = (0..encodings).map(|i| EncodingParams {
            rid: (encodings > 1).then(|| Rid::from(rids[i]).unwrap()),
            ..EncodingParams::default()
        });
        let payload = PayloadParams {
            pt: VP8,
            codec,
            clock_rate: 90_000,
            rtx_pt: Some(VP8_RTX),
            nack: true,
            pli: true,
            fir: true,
            transport_cc: true,
        };
        let params = TrackParams {
            transport: PUBLISHER,
            kind: MediaKind::Video,
            mid: Mid::from("1").unwrap(),
            payloads: [payload].into_iter().collect(),
            encodings: encodings.collect(),
        };
        self.router.add_track(VIDEO, &params);
    }

    pub(crate) fn add_audio(&mut self) {
        self.add_voice(AUDIO, "0");
    }

    /// A track of sound in the section `mid`.
    pub(crate) fn add_voice(&mut self, id: TrackId, mid: &str) {
        let opus = PayloadParams {
            pt: OPUS,
            codec: Codec::Opus,
            clock_rate: 48_000,
            rtx_pt: None,
            nack: false,
            pli: false,
            fir: false,
            transport_cc: true,
        };
        let red = PayloadParams { pt: RED, codec: Codec::Red, ..opus };
        let params = TrackParams {
            transport: PUBLISHER,
            kind: MediaKind::Audio,
            mid: Mid::from(mid).unwrap(),
            payloads: [opus, red].into_iter().collect(),
            encodings: [EncodingParams::default()].into_iter().collect(),
        };
        self.router.add_track(id, &params);
    }

    /// Subscribes `to` under the SSRC 1,000 + `slot`, with retransmissions under 2,000 + `slot` if `rtx`.
    pub(crate) fn subscribe(
        &mut self,
        slot: u32,
        track: TrackId,
        to: TransportId,
        plan: LayerPlan,
        rtx: bool,
    ) -> SubscriptionId {
        let id = SubscriptionId::new(0, slot, 1);
        self.subscribe_as(id, track, to, plan, rtx);
        id
    }

    /// The same with any id.
    pub(crate) fn subscribe_as(
        &mut self,
        id: SubscriptionId,
        track: TrackId,
        to: TransportId,
        plan: LayerPlan,
        rtx: bool,
    ) {
        let slot = id.slot() as u32;
        let payloads: &[(Pt, Pt, Option<Pt>, bool)] = if track == VIDEO {
            &[(VP8, Pt(100), Some(Pt(101)), false)]
        } else {
            &[(OPUS, Pt(109), None, false), (RED, Pt(109), None, true)]
        };
        let params = SubscriptionParams {
            track,
            transport: to,
            mid: Mid::from("9").unwrap(),
            ssrc: Ssrc(1_000 + slot),
            rtx_ssrc: rtx.then_some(Ssrc(2_000 + slot)),
            payloads: payloads
                .iter()
                .map(|&(up, down, down_rtx, strip_red)| PayloadMap { up, down, down_rtx, strip_red })
                .collect(),
            plan,
        };
        self.router.subscribe(self.now, id, &params);
        self.settle();
    }
}

pub(crate) const ALL: LayerPlan = LayerPlan { encoding: Some(0), temporal: 255 };

pub(crate) fn plan(encoding: u8) -> LayerPlan {
    LayerPlan { encoding: Some(encoding), temporal: 255 }
}

/// One encoding of a camera.
pub(crate) struct Camera {
    pub(crate) ssrc: u32,
    pub(crate) rid: Option<&'static str>,
    pub(crate) seq: u16,
    pub(crate) timestamp: u32,
    pub(crate) picture: u16,
    pub tl0: u8,
    pub(crate) frame: u32,
    pub(crate) cc: Option<u16>,
}

impl Camera {
    pub(crate) fn new(ssrc: u32, rid: Option<&'static str>) -> Camera {
        // Each encoding has numbers of its own.
        let base = ssrc.wrapping_mul(7_919);
        Camera {
            ssrc,
            rid,
            seq: base as u16,
            timestamp: base.wrapping_mul(31),
            picture: base as u16 & 0x7fff,
            tl0: base as u8,
            frame: 0,
            cc: None,
        }
    }

    /// The packets of the next picture, in temporal layer `temporal`.
    pub(crate) fn picture(&mut self, key: bool, packets: u8, temporal: u8) -> Vec<Vec<u8>> {
        self.picture = (self.picture + 1) & 0x7fff;
        self.tl0 = self.tl0.wrapping_add(u8::from(temporal == 0));
        self.timestamp = self.timestamp.wrapping_add(3_000);
        self.frame += 1;
        (0..packets)
            .map(|i| {
                let first = if i == 0 { 0x90 } else { 0x80 };
                let [high, low] = (self.picture | 0x8000).to_be_bytes();
                let header = u8::from(!(key && i == 0));
                let mut payload = vec![first, 0xe0, high, low, self.tl0, temporal << 6, header];
                payload.extend([0xab; 40]);
                payload.extend(self.frame.to_be_bytes());
                payload.extend([i, 0]);
                self.packet(i + 1 == packets, &payload)
            })
            .collect()
    }

    /// The next packet with any payload.
    pub(crate) fn packet(&mut self, marker: bool, payload: &[u8]) -> Vec<u8> {
        let seq = self.seq;
        self.seq = self.seq.wrapping_add(1);
        let mut elements = vec![(MID_UP, b"1".to_vec())];
        if let Some(rid) = self.rid {
            elements.push((RID_UP, rid.as_bytes().to_vec()));
        }
        if let Some(cc) = &mut self.cc {
            elements.push((CC_UP, cc.to_be_bytes().to_vec()));
            *cc = cc.wrapping_add(1);
        }
        rtp(VP8, seq, self.timestamp, self.ssrc, marker, &elements, payload)
    }

    /// A retransmission of `packet` under another SSRC.
    pub(crate) fn repair(&self, packet: &[u8], ssrc: u32, seq: u16) -> Vec<u8> {
        let original = RtpPacket::parse(packet).unwrap();
        let mut payload = original.seq.to_be_bytes().to_vec();
        payload.extend(original.payload);
        let mut elements = vec![(MID_UP, b"1".to_vec())];
        if let Some(rid) = self.rid {
            elements.push((REPAIRED_UP, rid.as_bytes().to_vec()));
        }
        rtp(VP8_RTX, seq, original.timestamp.0, ssrc, original.marker, &elements, &payload)
    }
}

/// An Opus packet with an audio level, `below_full` dB below the loudest.
pub(crate) fn voice(ssrc: u32, seq: u16, below_full: u8) -> Vec<u8> {
    let elements = [(MID_UP, b"0".to_vec()), (LEVEL_UP, vec![0x80 | below_full])];
    rtp(OPUS, seq, u32::from(seq) * 960, ssrc, false, &elements, &[seq as u8; 60])
}

pub(crate) fn rtp(
    pt: Pt,
    seq: u16,
    timestamp: u32,
    ssrc: u32,
    marker: bool,
    elements: &[(u8, Vec<u8>)],
    payload: &[u8],
) -> Vec<u8> {
    let mut out = [0; MAX_HEADER];
    let fixed =
        FixedHeader { marker, pt, seq, timestamp: RtpTime(timestamp), ssrc: Ssrc(ssrc), padding: false };
    let at = fixed.write(&[], &mut out);
    let mut writer = ExtensionWriter::new(&mut out, at);
    for (id, data) in elements {
        writer.push(*id, data);
    }
    let len = writer.finish();
    let mut packet = out[..len].to_vec();
    packet.extend(payload);
    packet
}
