//! Streams of three temporal layers: what a forwarder reads of them, and what a receiver makes of them.

use std::time::Duration;

use rtc::command::Codec;
use rtc::rtp::{Picture, RtpPacket};
use swarm::codec::VideoCodec;
use swarm::stamp::{self, Content};
use swarm::video::Amount;

use crate::bench::{Bench, RTX_PT, dependency, layered_camera, layered_clip, reception_of};

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
