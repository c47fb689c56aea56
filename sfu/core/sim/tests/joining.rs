//! Browsers join a worker over networks good and bad.

use std::time::Duration;

use rtc::command::Command;
use rtc::drop_reason::DropReason;
use rtc::event::{Event, FailReason, SrtpProfile};
use sim::browser::Occurrence;
use sim::network::Link;
use sim::world::World;

const SECOND: Duration = Duration::from_secs(1);

/// What the field calls a bad 4G line.
const BAD: Link =
    Link { delay: Duration::from_millis(90), jitter: Duration::from_millis(40), loss: 0.1, duplicate: 0.05 };

fn connected_after(world: &World, browser: usize) -> Option<Duration> {
    let start = rtc::units::Time::from_millis(1_000);
    let found = world.heard(browser).iter().find(|(_, what)| matches!(what, Occurrence::Connected(_)));
    found.map(|(at, _)| at.since(start))
}

#[test]
fn a_browser_connects_in_a_few_round_trips_and_gets_aes_gcm() {
    let mut world = World::new(Link::CLEAN, 1);
    let browser = world.join();
    world.run_for(SECOND);
    let after = connected_after(&world, browser).expect("connected");
    assert!(after <= Duration::from_millis(10), "took {after:?} at 2 ms of round trip");
    let profiles: Vec<_> = world
        .events()
        .iter()
        .filter_map(|(_, event)| match event {
            Event::TransportConnected { srtp_profile, .. } => Some(*srtp_profile),
            _ => None,
        })
        .collect();
    assert_eq!(profiles, [SrtpProfile::AeadAes256Gcm]);
}

#[test]
fn browsers_connect_over_a_line_that_loses_reorders_and_doubles() {
    for seed in 1..=10 {
        let mut world = World::new(BAD, seed);
        let browsers = [world.join(), world.join()];
        world.run_for(8 * SECOND);
        for browser in browsers {
            assert!(connected_after(&world, browser).is_some(), "seed {seed}: not connected after 8 s");
        }
    }
}

#[test]
fn data_channels_carry_every_reliable_message_in_order_over_a_bad_line() {
    let mut world = World::new(BAD, 3);
    let browser = world.join();
    let now = world.now();
    world.browser(browser).open_channel(now, 1, "_reliable", true);
    world.run_for(5 * SECOND);
    for number in 0..50u8 {
        let now = world.now();
        world.browser(browser).send_message(now, 1, true, &[number]);
        let transport = world.transport(browser);
        world.command(Command::SendData {
            transport,
            channel: 1,
            binary: false,
            payload: Box::new([number]),
        });
        world.run_for(Duration::from_millis(20));
    }
    world.run_for(20 * SECOND);
    let up: Vec<u8> = world
        .events()
        .iter()
        .filter_map(|(_, event)| match event {
            Event::DataReceived { payload, binary: true, .. } => Some(payload[0]),
            _ => None,
        })
        .collect();
    let down: Vec<u8> = world
        .heard(browser)
        .iter()
        .filter_map(|(_, what)| match what {
            Occurrence::Message { payload, binary: false, .. } => Some(payload[0]),
            _ => None,
        })
        .collect();
    let all: Vec<u8> = (0..50).collect();
    assert_eq!((up, down), (all.clone(), all));
}

#[test]
fn a_browser_that_changes_its_address_is_followed() {
    let mut world = World::new(Link::CLEAN, 1);
    let browser = world.join();
    let now = world.now();
    world.browser(browser).open_channel(now, 1, "_reliable", true);
    world.run_for(SECOND);
    world.rebind(browser, "203.0.113.9:5555".parse().unwrap());
    world.run_for(4 * SECOND);
    let transport = world.transport(browser);
    let command = Command::SendData { transport, channel: 1, binary: true, payload: Box::new([7]) };
    world.command(command);
    world.run_for(SECOND);
    let message = Occurrence::Message { channel: 1, binary: true, payload: vec![7] };
    assert!(world.heard(browser).iter().any(|(_, what)| *what == message));
}

#[test]
fn a_browser_that_stops_checking_is_silent_and_then_gone_and_nothing_is_sent_to_it_any_more() {
    let mut world = World::new(Link::CLEAN, 1);
    let browser = world.join();
    world.run_for(SECOND);
    world.browser(browser).fall_silent();
    world.run_for(40 * SECOND);
    let failed: Vec<_> = world
        .events()
        .iter()
        .filter_map(|(at, event)| match event {
            Event::TransportSilent { .. } => Some((at.micros() / 1_000_000, None)),
            Event::TransportFailed { reason, .. } => Some((at.micros() / 1_000_000, Some(*reason))),
            _ => None,
        })
        .collect();
    assert!(
        matches!(failed[..], [(_, None), (at, Some(FailReason::ConsentExpired))] if at <= 18),
        "{failed:?}"
    );
}

#[test]
fn strangers_get_no_answer_and_disturb_nobody() {
    let mut world = World::new(Link::CLEAN, 1);
    let browser = world.join();
    let stranger = "203.0.113.66:666".parse().unwrap();
    for first in 0..=255u8 {
        for len in 0..=64 {
            world.inject(stranger, vec![first; len]);
        }
    }
    world.run_for(SECOND);
    assert!(connected_after(&world, browser).is_some());
    let sum: u64 = DropReason::ALL.iter().map(|reason| world.counters().drops(*reason)).sum();
    assert_eq!(sum, 256 * 65);
    assert_eq!(world.datagrams_to(stranger), 0);
}
