use std::time::Duration;

use crate::forwarding::requests;
use crate::support::*;
use rtc::counters::{Cell, LegCell};
use rtc::drop_reason::DropReason;
use rtc::id::TransportId;
use rtc::rtcp::{Composer, Compound, NtpTime, ReportBlock, RtcpPacket, SenderInfo};
use rtc::units::{Kbps, RtpTime, Ssrc};

fn blocks(world: &mut World, to: TransportId) -> Vec<ReportBlock> {
    let sent = world.sink.take_rtcp();
    let mut found = Vec::new();
    for (_, bytes) in sent.iter().filter(|(other, _)| *other == to) {
        for packet in Compound::new(bytes) {
            if let Ok(RtcpPacket::ReceiverReport { blocks }) = packet {
                found.extend(blocks);
            }
        }
    }
    found
}

fn sender_reports(world: &mut World, to: TransportId) -> Vec<(Ssrc, SenderInfo)> {
    let sent = world.sink.take_rtcp();
    let mut found = Vec::new();
    for (_, bytes) in sent.iter().filter(|(other, _)| *other == to) {
        for packet in Compound::new(bytes) {
            if let Ok(RtcpPacket::SenderReport { sender, info, .. }) = packet {
                found.push((sender, info));
            }
        }
    }
    found
}

fn report(world: &mut World, ssrc: u32, ntp: u64, rtp: u32) {
    let info = SenderInfo { ntp: NtpTime(ntp), rtp: RtpTime(rtp), packets: 9, bytes: 99 };
    let mut composer = Composer::new();
    composer.sender_report(Ssrc(ssrc), &info, &[]);
    world.rtcp(PUBLISHER, composer.bytes()).unwrap();
}

fn block(ssrc: u32, last_sr: u32, delay: u32) -> ReportBlock {
    ReportBlock { ssrc: Ssrc(ssrc), fraction_lost: 0, lost: 3, highest: 0, jitter: 480, last_sr, delay }
}

fn hear(world: &mut World, from: TransportId, block: ReportBlock) {
    let mut composer = Composer::new();
    composer.receiver_report(Ssrc(1), &[block]);
    world.rtcp(from, composer.bytes()).unwrap();
}

#[test]
fn a_publisher_is_told_how_its_stream_arrives_once_a_second() {
    let mut world = World::new();
    world.add_audio();
    for seq in 0..200u16 {
        if seq % 10 != 3 {
            world.publish(&voice(5, seq, 30)).unwrap();
        }
        if seq == 100 {
            report(&mut world, 5, 0x0001_2345_6789_0000, 0);
        }
        world.pass(20);
    }
    let told = blocks(&mut world, PUBLISHER);
    assert!((3..=5).contains(&told.len()), "{}", told.len());
    let last = told.last().unwrap();
    assert_eq!((last.ssrc, last.last_sr), (Ssrc(5), 0x2345_6789));
    assert!((20..=27).contains(&last.fraction_lost), "{}", last.fraction_lost);
    assert!((15..=20).contains(&last.lost));
    assert!(last.delay > 65_536 && last.delay < 65_536 * 3);
    assert!((15..=20).contains(&world.counters.leg(PUBLISHER, LegCell::LostUp)));
}

#[test]
fn sound_and_picture_stay_together() {
    let mut world = World::new();
    world.add_audio();
    world.add_video(1);
    world.subscribe(0, AUDIO, ALICE, ALL, false);
    world.subscribe(1, VIDEO, ALICE, ALL, false);
    let mut camera = Camera::new(6, None);
    world.publish(&voice(5, 1, 30)).unwrap();
    world.publish_all(&camera.picture(true, 1, 0));
    // The same instant in both streams, told at different times.
    report(&mut world, 5, 100 << 32, 960);
    world.pass(40);
    report(&mut world, 6, 100 << 32, camera.timestamp);
    let (sound, picture) = (world.sink.rtp[0].packet().timestamp, world.sink.rtp[1].packet().timestamp);
    world.pass(1_500);
    let told = sender_reports(&mut world, ALICE);
    for (ssrc, timestamp, rate) in [(1_000, sound, 48_000), (1_001, picture, 90_000)] {
        let (_, info) = told.iter().find(|(sender, _)| *sender == Ssrc(ssrc)).unwrap();
        // What the report says of the instant 100 s must be the timestamp sent for it.
        let since = ((u128::from(info.ntp.0 - (100 << 32)) * rate) >> 32) as u32;
        let at_100 = info.rtp.0.wrapping_sub(since);
        assert!(at_100.wrapping_sub(timestamp.0) as i32 <= 1, "{at_100} for {timestamp:?}");
        assert_eq!(info.packets, 1);
    }
}

#[test]
fn the_first_report_is_passed_on_within_a_tenth_of_a_second() {
    let mut world = World::new();
    world.add_audio();
    world.subscribe(0, AUDIO, ALICE, ALL, false);
    world.publish(&voice(5, 1, 30)).unwrap();
    world.pass(500);
    assert_eq!(
        sender_reports(&mut world, ALICE).len(),
        0,
        "without the publisher's clock there is nothing to say"
    );
    report(&mut world, 5, 100 << 32, 960);
    world.pass(100);
    assert_eq!(sender_reports(&mut world, ALICE).len(), 1);
}

#[test]
fn the_round_trip_comes_from_the_receivers_echo() {
    let mut world = World::new();
    world.add_audio();
    world.subscribe(0, AUDIO, ALICE, ALL, false);
    world.publish(&voice(5, 1, 30)).unwrap();
    report(&mut world, 5, 100 << 32, 960);
    world.pass(100);
    let (_, info) = sender_reports(&mut world, ALICE)[0];
    world.now = world.now + Duration::from_millis(80);
    let at = world.now;
    hear(&mut world, ALICE, block(1_000, info.ntp.middle(), 65_536 / 20));
    let micros = world.counters.leg(ALICE, LegCell::RttMicros);
    assert!((30_000..=130_000).contains(&micros), "{micros} at {at:?}");
    assert_eq!(world.counters.leg(ALICE, LegCell::JitterDownMicros), 10_000);
    for (last_sr, delay) in [(info.ntp.middle(), u32::MAX), (1, 0), (u32::MAX, u32::MAX)] {
        hear(&mut world, ALICE, block(1_000, last_sr, delay));
    }
    assert_eq!(world.counters.leg(ALICE, LegCell::RttMicros), micros, "absurd echoes change nothing");
}

#[test]
fn reports_about_streams_of_others_are_foreign() {
    let mut world = World::new();
    world.add_audio();
    world.subscribe(0, AUDIO, ALICE, ALL, false);
    hear(&mut world, BOB, block(1_000, 0, 0));
    report(&mut world, 99, 1, 1);
    let mut composer = Composer::new();
    composer.goodbye(Ssrc(1_000));
    composer.picture_loss(Ssrc(1), Ssrc(77));
    world.rtcp(BOB, composer.bytes()).unwrap();
    assert_eq!(world.counters.drops(DropReason::RtcpForeign), 4);
}

#[test]
fn arrival_times_are_reported_while_packets_come() {
    let mut world = World::new();
    world.add_video(1);
    let mut camera = Camera::new(5, None);
    camera.cc = Some(65_500);
    for _ in 0..60 {
        world.publish_all(&camera.picture(false, 2, 0));
        world.pass(10);
    }
    let sent = world.sink.take_rtcp();
    let feedback: Vec<_> = sent.iter().filter(|(_, bytes)| bytes[1] == 205 && bytes[0] & 31 == 15).collect();
    assert!((9..=12).contains(&feedback.len()), "{}", feedback.len());
    let told: usize = feedback.iter().map(|(_, b)| usize::from(u16::from_be_bytes([b[14], b[15]]))).sum();
    assert!((105..=120).contains(&told), "{told}");
    world.pass(60);
    world.sink.take_rtcp();
    world.pass(10_000);
    assert!(world.sink.take_rtcp().iter().all(|(_, bytes)| bytes[1] != 205), "silence is not reported");
}

#[test]
fn arrival_times_of_sound_alone_are_reported_half_as_often() {
    let mut counts = Vec::new();
    for with_camera in [false, true] {
        let mut world = World::new();
        world.add_audio();
        if with_camera {
            world.add_video(1);
        }
        for seq in 0..100u16 {
            let elements = [(MID_UP, b"0".to_vec()), (CC_UP, seq.to_be_bytes().to_vec())];
            world.publish(&rtp(OPUS, seq, u32::from(seq) * 960, 5, false, &elements, &[1; 60])).unwrap();
            world.pass(20);
        }
        let sent = world.sink.take_rtcp();
        let feedback = sent.iter().filter(|(_, bytes)| bytes[1] == 205 && bytes[0] & 31 == 15);
        let told = feedback.map(|(_, b)| usize::from(u16::from_be_bytes([b[14], b[15]])));
        counts.push((told.clone().count(), told.sum::<usize>()));
    }
    let [(alone, told), (with_camera, told_too)] = counts[..] else { unreachable!() };
    assert!((16..=20).contains(&alone) && (30..=40).contains(&with_camera), "in 2 s: {counts:?}");
    assert!(told >= 94 && told_too >= 96, "of 100: {counts:?}");
}

#[test]
fn fifty_subscribers_that_ask_a_hundred_times_a_second_cost_two_key_frames_a_second() {
    let mut world = World::new();
    world.add_video(1);
    let mut camera = Camera::new(5, None);
    world.publish_all(&camera.picture(true, 1, 0));
    for slot in 0..50 {
        world.subscribe(slot, VIDEO, if slot % 2 == 0 { ALICE } else { BOB }, ALL, false);
    }
    world.pass(1_000);
    requests(&mut world);
    let mut asked = Vec::new();
    for ms in 0..3_000u64 {
        for slot in (0..50u32).filter(|slot| (ms + u64::from(*slot)) % 10 == 0) {
            let mut composer = Composer::new();
            composer.picture_loss(Ssrc(1), Ssrc(1_000 + slot));
            world.rtcp(if slot % 2 == 0 { ALICE } else { BOB }, composer.bytes()).unwrap();
        }
        let now = requests(&mut world).len();
        assert!(ms > 0 || now == 1, "the first one goes at once");
        asked.extend(std::iter::repeat_n(ms, now));
        world.pass(1);
    }
    assert!(asked.len() <= 7, "{asked:?}");
    assert!(asked.windows(2).all(|pair| pair[1] - pair[0] >= 500), "{asked:?}");
    assert_eq!(world.counters.get(Cell::PliDown), 15_000);
}

#[test]
fn a_request_by_fir_counts_like_one_by_pli() {
    let mut world = World::new();
    world.add_video(1);
    let mut camera = Camera::new(5, None);
    world.publish_all(&camera.picture(true, 1, 0));
    world.subscribe(0, VIDEO, ALICE, ALL, false);
    world.pass(1_000);
    requests(&mut world);
    let mut composer = Composer::new();
    composer.full_intra_request(Ssrc(1), Ssrc(1_000), 1);
    world.rtcp(ALICE, composer.bytes()).unwrap();
    assert_eq!(requests(&mut world), [5]);
}

#[test]
fn a_publisher_with_a_cap_hears_of_it_every_second_until_it_is_lifted() {
    let mut world = World::new();
    world.add_video(1);
    let mut camera = Camera::new(6, None);
    let mut asked = |world: &mut World, seconds: u64| {
        let mut most = Vec::new();
        for _ in 0..seconds * 30 {
            world.publish_all(&camera.picture(false, 1, 0));
            world.pass(33);
        }
        for (to, bytes) in world.sink.take_rtcp() {
            if to == PUBLISHER && bytes.get(12..16) == Some(b"REMB") {
                assert_eq!(bytes[20..24], 6u32.to_be_bytes(), "the stream is named");
                let word = u32::from_be_bytes([bytes[16], bytes[17], bytes[18], bytes[19]]);
                most.push(u64::from(word & 0x3ffff) << (word >> 18 & 0x3f));
            }
        }
        most
    };
    assert_eq!(asked(&mut world, 3), []);
    world.router.set_up_cap(PUBLISHER, Some(Kbps(200)));
    assert!(matches!(asked(&mut world, 4)[..], [200_000, 200_000, 200_000, .., 200_000]));
    world.router.set_up_cap(PUBLISHER, None);
    let lifted = asked(&mut world, 8);
    assert!(lifted.len() == 4 && lifted.iter().all(|&most| most > 900_000_000), "{lifted:?}");
    assert_eq!(asked(&mut world, 3), []);
}
