//! A camera is watched through a worker, with real protection of every packet, over networks good and bad.

use std::time::Duration;

use rtc::counters::{Cell, LegCell};
use rtc::drop_reason::DropReason;
use sim::browser::Occurrence;
use sim::call::{Call, VIDEO_PT, VIDEO_RTX_PT, VIDEO_SSRC};
use sim::media::{Camera, PICTURE_INTERVAL, Piece, Viewer};
use sim::network::Link;

const STEP: Duration = Duration::from_millis(3);
const SUBSCRIBER_SSRC: u32 = 0x0b00_0000;
const SUBSCRIBER_RTX_SSRC: u32 = 0x0c00_0000;

/// A bad 4G line: bad enough that a repair is often lost, too, and good enough that some try succeeds within the two
/// seconds that the history reaches back.
const BAD: Link =
    Link { delay: Duration::from_millis(60), jitter: Duration::from_millis(40), loss: 0.05, duplicate: 0.05 };

/// One camera and some viewers.
struct Cinema {
    call: Call,
    camera: Camera,
    viewers: Vec<Viewer>,
    /// How much each browser has heard and acted upon.
    read: Vec<usize>,
}

impl Cinema {
    fn new(link: Link, seed: u64, viewers: usize) -> Cinema {
        let call = Call::new(Link::CLEAN, seed, 1, viewers);
        let retry = (link.delay + link.jitter) * 2 + Duration::from_millis(20);
        let mut cinema = Cinema {
            call,
            camera: Camera::new(VIDEO_SSRC, VIDEO_SSRC + 100, VIDEO_PT, VIDEO_RTX_PT, 5),
            viewers: (0..viewers as u32)
                .map(|i| Viewer::new(SUBSCRIBER_SSRC + i, SUBSCRIBER_RTX_SSRC + i, retry))
                .collect(),
            read: vec![0; viewers + 1],
        };
        cinema.call.world.network().set_link(link);
        cinema
    }

    fn play(&mut self, time: Duration, shooting: bool) {
        let end = self.call.world.now() + time;
        let mut next_picture = self.call.world.now();
        let mut pictures = 0;
        while self.call.world.now() < end {
            let now = self.call.world.now();
            if shooting && now >= next_picture {
                next_picture = next_picture + PICTURE_INTERVAL;
                pictures += 1;
                for numbered in self.camera.shoot() {
                    self.call.world.browser(0).send_rtp(numbered.index, &numbered.packet);
                }
                if pictures % 30 == 1 {
                    let report = self.camera.report(now);
                    self.call.world.browser(0).send_rtcp(&report);
                }
            }
            self.call.world.run_for(STEP);
            self.react();
        }
    }

    fn react(&mut self) {
        let now = self.call.world.now();
        for browser in 0..self.read.len() {
            let heard = self.call.world.heard(browser);
            let new: Vec<_> = heard[self.read[browser]..].iter().map(|(_, what)| what.clone()).collect();
            self.read[browser] = heard.len();
            for what in new {
                match what {
                    Occurrence::Rtcp(compound) if browser == 0 => {
                        for numbered in self.camera.hear(&compound) {
                            self.call.world.browser(0).send_rtp(numbered.index, &numbered.packet);
                        }
                    }
                    Occurrence::Rtp(packet) if browser > 0 => self.viewers[browser - 1].receive(&packet),
                    // The network doubles packets; nothing else may be wrong with them.
                    Occurrence::Undecipherable(DropReason::SrtpReplay | DropReason::SrtcpReplay) => {}
                    Occurrence::Undecipherable(reason) => panic!("{reason:?}"),
                    _ => {}
                }
            }
            if browser > 0
                && let Some(request) = self.viewers[browser - 1].ask(now)
            {
                self.call.world.browser(browser).send_rtcp(&request);
            }
        }
    }

    fn seen(&self, viewer: usize) -> Vec<(u64, Piece)> {
        self.viewers[viewer].pieces().filter_map(|(index, piece)| Some((index, piece?))).collect()
    }
}

/// Checks that `seen` is one stream without a hole that begins with a key frame; returns how many pictures it has.
fn whole(seen: &[(u64, Piece)]) -> usize {
    let (_, first) = seen.first().expect("something was seen");
    assert!(first.key_start, "a decoder can start");
    for pair in seen.windows(2) {
        let ((index, old), (next, new)) = (pair[0], pair[1]);
        assert_eq!(next, index + 1, "no hole after {old:?}");
        let follows = if old.number + 1 == old.of {
            (new.picture, new.number) == (old.picture + 1, 0) && new.id == (old.id + 1) & 0x7fff
        } else {
            (new.picture, new.number, new.id) == (old.picture, old.number + 1, old.id)
        };
        assert!(follows, "{old:?} then {new:?}");
    }
    seen.chunk_by(|a, b| a.1.picture == b.1.picture).count()
}

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
