//! What is sent, and when.

use std::time::Duration;

use rtc::command::Extension;
use rtc::rtp::{RtpPacket, vp8};
use swarm::video::Amount;

use crate::bench::{AUDIO_PT, Bench, RTX_PT, camera, clip, microphone};

const SECOND: Duration = Duration::from_secs(1);

fn ssrc(datagram: &[u8]) -> u32 {
    RtpPacket::parse(datagram).unwrap().ssrc.0
}

#[test]
fn a_camera_keeps_its_rates_and_begins_with_key_frames() {
    let mut bench = Bench::new();
    let mut camera = camera(bench.now, Amount::Rate);
    bench.shoot(&mut camera, SECOND);
    assert_eq!(bench.figures.key_frames_sent, 3);
    let mut bytes = [0; 3];
    let sent = bench.shoot(&mut camera, SECOND * 10);
    sent.iter().for_each(|datagram| bytes[ssrc(datagram) as usize - 0x10] += datagram.len());
    for (bytes, kilobits) in bytes.into_iter().zip([150, 500, 1_700]) {
        let headers_included = kilobits * 1_250..kilobits * 1_250 * 11 / 10 + 300 * 70;
        assert!(headers_included.contains(&bytes), "{bytes} bytes in 10 s for {kilobits} kb/s");
    }
    assert_eq!(bench.figures.key_frames_sent, 3);
    assert_eq!(bench.figures.late, 0);
}

#[test]
fn pictures_of_a_fixed_number_of_packets_are_all_alike() {
    let mut bench = Bench::new();
    let mut camera = camera(bench.now, Amount::Packets(10, 1_160));
    let sent = bench.shoot(&mut camera, SECOND);
    assert_eq!(sent.len(), 30 * 3 * 10);
    let sizes: Vec<usize> = sent.iter().map(Vec::len).collect();
    assert!(sizes.iter().all(|&size| size == sizes[0]), "one message for the kernel");
    let numbers: Vec<u16> = sent
        .iter()
        .map(|datagram| RtpPacket::parse(datagram).unwrap())
        .filter(|packet| packet.ssrc.0 == 0x12)
        .map(|packet| packet.seq)
        .collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));
}

#[test]
fn a_short_pause_is_made_up_for_and_told_and_a_long_one_is_left_out() {
    let mut bench = Bench::new();
    let mut camera = camera(bench.now, Amount::Packets(1, 100));
    bench.shoot(&mut camera, SECOND);
    bench.now = bench.now + Duration::from_millis(100);
    assert_eq!(bench.sent(|line| camera.handle_timeout(line)).len(), 3 * 3);
    assert!(bench.figures.late > 0);
    bench.now = bench.now + Duration::from_secs(5);
    assert_eq!(bench.sent(|line| camera.handle_timeout(line)).len(), 3);
}

#[test]
fn a_key_frame_comes_with_the_picture_after_it_was_asked_for() {
    let mut bench = Bench::new();
    let mut camera = camera(bench.now, Amount::Packets(3, 200));
    bench.shoot(&mut camera, SECOND);
    assert!(camera.want_key_frame(0x11));
    assert!(!camera.want_key_frame(0x99));
    let next = bench.shoot(&mut camera, Duration::from_millis(34));
    let keys: Vec<u32> = next
        .iter()
        .map(|datagram| bench.open(datagram))
        .filter(|packet| vp8::read(RtpPacket::parse(packet).unwrap().payload).unwrap().key_start)
        .map(|packet| ssrc(&packet))
        .collect();
    assert_eq!(keys, [0x11]);
}

#[test]
fn an_encoding_that_nobody_wants_rests_and_comes_back_with_a_key_frame() {
    let mut bench = Bench::new();
    let mut camera = camera(bench.now, Amount::Packets(1, 200));
    bench.shoot(&mut camera, SECOND);
    camera.set_active(0b001);
    let sent = bench.shoot(&mut camera, SECOND);
    assert!(sent.iter().all(|datagram| ssrc(datagram) == 0x10) && sent.len() == 30);
    assert_eq!(bench.figures.key_frames_sent, 3);
    camera.set_active(0b011);
    bench.shoot(&mut camera, SECOND);
    assert_eq!(bench.figures.key_frames_sent, 4);
}

#[test]
fn what_was_lost_is_sent_again_under_its_old_number_with_the_names_of_its_stream() {
    let mut bench = Bench::new();
    let mut camera = camera(bench.now, Amount::Packets(2, 200));
    let sent = bench.shoot(&mut camera, SECOND);
    let lost = bench.open(&sent[sent.len() - 1]);
    let original = RtpPacket::parse(&lost).unwrap();
    let wire = original.seq;
    let again = bench.sent(|line| assert!(camera.resend(0x12, [wire, 60_000].into_iter(), line)));
    assert_eq!((again.len(), bench.figures.resent, bench.figures.resend_requests), (1, 1, 2));
    let opened = bench.open(&again[0]);
    let resent = RtpPacket::parse(&opened).unwrap();
    assert_eq!((resent.pt, resent.ssrc.0, resent.timestamp), (RTX_PT, 0x22, original.timestamp));
    assert_eq!(resent.payload[..2], wire.to_be_bytes());
    assert_eq!(&resent.payload[2..], original.payload);
    let repaired = resent.extensions.clone().find(|(id, _)| *id == 1 + Extension::RepairedRid as u8);
    assert_eq!(repaired.unwrap().1, b"f");
}

#[test]
fn a_microphone_speaks_always_or_in_spurts() {
    let mut bench = Bench::new();
    let mut always = microphone(bench.now, false);
    let sent = bench.speak(&mut always, SECOND);
    assert_eq!(sent.len(), 50);
    assert!(sent.iter().all(|datagram| RtpPacket::parse(datagram).unwrap().pt == AUDIO_PT));
    let mut spurts = microphone(bench.now, true);
    let sent = bench.speak(&mut spurts, SECOND * 600);
    let beginnings = sent.iter().filter(|datagram| datagram[1] & 0x80 != 0).count();
    let spoken = sent.iter().filter(|datagram| datagram.len() > 140).count();
    // 1.004 s of speech to 1.587 s of silence.
    assert!((0.30..0.47).contains(&(spoken as f64 / (600.0 * 50.0))), "{spoken}");
    assert!((180..290).contains(&beginnings), "{beginnings}");
}

#[test]
fn a_muted_microphone_sends_nothing_and_begins_again_with_a_marker() {
    let mut bench = Bench::new();
    let mut microphone = microphone(bench.now, false);
    assert_eq!(bench.speak(&mut microphone, SECOND).len(), 50);
    microphone.set_on(bench.now, false);
    assert_eq!(bench.speak(&mut microphone, SECOND).len(), 0);
    microphone.set_on(bench.now, true);
    let sent = bench.speak(&mut microphone, SECOND);
    assert!((50..=51).contains(&sent.len()), "nothing is made up for");
    let markers: Vec<bool> = sent.iter().map(|datagram| RtpPacket::parse(datagram).unwrap().marker).collect();
    assert_eq!(markers.iter().position(|&marker| marker), Some(0));
}

#[test]
fn a_clip_is_sent_again_and_again_and_begins_anew_for_a_key_frame() {
    let mut bench = Bench::new();
    let mut camera = camera(bench.now, Amount::Clip(clip()));
    let sizes = |bench: &mut Bench, camera: &mut _, time| {
        let of_highest = |datagram: &Vec<u8>| ssrc(datagram) == 0x12;
        let sent = bench.shoot(camera, time);
        sent.iter()
            .filter(|datagram| of_highest(datagram))
            .map(|one| bench.payload_len(one))
            .collect::<Vec<_>>()
    };
    let (key, delta) = ([506, 507, 508, 509 + 16], [506, 507 + 16]);
    let descriptor_counted = sizes(&mut bench, &mut camera, Duration::from_millis(70));
    assert_eq!(descriptor_counted, [&key[..], &delta, &key].concat());
    assert!(camera.want_key_frame(0x12));
    assert_eq!(sizes(&mut bench, &mut camera, Duration::from_millis(33)), key, "not the second picture");
    assert_eq!(sizes(&mut bench, &mut camera, Duration::from_millis(33)), delta);
}
