//! A camera, people who watch it over networks good and bad, and what they must have seen in the end.

use std::time::Duration;

use rtc::drop_reason::DropReason;

use crate::browser::Occurrence;
use crate::call::{Call, VIDEO_PT, VIDEO_RTX_PT, VIDEO_SSRC};
use crate::media::{Camera, PICTURE_INTERVAL, Piece, Viewer};
use crate::network::Link;

const STEP: Duration = Duration::from_millis(3);
const SUBSCRIBER_SSRC: u32 = 0x0b00_0000;
const SUBSCRIBER_RTX_SSRC: u32 = 0x0c00_0000;

/// A bad 4G line: bad enough that a repair is often lost, too, and good enough that some try succeeds within the two
/// seconds that the history reaches back.
pub const BAD: Link =
    Link { delay: Duration::from_millis(60), jitter: Duration::from_millis(40), loss: 0.05, duplicate: 0.05 };

/// One camera and some viewers, in virtual time.
pub struct Cinema {
    /// The people; the first has the camera.
    pub call: Call,
    /// What is shot.
    pub camera: Camera,
    /// What the others see.
    pub viewers: Vec<Viewer>,
    /// How much each browser has heard and acted upon.
    read: Vec<usize>,
}

impl Cinema {
    /// Viewers on the worker of the camera; all lines are like `link` once everybody has connected.
    pub fn new(link: Link, seed: u64, viewers: usize) -> Cinema {
        Cinema::of(Call::new(Link::CLEAN, seed, 1, viewers), link)
    }

    /// The same for a call with one publisher.
    pub fn of(call: Call, link: Link) -> Cinema {
        let viewers = call.world.people() - 1;
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

    /// Lets time pass; everybody reacts to what they hear.
    pub fn play(&mut self, time: Duration, shooting: bool) {
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

    /// The packets of pictures that a viewer got.
    pub fn seen(&self, viewer: usize) -> Vec<(u64, Piece)> {
        self.viewers[viewer].pieces().filter_map(|(index, piece)| Some((index, piece?))).collect()
    }
}

/// Checks that `seen` is one stream without a hole that begins with a key frame; returns how many pictures it has.
///
/// # Panics
/// If it is not.
pub fn whole(seen: &[(u64, Piece)]) -> usize {
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
