//! In steady state a packet costs no allocation on its whole way: demux, decryption, forwarding, encryption, outbox.

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use sim::call::{Call, VIDEO_PT};
use sim::network::Link;

const SUBSCRIBERS: usize = 20;
const PACKETS_PER_FRAME: usize = 10;
const WARM_UP_FRAMES: usize = 120;
const FRAMES: usize = 120;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is passed on to the system allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// One test, as the counter knows no threads.
#[test]
fn a_packet_costs_no_allocation_from_the_socket_to_the_socket_nor_where_workers_relay_it() {
    let address = |number: usize| SocketAddr::from(([198, 51, 100, number as u8], 40_000));
    for workers in 1..=2 {
        let people: Vec<_> = (0..=SUBSCRIBERS)
            .map(|number| (if number % 2 == 0 { 0 } else { workers - 1 }, address(number)))
            .collect();
        let mut call = Call::across(Link::CLEAN, 7, 1, workers, &people);
        let mut frames = call.record_video(VIDEO_PT, WARM_UP_FRAMES + FRAMES, PACKETS_PER_FRAME, 1_100);
        forward(&mut call, workers, &mut frames[..WARM_UP_FRAMES]);
        let before = ALLOCATIONS.load(Relaxed);
        let forwarded = forward(&mut call, workers, &mut frames[WARM_UP_FRAMES..]);
        let allocations = ALLOCATIONS.load(Relaxed) - before;
        assert_eq!(forwarded, FRAMES * PACKETS_PER_FRAME * SUBSCRIBERS);
        assert_eq!(allocations, 0, "for {forwarded} packets through {workers} workers");
    }
}

fn forward(call: &mut Call, workers: u8, frames: &mut [Vec<Vec<u8>>]) -> usize {
    let mut forwarded = 0;
    for frame in frames {
        call.world.skip(Duration::from_millis(33));
        for datagram in frame {
            call.world.hand_over(0, datagram);
        }
        call.world.relay_straight();
        forwarded += (0..workers).map(|worker| call.world.flush_and_discard_at(worker)).sum::<usize>();
    }
    forwarded
}
