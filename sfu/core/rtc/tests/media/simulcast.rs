use std::collections::BTreeSet;

use crate::forwarding::requests;
use crate::support::*;
use rtc::command::LayerPlan;
use rtc::counters::Cell;
use rtc::event::Event;
use rtc::rtcp::{Composer, NtpTime, SenderInfo};
use rtc::units::{RtpTime, Ssrc};

/// Three encodings of one camera, 30 pictures a second.
struct Studio {
    world: World,
    encodings: Vec<Camera>,
    /// Encodings that are sent.
    on: Vec<bool>,
    tick: u64,
}

const SSRCS: [u32; 3] = [11, 12, 13];

impl Studio {
    fn new() -> Studio {
        let mut world = World::new();
        world.add_video(3);
        let encodings =
            SSRCS.into_iter().zip(["q", "h", "f"]).map(|(ssrc, rid)| Camera::new(ssrc, Some(rid))).collect();
        Studio { world, encodings, on: vec![true; 3], tick: 0 }
    }

    /// One picture of each encoding, 33 ms after the last; encodings in `key` send a key frame.
    fn shoot(&mut self, key: &[u32]) {
        self.tick += 1;
        for (place, camera) in self.encodings.iter_mut().enumerate() {
            let packets = camera.picture(key.contains(&camera.ssrc), place as u8 + 1, 0);
            if self.on[place] {
                self.world.publish_all(&packets);
            }
        }
        self.world.pass(33);
    }

    /// Shoots until a key frame was asked for and sent, as a browser would.
    fn shoot_for(&mut self, pictures: u64) {
        for _ in 0..pictures {
            let wanted = requests(&mut self.world);
            self.shoot(&wanted);
        }
    }

    /// Sends reports with one instant for all encodings.
    fn report(&mut self) {
        for camera in &self.encodings {
            let mut composer = Composer::new();
            let info = SenderInfo {
                ntp: NtpTime((100 << 32) + (self.tick << 32) * 33 / 1_000),
                rtp: RtpTime(camera.timestamp),
                packets: 1,
                bytes: 1,
            };
            composer.sender_report(Ssrc(camera.ssrc), &info, &[]);
            self.world.rtcp(PUBLISHER, composer.bytes()).unwrap();
        }
    }
}

/// Checks that `got` is one stream without a seam, and returns the number of packets in each picture.
fn seamless(got: &[Got]) -> Vec<usize> {
    for pair in got.windows(2) {
        assert_eq!(pair[1].index, pair[0].index.next(), "no hole and no repetition");
        let (old, new) = (pair[0].packet(), pair[1].packet());
        let step = new.timestamp.0.wrapping_sub(old.timestamp.0);
        if step == 0 {
            assert_eq!(pair[0].picture(), pair[1].picture());
        } else {
            assert!(step < 90_000, "timestamps go on: {step}");
            let ((id, tl0), (next_id, next_tl0)) = (pair[0].picture(), pair[1].picture());
            assert_eq!((next_id, next_tl0), ((id + 1) & 0x7fff, tl0.wrapping_add(1)));
        }
    }
    got.chunk_by(|a, b| a.packet().timestamp == b.packet().timestamp).map(<[Got]>::len).collect()
}

#[test]
fn a_switch_waits_for_the_key_frame_while_the_old_encoding_flows() {
    for (from, to) in [(0, 2), (2, 0), (0, 1), (1, 2)] {
        let mut studio = Studio::new();
        studio.shoot(&SSRCS);
        let id = studio.world.subscribe(0, VIDEO, ALICE, plan(from), true);
        studio.shoot_for(20);
        studio.world.router.set_layer_plan(studio.world.now, id, plan(to));
        studio.world.settle();
        assert_eq!(requests(&mut studio.world), [SSRCS[usize::from(to)]]);
        for _ in 0..5 {
            studio.shoot(&[]);
        }
        studio.shoot(&[SSRCS[usize::from(to)]]);
        studio.shoot_for(5);
        let got = studio.world.sink.take();
        let pictures = seamless(&got);
        let (before, after) = (usize::from(from) + 1, usize::from(to) + 1);
        // Upwards the lower picture of the same instant has been sent when the key frame comes.
        let old = 26 + usize::from(from < to);
        assert_eq!(pictures, [vec![before; old], vec![after; 6]].concat(), "{from} to {to}");
        let switched = Event::LayerSwitched { subscription: id, encoding: Some(to) };
        assert!(studio.world.events.contains(&switched));
        assert_eq!(studio.world.counters.get(Cell::LayerSwitches), 1);
    }
}

#[test]
fn timestamps_follow_the_publishers_clock_over_many_switches() {
    let mut studio = Studio::new();
    studio.shoot(&SSRCS);
    let id = studio.world.subscribe(0, VIDEO, ALICE, plan(0), true);
    studio.shoot_for(3);
    studio.report();
    for round in 0..30u8 {
        studio.world.router.set_layer_plan(studio.world.now, id, plan(round % 3));
        studio.world.settle();
        studio.shoot_for(10);
        if round % 5 == 0 {
            studio.report();
        }
    }
    let got = studio.world.sink.take();
    seamless(&got);
    let (first, last) = (got.first().unwrap().packet(), got.last().unwrap().packet());
    let elapsed = last.timestamp.0.wrapping_sub(first.timestamp.0);
    // 33 ms are 2,970 units by the reports and 3,000 by the packets.
    let expected = (studio.tick as u32 - 1) * 2_985;
    assert!(elapsed.abs_diff(expected) < 9_000, "{elapsed} for {expected}");
}

#[test]
fn the_nearest_lower_encoding_stands_in_until_the_target_comes() {
    let mut studio = Studio::new();
    studio.on = vec![true, true, false];
    studio.shoot(&SSRCS);
    studio.world.subscribe(0, VIDEO, ALICE, plan(2), true);
    studio.shoot_for(10);
    assert_eq!(seamless(&studio.world.sink.take()), [2; 11]);
    studio.on[2] = true;
    studio.shoot_for(10);
    let pictures = seamless(&studio.world.sink.take());
    assert!(pictures.starts_with(&[2]) && pictures.ends_with(&[3; 8]), "{pictures:?}");
}

#[test]
fn an_encoding_that_stops_is_replaced_within_three_quarters_of_a_second() {
    let mut studio = Studio::new();
    studio.shoot(&SSRCS);
    studio.world.subscribe(0, VIDEO, ALICE, plan(2), true);
    studio.shoot_for(10);
    studio.world.events.clear();
    studio.world.sink.take();
    studio.on[2] = false;
    studio.shoot_for(60);
    assert!(studio.world.events.contains(&Event::LayersChanged { track: VIDEO, active: 0b011 }));
    let pictures = seamless(&studio.world.sink.take());
    assert!(pictures.len() >= 60 - 22 && pictures.iter().all(|&packets| packets == 2), "{pictures:?}");
}

#[test]
fn a_goodbye_stops_an_encoding_at_once() {
    let mut studio = Studio::new();
    studio.shoot(&SSRCS);
    studio.world.subscribe(0, VIDEO, ALICE, plan(2), true);
    studio.shoot_for(10);
    studio.world.sink.take();
    let mut composer = Composer::new();
    composer.goodbye(Ssrc(SSRCS[2]));
    studio.world.rtcp(PUBLISHER, composer.bytes()).unwrap();
    studio.on[2] = false;
    studio.shoot_for(10);
    assert_eq!(seamless(&studio.world.sink.take()), [2; 10]);
}

#[test]
fn a_key_frame_is_asked_for_again_until_it_comes_and_never_more_than_twice_a_second() {
    let mut studio = Studio::new();
    studio.shoot(&SSRCS);
    let id = studio.world.subscribe(0, VIDEO, ALICE, plan(0), true);
    studio.shoot_for(20);
    requests(&mut studio.world);
    studio.world.router.set_layer_plan(studio.world.now, id, plan(2));
    for _ in 0..90 {
        studio.shoot(&[]);
    }
    let asked = requests(&mut studio.world);
    assert!((5..=6).contains(&asked.len()) && asked.iter().all(|&ssrc| ssrc == 13), "{asked:?}");
}

#[test]
fn a_change_of_mind_before_the_key_frame_keeps_the_old_encoding() {
    let mut studio = Studio::new();
    studio.shoot(&SSRCS);
    let id = studio.world.subscribe(0, VIDEO, ALICE, plan(0), true);
    studio.shoot_for(20);
    studio.world.router.set_layer_plan(studio.world.now, id, plan(2));
    studio.shoot(&[]);
    studio.world.router.set_layer_plan(studio.world.now, id, plan(0));
    studio.shoot(&SSRCS);
    studio.shoot_for(3);
    let pictures = seamless(&studio.world.sink.take());
    assert!(pictures.iter().all(|&packets| packets == 1), "{pictures:?}");
}

/// Only the highest encoding is sent, and somebody has just subscribed to it.
fn waiting_for_a_key_frame() -> Studio {
    let mut studio = Studio::new();
    studio.on = vec![false; 3];
    studio.on[2] = true;
    studio.shoot(&SSRCS);
    studio.world.pass(1_000);
    studio.world.subscribe(0, VIDEO, ALICE, plan(2), true);
    studio
}

#[test]
fn a_key_frame_whose_packets_overtake_each_other_is_whole() {
    let mut studio = waiting_for_a_key_frame();
    let mut packets = studio.encodings[2].picture(true, 4, 0);
    packets.swap(0, 1);
    packets.swap(2, 3);
    studio.world.publish_all(&packets);
    let got = studio.world.sink.take();
    let contents: BTreeSet<_> = got.iter().map(|got| (got.index, got.content().1)).collect();
    let order: Vec<_> = contents.into_iter().map(|(_, packet)| packet).collect();
    assert_eq!(order, [0, 1, 2, 3]);
}

#[test]
fn a_key_frame_whose_start_was_lost_and_repaired_is_whole() {
    let mut studio = waiting_for_a_key_frame();
    let mut packets = studio.encodings[2].picture(true, 100, 0);
    let start = packets.remove(0);
    studio.world.publish_all(&packets);
    let repair = studio.encodings[2].repair(&start, 99, 1);
    studio.world.publish(&repair).expect("a good packet");
    let got = studio.world.sink.take();
    let mut contents: Vec<_> = got.iter().map(|got| (got.index, got.content().1)).collect();
    contents.sort_unstable();
    let order: Vec<_> = contents.into_iter().map(|(_, packet)| packet).collect();
    assert_eq!(order, (0..100).collect::<Vec<u8>>());
}

#[test]
fn upper_temporal_layers_are_left_out_without_a_hole() {
    let mut world = World::new();
    world.add_video(1);
    let base_only = LayerPlan { encoding: Some(0), temporal: 0 };
    let id = world.subscribe(0, VIDEO, ALICE, base_only, true);
    let mut camera = Camera::new(5, None);
    for i in 0..12u8 {
        world.publish_all(&camera.picture(i == 0, 2, [0, 2, 1, 2][usize::from(i % 4)]));
        world.pass(33);
    }
    let got = world.sink.take();
    assert_eq!(seamless(&got), [2, 2, 2]);
    world.router.set_layer_plan(world.now, id, ALL);
    world.publish_all(&camera.picture(false, 2, 2));
    world.publish_all(&camera.picture(true, 2, 0));
    world.publish_all(&camera.picture(false, 2, 2));
    assert_eq!(world.sink.take().len(), 4, "upper layers come back where nothing is missing");
}

#[test]
fn an_encoding_that_starts_over_with_another_ssrc_goes_on_seamlessly() {
    let mut world = World::new();
    world.add_video(1);
    world.subscribe(0, VIDEO, ALICE, ALL, true);
    let mut old = Camera::new(5, None);
    for i in 0..5 {
        world.publish_all(&old.picture(i == 0, 2, 0));
        world.pass(33);
    }
    world.pass(1_500);
    let mut new = Camera::new(6, None);
    for i in 0..5 {
        world.publish_all(&new.picture(i == 0, 2, 0));
        world.pass(33);
    }
    let got = world.sink.take();
    let joined: Vec<_> = got.iter().map(Got::content).collect();
    assert_eq!(joined.len(), 20);
    let step = got[10].packet().timestamp.0.wrapping_sub(got[9].packet().timestamp.0);
    assert_eq!(step, 1_533 * 90, "by arrival");
    assert!(got.windows(2).all(|pair| pair[1].index == pair[0].index.next()));
    assert_eq!(got[10].picture().0, (got[9].picture().0 + 1) & 0x7fff);
}

#[test]
fn a_key_frame_of_h264_begins_with_its_parameter_sets() {
    for joins_late in [false, true] {
        let mut world = World::new();
        world.add_h264();
        if !joins_late {
            world.subscribe(0, VIDEO, ALICE, ALL, true);
        }
        let units: [&[u8]; 4] = [&[0x41, 9], &[0x67, 1], &[0x68, 2], &[0x65, 3]];
        for (i, unit) in units.into_iter().enumerate() {
            let timestamp = if i == 0 { 0 } else { 3_000 };
            let elements = [(MID_UP, b"1".to_vec())];
            world.publish(&rtp(VP8, i as u16, timestamp, 5, i == 3, &elements, unit)).unwrap();
        }
        if joins_late {
            world.subscribe(0, VIDEO, ALICE, ALL, true);
        }
        let got = world.sink.take();
        let kinds: Vec<_> = got.iter().map(|got| got.packet().payload[0]).collect();
        assert_eq!(kinds, [0x67, 0x68, 0x65], "{joins_late}");
    }
}

#[test]
fn sound_that_starts_over_with_another_ssrc_loses_nothing() {
    let mut world = World::new();
    world.add_audio();
    world.subscribe(0, AUDIO, ALICE, ALL, false);
    world.publish(&voice(5, 1, 30)).unwrap();
    world.pass(1_500);
    for seq in 30_000..30_003 {
        world.publish(&voice(6, seq, 30)).unwrap();
    }
    let got = world.sink.take();
    assert_eq!(got.len(), 4);
    assert!(got.windows(2).all(|pair| pair[1].index == pair[0].index.next()));
}

#[test]
fn a_camera_that_goes_on_after_a_pause_keeps_its_encoding() {
    for missing in [false, true] {
        let mut studio = Studio::new();
        studio.shoot(&SSRCS);
        studio.world.subscribe(0, VIDEO, ALICE, plan(2), true);
        studio.shoot_for(10);
        studio.world.pass(10_000);
        assert!(studio.world.events.contains(&Event::LayersChanged { track: VIDEO, active: 0 }));
        studio.world.sink.take();
        studio.on[2] = !missing;
        studio.shoot(&SSRCS);
        studio.shoot_for(60);
        let pictures: Vec<_> = seamless_in_numbers(&studio.world.sink.take());
        if missing {
            assert!(pictures.len() > 20 && pictures.iter().all(|&packets| packets == 2), "{pictures:?}");
        } else {
            assert_eq!(pictures, [3; 61], "no other encoding in between");
        }
    }
}

/// The number of packets in each picture of a stream without a hole; its time may jump.
fn seamless_in_numbers(got: &[Got]) -> Vec<usize> {
    assert!(got.windows(2).all(|pair| pair[1].index == pair[0].index.next()));
    got.chunk_by(|a, b| a.packet().timestamp == b.packet().timestamp).map(<[Got]>::len).collect()
}

#[test]
fn an_encoding_that_begins_with_a_key_frame_needs_no_request() {
    let mut studio = Studio::new();
    studio.on = vec![true, false, false];
    studio.world.subscribe(0, VIDEO, ALICE, plan(2), true);
    studio.shoot(&SSRCS);
    for _ in 0..3 {
        studio.shoot(&[]);
    }
    studio.on = vec![true; 3];
    studio.shoot(&SSRCS);
    for _ in 0..3 {
        studio.shoot(&[]);
    }
    let pictures = seamless(&studio.world.sink.take());
    // At the instant when all begin, each is taken as it comes.
    assert_eq!(pictures, [1, 1, 1, 1, 1, 2, 3, 3, 3, 3]);
    assert_eq!(requests(&mut studio.world), []);
}

#[test]
fn what_each_encoding_takes_is_told_when_it_changes_and_not_while_it_is_steady() {
    let told = |studio: &mut Studio| {
        let rates = studio.world.events.drain(..).filter_map(|event| match event {
            Event::RatesChanged { track: VIDEO, rates } => {
                Some(rates.iter().map(|[.., all]| all.0).collect::<Vec<_>>())
            }
            _ => None,
        });
        rates.collect::<Vec<_>>()
    };
    let mut studio = Studio::new();
    studio.shoot(&SSRCS);
    studio.shoot_for(120);
    let rates = told(&mut studio);
    let [low, middle, high] = rates.last().expect("rates are told")[..] else { panic!("{rates:?}") };
    assert!(low > 0 && middle > low * 3 / 2 && high > middle, "{rates:?}");
    studio.shoot_for(900);
    assert_eq!(told(&mut studio), Vec::<Vec<u32>>::new(), "half a minute without a change");
    studio.on[2] = false;
    studio.shoot_for(90);
    assert!(matches!(told(&mut studio).last().unwrap()[..], [_, _, 0]));
}
