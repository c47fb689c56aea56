//! What a panic costs: the transport whose input it happened with, and nothing else.

use std::time::Duration;

use rtc::counters::Cell;
use rtc::event::{Event, FailReason};
use rtc::fault::Fault;
use rtc::id::TransportId;
use sim::browser::Occurrence;
use sim::call::{Call, VIDEO_PT};
use sim::network::Link;

/// Two publishers, and two viewers who get both.
const PEOPLE: usize = 4;
const PACKETS: usize = 4;

fn failed(call: &Call) -> Vec<TransportId> {
    let ends = call.world.events().iter().filter_map(|(_, event)| match event {
        Event::TransportFailed { transport, reason: FailReason::InternalError } => Some(*transport),
        _ => None,
    });
    ends.collect()
}

/// Packets of sound and picture that a browser got so far, by the two low bytes of their SSRC.
fn received(call: &Call, browser: usize, subscription: u8) -> usize {
    let of = |bytes: &[u8]| bytes[8] == 0x0b && bytes[11] == subscription;
    let heard = call.world.heard(browser).iter();
    heard.filter(|(_, occurrence)| matches!(occurrence, Occurrence::Rtp(bytes) if of(bytes))).count()
}

/// Receiver reports that a browser got so far.
fn reports(call: &Call, browser: usize) -> usize {
    let heard = call.world.heard(browser).iter();
    heard.filter(|(_, occurrence)| matches!(occurrence, Occurrence::Rtcp(bytes) if bytes[1] == 201)).count()
}

fn shoot(call: &mut Call) {
    call.shoot_all(VIDEO_PT, PACKETS, 200);
}

fn call() -> Call {
    let mut call = Call::new(Link::CLEAN, 3, 2, PEOPLE - 2);
    shoot(&mut call);
    call
}

#[test]
fn a_panic_in_forwarding_ends_the_publisher_and_the_other_call_goes_on() {
    let mut call = call();
    let (poisoned, track) = (call.world.transport(0), call.tracks[0]);
    call.world.worker().order_fault(Some(Fault::FanOut(track)));
    let before: Vec<usize> =
        (2..PEOPLE).map(|viewer| received(&call, viewer, viewer_of_second(viewer))).collect();
    for _ in 0..3 {
        shoot(&mut call);
    }
    assert_eq!(failed(&call), [poisoned]);
    assert_eq!(call.world.counters().get(Cell::Panics), 1);
    for (viewer, before) in (2..PEOPLE).zip(before) {
        assert_eq!(
            received(&call, viewer, viewer_of_second(viewer)) - before,
            3 * PACKETS,
            "viewer {viewer}"
        );
    }
}

#[test]
fn a_panic_at_a_datagram_ends_its_sender_alone() {
    let mut call = call();
    let poisoned = call.world.transport(1);
    call.world.worker().order_fault(Some(Fault::Datagram(poisoned)));
    for _ in 0..3 {
        shoot(&mut call);
    }
    assert_eq!(failed(&call), [poisoned]);
    assert_eq!(call.world.counters().get(Cell::Panics), 1);
}

#[test]
fn a_panic_at_a_report_leaves_the_others_theirs() {
    let mut call = call();
    let poisoned = call.world.transport(2);
    call.world.worker().order_fault(Some(Fault::Report(poisoned)));
    call.world.run_for(Duration::from_secs(2));
    let before: Vec<usize> = (0..2).map(|publisher| reports(&call, publisher)).collect();
    for _ in 0..90 {
        shoot(&mut call);
    }
    assert_eq!(failed(&call), [poisoned]);
    assert_eq!(call.world.counters().get(Cell::Panics), 1);
    for (publisher, before) in before.into_iter().enumerate() {
        assert!(reports(&call, publisher) >= before + 2, "publisher {publisher}");
    }
}

#[test]
fn a_panic_at_an_event_ends_its_transport_alone() {
    let mut call = call();
    let poisoned = call.world.transport(3);
    call.world.worker().order_fault(Some(Fault::Event(poisoned)));
    call.world.run_for(Duration::from_secs(6));
    assert_eq!(failed(&call), [poisoned]);
    assert_eq!(call.world.counters().get(Cell::Transports) as usize, PEOPLE - 1);
}

/// The last byte of the SSRC under which a viewer gets the second picture.
fn viewer_of_second(viewer: usize) -> u8 {
    (viewer as u8 - 2) * 2 + 1
}
