use std::collections::BTreeMap;

use crate::support::*;
use rtc::counters::{Cell, LegCell};
use rtc::drop_reason::DropReason;
use rtc::rtcp::{Composer, Compound, RtcpPacket};
use rtc::units::Ssrc;

/// Packets that the publisher was asked for.
fn nacked(world: &mut World) -> Vec<u16> {
    let sent = world.sink.take_rtcp();
    let mut lost = Vec::new();
    for (_, bytes) in sent.iter().filter(|(to, _)| *to == PUBLISHER) {
        for packet in Compound::new(bytes) {
            if let Ok(RtcpPacket::Nack { lost: seqs, .. }) = packet {
                lost.extend(seqs);
            }
        }
    }
    lost
}

fn nack(world: &mut World, ssrc: u32, seqs: &[u16]) {
    let mut composer = Composer::new();
    assert_eq!(composer.nack(Ssrc(1), Ssrc(ssrc), seqs), seqs.len());
    world.rtcp(ALICE, composer.bytes()).unwrap();
}

fn playing(rtx: bool) -> (World, Camera, Vec<Got>) {
    let mut world = World::new();
    world.add_video(1);
    world.subscribe(0, VIDEO, ALICE, ALL, rtx);
    let mut camera = Camera::new(5, None);
    for i in 0..10 {
        world.publish_all(&camera.picture(i == 0, 2, 0));
        world.pass(33);
    }
    let got = world.sink.take();
    assert_eq!(got.len(), 20);
    (world, camera, got)
}

#[test]
fn a_packet_lost_on_the_way_up_is_asked_for_and_forwarded_in_its_place() {
    for by_rtx in [true, false] {
        let (mut world, mut camera, before) = playing(true);
        let packets = camera.picture(false, 4, 0);
        for (i, packet) in packets.iter().enumerate().filter(|(i, _)| *i != 1) {
            world.publish(packet).unwrap();
            let asked = nacked(&mut world);
            assert_eq!(asked.len(), usize::from(i == 3), "after two newer packets");
        }
        world.pass(30);
        let late = if by_rtx { camera.repair(&packets[1], 77, 900) } else { packets[1].clone() };
        world.publish(&late).unwrap();
        let got = world.sink.take();
        let order: Vec<_> = got.iter().map(|got| got.content().1).collect();
        assert_eq!(order, [0, 2, 3, 1]);
        let base = before.last().unwrap().index.0;
        let numbers: Vec<_> = got.iter().map(|got| got.index.0 - base).collect();
        assert_eq!(numbers, [1, 3, 4, 2]);
        assert_eq!(world.publish(&late), Err(DropReason::RtpDuplicate));
        world.pass(1_000);
        assert_eq!(nacked(&mut world), [], "what came is not asked for again");
        assert_eq!(world.counters.leg(PUBLISHER, LegCell::LostUp), 0);
    }
}

#[test]
fn a_packet_that_never_comes_is_asked_for_ten_times_and_counted_as_lost() {
    let (mut world, mut camera, _) = playing(true);
    let packets = camera.picture(false, 2, 0);
    world.publish(&packets[1]).unwrap();
    for _ in 0..60 {
        world.publish_all(&camera.picture(false, 1, 0));
        world.pass(33);
    }
    assert_eq!(nacked(&mut world).len(), 10);
    assert_eq!(world.counters.get(Cell::NackUp), 10);
    assert_eq!(world.counters.leg(PUBLISHER, LegCell::LostUp), 1);
}

#[test]
fn a_lost_packet_is_sent_again_by_rtx() {
    let (mut world, _, before) = playing(true);
    nack(&mut world, 1_000, &[before[4].index.wire(), before[5].index.wire()]);
    let got = world.sink.take();
    assert_eq!(got.len(), 2);
    for (again, original) in got.iter().zip(&before[4..]) {
        let (again, original) = (again.packet(), original.packet());
        assert_eq!((again.ssrc, again.pt.0), (Ssrc(2_000), 101));
        assert_eq!((again.timestamp, again.marker), (original.timestamp, original.marker));
        assert_eq!(again.payload[..2], original.seq.to_be_bytes());
        assert_eq!(again.payload[2..], *original.payload);
    }
    assert_eq!(got[1].index, got[0].index.next());
    assert_eq!(world.counters.get(Cell::RtxDown), 2);
}

#[test]
fn without_rtx_the_very_same_packet_is_sent_again() {
    let (mut world, mut camera, before) = playing(false);
    // The receiver reports, so that packets no longer carry the mid; the old ones must.
    let mut composer = Composer::new();
    let block = rtc::rtcp::ReportBlock {
        ssrc: Ssrc(1_000),
        fraction_lost: 0,
        lost: 0,
        highest: 0,
        jitter: 0,
        last_sr: 0,
        delay: 0,
    };
    composer.receiver_report(Ssrc(1), &[block]);
    world.rtcp(ALICE, composer.bytes()).unwrap();
    world.publish_all(&camera.picture(false, 1, 0));
    let after = world.sink.take();
    assert_eq!(after[0].packet().extensions.count() + 1, before[0].packet().extensions.count());
    nack(&mut world, 1_000, &[before[4].index.wire(), after[0].index.wire()]);
    let got = world.sink.take();
    assert_eq!(got[0].bytes, before[4].bytes);
    assert_eq!(got[1].bytes, after[0].bytes);
}

#[test]
fn what_comes_between_two_turns_of_a_picture_is_sent_and_sent_again_alike() {
    let mut world = World::new();
    world.add_video(1);
    world.subscribe(0, VIDEO, ALICE, ALL, false);
    world.subscribe(1, VIDEO, BOB, ALL, false);
    let mut camera = Camera::new(5, None);
    world.publish_all(&camera.picture(true, 3, 0));
    world.sink.take();
    let mut packets = camera.picture(false, 3, 0);
    packets[2].push(0); // almost of one size with the one before
    world.router.handle_rtp(world.now, PUBLISHER, &packets[0]).unwrap();
    world.sink.room = Some(1);
    assert!(world.router.flush(world.now, &mut world.sink), "Alice has had her turn and Bob has not");
    world.sink.room = None;
    world.publish_all(&packets[1..]);
    let got = world.sink.take();
    let lengths = |to| got.iter().filter(|got| got.to == to).map(|got| got.bytes.len()).collect::<Vec<_>>();
    assert_eq!(lengths(ALICE), lengths(BOB));
    // The sink sees to it that one number never stands for two packets.
    let second = got.iter().filter(|got| got.to == BOB).nth(1).unwrap().packet().seq;
    let mut nack = Composer::new();
    nack.nack(Ssrc(9), Ssrc(1_001), &[second]);
    world.pass(200);
    world.rtcp(BOB, nack.bytes()).unwrap();
    assert_eq!(world.sink.take().iter().filter(|got| got.packet().seq == second).count(), 1);
}

#[test]
fn resends_are_refused_within_a_round_trip_and_when_too_old_or_unknown() {
    let (mut world, _, before) = playing(true);
    let first = before[0].index.wire();
    let refused = |world: &World| world.counters.drops(DropReason::ResendRefused);
    nack(&mut world, 1_000, &[first]);
    nack(&mut world, 1_000, &[first]);
    assert_eq!((world.sink.take().len(), refused(&world)), (1, 1));
    world.pass(101);
    nack(&mut world, 1_000, &[first]);
    assert_eq!((world.sink.take().len(), refused(&world)), (1, 1));
    nack(&mut world, 1_000, &[first.wrapping_sub(1), first.wrapping_add(5_000)]);
    assert_eq!((world.sink.take().len(), refused(&world)), (0, 3));
    world.pass(2_000);
    nack(&mut world, 1_000, &[first]);
    assert_eq!((world.sink.take().len(), refused(&world)), (0, 4));
}

#[test]
fn who_claims_to_lose_everything_gets_no_more_than_the_stream_again() {
    let (mut world, mut camera, _) = playing(true);
    let (mut sent, mut again) = (0usize, 0usize);
    for _ in 0..300 {
        world.publish_all(&camera.picture(false, 20, 0));
        let got = world.sink.take();
        sent += got.iter().map(|got| got.bytes.len()).sum::<usize>();
        for _ in 0..20 {
            let seqs: Vec<_> = got.iter().map(|got| got.index.wire()).collect();
            nack(&mut world, 1_000, &seqs);
            again += world.sink.take().iter().map(|got| got.bytes.len()).sum::<usize>();
            world.pass(5);
        }
    }
    assert!(again <= sent * 12 / 10, "{again} for {sent}");
}

#[test]
fn a_nack_for_someone_elses_stream_is_foreign() {
    let (mut world, _, before) = playing(true);
    let mut composer = Composer::new();
    composer.nack(Ssrc(1), Ssrc(1_000), &[before[0].index.wire()]);
    world.rtcp(BOB, composer.bytes()).unwrap();
    assert!(world.sink.take().is_empty());
    assert_eq!(world.counters.drops(DropReason::RtcpForeign), 1);
}

#[test]
fn numbers_over_the_wrap_keep_rising() {
    let mut world = World::new();
    world.add_audio();
    world.subscribe(0, AUDIO, ALICE, ALL, false);
    let mut expected = None;
    for seq in 0..200_000u32 {
        world.publish(&voice(5, seq as u16, 30)).unwrap();
        for got in world.sink.take() {
            let index = got.index.0;
            assert!(expected.is_none_or(|expected| expected == index));
            expected = Some(index + 1);
        }
        if seq % 50 == 0 {
            world.pass(1_000);
            world.sink = Sink::default();
        }
    }
    assert!(expected.unwrap() > 3 << 16);
}

/// A network that loses, repeats and reorders, on both legs; what arrives in the end must be the stream.
#[test]
fn under_loss_reordering_and_repetition_the_picture_is_whole() {
    let mut random = Lcg(42);
    let (mut world, mut camera, before) = playing(true);
    let mut history: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
    let mut received: BTreeMap<u64, (u32, u8)> =
        before.iter().map(|got| (got.index.0, got.content())).collect();
    let mut contents = Vec::new();
    let mut rtx_seq = 0;
    for picture in 0..400 {
        let key = picture % 100 == 99;
        let mut packets = camera.picture(key, 5, 0);
        for packet in &packets {
            history.insert(u16::from_be_bytes([packet[2], packet[3]]), packet.clone());
            contents.push((camera.frame, packet[packet.len() - 2]));
        }
        for i in 0..4 {
            if random.chance(10) {
                packets.swap(i, i + 1);
            }
        }
        let mut asked: Vec<u16> = Vec::new();
        for packet in &packets {
            if random.chance(5) {
                continue;
            }
            let _ = world.publish(packet);
            if random.chance(3) {
                let _ = world.publish(packet);
            }
            asked.extend(nacked(&mut world));
        }
        for _ in 0..3 {
            world.pass(11);
            asked.extend(nacked(&mut world));
            for seq in std::mem::take(&mut asked) {
                if !random.chance(5) {
                    rtx_seq += 1;
                    let repair = camera.repair(&history[&seq], 77, rtx_seq);
                    let _ = world.publish(&repair);
                }
            }
        }
        receive(&mut world, &mut received, &mut random);
    }
    for _ in 0..20 {
        world.pass(50);
        for seq in nacked(&mut world) {
            rtx_seq += 1;
            let _ = world.publish(&camera.repair(&history[&seq], 77, rtx_seq));
        }
        receive(&mut world, &mut received, &mut random);
    }
    let order: Vec<_> = received.into_values().skip(20).collect();
    assert_eq!(order.len(), contents.len());
    assert_eq!(order, contents);
}

/// The subscriber's end: loses some, asks for what is missing, reads originals and retransmissions.
fn receive(world: &mut World, received: &mut BTreeMap<u64, (u32, u8)>, random: &mut Lcg) {
    for round in 0..2 {
        for got in world.sink.take() {
            if random.chance(5) && round == 0 {
                continue;
            }
            let packet = got.packet();
            let (newest, _) = received.last_key_value().map(|(k, v)| (*k, *v)).unwrap();
            let index = if packet.ssrc == Ssrc(1_000) {
                got.index.0
            } else {
                let original = u16::from_be_bytes([packet.payload[0], packet.payload[1]]);
                rtc::units::SeqNo(newest).extend(original).0
            };
            if packet.payload.len() > 20 {
                received.insert(index, got.content());
            }
        }
        let (first, last) = (*received.first_key_value().unwrap().0, *received.last_key_value().unwrap().0);
        let from = first.max(last.saturating_sub(100));
        let missing: Vec<u16> =
            (from..last).filter(|index| !received.contains_key(index)).map(|index| index as u16).collect();
        if !missing.is_empty() {
            nack(world, 1_000, &missing);
        }
    }
}

struct Lcg(u64);

impl Lcg {
    /// True in `percent` of the cases.
    fn chance(&mut self, percent: u64) -> bool {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % 100 < percent
    }
}
