//! What a receiver makes of what comes.

use std::time::Duration;

use rtc::rtcp::{Composer, Compound, RtcpPacket};
use rtc::units::{Ssrc, Time};
use swarm::histogram::Histogram;
use swarm::video::Amount;

use crate::bench::{Bench, camera, clip, microphone, reception};

const SECOND: Duration = Duration::from_secs(1);
const US: Ssrc = Ssrc(1);

#[test]
fn all_that_came_is_counted_checked_and_timed() {
    let mut bench = Bench::new();
    let (mut camera, mut reception) = (camera(bench.now, Amount::Packets(3, 300)), reception(1));
    for datagram in bench.shoot(&mut camera, Duration::from_millis(34)) {
        bench.arrive(&mut reception, &datagram, Duration::from_millis(7));
    }
    let figures = &bench.figures;
    assert_eq!((figures.packets_sent, figures.packets_expected, figures.packets_received), (9, 9, 9));
    assert_eq!((figures.checked, figures.damaged, figures.foreign), (9, 0, 0));
    // Sent in the first millisecond of 34, so that 33 passed before the delay.
    let bounds: Vec<u64> = Histogram::bounds_micros().collect();
    let bucket = bounds.iter().position(|&bound| bound > 40_000).unwrap();
    assert_eq!(figures.latency.counts()[bucket], 9);
}

#[test]
fn lost_late_and_doubled_packets_are_told_apart() {
    let mut bench = Bench::new();
    let (mut microphone, mut reception) = (microphone(bench.now, false), reception(1));
    let sent = bench.speak(&mut microphone, Duration::from_millis(200));
    assert_eq!(sent.len(), 10);
    for at in [0, 1, 3, 2, 2, 7, 9] {
        bench.arrive(&mut reception, &sent[at], Duration::ZERO);
    }
    let figures = &bench.figures;
    assert_eq!((figures.packets_expected, figures.packets_received), (10, 6), "4, 5, 6 and 8 are missing");
    assert_eq!((figures.duplicates, figures.reordered, figures.undecipherable), (1, 1, 0));
    let mut reported = Vec::new();
    reception.report(bench.now, US, |compound| reported.extend_from_slice(compound));
    let Some(Ok(RtcpPacket::ReceiverReport { blocks })) = Compound::new(&reported).next() else { panic!() };
    let blocks: Vec<_> = blocks.map(|block| (block.ssrc, block.lost, block.fraction_lost)).collect();
    assert_eq!(blocks, [(Ssrc(0x30), 4, 102)]);
}

#[test]
fn of_many_packets_a_sample_is_decrypted_and_all_are_counted() {
    let mut bench = Bench::new();
    let (mut microphone, mut reception) = (microphone(bench.now, false), reception(8));
    for mut datagram in bench.speak(&mut microphone, SECOND * 8) {
        if !bench.figures.packets_received.is_multiple_of(8) {
            datagram[40] ^= 1; // nobody looks
        }
        bench.arrive(&mut reception, &datagram, Duration::ZERO);
    }
    let figures = &bench.figures;
    assert_eq!((figures.packets_received, figures.undecipherable), (400, 0));
    assert_eq!(figures.checked, 50);
}

#[test]
fn a_stream_without_a_key_frame_is_asked_for_one_until_it_comes() {
    let mut bench = Bench::new();
    let (mut camera, mut reception) = (camera(bench.now, Amount::Packets(1, 100)), reception(1));
    bench.shoot(&mut camera, SECOND);
    let mut asked = Vec::new();
    for _ in 0..20 {
        for datagram in bench.shoot(&mut camera, Duration::from_millis(50)) {
            bench.arrive(&mut reception, &datagram, Duration::ZERO);
        }
        let mut composer = Composer::new();
        reception.ask(bench.now, US, &mut composer, &mut bench.figures);
        asked.push(Compound::new(composer.bytes()).count());
    }
    assert_eq!(asked.iter().sum::<usize>(), 6, "three streams, twice in a second: {asked:?}");
    (0x10..0x13).for_each(|ssrc| assert!(camera.want_key_frame(ssrc)));
    for datagram in bench.shoot(&mut camera, Duration::from_millis(34)) {
        bench.arrive(&mut reception, &datagram, Duration::ZERO);
    }
    bench.now = bench.now + SECOND;
    let mut composer = Composer::new();
    reception.ask(bench.now, US, &mut composer, &mut bench.figures);
    assert!(composer.is_empty());
    assert_eq!(reception.poll_timeout(), Time::NEVER);
}

#[test]
fn what_is_lost_is_asked_for_and_what_is_sent_again_fills_the_hole() {
    let mut bench = Bench::new();
    let (mut camera, mut reception) = (camera(bench.now, Amount::Packets(5, 200)), reception(1));
    reception.pair(&[(0x20, 0x10), (0x21, 0x11), (0x22, 0x12)]);
    let mut number = 0;
    for round in 0..100 {
        let mut arriving = bench.shoot(&mut camera, Duration::from_millis(20));
        let mut composer = Composer::new();
        if reception.poll_timeout() <= bench.now {
            reception.ask(bench.now, US, &mut composer, &mut bench.figures);
        }
        for packet in Compound::new(composer.bytes()).flatten() {
            let RtcpPacket::Nack { media, lost } = packet else { panic!("{packet:?}") };
            arriving.extend(bench.sent(|line| assert!(camera.resend(media.0, lost, line))));
        }
        for datagram in arriving {
            number += 1;
            if round > 90 || number % 7 != 0 {
                bench.arrive(&mut reception, &datagram, Duration::ZERO);
            }
        }
    }
    let figures = &bench.figures;
    assert!(figures.repaired > 80, "{}", figures.repaired);
    assert_eq!(figures.packets_received, figures.packets_expected);
    assert_eq!((figures.duplicates, figures.damaged, figures.undecipherable), (0, 0, 0));
}

#[test]
fn packets_made_with_other_keys_are_not_counted_as_received() {
    let (mut bench, mut reception) = (Bench::new(), reception(1));
    let mut microphone = microphone(bench.now, false);
    for mut datagram in bench.speak(&mut microphone, Duration::from_millis(100)) {
        *datagram.last_mut().unwrap() ^= 1;
        bench.arrive(&mut reception, &datagram, Duration::ZERO);
    }
    assert_eq!((bench.figures.packets_received, bench.figures.undecipherable), (0, 5));
}

#[test]
fn payloads_of_a_clip_are_all_known_and_the_last_of_a_picture_tells_the_time() {
    let mut bench = Bench::new();
    let (mut camera, mut reception) = (camera(bench.now, Amount::Clip(clip())), reception(1));
    reception.know(clip());
    for datagram in bench.shoot(&mut camera, Duration::from_millis(67)) {
        bench.arrive(&mut reception, &datagram, Duration::from_millis(7));
    }
    let figures = &bench.figures;
    assert_eq!((figures.packets_sent, figures.packets_received), (18, 18));
    assert_eq!((figures.checked, figures.damaged, figures.foreign), (18, 0, 0));
    assert_eq!(figures.latency.counts().iter().sum::<u64>(), 6, "two pictures of three encodings");
}

#[test]
fn payloads_of_another_clip_are_foreign() {
    let mut bench = Bench::new();
    let (mut camera, mut reception) = (camera(bench.now, Amount::Clip(clip())), reception(1));
    for datagram in bench.shoot(&mut camera, Duration::from_millis(34)) {
        bench.arrive(&mut reception, &datagram, Duration::ZERO);
    }
    assert_eq!((bench.figures.checked, bench.figures.foreign), (12, 9));
}
