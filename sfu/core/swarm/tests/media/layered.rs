//! Streams of three temporal layers: what a forwarder reads of them, and what a receiver makes of them.

use std::time::Duration;

use rtc::command::Codec;
use rtc::rtp::{Picture, RtpPacket};
use swarm::codec::VideoCodec;
use swarm::stamp::{self, Content};
use swarm::video::Amount;

use crate::bench::{
    Bench, RTX_PT, dependency, layered_camera, layered_clip, reception_of, spatial_camera, spatial_clip,
};

const CODECS: [(VideoCodec, Codec); 2] = [(VideoCodec::Vp9, Codec::Vp9), (VideoCodec::Av1, Codec::Av1)];
/// Six pictures.
const SIX: Duration = Duration::from_millis(180);

#[test]
fn a_forwarder_learns_the_layer_of_every_picture_with_and_without_its_extension() {
    for (ours, theirs) in CODECS {
        // A clip's AV1 payloads are what is given: here none has its layer.
        let amounts =
            [Some(Amount::Rate), (ours == VideoCodec::Vp9).then(|| Amount::Clip(layered_clip(ours)))];
        for amount in amounts.into_iter().flatten() {
            let (mut bench, filmed) = (Bench::new(), matches!(amount, Amount::Clip(_)));
            let mut camera = layered_camera(bench.now, ours, amount);
            let sent: Vec<_> =
                bench.shoot(&mut camera, SIX).iter().map(|datagram| bench.open(datagram)).collect();
            let packets: Vec<_> = sent.iter().map(|packet| RtpPacket::parse(packet).unwrap()).collect();
            let structure = dependency(&packets[0]).unwrap().structure.unwrap();
            let (mut by_payload, mut by_extension, mut keys) = (Vec::new(), Vec::new(), 0);
            for packet in packets {
                let (picture, descriptor) =
                    (Picture::read(theirs, packet.payload), dependency(&packet).unwrap());
                keys += usize::from(picture.key_start);
                if descriptor.start {
                    by_payload.push(picture.temporal);
                    by_extension.push(structure.temporal(descriptor.template).unwrap());
                }
            }
            assert_eq!(by_payload, [0, 2, 1, 2, 0, 2], "{ours:?}");
            assert_eq!(by_extension, by_payload);
            assert_eq!(keys, if filmed { 2 } else { 1 }, "a clip of four pictures begins anew");
        }
    }
}

#[test]
fn a_packet_that_is_sent_again_tells_its_layer_too() {
    for (codec, _) in CODECS {
        let mut bench = Bench::new();
        let mut camera = layered_camera(bench.now, codec, Amount::Rate);
        let sent = bench.shoot(&mut camera, SIX);
        let lost = bench.open(&sent[sent.len() - 1]);
        let original = RtpPacket::parse(&lost).unwrap();
        let again = bench.sent(|line| assert!(camera.resend(0x10, [original.seq].into_iter(), line)));
        let opened = bench.open(&again[0]);
        let resent = RtpPacket::parse(&opened).unwrap();
        assert_eq!((resent.pt, &resent.payload[2..]), (RTX_PT, original.payload));
        assert_eq!(dependency(&resent).unwrap(), dependency(&original).unwrap());
    }
}

#[test]
fn a_key_frame_that_is_asked_for_begins_the_layers_anew() {
    for (ours, theirs) in CODECS {
        let mut bench = Bench::new();
        let mut camera = layered_camera(bench.now, ours, Amount::Clip(layered_clip(ours)));
        bench.shoot(&mut camera, Duration::from_millis(67));
        assert!(camera.want_key_frame(0x10));
        let sent = bench.shoot(&mut camera, Duration::from_millis(34));
        let opened = bench.open(&sent[0]);
        let packet = RtpPacket::parse(&opened).unwrap();
        assert!(Picture::read(theirs, packet.payload).key_start);
        assert!(dependency(&packet).unwrap().structure.is_some());
        assert_eq!(bench.figures.key_frames_sent, 2);
    }
}

#[test]
fn a_receiver_knows_all_payloads_and_reads_the_time_in_front_of_what_ends_a_picture() {
    for (codec, _) in CODECS {
        for amount in [Amount::Rate, Amount::Clip(layered_clip(codec))] {
            let (mut bench, mut reception) = (Bench::new(), reception_of(codec, 1));
            let mut camera = layered_camera(bench.now, codec, amount.clone());
            if let Amount::Clip(clip) = &amount {
                reception.know(clip.clone());
            }
            let sent = bench.shoot(&mut camera, SIX);
            for datagram in &sent {
                bench.arrive(&mut reception, datagram, Duration::ZERO);
            }
            let figures = &bench.figures;
            assert_eq!(figures.checked, sent.len() as u64);
            assert_eq!((figures.damaged, figures.foreign), (0, 0), "{codec:?}");
            let timed = if matches!(amount, Amount::Rate) { sent.len() } else { 6 };
            assert_eq!(figures.latency.counts().iter().sum::<u64>(), timed as u64);
        }
    }
}

#[test]
fn what_ends_a_picture_of_a_clip_stays_at_its_end() {
    for (codec, _) in CODECS {
        let mut bench = Bench::new();
        let clip = layered_clip(codec);
        let mut camera = layered_camera(bench.now, codec, Amount::Clip(clip));
        let sent = bench.shoot(&mut camera, Duration::from_millis(34));
        let opened = bench.open(&sent[3]);
        let payload = RtpPacket::parse(&opened).unwrap().payload;
        let (body, tail) = payload.split_at(payload.len() - codec.tail());
        assert!(tail.iter().all(|&byte| byte == 0x43), "as it was in the clip");
        assert!(matches!(stamp::read(body, codec.head()), Content::Ours { encoding: 0, .. }));
        assert_eq!(payload.len(), codec.head() + 503 + stamp::STAMP);
    }
}

/// What each packet is of: its picture's time, its spatial layer, whether it begins and ends a frame, and the marker.
fn frames(bench: &mut Bench, sent: &[Vec<u8>]) -> Vec<(u32, u8, bool, bool, bool)> {
    let read = |datagram: &Vec<u8>| {
        let opened = bench.open(datagram);
        let packet = RtpPacket::parse(&opened).unwrap();
        let (flags, layer) = (packet.payload[0], packet.payload[3] >> 1 & 7);
        (packet.timestamp.0, layer, flags & 8 != 0, flags & 4 != 0, packet.marker)
    };
    sent.iter().map(read).collect()
}

#[test]
fn every_picture_has_a_frame_of_each_size_and_ends_with_the_largest() {
    for amount in [Amount::Rate, Amount::Clip(spatial_clip())] {
        let mut bench = Bench::new();
        let mut camera = spatial_camera(bench.now, VideoCodec::Vp9, amount, &[150, 500, 1_700]);
        let sent = bench.shoot(&mut camera, SIX);
        let packets = frames(&mut bench, &sent);
        let pictures: Vec<_> = packets.chunk_by(|a, b| a.0 == b.0).collect();
        assert_eq!(pictures.len(), 6);
        for picture in pictures {
            let begun: Vec<_> = picture.iter().filter(|packet| packet.2).map(|packet| packet.1).collect();
            let ended: Vec<_> = picture.iter().filter(|packet| packet.3).map(|packet| packet.1).collect();
            assert_eq!((&begun[..], &ended[..]), (&[0, 1, 2][..], &[0, 1, 2][..]));
            let markers: Vec<_> = picture.iter().map(|packet| packet.4).collect();
            assert!(markers.iter().rev().skip(1).all(|marker| !marker) && markers[markers.len() - 1]);
        }
    }
}

#[test]
fn bit_rates_are_those_of_the_sizes() {
    let mut bench = Bench::new();
    let mut camera = spatial_camera(bench.now, VideoCodec::Vp9, Amount::Rate, &[150, 500, 1_700]);
    let sent = bench.shoot(&mut camera, Duration::from_secs(10));
    let lens: Vec<_> = sent.iter().map(|datagram| bench.payload_len(datagram)).collect();
    let bytes: usize = lens.iter().sum();
    assert!((2_350 * 1_250..2_350 * 1_250 * 11 / 10).contains(&bytes), "{bytes} bytes in 10 s");
}

#[test]
fn a_receiver_of_all_sizes_knows_every_payload_and_reads_one_time_for_each_picture() {
    let (mut bench, mut reception) = (Bench::new(), reception_of(VideoCodec::Vp9, 1));
    let clip = spatial_clip();
    reception.know(clip.clone());
    let mut camera = spatial_camera(bench.now, VideoCodec::Vp9, Amount::Clip(clip), &[150, 500, 1_700]);
    let sent = bench.shoot(&mut camera, SIX);
    for (at, datagram) in (0..).zip(&sent) {
        bench.arrive(&mut reception, datagram, Duration::from_millis(at));
    }
    let figures = &bench.figures;
    assert_eq!((figures.checked, figures.damaged, figures.foreign), (sent.len() as u64, 0, 0));
    assert_eq!(figures.latency.counts().iter().sum::<u64>(), 6);
    assert!(figures.encoding_2_micros > 0 && figures.encoding_0_micros == 0, "it is of the largest");
}

#[test]
fn sizes_that_nobody_wants_are_left_out_and_come_back_with_a_key_frame() {
    let mut bench = Bench::new();
    let clip = Amount::Clip(spatial_clip());
    let mut camera = spatial_camera(bench.now, VideoCodec::Vp9, clip, &[150, 500, 1_700]);
    bench.shoot(&mut camera, SIX);
    let mut sizes = |bench: &mut Bench, mask| {
        camera.set_active(mask);
        let keys = bench.figures.key_frames_sent;
        let sent = bench.shoot(&mut camera, Duration::from_millis(34));
        let packets = frames(bench, &sent);
        assert!(packets.last().is_none_or(|last| last.4), "a picture ends with a marker");
        let mut layers: Vec<_> = packets.iter().map(|packet| packet.1).collect();
        layers.dedup();
        (layers, bench.figures.key_frames_sent - keys)
    };
    assert_eq!(sizes(&mut bench, 0b010), (vec![0, 1], 0));
    assert_eq!(sizes(&mut bench, 0b001), (vec![0], 0));
    assert_eq!(sizes(&mut bench, 0b100), (vec![0, 1, 2], 1));
    assert_eq!(sizes(&mut bench, 0), (vec![], 0));
    assert_eq!(sizes(&mut bench, 0xff), (vec![0, 1, 2], 1));
}
