//! A camera is watched through a worker, with real protection of every packet, over networks good and bad.

use std::time::Duration;

use rtc::counters::{Cell, LegCell};
use sim::cinema::{BAD, Cinema, whole};
use sim::network::Link;

#[test]
fn on_a_cable_everything_is_seen_and_nothing_is_asked_for() {
    let mut cinema = Cinema::new(Link::CLEAN, 1, 2);
    cinema.play(Duration::from_secs(3), true);
    cinema.play(Duration::from_millis(50), false);
    for viewer in 0..2 {
        assert!(whole(&cinema.seen(viewer)) >= 90);
        assert_eq!(cinema.viewers[viewer].repaired, 0);
    }
    assert_eq!(cinema.camera.key_frames, 1, "both took the first key frame");
    let counters = cinema.call.world.counters();
    assert_eq!((counters.get(Cell::NackUp), counters.get(Cell::RtxDown)), (0, 0));
}

#[test]
fn over_a_bad_line_in_both_directions_every_picture_is_whole_in_the_end() {
    for seed in 1..=5 {
        let mut cinema = Cinema::new(BAD, seed, 2);
        cinema.play(Duration::from_secs(6), true);
        cinema.play(Duration::from_millis(1_500), false);
        for viewer in 0..2 {
            let pictures = whole(&cinema.seen(viewer));
            assert!(pictures > 150, "seed {seed}: {pictures} pictures");
            assert!(cinema.viewers[viewer].repaired > 20, "seed {seed}");
        }
        let counters = cinema.call.world.counters();
        assert!(counters.get(Cell::NackUp) > 20 && counters.get(Cell::RtxUp) > 20);
        assert!(cinema.camera.key_frames < 10, "repair, not key frames");
    }
}

#[test]
fn a_viewer_that_lost_track_gets_a_key_frame() {
    let mut cinema = Cinema::new(Link::CLEAN, 1, 1);
    cinema.play(Duration::from_secs(1), true);
    let request = cinema.viewers[0].ask_for_key_frame();
    cinema.call.world.browser(1).send_rtcp(&request);
    cinema.play(Duration::from_millis(100), true);
    assert_eq!(cinema.camera.key_frames, 2);
    assert_eq!(cinema.call.world.counters().get(Cell::PliUp), 1);
    let transport = cinema.call.world.transport(1);
    assert_eq!(cinema.call.world.counters().leg(transport, LegCell::PliDown), 1);
}
