use crate::support::*;
use rtc::command::LayerPlan;
use rtc::counters::{Cell, LegCell};
use rtc::drop_reason::DropReason;
use rtc::event::Event;
use rtc::id::GroupId;
use rtc::outbox::TrafficClass;
use rtc::rtcp::{Compound, RtcpPacket};
use rtc::units::{Pt, Ssrc};

#[test]
fn sound_reaches_every_subscriber_with_numbers_of_its_own() {
    let mut world = World::new();
    world.add_audio();
    world.subscribe(0, AUDIO, ALICE, ALL, false);
    world.subscribe(1, AUDIO, BOB, ALL, false);
    for seq in 65_530..65_540u32 {
        world.publish(&voice(5, seq as u16, 30)).unwrap();
    }
    for (to, ssrc) in [(ALICE, 1_000), (BOB, 1_001)] {
        let got: Vec<_> = world.sink.rtp.iter().filter(|got| got.to == to).collect();
        assert_eq!(got.len(), 10);
        for (i, got) in got.iter().enumerate() {
            let packet = got.packet();
            assert_eq!((packet.ssrc, packet.pt, got.class), (Ssrc(ssrc), Pt(109), TrafficClass::Audio));
            assert_eq!(packet.payload, [(65_530 + i as u32) as u8; 60]);
            let elements: Vec<_> = packet.extensions.collect();
            assert_eq!(elements, [(MID_DOWN, &b"9"[..]), (LEVEL_DOWN, &[0x80 | 30][..])]);
        }
        assert!(got.windows(2).all(|pair| pair[1].index == pair[0].index.next()));
        assert!(got[0].index.0 < 1 << 15);
    }
    assert_eq!(world.counters.get(Cell::AudioUp), 10);
    assert_eq!(world.counters.get(Cell::AudioDown), 20);
    assert_eq!(world.counters.leg(ALICE, LegCell::PacketsDown), 10);
    assert_eq!(world.counters.leg(ALICE, LegCell::BytesDown), 600);
}

#[test]
fn redundant_sound_is_reduced_to_its_primary_block() {
    let mut world = World::new();
    world.add_audio();
    world.subscribe(0, AUDIO, ALICE, ALL, false);
    let payload = [0x80 | 111, 0, 0, 2, 111, 8, 8, 1, 2, 3];
    world.publish(&rtp(RED, 1, 960, 5, false, &[(MID_UP, b"0".to_vec())], &payload)).unwrap();
    world.publish(&rtp(RED, 2, 1_920, 5, false, &[], &[0xff, 0, 0])).unwrap(); // malformed inside
    world.publish(&rtp(OPUS, 3, 2_880, 5, false, &[], &[7])).unwrap();
    let got = world.sink.take();
    let payloads: Vec<_> = got.iter().map(|got| (got.packet().pt, got.packet().payload.to_vec())).collect();
    assert_eq!(payloads, [(Pt(109), vec![1, 2, 3]), (Pt(109), vec![7])]);
    assert_eq!(got[1].index, got[0].index.next(), "what is left out leaves no hole");
}

#[test]
fn a_picture_begins_with_a_key_frame_that_is_asked_for_at_once() {
    let mut world = World::new();
    world.add_video(1);
    let mut camera = Camera::new(5, None);
    world.publish_all(&camera.picture(true, 2, 0));
    world.pass(1_000);
    world.subscribe(0, VIDEO, ALICE, ALL, false);
    assert_eq!(requests(&mut world), [5]);
    world.publish_all(&camera.picture(false, 2, 0));
    assert!(world.sink.take().is_empty());
    let key = camera.picture(true, 3, 0);
    world.publish_all(&key);
    world.publish_all(&camera.picture(false, 1, 0));
    let got = world.sink.take();
    assert_eq!(got.iter().map(Got::content).collect::<Vec<_>>(), [(3, 0), (3, 1), (3, 2), (4, 0)]);
    assert!(got.windows(2).all(|pair| pair[1].index == pair[0].index.next()));
    assert_eq!(got.iter().map(|got| got.packet().marker).collect::<Vec<_>>(), [false, false, true, true]);
    assert!(world.events.iter().any(|e| matches!(e, Event::LayerSwitched { encoding: Some(0), .. })));
    assert!(world.events.contains(&Event::TrackStarted { track: VIDEO, encoding: 0, pt: VP8 }));
    assert!(world.events.contains(&Event::LayersChanged { track: VIDEO, active: 1 }));
}

#[test]
fn who_joins_right_after_a_key_frame_gets_it_from_the_history() {
    let mut world = World::new();
    world.add_video(1);
    let mut camera = Camera::new(5, None);
    world.publish_all(&camera.picture(true, 2, 0));
    world.pass(100);
    world.publish_all(&camera.picture(false, 1, 0));
    world.subscribe(0, VIDEO, ALICE, ALL, false);
    assert_eq!(world.sink.take().iter().map(Got::content).collect::<Vec<_>>(), [(1, 0), (1, 1), (2, 0)]);
    assert_eq!(requests(&mut world), []);
}

#[test]
fn probes_for_bandwidth_are_not_forwarded_and_leave_no_hole() {
    let mut world = World::new();
    world.add_video(1);
    world.subscribe(0, VIDEO, ALICE, ALL, false);
    let mut camera = Camera::new(5, None);
    world.publish_all(&camera.picture(true, 1, 0));
    let mut probe = camera.packet(false, &[0; 255]);
    probe[0] |= 0x20;
    *probe.last_mut().unwrap() = 255;
    world.publish(&probe).unwrap();
    world.publish_all(&camera.picture(false, 1, 0));
    let got = world.sink.take();
    assert_eq!(got.len(), 2);
    assert_eq!(got[1].index, got[0].index.next());
}

#[test]
fn packets_of_types_that_were_not_negotiated_are_dropped() {
    let mut world = World::new();
    world.add_audio();
    world.add_video(1);
    world.subscribe(0, AUDIO, ALICE, ALL, false);
    let rows = [
        (rtp(Pt(77), 1, 0, 5, false, &[(MID_UP, b"0".to_vec())], &[1]), DropReason::RtpUnroutable),
        (rtp(OPUS, 1, 0, 5, false, &[(MID_UP, b"7".to_vec())], &[1]), DropReason::RtpUnroutable),
        (rtp(OPUS, 1, 0, 5, false, &[(MID_UP, b"1".to_vec())], &[1]), DropReason::RtpUnroutable),
        (vec![0x80; 11], DropReason::RtpMalformed),
        (vec![0x80; 1_501], DropReason::TooLong),
    ];
    for (packet, expected) in rows {
        assert_eq!(world.publish(&packet), Err(expected));
    }
    assert_eq!(world.publish(&rtp(OPUS, 1, 0, 6, false, &[], &[1])), Ok(()), "known by its type alone");
    assert_eq!(world.sink.take().len(), 1);
}

#[test]
fn a_paused_track_goes_on_without_a_hole_at_the_next_key_frame() {
    let mut world = World::new();
    world.add_video(1);
    world.subscribe(0, VIDEO, ALICE, ALL, false);
    let mut camera = Camera::new(5, None);
    world.publish_all(&camera.picture(true, 2, 0));
    world.router.pause_track(world.now, VIDEO, true);
    world.settle();
    assert!(matches!(world.events.last(), Some(Event::LayerSwitched { encoding: None, .. })));
    let before = world.sink.take();
    world.pass(900);
    world.publish_all(&camera.picture(false, 2, 0));
    world.router.pause_track(world.now, VIDEO, false);
    world.settle();
    assert_eq!(requests(&mut world), [5]);
    world.publish_all(&camera.picture(false, 2, 0));
    world.publish_all(&camera.picture(true, 2, 0));
    let after = world.sink.take();
    assert_eq!(after.iter().map(Got::content).collect::<Vec<_>>(), [(4, 0), (4, 1)]);
    assert_eq!(after[0].index, before[1].index.next());
    assert_eq!(after[0].picture(), (before[1].picture().0 + 1, before[1].picture().1.wrapping_add(1)));
    let apart = after[0].packet().timestamp.0.wrapping_sub(before[1].packet().timestamp.0);
    assert_eq!(apart, 9_000, "the publisher's own time");
}

#[test]
fn a_paused_subscription_gets_nothing() {
    let mut world = World::new();
    world.add_audio();
    let id = world.subscribe(0, AUDIO, ALICE, ALL, false);
    world.publish(&voice(5, 1, 30)).unwrap();
    world.router.set_layer_plan(world.now, id, LayerPlan { encoding: None, temporal: 255 });
    world.publish(&voice(5, 2, 30)).unwrap();
    world.router.set_layer_plan(world.now, id, ALL);
    world.publish(&voice(5, 3, 30)).unwrap();
    let got = world.sink.take();
    assert_eq!(got.iter().map(|got| got.packet().payload[0]).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(got[1].index, got[0].index.next());
}

#[test]
fn a_full_sink_delays_packets_and_loses_none() {
    let mut world = World::new();
    world.add_video(1);
    world.subscribe(0, VIDEO, ALICE, ALL, false);
    world.subscribe(1, VIDEO, BOB, ALL, false);
    let mut camera = Camera::new(5, None);
    let packets: Vec<_> = (0..5).flat_map(|i| camera.picture(i == 0, 4, 0)).collect();
    for packet in &packets {
        world.router.handle_rtp(world.now, PUBLISHER, packet).unwrap();
    }
    let mut rounds = 0;
    loop {
        world.sink.room = Some(3);
        rounds += 1;
        if !world.router.flush(world.now, &mut world.sink) {
            break;
        }
        assert_eq!(world.sink.room, Some(0));
    }
    assert_eq!(rounds, 14);
    let got = world.sink.take();
    for to in [ALICE, BOB] {
        assert_eq!(got.iter().filter(|got| got.to == to).count(), 20);
    }
    let runs = got.windows(2).filter(|pair| pair[0].to != pair[1].to).count();
    assert_eq!(runs, 1, "packets to one destination lie side by side");
}

#[test]
fn nothing_is_sent_before_a_transport_is_connected() {
    let mut world = World::new();
    world.add_video(1);
    let carol = rtc::id::TransportId::new(0, 3, 1);
    world.router.add_transport(world.now, carol);
    world.subscribe(0, VIDEO, carol, ALL, false);
    let mut camera = Camera::new(5, None);
    world.publish_all(&camera.picture(true, 1, 0));
    assert!(world.sink.take().is_empty());
    world.pass(1_000);
    world.publish_all(&camera.picture(false, 1, 0));
    assert_eq!(requests(&mut world), []);
    world.router.set_connected(world.now, carol);
    world.settle();
    assert_eq!(requests(&mut world), [5]);
    world.publish_all(&camera.picture(true, 1, 0));
    assert_eq!(world.sink.take().len(), 1);
}

#[test]
fn closing_ends_streams_with_a_goodbye_and_frees_everything() {
    let mut world = World::new();
    world.add_audio();
    world.add_video(1);
    let sound = world.subscribe(0, AUDIO, ALICE, ALL, false);
    world.subscribe(1, VIDEO, ALICE, ALL, true);
    world.publish(&voice(5, 1, 30)).unwrap();
    world.router.unsubscribe(sound);
    world.settle();
    assert_eq!(goodbyes(&mut world), [(ALICE, 1_000)]);
    world.router.close_transport(PUBLISHER);
    world.settle();
    assert_eq!(goodbyes(&mut world), [], "of the picture nothing was sent");
    for cell in [Cell::Tracks, Cell::Subscriptions, Cell::Encodings] {
        assert_eq!(world.counters.get(cell), 0, "{cell:?}");
    }
    assert_eq!(world.publish(&voice(5, 2, 30)), Err(DropReason::UnknownId));
    world.router.close_track(AUDIO);
    assert_eq!(world.counters.drops(DropReason::UnknownId), 1);
}

#[test]
fn an_ssrc_that_is_used_again_goes_on_with_its_numbers() {
    let mut world = World::new();
    world.add_audio();
    for round in 0..5u32 {
        let id = world.subscribe(0, AUDIO, ALICE, ALL, false);
        // The sink checks that no index stands for two packets.
        world.publish(&voice(5, round as u16, 30)).unwrap();
        world.router.unsubscribe(id);
    }
    let got = world.sink.take();
    assert_eq!(got.len(), 5);
    assert!(got.windows(2).all(|pair| pair[1].index == pair[0].index.next()));
}

#[test]
fn the_router_tells_its_state_in_numbers() {
    let mut world = World::new();
    world.add_audio();
    world.subscribe(0, AUDIO, ALICE, ALL, false);
    world.publish(&voice(5, 1, 30)).unwrap();
    let state = world.router.debug_state();
    for part in [r#""ssrc":5,"active":true,"newest":65537"#, r#""target":0,"current":0,"waits_for":-1"#] {
        assert!(state.contains(part), "{state}");
    }
}

#[test]
fn speakers_are_told_when_they_begin_and_stop() {
    let mut world = World::new();
    world.add_audio();
    world.router.set_audio_group(world.now, AUDIO, Some(GroupId(3)));
    for seq in 0..50u16 {
        world.publish(&voice(5, seq, 25)).unwrap();
        world.pass(20);
    }
    for seq in 50..100u16 {
        world.publish(&voice(5, seq, 127)).unwrap();
        world.pass(20);
    }
    let told: Vec<_> = world
        .events
        .iter()
        .filter_map(|event| match event {
            Event::SpeakersChanged { worker: 0, group: GroupId(3), speakers } => Some(speakers.as_slice()),
            _ => None,
        })
        .collect();
    assert!(matches!(told.first(), Some(&[(AUDIO, 82..)])), "{told:?}");
    assert_eq!(told.last(), Some(&&[][..]), "{told:?}");
    assert!(told.len() <= 4, "{told:?}");
}

/// SSRCs of the key-frame requests that were sent to the publisher.
pub(crate) fn requests(world: &mut World) -> Vec<u32> {
    let sent = world.sink.take_rtcp();
    let of_publisher = sent.iter().filter(|(to, _)| *to == PUBLISHER);
    of_publisher
        .flat_map(|(_, bytes)| Compound::new(bytes))
        .filter_map(|packet| match packet {
            Ok(RtcpPacket::PictureLoss { media }) => Some(media.0),
            _ => None,
        })
        .collect()
}

fn goodbyes(world: &mut World) -> Vec<(rtc::id::TransportId, u32)> {
    let sent = world.sink.take_rtcp();
    let mut found = Vec::new();
    for (to, bytes) in &sent {
        for packet in Compound::new(bytes) {
            if let Ok(RtcpPacket::Goodbye { sources }) = packet {
                found.extend(sources.map(|ssrc| (*to, ssrc.0)));
            }
        }
    }
    found
}
