//! A worker that gets three times what it can forward, on a machine whose every packet takes a known time.

use std::collections::VecDeque;
use std::time::Duration;

use arrayvec::ArrayVec;
use rtc::command::{
    Codec, Command, EncodingParams, LayerPlan, MediaKind, Mid, PayloadMap, PayloadParams, SubscriptionParams,
    TrackParams,
};
use rtc::counters::Cell;
use rtc::id::{SubscriptionId, TrackId};
use rtc::outbox::{Outbox, TrafficClass};
use rtc::units::{Pt, SeqNo, Ssrc, Time};
use sim::browser::Occurrence;
use sim::call::{Call, VIDEO_PT, VIDEO_RTX_PT, VIDEO_SSRC};
use sim::media::{Camera, PICTURE_INTERVAL, Piece, Viewer};
use sim::network::Link;

/// The last camera and the last viewer are a consultation; everybody else is in one large meeting.
const CAMERAS: usize = 9;
const VIEWERS: usize = 41;
const CONSULTATION: usize = VIEWERS * CAMERAS - 1;
const PACKETS_A_PICTURE: u8 = 10;
const SOUND_PT: Pt = Pt(111);
const SOUND_SSRC: u32 = 0x0d00_0000;
const SOUND_INTERVAL: Duration = Duration::from_millis(20);
/// What the kernel keeps for a worker: 4 MiB, of which each datagram takes 2,304 bytes.
const KERNEL_QUEUE: usize = 1_820;
const RECEIVING: Duration = Duration::from_micros(1);
/// With this for each packet sent, pictures and sound for everybody take half of the time.
const SENDING: Duration = Duration::from_micros(5);

/// Cameras, a microphone, people who watch all of them and hear, and the shell around the worker.
struct Machine {
    call: Call,
    cameras: Vec<Camera>,
    /// One for each camera of the first person, then those of the second, and so on.
    viewers: Vec<Viewer>,
    sounds_heard: Vec<u32>,
    sounds_made: u32,
    /// When it came, from whom, and what it is.
    waiting: VecDeque<(Time, usize, Vec<u8>)>,
    next_picture: Time,
    next_sound: Time,
    out: Outbox,
    sending: Duration,
    dropped: usize,
    longest_wait: Duration,
}

impl Machine {
    fn new() -> Machine {
        let mut call = Call::new(Link::CLEAN, 3, CAMERAS, VIEWERS);
        add_sound(&mut call);
        for number in (0..VIEWERS * CAMERAS).filter(|&number| !is_watched(number)) {
            let subscription = SubscriptionId::new(0, number as u32, 1);
            call.world.command(Command::Unsubscribe { subscription });
        }
        let now = call.world.now();
        let camera =
            |i| Camera::new(VIDEO_SSRC + i, VIDEO_SSRC + 100 + i, VIDEO_PT, VIDEO_RTX_PT, PACKETS_A_PICTURE);
        let viewer = |i| Viewer::new(0x0b00_0000 + i, 0x0c00_0000 + i, Duration::from_secs(1));
        Machine {
            call,
            cameras: (0..CAMERAS as u32).map(camera).collect(),
            viewers: (0..(CAMERAS * VIEWERS) as u32).map(viewer).collect(),
            sounds_heard: vec![0; VIEWERS],
            sounds_made: 0,
            waiting: VecDeque::new(),
            next_picture: now,
            next_sound: now,
            out: Outbox::new(256),
            sending: SENDING,
            dropped: 0,
            longest_wait: Duration::ZERO,
        }
    }

    fn run_for(&mut self, time: Duration) {
        let end = self.now() + time;
        while self.now() < end {
            self.produce();
            let slept = self.sleep();
            let now = self.now();
            self.call.world.worker().rested(now, slept);
            for _ in 0..32 {
                let Some((came, from, mut datagram)) = self.waiting.pop_front() else { break };
                self.longest_wait = self.longest_wait.max(now.since(came));
                self.call.world.skip(RECEIVING);
                self.call.world.hand_over_into(from, &mut datagram, &mut self.out);
            }
            while self.call.world.flush_into(&mut self.out) {
                self.send();
            }
            self.send();
        }
    }

    fn now(&self) -> Time {
        self.call.world.now()
    }

    /// What the publisher sent until now comes into the kernel's queue.
    fn produce(&mut self) {
        let now = self.now();
        while self.next_picture.min(self.next_sound) <= now {
            let at = self.next_picture.min(self.next_sound);
            if at == self.next_picture {
                self.next_picture = at + PICTURE_INTERVAL;
                for (from, camera) in self.cameras.iter_mut().enumerate() {
                    for numbered in camera.shoot() {
                        self.call.world.browser(from).send_rtp(numbered.index, &numbered.packet);
                    }
                }
            } else {
                self.next_sound = at + SOUND_INTERVAL;
                self.sounds_made += 1;
                let packet = sound(self.sounds_made);
                self.call.world.browser(0).send_rtp(SeqNo(self.sounds_made.into()), &packet);
            }
            for from in 0..CAMERAS {
                for datagram in self.call.world.take_outgoing(from) {
                    if self.waiting.len() < KERNEL_QUEUE {
                        self.waiting.push_back((at, from, datagram));
                    } else {
                        self.dropped += 1;
                    }
                }
            }
        }
    }

    /// Until something comes, if nothing waits.
    fn sleep(&mut self) -> Duration {
        if !self.waiting.is_empty() {
            return Duration::ZERO;
        }
        let slept = self.next_picture.min(self.next_sound).since(self.now());
        self.call.world.skip(slept);
        self.produce();
        slept
    }

    fn send(&mut self) {
        let now = self.now();
        for (slot, datagram) in self.out.iter() {
            let std::net::IpAddr::V4(address) = slot.path.remote.ip() else { continue };
            let browser = usize::from(address.octets()[3]) - 1;
            self.call.world.browser(browser).handle_datagram(now, datagram);
            let media = matches!(slot.class, TrafficClass::Audio | TrafficClass::Video);
            while let Some(what) = self.call.world.browser(browser).poll_occurrence() {
                match what {
                    Occurrence::Rtcp(compound) if browser < CAMERAS => {
                        drop(self.cameras[browser].hear(&compound));
                    }
                    Occurrence::Rtp(packet) if slot.class == TrafficClass::Audio => {
                        self.sounds_heard[browser - CAMERAS] += u32::from(packet.len() > 12);
                    }
                    Occurrence::Rtp(packet) => {
                        let first = (browser - CAMERAS) * CAMERAS;
                        self.viewers[first..first + CAMERAS].iter_mut().for_each(|v| v.receive(&packet));
                    }
                    _ => assert!(!media, "media that cannot be read"),
                }
            }
        }
        let cost = self.sending * self.out.len() as u32;
        self.out.clear();
        self.call.world.skip(cost);
    }

    /// For each subscription of the meeting, those of a viewer together, how many whole pictures came since this
    /// picture, and then for that of the consultation.
    ///
    /// # Panics
    /// If somebody got a part of a picture, or one that a decoder cannot do anything with.
    fn whole_pictures(&self, since: u32) -> Vec<usize> {
        let newest = self.viewers.iter().flat_map(pieces).map(|piece| piece.picture).max().unwrap_or(0);
        let count = |viewer: &Viewer| {
            let pieces = pieces(viewer);
            let (mut last, mut whole) = (None, 0);
            for picture in pieces.chunk_by(|a, b| a.picture == b.picture) {
                let id = picture[0].picture;
                let numbers: Vec<u8> = picture.iter().map(|piece| piece.number).collect();
                // Only the newest may still be on its way.
                if id < newest {
                    assert_eq!(numbers, (0..PACKETS_A_PICTURE).collect::<Vec<_>>(), "of picture {id}");
                }
                let follows = last.is_some_and(|last| last + 1 == id);
                assert!(follows || picture[0].key_start, "picture {id} after {last:?}");
                last = Some(id);
                whole += usize::from(id > since);
            }
            whole
        };
        (0..=CONSULTATION)
            .filter(|&number| is_watched(number))
            .map(|number| count(&self.viewers[number]))
            .collect()
    }

    fn newest_picture(&self) -> u32 {
        self.viewers.iter().flat_map(pieces).map(|piece| piece.picture).max().unwrap_or(0)
    }

    fn step(&self) -> u64 {
        self.call.world.counters().get(Cell::OverloadStep)
    }
}

/// Whether there is a subscription for this one of `Machine::viewers`.
fn is_watched(number: usize) -> bool {
    let (viewer, camera) = (number / CAMERAS, number % CAMERAS);
    (viewer == VIEWERS - 1) == (camera == CAMERAS - 1)
}

fn pieces(viewer: &Viewer) -> Vec<Piece> {
    viewer.pieces().filter_map(|(_, piece)| piece).collect()
}

fn add_sound(call: &mut Call) {
    let track = TrackId::new(0, 200, 1);
    let payload = PayloadParams {
        pt: SOUND_PT,
        codec: Codec::Opus,
        clock_rate: 48_000,
        rtx_pt: None,
        nack: false,
        pli: false,
        fir: false,
        transport_cc: false,
    };
    let encoding = EncodingParams { rid: None, ssrc: Some(Ssrc(SOUND_SSRC)), rtx_ssrc: None };
    let params = TrackParams {
        transport: call.world.transport(0),
        kind: MediaKind::Audio,
        mid: Mid::from("0").expect("short"),
        payloads: ArrayVec::from_iter([payload]),
        encodings: ArrayVec::from_iter([encoding]),
    };
    call.world.command(Command::AddTrack { track, params: Box::new(params) });
    for viewer in 0..VIEWERS as u32 {
        let params = SubscriptionParams {
            track,
            transport: call.world.transport(CAMERAS + viewer as usize),
            mid: Mid::from("1").expect("short"),
            ssrc: Ssrc(0x0e00_0000 + viewer),
            rtx_ssrc: None,
            payloads: ArrayVec::from_iter([PayloadMap {
                up: SOUND_PT,
                down: SOUND_PT,
                down_rtx: None,
                strip_red: false,
            }]),
            plan: LayerPlan { encoding: Some(0), temporal: 255 },
        };
        let subscription = SubscriptionId::new(0, 500 + viewer, 1);
        call.world.command(Command::Subscribe { subscription, params: Box::new(params) });
    }
}

fn sound(number: u32) -> Vec<u8> {
    let mut packet = vec![0x80, SOUND_PT.0];
    packet.extend((number as u16).to_be_bytes());
    packet.extend((number * 960).to_be_bytes());
    packet.extend(SOUND_SSRC.to_be_bytes());
    packet.extend([7; 80]);
    packet
}

#[test]
fn too_much_costs_whole_pictures_of_some_and_nobodys_sound_and_all_is_well_again_afterwards() {
    let mut machine = Machine::new();
    machine.run_for(Duration::from_secs(1));
    assert_eq!(machine.step(), 0, "half of the time is enough rest");
    assert!(machine.whole_pictures(0).iter().all(|&pictures| pictures >= 29));

    machine.sending = SENDING * 6;
    machine.run_for(Duration::from_secs(2));
    assert!(machine.step() > 0);
    machine.longest_wait = Duration::ZERO;
    let before = machine.newest_picture();
    machine.run_for(Duration::from_secs(2));
    let during = machine.whole_pictures(before);
    eprintln!(
        "step {} wait {:?} {:?} dropped {} heard {:?} of {}",
        machine.step(),
        machine.longest_wait,
        during,
        machine.dropped,
        &machine.sounds_heard[..3],
        machine.sounds_made
    );
    assert!(machine.longest_wait < Duration::from_millis(60), "{:?}", machine.longest_wait);
    let (consultation, meeting) = during.split_last().expect("a consultation");
    let (first, last) = (&meeting[..CAMERAS - 1], &meeting[meeting.len() - (CAMERAS - 1)..]);
    assert!(first.iter().all(|&pictures| pictures >= 55), "{first:?} pictures for who came first");
    assert!(last.iter().all(|&pictures| pictures == 0), "{last:?}: who came last gives way");
    assert!(*consultation >= 59, "{consultation} pictures in a consultation that costs little");
    assert_eq!(machine.dropped, 0, "nothing is left to the kernel");
    let sounds = machine.sounds_made;
    assert!(machine.sounds_heard.iter().all(|&heard| heard + 4 >= sounds), "{sounds} sounds");

    machine.sending = SENDING;
    machine.run_for(Duration::from_secs(6));
    assert_eq!(machine.step(), 0, "enough rest again");
    let before = machine.newest_picture();
    machine.run_for(Duration::from_secs(1));
    assert!(machine.whole_pictures(before).iter().all(|&pictures| pictures >= 29));
}
