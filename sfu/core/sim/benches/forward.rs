//! What forwarding one packet costs: heap, time, and under callgrind instructions.
//!
//! One publisher, 50 subscribers, frames of 10 packets of 1,160 bytes, AES-256-GCM; the kernel is left out. Prints
//! one JSON line. For instructions:
//!
//! ```sh
//! valgrind --tool=callgrind --collect-atstart=no --toggle-collect='forward::measured*' \
//!     $(cargo bench -p colloque-sim --bench forward --no-run --message-format=json | jq -r '.executable // empty')
//! ```
#![allow(missing_docs)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use sim::call::{Call, VIDEO_PT};
use sim::network::Link;

const SUBSCRIBERS: usize = 50;
const PACKETS_PER_FRAME: usize = 10;
const PAYLOAD: usize = 1_140;
const WARM_UP_FRAMES: usize = 60;
const FRAMES: usize = 60;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        BYTES.fetch_add(layout.size() as u64, Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let mut call = Call::new(Link::CLEAN, 7, 1, SUBSCRIBERS);
    let frames = call.record_video(VIDEO_PT, WARM_UP_FRAMES + FRAMES, PACKETS_PER_FRAME, PAYLOAD);
    let mut frames = frames.into_iter();
    forward(&mut call, frames.by_ref().take(WARM_UP_FRAMES).collect());
    let rest = frames.collect();
    let before = (ALLOCATIONS.load(Relaxed), BYTES.load(Relaxed));
    let start = Instant::now();
    let forwarded = measured(&mut call, rest);
    let took = start.elapsed();
    let allocations = ALLOCATIONS.load(Relaxed) - before.0;
    let bytes = BYTES.load(Relaxed) - before.1;
    println!(
        r#"{{"forwarded":{forwarded},"ns_per_packet":{:.1},"allocations_per_packet":{:.4},"heap_bytes_per_packet":{:.2}}}"#,
        took.as_nanos() as f64 / forwarded as f64,
        allocations as f64 / forwarded as f64,
        bytes as f64 / forwarded as f64,
    );
    assert_eq!(forwarded, FRAMES * PACKETS_PER_FRAME * SUBSCRIBERS, "every packet to every subscriber");
}

#[inline(never)]
fn measured(call: &mut Call, frames: Vec<Vec<Vec<u8>>>) -> usize {
    forward(call, frames)
}

fn forward(call: &mut Call, frames: Vec<Vec<Vec<u8>>>) -> usize {
    let mut forwarded = 0;
    for frame in frames {
        call.world.skip(Duration::from_millis(33));
        for mut datagram in frame {
            call.world.hand_over(0, &mut datagram);
        }
        forwarded += call.world.flush_and_discard();
    }
    forwarded
}
