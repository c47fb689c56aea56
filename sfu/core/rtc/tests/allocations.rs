//! In steady state no packet costs an allocation.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use rtc::event::SrtpProfile;
use rtc::id::{SubscriptionId, TrackId, TransportId};
use rtc::send::{Outgoing, PacketSink};
use rtc::transport::srtp::{Keys, Side};
use rtc::units::{SeqNo, Time};

#[path = "media/support.rs"]
mod support;
use support::*;

struct Counting;

thread_local! {
    /// Of this thread alone, since tests run side by side.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
}

// SAFETY: every call is passed on to the system allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Counts packets and keeps nothing.
#[derive(Default)]
struct Counter {
    packets: u64,
    bytes: usize,
}

impl PacketSink for Counter {
    fn room(&self) -> usize {
        1_000
    }

    fn send_rtp(&mut self, _: TransportId, packet: &Outgoing<'_>) -> bool {
        self.packets += 1;
        self.bytes += packet.header.len() + packet.prefix.len() + packet.payload.len() + packet.filler.len();
        true
    }

    fn send_rtcp(&mut self, _: TransportId, _: &[u8]) -> bool {
        true
    }
}

#[test]
fn a_forwarded_packet_costs_no_allocation_in_steady_state() {
    let mut world = World::new();
    world.add_audio();
    world.add_video(1);
    for slot in 0..10 {
        world.subscribe(slot, AUDIO, if slot % 2 == 0 { ALICE } else { BOB }, ALL, false);
        world.subscribe(10 + slot, VIDEO, if slot % 2 == 0 { ALICE } else { BOB }, ALL, true);
    }
    // A minute of packets made beforehand: 30 pictures a second with some loss, and 50 packets of sound.
    let mut camera = Camera::new(5, None);
    camera.cc = Some(0);
    let mut script = Vec::new();
    for tick in 0..3_000u64 {
        script.push((tick * 20, voice(6, tick as u16, 30)));
        if tick % 5 < 3 {
            for packet in camera.picture(tick == 0, 4, (tick % 2) as u8) {
                if script.len() % 97 != 0 {
                    script.push((tick * 20, packet));
                }
            }
        }
    }
    let (allocations, packets) = second_half(&mut world, &script);
    assert!(packets > 40_000, "{packets}");
    assert_eq!(allocations, 0, "for {packets} packets");
}

#[test]
fn sound_that_waits_for_that_of_others_costs_no_allocation_either() {
    let mut world = World::gathering(Duration::from_millis(3));
    let listeners = (0..12).map(|slot| TransportId::new(0, 3 + slot, 1));
    listeners.clone().for_each(|listener| world.join(listener));
    let voices: Vec<_> = (0..6).map(|voice| voice.to_string()).collect();
    for (voice, mid) in (0..).zip(&voices) {
        let track = TrackId::new(0, 10 + voice, 1);
        world.add_voice(track, mid);
        for (hearer, listener) in (0..).zip(listeners.clone()) {
            world.subscribe_as(SubscriptionId::new(0, 20 * voice + hearer, 1), track, listener, ALL, false);
        }
    }
    let mut script = Vec::new();
    for tick in 0..1_000u64 {
        for (voice, mid) in (0..).zip(&voices) {
            let elements = [(MID_UP, mid.clone().into_bytes()), (LEVEL_UP, vec![0x80 | 30])];
            let payload = [0; 70].split_at(60 + (tick * (voice + 1) % 11) as usize).0.to_vec();
            let (seq, ssrc) = (tick as u16, 50 + voice as u32);
            let packet = rtp(OPUS, seq, tick as u32 * 960, ssrc, false, &elements, &payload);
            script.push((tick * 20 + voice, packet));
        }
    }
    let (allocations, packets) = second_half(&mut world, &script);
    assert!(packets > 35_000, "{packets}");
    assert_eq!(allocations, 0, "for {packets} packets");
}

/// Plays packets of the publisher, each at its millisecond; gives how many allocations the second half took, and how
/// many packets were sent meanwhile.
fn second_half(world: &mut World, script: &[(u64, Vec<u8>)]) -> (u64, u64) {
    let mut sink = Counter::default();
    let start = world.now.micros() / 1_000;
    let (mut allocations, mut packets) = (0, 0);
    for (i, (ms, packet)) in script.iter().enumerate() {
        if i == script.len() / 2 {
            (allocations, packets) = (ALLOCATIONS.get(), sink.packets);
        }
        let now = Time::from_millis(start + ms);
        let _ = world.router.handle_rtp(now, PUBLISHER, packet);
        while world.router.flush(now, &mut sink) {}
        while world.router.poll_timeout().is_some_and(|(at, _)| at <= now) {
            world.router.handle_timeout(now, &mut sink);
        }
        while world.router.poll_event().is_some() {}
    }
    assert!(sink.bytes > 0);
    (ALLOCATIONS.get() - allocations, sink.packets - packets)
}

#[test]
fn protecting_and_opening_a_packet_costs_no_allocation_with_any_cipher() {
    let profiles = [
        (SrtpProfile::AeadAes256Gcm, 88),
        (SrtpProfile::AeadAes128Gcm, 56),
        (SrtpProfile::Aes128CmSha1_80, 60),
    ];
    for (profile, material) in profiles {
        let keys = Keys::from_exporter(profile, &vec![7; material]).unwrap();
        let sender = keys.sender(Side::Client).unwrap();
        let mut receiver = keys.receiver(Side::Server).unwrap();
        let mut slot = [0; 1_300];
        let mut before = 0;
        for index in 1..200u64 {
            if index == 100 {
                before = ALLOCATIONS.get();
            }
            let seq = SeqNo(index);
            slot[..12].copy_from_slice(&[0x80, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]);
            slot[2..4].copy_from_slice(&seq.wire().to_be_bytes());
            let len = sender.protect_rtp(seq, 12, &mut slot, 1_200).unwrap();
            assert_eq!(receiver.unprotect_rtp(Time(0), &mut slot[..len]), Ok(1_200));
        }
        assert_eq!(ALLOCATIONS.get() - before, 0, "{profile:?}");
    }
}
