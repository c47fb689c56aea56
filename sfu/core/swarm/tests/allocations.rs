//! In steady state neither a packet that is sent nor one that is received costs an allocation.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use arrayvec::ArrayVec;
use rtc::command::{ExtensionIds, Mid};
use rtc::event::SrtpProfile;
use rtc::outbox::Outbox;
use rtc::path::Path;
use rtc::transport::srtp::{Keys, Side};
use rtc::units::{Pt, Time};
use swarm::clip::Clip;
use swarm::codec::VideoCodec;
use swarm::figures::Figures;
use swarm::line::Uplink;
use swarm::reception::{Format, Formats, Reception};
use swarm::video::{Amount, EncodingConfig, VideoConfig, VideoSource};

const PICTURES: u64 = 300;
const INTERVAL: Duration = Duration::from_millis(33);

struct Counting;

thread_local! {
    /// Of this thread alone: the harness has others.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn a_packet_costs_no_allocation_from_the_camera_to_the_books() {
    let delta = (false, (0..8).map(|n| vec![n; 1_000]).collect::<Vec<_>>());
    let key = (true, (0..30).map(|n| vec![n; 1_100]).collect::<Vec<_>>());
    let pictures = [vec![key, delta]];
    for codec in [VideoCodec::Vp8, VideoCodec::Vp9, VideoCodec::Av1] {
        let clip = Arc::new(Clip::new(codec, &pictures).unwrap());
        for amount in [Amount::Rate, Amount::Clip(clip)] {
            costs_no_allocation(codec, amount);
        }
    }
}

fn costs_no_allocation(codec: VideoCodec, amount: Amount) {
    let keys = Keys::from_exporter(SrtpProfile::AeadAes128Gcm, &[7; 56]).unwrap();
    let (mut sender, mut receiver) =
        (keys.sender(Side::Client).unwrap(), keys.receiver(Side::Server).unwrap());
    let encoding = EncodingConfig { rid: None, ssrc: 1, rtx_ssrc: 2, kilobits: ArrayVec::from_iter([2_000]) };
    let config = VideoConfig {
        mid: Mid::from("cam").unwrap(),
        codec,
        pt: Pt(96),
        rtx_pt: Some(Pt(97)),
        interval: INTERVAL,
        amount: amount.clone(),
        encodings: ArrayVec::from_iter([encoding]),
        phase: Duration::ZERO,
    };
    let mut camera = VideoSource::new(Time(0), config);
    let mut formats = Formats::default();
    formats.set(Pt(96), Format::Video(codec));
    let mut reception = Reception::new(formats, 2);
    if let Amount::Clip(clip) = amount {
        reception.know(clip);
    }
    let (mut figures, mut outbox) = (Figures::default(), Outbox::new(200));
    let path = Path { socket: 0, remote: "192.0.2.1:10000".parse().unwrap() };
    let mut uplink = Uplink::new(path, ExtensionIds::default());
    let mut buffer = [0; 1_500];
    let mut before = 0;
    for picture in 0..PICTURES {
        if picture == 2 {
            before = ALLOCATIONS.get();
        }
        let now = Time(0) + INTERVAL * picture as u32;
        camera.handle_timeout(&mut uplink.line(now, &mut sender, &mut outbox, &mut figures));
        for (_, datagram) in outbox.iter() {
            let buffer = &mut buffer[..datagram.len()];
            buffer.copy_from_slice(datagram);
            reception.handle_rtp(now, buffer, &mut receiver, &mut figures);
        }
        outbox.clear();
    }
    let allocations = ALLOCATIONS.get() - before;
    assert_eq!((figures.packets_received, figures.damaged), (figures.packets_sent, 0));
    assert_eq!(figures.foreign, 0);
    assert!(figures.packets_sent > PICTURES * 7);
    assert_eq!(allocations, 0, "for {} packets", figures.packets_sent);
}
