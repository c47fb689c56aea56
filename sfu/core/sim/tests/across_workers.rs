//! A call whose people live on two workers: everybody notices as little of it as of the kernel, which gives half of
//! the datagrams to the wrong one.

use std::net::SocketAddr;
use std::time::Duration;

use rtc::command::{Command, LayerPlan, TrackParams};
use rtc::counters::{Cell, Counters};
use rtc::drop_reason::DropReason;
use rtc::event::{Event, FailReason};
use rtc::fault::Fault;
use rtc::id::{SubscriptionId, TrackId};
use rtc::memo::{Memo, MemoSink};
use rtc::outbox::Outbox;
use rtc::rtcp::{Compound, RtcpPacket};
use rtc::units::{Ssrc, Time};
use sim::browser::Occurrence;
use sim::call::{self, Call, VIDEO_PT, VIDEO_RTX_PT, VIDEO_SSRC};
use sim::cinema::{BAD, Cinema, whole};
use sim::media::{Camera, PICTURE_INTERVAL};
use sim::network::Link;
use sim::world::World;

const SECOND: Duration = Duration::from_secs(1);

/// The kernel gives what comes from here to worker `entry` of two.
fn address(number: u8, entry: u8) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, number], 40_000 + u16::from(number % 2 != entry)))
}

/// The camera on worker 0; viewers on worker 1, 1 and 0. What comes from the camera and the first viewer enters at the
/// wrong worker.
fn people() -> [(u8, SocketAddr); 4] {
    [(0, address(1, 1)), (1, address(2, 0)), (1, address(3, 1)), (0, address(4, 0))]
}

fn cinema(link: Link, seed: u64) -> Cinema {
    Cinema::of(Call::across(Link::CLEAN, seed, 1, 2, &people()), link)
}

fn of_both(cinema: &Cinema, cell: Cell) -> u64 {
    (0..2).map(|worker| cinema.call.world.counters_of(worker).get(cell)).sum()
}

fn close_mirrors(cinema: &mut Cinema) {
    let mirrors = cinema.call.mirrors.clone().into_boxed_slice();
    cinema.call.world.command_to(1, Command::CloseMirrors { mirrors });
}

#[test]
fn on_a_cable_everything_is_seen_on_both_workers_after_one_key_frame() {
    let mut cinema = cinema(Link::CLEAN, 1);
    cinema.play(3 * SECOND, true);
    cinema.play(Duration::from_millis(50), false);
    for viewer in 0..3 {
        assert!(whole(&cinema.seen(viewer)) >= 90, "viewer {viewer}");
        assert_eq!(cinema.viewers[viewer].repaired, 0);
    }
    assert_eq!(cinema.camera.key_frames, 1, "all took the first key frame");
    assert_eq!(of_both(&cinema, Cell::RelayedDown), of_both(&cinema, Cell::RelayedUp));
    assert!(cinema.call.world.counters_of(0).get(Cell::TakenOver) > 400);
    assert!((0..2).all(|worker| cinema.call.world.counters_of(worker).drops(DropReason::Unvalidated) == 0));
}

#[test]
fn over_a_bad_line_every_picture_is_whole_in_the_end_on_both_workers() {
    for seed in 1..=5 {
        let mut cinema = cinema(BAD, seed);
        // A viewer cannot know that the very first packet was lost.
        cinema.call.world.network().set_link(Link::CLEAN);
        cinema.play(Duration::from_millis(100), true);
        cinema.call.world.network().set_link(BAD);
        cinema.play(6 * SECOND, true);
        cinema.play(Duration::from_millis(1_500), false);
        for viewer in 0..3 {
            let pictures = whole(&cinema.seen(viewer));
            assert!(pictures > 150, "seed {seed}, viewer {viewer}: {pictures} pictures");
            assert!(cinema.viewers[viewer].repaired > 20, "seed {seed}, viewer {viewer}");
        }
        assert_eq!(
            cinema.call.world.counters_of(1).get(Cell::NackUp),
            0,
            "lost packets are asked for at home"
        );
        assert!(cinema.camera.key_frames < 10, "repair, not key frames");
    }
}

#[test]
fn viewers_of_a_mirror_that_lost_track_cost_the_camera_one_key_frame_in_half_a_second() {
    let mut cinema = cinema(Link::CLEAN, 1);
    cinema.play(SECOND, true);
    for _ in 0..20 {
        for viewer in 0..3 {
            let request = cinema.viewers[viewer].ask_for_key_frame();
            cinema.call.world.browser(viewer + 1).send_rtcp(&request);
        }
        cinema.play(Duration::from_millis(50), true);
    }
    assert!((2..=4).contains(&cinema.camera.key_frames), "{}", cinema.camera.key_frames);
    assert_eq!(cinema.call.world.counters_of(1).get(Cell::PliUp), 0);
    assert!(cinema.call.world.counters_of(0).get(Cell::PliUp) >= 1);
}

#[test]
fn viewers_of_a_mirror_get_sender_reports_in_the_cameras_clock() {
    let mut cinema = cinema(Link::CLEAN, 1);
    cinema.play(3 * SECOND, true);
    for viewer in 1..=3 {
        let reports =
            cinema.call.world.heard(viewer).iter().filter_map(|(at, occurrence)| match occurrence {
                Occurrence::Rtcp(compound) => {
                    Compound::new(compound).flatten().find_map(|packet| match packet {
                        RtcpPacket::SenderReport {
                            sender: Ssrc(0x0b00_0000..=0x0b00_00ff), info, ..
                        } => Some((*at, info.ntp.0 >> 32)),
                        _ => None,
                    })
                }
                _ => None,
            });
        let reports: Vec<(Time, u64)> = reports.collect();
        assert!(reports.len() >= 2, "viewer {viewer}: {reports:?}");
        for (at, seconds) in reports {
            assert!(seconds.abs_diff(3_000_000_000 + at.micros() / 1_000_000) <= 1, "viewer {viewer}");
        }
    }
}

#[test]
fn when_the_publisher_has_left_nothing_is_left_of_it_on_either_worker() {
    let mut cinema = cinema(Link::CLEAN, 1);
    cinema.play(SECOND, true);
    assert_eq!(cinema.call.world.counters_of(1).get(Cell::Mirrors), 1);
    for person in 0..4 {
        let transport = cinema.call.world.transport(person);
        cinema.call.world.command_to(transport.worker(), Command::CloseTransport { transport });
    }
    close_mirrors(&mut cinema);
    let gauges = [Cell::Transports, Cell::Tracks, Cell::Mirrors, Cell::Encodings, Cell::Subscriptions];
    for cell in gauges.into_iter().chain([Cell::Paths, Cell::ForeignPaths]) {
        assert_eq!(of_both(&cinema, cell), 0, "{}", cell.label());
    }
}

#[test]
fn a_goodbye_of_the_publisher_stops_the_mirror_and_the_next_packet_starts_it_again() {
    let mut cinema = cinema(Link::CLEAN, 1);
    cinema.play(SECOND, true);
    let active =
        |cinema: &mut Cinema| cinema.call.world.worker_at(1).debug_state().contains(r#""active":true"#);
    assert!(active(&mut cinema));
    let mut goodbye = rtc::rtcp::Composer::new();
    goodbye.receiver_report(Ssrc(VIDEO_SSRC), &[]);
    goodbye.goodbye(Ssrc(VIDEO_SSRC));
    cinema.call.world.browser(0).send_rtcp(goodbye.bytes());
    cinema.play(Duration::from_millis(20), false);
    assert!(!active(&mut cinema));
    cinema.play(SECOND, true);
    assert!(active(&mut cinema));
}

#[test]
fn what_a_full_lane_holds_up_comes_later_and_what_leaves_the_history_meanwhile_is_counted() {
    let people = [(0, address(1, 0)), (0, address(2, 0)), (1, address(3, 1))];
    let mut cinema = Cinema::of(Call::across(Link::CLEAN, 1, 1, 2, &people), Link::CLEAN);
    cinema.play(SECOND, true);
    cinema.call.world.lanes().held = true;
    cinema.play(SECOND, true);
    cinema.call.world.lanes().held = false;
    cinema.play(SECOND, true);
    cinema.play(Duration::from_millis(50), false);
    // The lane took 256 memos, the history has kept the others.
    assert!(whole(&cinema.seen(1)) >= 90);
    assert_eq!(cinema.call.world.counters_of(0).drops(DropReason::LaneFull), 0);

    cinema.call.world.lanes().held = true;
    let frames = cinema.camera.key_frames;
    for _ in 0..20 {
        cinema.play(SECOND, true);
    }
    assert_eq!(cinema.camera.key_frames, frames);
    cinema.call.world.lanes().held = false;
    cinema.play(2 * SECOND, true);
    assert!(cinema.call.world.counters_of(0).drops(DropReason::LaneFull) > 1_000);
    let (last, _) = *cinema.seen(1).last().unwrap();
    cinema.play(SECOND, true);
    assert!(cinema.seen(1).last().unwrap().0 >= last + 25 * 5, "the picture goes on");
}

/// A camera with two encodings on worker 0, and somebody connected on worker 1 who watches nothing yet.
struct Studio {
    world: World,
    params: TrackParams,
    encodings: [Camera; 2],
    read: usize,
}

const TRACK: TrackId = TrackId::new(0, 0, 1);

impl Studio {
    fn new() -> Studio {
        let mut world = World::with_workers(Link::CLEAN, 1, 2);
        let [camera, viewer] = [world.join_at(0, address(1, 1)), world.join_at(1, address(2, 0))];
        assert_eq!((camera, viewer), (0, 1));
        world.run_for(10 * SECOND);
        let ssrcs = [VIDEO_SSRC, VIDEO_SSRC + 1];
        let params = call::picture(world.transport(camera), &ssrcs);
        world.command(Command::AddTrack { track: TRACK, params: Box::new(params.clone()) });
        let encodings = ssrcs.map(|ssrc| Camera::new(ssrc, ssrc + 100, VIDEO_PT, VIDEO_RTX_PT, 2));
        Studio { world, params, encodings, read: 0 }
    }

    fn watch(&mut self, encoding: u8) -> SubscriptionId {
        let params = self.params.clone();
        let mirror = call::seen_from(&mut self.world, &mut Vec::new(), TRACK, 1, params);
        let to = self.world.transport(1);
        call::deliver(&mut self.world, 0, mirror, to, encoding)
    }

    /// Every encoding shoots a picture.
    fn shoot(&mut self) {
        for encoding in &mut self.encodings {
            let packets = encoding.shoot();
            packets.iter().for_each(|n| self.world.browser(0).send_rtp(n.index, &n.packet));
        }
    }

    /// Time passes, and the camera hears what it is asked for.
    fn pass(&mut self, time: Duration) {
        self.world.run_for(time);
        let heard = self.world.heard(0);
        for (_, what) in &heard[self.read..] {
            let Occurrence::Rtcp(compound) = what else { continue };
            self.encodings.iter_mut().for_each(|encoding| drop(encoding.hear(compound)));
        }
        self.read = heard.len();
    }

    fn play(&mut self, pictures: usize) {
        for _ in 0..pictures {
            self.shoot();
            self.pass(PICTURE_INTERVAL);
        }
    }

    fn key_frames(&self) -> [u32; 2] {
        self.encodings.each_ref().map(|encoding| encoding.key_frames)
    }

    /// Which encodings the viewer got, in their order.
    fn switched(&self, subscription: SubscriptionId) -> Vec<Option<u8>> {
        let switched = self.world.events().iter().filter_map(|(_, event)| match event {
            Event::LayerSwitched { subscription: which, encoding } if *which == subscription => {
                Some(*encoding)
            }
            _ => None,
        });
        switched.collect()
    }
}

#[test]
fn a_subscription_of_a_mirror_follows_its_plan_from_one_encoding_to_another() {
    let mut studio = Studio::new();
    let subscription = studio.watch(0);
    studio.play(30);
    let plan = LayerPlan { encoding: Some(1), temporal: 255 };
    studio.world.command_to(1, Command::SetLayerPlan { subscription, plan });
    studio.play(60);
    assert_eq!(studio.switched(subscription), [Some(0), Some(1)]);
    assert_eq!(studio.key_frames(), [1, 2], "the upper one was asked once");
    let told = |event: &Event| match event {
        Event::TrackStarted { track, .. } | Event::LayersChanged { track, .. } => Some(track.worker()),
        _ => None,
    };
    assert!(studio.world.events().iter().filter_map(|(_, event)| told(event)).all(|worker| worker == 0));
}

#[test]
fn a_new_mirror_asks_for_the_wanted_encoding_at_once_and_does_not_wait_for_the_next_picture() {
    let mut studio = Studio::new();
    studio.play(30);
    let subscription = studio.watch(1);
    // A screen on which nothing moves: the next picture is a second away, if it comes at all.
    studio.pass(Duration::from_millis(20));
    studio.shoot();
    studio.pass(SECOND);
    assert_eq!(studio.key_frames(), [1, 2]);
    assert_eq!(studio.switched(subscription), [Some(1)]);
}

#[test]
fn a_new_mirror_has_the_publishers_clock_before_the_next_report_comes() {
    let mut studio = Studio::new();
    studio.play(30);
    let now = studio.world.now();
    let reports = studio.encodings.each_ref().map(|encoding| encoding.report(now));
    reports.iter().for_each(|report| studio.world.browser(0).send_rtcp(report));
    studio.play(30);
    studio.watch(1);
    studio.play(90);
    let reported = studio.world.heard(1).iter().any(|(_, what)| {
        let Occurrence::Rtcp(compound) = what else { return false };
        let mut packets = Compound::new(compound).flatten();
        packets.any(|packet| {
            matches!(packet, RtcpPacket::SenderReport { sender: Ssrc(0x0b00_0000), info, .. }
                if info.ntp.0 >> 32 > 3_000_000_000)
        })
    });
    assert!(reported);
}

#[test]
fn a_worker_says_whether_something_waits_for_room_on_the_way_to_another() {
    struct Full;
    impl MemoSink for Full {
        fn send(&mut self, _: u8, _: Memo, _: &[u8]) -> bool {
            false
        }
    }
    let mut cinema = cinema(Link::CLEAN, 1);
    cinema.play(SECOND, true);
    let waits = |cinema: &mut Cinema| {
        let now = cinema.call.world.now();
        cinema.call.world.worker_at(0).relay(now, &mut Full, &mut Outbox::new(8))
    };
    assert!(!waits(&mut cinema));
    for numbered in cinema.camera.shoot() {
        cinema.call.world.browser(0).send_rtp(numbered.index, &numbered.packet);
    }
    for mut datagram in cinema.call.world.take_outgoing(0) {
        cinema.call.world.hand_over(0, &mut datagram);
    }
    assert!(waits(&mut cinema));
    cinema.call.world.relay_straight();
    assert!(!waits(&mut cinema));
}

#[test]
fn a_panic_over_a_mirrored_packet_ends_its_publisher_and_nobody_else() {
    let mut call = Call::across(
        Link::CLEAN,
        1,
        2,
        2,
        &[(0, address(1, 1)), (0, address(2, 0)), (1, address(3, 0)), (0, address(4, 0))],
    );
    call.shoot_all(VIDEO_PT, 4, 200);
    let poisoned = (call.world.transport(0), call.mirrors[0]);
    call.world.worker_at(1).order_fault(Some(Fault::FanOut(poisoned.1)));
    let received = |call: &Call| {
        let heard = call.world.heard(2).iter();
        heard.filter(|(_, what)| matches!(what, Occurrence::Rtp(bytes) if bytes[11] == 1)).count()
    };
    let before = received(&call);
    for _ in 0..3 {
        call.shoot_all(VIDEO_PT, 4, 200);
    }
    let failed = call.world.events().iter().filter_map(|(_, event)| match event {
        Event::TransportFailed { transport, reason: FailReason::InternalError } => Some(*transport),
        _ => None,
    });
    assert_eq!(failed.collect::<Vec<_>>(), [poisoned.0]);
    assert_eq!(received(&call) - before, 12, "the other picture goes on");
    let panics = |counters: &Counters| counters.get(Cell::Panics);
    assert_eq!((panics(call.world.counters_of(0)), panics(call.world.counters_of(1))), (0, 1));
    assert_eq!(call.world.counters_of(1).get(Cell::Mirrors), 1);
}

#[test]
fn a_stranger_is_handed_over_by_nobody_and_a_forged_ufrag_leads_to_the_end_of_the_way() {
    let mut world = World::with_workers(Link::CLEAN, 1, 2);
    let browser = world.join_at(0, address(1, 1));
    let stranger = address(66, 1);
    for first in 0..=255u8 {
        world.inject(stranger, vec![first; 40]);
    }
    world.run_for(SECOND);
    assert!(world.browser(browser).is_connected());
    assert_eq!(world.datagrams_to(stranger), 0);
    assert_eq!(
        (world.counters_of(0).get(Cell::ForeignPaths), world.counters_of(1).get(Cell::ForeignPaths)),
        (0, 1)
    );
}
