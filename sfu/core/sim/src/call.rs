//! A ready call: publishers of sound and picture, and subscribers who get all of it.

use std::net::SocketAddr;
use std::time::Duration;

use arrayvec::ArrayVec;
use rtc::command::{
    Codec, Command, EncodingParams, LayerPlan, MediaKind, Mid, PayloadMap, PayloadParams, SubscriptionParams,
    TrackParams,
};
use rtc::id::{SubscriptionId, TrackId, TransportId};
use rtc::units::{Pt, SeqNo, Ssrc};

use crate::network::Link;
use crate::world::World;

/// Payload type of VP8 in the simulated offers.
pub const VIDEO_PT: Pt = Pt(96);
/// Payload type of retransmitted VP8.
pub const VIDEO_RTX_PT: Pt = Pt(97);
/// SSRC of the first publisher's picture; later publishers count on from it.
pub const VIDEO_SSRC: u32 = 0x0a00_0000;

/// A world in which everybody has connected and all subscriptions are made.
pub struct Call {
    /// Browsers 0 to `publishers - 1` publish one picture each; the others receive them all.
    pub world: World,
    /// The published pictures, in the order of the publishers.
    pub tracks: Vec<TrackId>,
    /// Their mirrors on other workers.
    pub mirrors: Vec<TrackId>,
    next: Vec<SeqNo>,
    frames: u32,
}

impl Call {
    /// Lets everybody join and connect over `link`.
    ///
    /// # Panics
    /// If somebody is not connected after ten seconds.
    pub fn new(link: Link, seed: u64, publishers: usize, subscribers: usize) -> Call {
        let address = |number: usize| SocketAddr::from(([198, 51, 100, number as u8 + 1], 40_000));
        let addresses: Vec<_> = (0..publishers + subscribers).map(address).collect();
        Call::at(link, seed, publishers, &addresses)
    }

    /// The same for people at these addresses, the publishers first.
    ///
    /// # Panics
    /// If somebody is not connected after ten seconds.
    pub fn at(link: Link, seed: u64, publishers: usize, addresses: &[SocketAddr]) -> Call {
        let people: Vec<_> = addresses.iter().map(|address| (0, *address)).collect();
        Call::across(link, seed, publishers, 1, &people)
    }

    /// The same for people whose transports are on these of several workers.
    ///
    /// # Panics
    /// If somebody is not connected after ten seconds.
    pub fn across(
        link: Link,
        seed: u64,
        publishers: usize,
        workers: u8,
        people: &[(u8, SocketAddr)],
    ) -> Call {
        let mut world = World::with_workers(link, seed, workers);
        let people: Vec<usize> =
            people.iter().map(|&(worker, address)| world.join_at(worker, address)).collect();
        world.run_for(Duration::from_secs(10));
        assert!(people.iter().all(|&person| world.browser(person).is_connected()), "somebody is missing");
        let tracks: Vec<TrackId> = (0..publishers).map(|number| publish(&mut world, number)).collect();
        let (mut next, mut mirrors) = (0, Vec::new());
        for &subscriber in &people[publishers..] {
            for (number, &track) in tracks.iter().enumerate() {
                let to = world.transport(subscriber);
                let params = picture(world.transport(number), &[VIDEO_SSRC + number as u32]);
                let seen = seen_from(&mut world, &mut mirrors, track, to.worker(), params);
                deliver(&mut world, next, seen, to, 0);
                next += 1;
            }
        }
        Call { world, tracks, mirrors, next: vec![SeqNo(1); publishers], frames: 0 }
    }

    /// Lets the first publisher protect `frames` VP8 frames, the first ever a key frame, and returns their datagrams
    /// unsent.
    pub fn record_video(
        &mut self,
        pt: Pt,
        frames: usize,
        packets_per_frame: usize,
        payload_bytes: usize,
    ) -> Vec<Vec<Vec<u8>>> {
        (0..frames)
            .map(|_| {
                let key = self.frames == 0;
                self.frames += 1;
                self.record_frame(0, pt, key, packets_per_frame, payload_bytes)
            })
            .collect()
    }

    /// Lets a publisher protect a frame and returns its datagrams unsent.
    pub fn record_frame(
        &mut self,
        publisher: usize,
        pt: Pt,
        key: bool,
        packets: usize,
        payload_bytes: usize,
    ) -> Vec<Vec<u8>> {
        let ssrc = VIDEO_SSRC + publisher as u32;
        let frame = self.frames;
        for number in 0..packets {
            let seq = self.next[publisher];
            let marker = number + 1 == packets;
            let payload = vp8_payload(frame as u16, number == 0, key, payload_bytes);
            let packet = rtp_packet(pt, marker, seq, frame.wrapping_mul(3_000), ssrc, &payload);
            self.world.browser(publisher).send_rtp(seq, &packet);
            self.next[publisher] = seq.next();
        }
        self.world.take_outgoing(publisher)
    }

    /// Lets every publisher send a key frame at the same moment, and a thirtieth of a second pass.
    pub fn shoot_all(&mut self, pt: Pt, packets: usize, payload_bytes: usize) {
        self.frames += 1;
        for publisher in 0..self.tracks.len() {
            for datagram in self.record_frame(publisher, pt, true, packets, payload_bytes) {
                self.world.browser(publisher).send_raw(datagram);
            }
        }
        self.world.run_for(Duration::from_millis(33));
    }
}

fn publish(world: &mut World, number: usize) -> TrackId {
    let transport = world.transport(number);
    let track = TrackId::new(transport.worker(), number as u32, 1);
    let params = Box::new(picture(transport, &[VIDEO_SSRC + number as u32]));
    world.command_to(transport.worker(), Command::AddTrack { track, params });
    track
}

/// A picture in VP8 with an encoding for each SSRC.
pub fn picture(transport: TransportId, ssrcs: &[u32]) -> TrackParams {
    let payload = PayloadParams {
        pt: VIDEO_PT,
        codec: Codec::Vp8,
        clock_rate: 90_000,
        rtx_pt: Some(VIDEO_RTX_PT),
        nack: true,
        pli: true,
        fir: true,
        transport_cc: true,
    };
    let encoding = |ssrc: &u32| EncodingParams { rid: None, ssrc: Some(Ssrc(*ssrc)), rtx_ssrc: None };
    TrackParams {
        transport,
        kind: MediaKind::Video,
        mid: Mid::from("1").expect("short"),
        payloads: ArrayVec::from_iter([payload]),
        encodings: ssrcs.iter().map(encoding).collect(),
    }
}

/// The track itself or its mirror on `worker`, which is made if it is not among `mirrors`.
pub fn seen_from(
    world: &mut World,
    mirrors: &mut Vec<TrackId>,
    track: TrackId,
    worker: u8,
    params: TrackParams,
) -> TrackId {
    if track.worker() == worker {
        return track;
    }
    let mirror = TrackId::new(worker, 100 + track.slot() as u32, 1);
    if !mirrors.contains(&mirror) {
        mirrors.push(mirror);
        world.command_to(worker, Command::AddMirror { mirror, of: track, params: Box::new(params) });
        world.command_to(track.worker(), Command::Relay { track, mirror });
    }
    mirror
}

/// Delivers a picture under the SSRCs of `number`.
pub fn deliver(
    world: &mut World,
    number: u32,
    track: TrackId,
    to: TransportId,
    encoding: u8,
) -> SubscriptionId {
    let subscription = SubscriptionId::new(to.worker(), number, 1);
    let params = SubscriptionParams {
        track,
        transport: to,
        mid: Mid::from("2").expect("short"),
        ssrc: Ssrc(0x0b00_0000 + number),
        rtx_ssrc: Some(Ssrc(0x0c00_0000 + number)),
        payloads: ArrayVec::from_iter([PayloadMap {
            up: VIDEO_PT,
            down: VIDEO_PT,
            down_rtx: Some(VIDEO_RTX_PT),
            strip_red: false,
        }]),
        plan: LayerPlan { encoding: Some(encoding), temporal: 255 },
    };
    world.command_to(to.worker(), Command::Subscribe { subscription, params: Box::new(params) });
    subscription
}

/// An RTP packet without header extensions.
fn rtp_packet(pt: Pt, marker: bool, seq: SeqNo, timestamp: u32, ssrc: u32, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, pt.0 | if marker { 0x80 } else { 0 }];
    packet.extend_from_slice(&seq.wire().to_be_bytes());
    packet.extend_from_slice(&timestamp.to_be_bytes());
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.extend_from_slice(payload);
    packet
}

/// A VP8 payload with a 15-bit picture id (RFC 7741, section 4.2) and bytes that need not decode.
fn vp8_payload(picture: u16, first: bool, key: bool, bytes: usize) -> Vec<u8> {
    let picture = 0x8000 | picture & 0x7fff;
    let mut payload = vec![0x80 | if first { 0x10 } else { 0 }, 0x80];
    payload.extend_from_slice(&picture.to_be_bytes());
    payload.push(if key { 0x00 } else { 0x01 });
    payload.resize(bytes.max(payload.len()), 0x5a);
    payload
}
