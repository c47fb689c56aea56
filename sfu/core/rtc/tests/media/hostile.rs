use proptest::prelude::*;

use crate::support::*;
use rtc::command::{EncodingParams, MediaKind, Mid, TrackParams};
use rtc::counters::Cell;
use rtc::drop_reason::DropReason;
use rtc::id::{SubscriptionId, TrackId};
use rtc::units::{Pt, Ssrc};

fn populated() -> World {
    let mut world = World::new();
    world.add_audio();
    world.add_video(3);
    world.subscribe(0, AUDIO, ALICE, ALL, false);
    world.subscribe(1, VIDEO, ALICE, plan(2), true);
    world.subscribe(2, VIDEO, BOB, plan(0), false);
    for (ssrc, rid) in [(11, "q"), (12, "h"), (13, "f")] {
        world.publish_all(&Camera::new(ssrc, Some(rid)).picture(true, 2, 0));
    }
    world.publish(&voice(5, 1, 30)).unwrap();
    world
}

#[test]
fn short_packets_with_any_first_byte_are_dropped() {
    let mut world = populated();
    for first in 0..=255u8 {
        for len in 0..=64usize {
            let packet: Vec<u8> = (0..len).map(|i| if i == 0 { first } else { i as u8 }).collect();
            let _ = world.publish(&packet);
            let _ = world.rtcp(PUBLISHER, &packet);
            let _ = world.rtcp(ALICE, &packet);
        }
    }
    world.sink.take();
    world.publish(&voice(5, 2, 30)).unwrap();
    assert_eq!(world.sink.take().len(), 1, "the call goes on");
}

#[test]
fn twenty_thousand_ssrcs_do_not_fill_tables() {
    let mut world = populated();
    let mut refused = 0;
    for ssrc in 100..20_100u32 {
        let packet =
            rtp(VP8, 1, 0, ssrc, false, &[(MID_UP, b"1".to_vec()), (RID_UP, b"q".to_vec())], &[1; 20]);
        refused += usize::from(world.publish(&packet).is_err());
        let packet =
            rtp(VP8, 1, 0, ssrc, false, &[(MID_UP, b"1".to_vec()), (RID_UP, b"z".to_vec())], &[1; 20]);
        assert_eq!(world.publish(&packet), Err(DropReason::RtpUnroutable));
    }
    assert!(refused >= 19_999, "an encoding starts over at most once a second");
    world.sink.take();
    world.publish(&voice(5, 2, 30)).unwrap();
    assert_eq!(world.sink.take().len(), 1);
}

#[test]
fn tables_are_bounded_for_each_transport() {
    let mut world = World::new();
    world.add_audio();
    for slot in 0..100 {
        let params = TrackParams {
            transport: PUBLISHER,
            kind: MediaKind::Video,
            mid: Mid::from(&slot.to_string()).unwrap(),
            payloads: Default::default(),
            encodings: std::iter::repeat_n(
                EncodingParams { ssrc: Some(Ssrc(slot * 9)), rtx_ssrc: Some(Ssrc(slot * 9 + 1)), rid: None },
                3,
            )
            .collect(),
        };
        world.router.add_track(TrackId::new(0, 2 + slot, 1), &params);
    }
    assert_eq!(world.counters.get(Cell::Tracks), 64);
    for slot in 0..600 {
        world.subscribe(slot, AUDIO, ALICE, ALL, false);
    }
    assert_eq!(world.counters.get(Cell::Subscriptions), 512);
    assert_eq!(world.counters.drops(DropReason::TableFull), 37 + 88);
    world.router.close_transport(ALICE);
    assert_eq!(world.counters.get(Cell::Subscriptions), 0);
}

#[test]
fn commands_about_things_that_are_gone_do_nothing_and_are_counted() {
    let mut world = World::new();
    let (track, subscription) = (TrackId::new(0, 9, 9), SubscriptionId::new(0, 9, 9));
    let gone = rtc::id::TransportId::new(0, 9, 9);
    world.router.close_track(track);
    world.router.pause_track(world.now, track, true);
    world.router.request_keyframe(world.now, track, None);
    world.router.set_audio_group(world.now, track, None);
    world.router.unsubscribe(subscription);
    world.router.set_layer_plan(world.now, subscription, ALL);
    world.router.set_extensions(gone, Default::default());
    world.router.set_connected(world.now, gone);
    world.router.close_transport(gone);
    assert_eq!(world.counters.drops(DropReason::UnknownId), 9);
}

#[test]
fn a_compound_of_two_hundred_tiny_packets_is_read_at_a_bounded_cost() {
    let mut world = populated();
    let tiny = [0x80u8, 203, 0, 0].repeat(370);
    assert_eq!(world.rtcp(PUBLISHER, &tiny), Ok(()));
}

#[test]
fn a_probe_by_rtx_is_taken_and_not_forwarded() {
    let mut world = populated();
    world.sink.take();
    let elements = [(MID_UP, b"1".to_vec()), (REPAIRED_UP, b"f".to_vec())];
    for payload in [&[][..], &[0, 1][..]] {
        let packet = rtp(VP8_RTX, 1, 0, 99, false, &elements, payload);
        let _ = world.publish(&packet);
    }
    assert!(world.sink.take().is_empty());
    assert_eq!(world.publish(&rtp(VP8_RTX, 1, 0, 99, false, &elements, &[0])), Err(DropReason::RtpMalformed));
}

#[test]
fn an_extension_that_comes_twice_counts_once() {
    let mut world = World::new();
    world.add_audio();
    world.subscribe(0, AUDIO, ALICE, ALL, false);
    let descriptor = |frame: u8| vec![0xc0, 0, frame];
    let rows = [
        (vec![vec![0xc0], descriptor(7)], vec![vec![0xc0]]),
        (vec![descriptor(7), vec![0xc0], descriptor(9)], vec![descriptor(7)]),
    ];
    for (seq, (sent, expected)) in (500..).zip(rows) {
        let mut elements = vec![(MID_UP, b"0".to_vec())];
        elements.extend(sent.into_iter().map(|data| (DESCRIPTOR_UP, data)));
        world.publish(&rtp(OPUS, seq, 960, 6, false, &elements, &[1; 30])).expect("a good packet");
        let sent = world.sink.take();
        assert_eq!(sent.len(), 1);
        for got in sent {
            let kept: Vec<_> = got
                .packet()
                .extensions
                .filter(|(id, _)| *id == DESCRIPTOR_DOWN)
                .map(|(_, data)| data.to_vec())
                .collect();
            assert_eq!(kept, expected);
        }
    }
}

/// A packet of the publisher with something wrong in it.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let ssrc = prop::sample::select(vec![5u32, 11, 12, 13, 77, 1_000]);
    let pt = prop::sample::select(vec![VP8.0, VP8_RTX.0, OPUS.0, RED.0, 127]);
    let payload = prop::collection::vec(any::<u8>(), 0..60);
    let element = (0u8..16, prop::collection::vec(any::<u8>(), 1..20));
    (
        ssrc,
        pt,
        any::<u16>(),
        any::<u32>(),
        payload,
        prop::collection::vec(element, 0..4),
        0usize..80,
        any::<u8>(),
    )
        .prop_map(|(ssrc, pt, seq, timestamp, payload, elements, at, byte)| {
            let mut packet = rtp(Pt(pt), seq % 4_000, timestamp, ssrc, byte % 2 == 0, &elements, &payload);
            if at < packet.len() {
                packet[at] = byte;
            }
            packet
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever publishers and subscribers send: no panic, and (checked by the sink) what is sent is well-formed and
    /// never two packets under one index.
    #[test]
    fn random_packets_and_reports_break_nothing(
        packets in prop::collection::vec(mutated(), 1..60),
        compounds in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..20),
        waits in prop::collection::vec(0u64..400, 1..20),
    ) {
        let mut world = populated();
        for (i, packet) in packets.iter().enumerate() {
            let _ = world.publish(packet);
            if let Some(compound) = compounds.get(i % 20) {
                let mut compound = compound.clone();
                if compound.len() >= 12 {
                    compound[0] = 0x80 | compound[0] & 0x1f;
                    compound[1] = 200 + compound[1] % 8;
                    compound[2] = 0;
                    compound[3] %= 8;
                    let ssrc = 1_000 + u32::from(compound[8]) % 3;
 compound[8..12].copy_from_slice(&ssrc.to_be_bytes());
                }
                for from in [PUBLISHER, ALICE, BOB] {
                    let _ = world.rtcp(from, &compound);
                }
            }
            world.pass(waits[i % waits.len()]);
        }
        world.router.close_transport(PUBLISHER);
        world.router.close_transport(ALICE);
        world.router.close_transport(BOB);
        world.settle();
        for cell in [Cell::Tracks, Cell::Subscriptions, Cell::Encodings] {
            prop_assert_eq!(world.counters.get(cell), 0);
        }
    }
}
