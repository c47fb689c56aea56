//! Sound of many for many waits a moment and leaves together; all other sound leaves at once.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::*;
use rtc::id::{SubscriptionId, TrackId, TransportId};
use rtc::route::gather::{LISTENERS, VOICES};
use rtc::rtcp::Composer;
use rtc::units::Ssrc;

const WAIT_MS: u64 = 3;

/// A room of people who speak and people who listen, in which everybody has spoken for a second.
struct Room {
    world: World,
    seq: u16,
}

fn voice_track(number: usize) -> TrackId {
    TrackId::new(0, 10 + number as u32, 1)
}

fn mid(voice: usize) -> String {
    format!("voice-{voice}")
}

fn listener(number: usize) -> TransportId {
    TransportId::new(0, 3 + number as u32, 1)
}

fn subscription(voice: usize, hearer: usize) -> SubscriptionId {
    SubscriptionId::new(0, (100 * voice + hearer) as u32, 1)
}

impl Room {
    fn new(voices: usize, listeners: usize) -> Room {
        let mut world = World::gathering(Duration::from_millis(WAIT_MS));
        for hearer in 0..listeners {
            world.join(listener(hearer));
        }
        for voice in 0..voices {
            world.add_voice(voice_track(voice), &mid(voice));
            // Joined from the last to the first: the order of the subscriptions is not that of the listeners.
            for hearer in (0..listeners).rev() {
                let id = subscription(voice, hearer);
                world.subscribe_as(id, voice_track(voice), listener(hearer), ALL, false);
            }
        }
        let mut room = Room { world, seq: 0 };
        for _ in 0..50 {
            (0..voices).for_each(|voice| room.says(voice, 60));
            room.world.pass(20);
            room.seq += 1;
        }
        room.world.sink.take();
        room
    }

    /// A packet of one of them comes, with a payload of so many bytes.
    fn says(&mut self, voice: usize, bytes: usize) {
        let elements = [(MID_UP, mid(voice).into_bytes()), (LEVEL_UP, vec![0x80 | 30])];
        let timestamp = u32::from(self.seq) * 960;
        let payload = vec![voice as u8; bytes];
        let packet = rtp(OPUS, self.seq, timestamp, 50 + voice as u32, false, &elements, &payload);
        self.world.publish(&packet).unwrap();
    }

    /// What each listener got, in order: the voice, the bytes of sound and the bytes of the whole packet.
    fn heard(&mut self) -> BTreeMap<usize, Vec<(u8, usize, usize)>> {
        let mut heard = BTreeMap::<usize, Vec<_>>::new();
        for got in self.world.sink.take() {
            let payload = got.packet().payload;
            heard.entry(got.to.slot() - 3).or_default().push((payload[0], payload.len(), got.bytes.len()));
        }
        heard
    }
}

#[test]
fn what_many_say_to_many_leaves_together_for_each_of_them() {
    let mut room = Room::new(VOICES, LISTENERS);
    room.says(2, 60);
    room.world.pass(1);
    room.says(0, 60);
    room.says(4, 60);
    assert!(room.world.sink.rtp.is_empty(), "it waits for company");
    room.world.pass(WAIT_MS - 1);
    let order: Vec<_> = room.world.sink.rtp.iter().map(|got| got.to).collect();
    assert_eq!(order.len(), 3 * LISTENERS);
    assert!(order.chunks(3).all(|one| one.iter().all(|to| *to == one[0])), "side by side: {order:?}");
    for (_, heard) in room.heard() {
        assert_eq!(
            heard.iter().map(|&(voice, bytes, _)| (voice, bytes)).collect::<Vec<_>>(),
            [(0, 60), (2, 60), (4, 60)]
        );
    }
}

#[test]
fn nothing_waits_longer_than_it_may_nor_again_for_what_comes_later() {
    let mut room = Room::new(VOICES, LISTENERS);
    room.says(0, 60);
    room.world.pass(WAIT_MS);
    assert_eq!(room.world.sink.take().len(), LISTENERS);
    room.says(1, 60);
    room.world.pass(WAIT_MS - 1);
    assert!(room.world.sink.take().is_empty());
    room.world.pass(1);
    assert_eq!(room.world.sink.take().len(), LISTENERS);
}

#[test]
fn what_came_earlier_and_is_handled_later_does_not_wait_longer() {
    let mut room = Room::new(VOICES, LISTENERS);
    let earlier = room.world.now;
    room.world.now = earlier + Duration::from_millis(2);
    room.says(0, 60);
    room.world.now = earlier;
    room.says(1, 60);
    room.world.pass(WAIT_MS);
    assert_eq!(room.world.sink.take().len(), 2 * LISTENERS);
}

#[test]
fn what_comes_may_lie_for_as_long_as_sound_waits_where_nothing_else_comes() {
    let mut room = Room::new(VOICES, LISTENERS);
    let nearly = Duration::from_millis(WAIT_MS) - Duration::from_micros(100);
    let leisure = |room: &Room| room.world.router.leisure(room.world.now);
    room.says(0, 60);
    assert!((nearly..Duration::from_millis(WAIT_MS)).contains(&leisure(&room)));
    room.world.pass(30);
    assert_eq!(leisure(&room), Duration::ZERO, "everybody has fallen silent");
    room.world.add_video(1);
    let keep_talking = |room: &mut Room, ms: u64| {
        for _ in 0..ms / 20 {
            room.seq += 1;
            (0..VOICES).for_each(|voice| room.says(voice, 60));
            room.world.pass(20);
        }
    };
    keep_talking(&mut room, 1_000);
    assert!(leisure(&room) >= nearly);
    room.world.publish_all(&Camera::new(11, None).picture(true, 2, 0));
    assert_eq!(leisure(&room), Duration::ZERO, "pictures do not wait");
    keep_talking(&mut room, 80);
    assert_eq!(leisure(&room), Duration::ZERO, "nor do those that may come");
    keep_talking(&mut room, 40);
    assert!(leisure(&room) >= nearly, "the camera is off");
    for (voices, listeners) in [(VOICES - 1, LISTENERS), (VOICES, LISTENERS - 1)] {
        let mut room = Room::new(voices, listeners);
        room.says(0, 60);
        assert_eq!(leisure(&room), Duration::ZERO, "{voices} voices for {listeners}");
    }
}

#[test]
fn where_few_speak_or_few_listen_sound_leaves_at_once() {
    for (voices, listeners) in [(VOICES - 1, LISTENERS), (VOICES, LISTENERS - 1), (1, 12)] {
        let mut room = Room::new(voices, listeners);
        room.says(0, 60);
        assert_eq!(room.world.sink.take().len(), listeners, "{voices} voices for {listeners}");
    }
}

#[test]
fn who_falls_silent_is_no_company() {
    let mut room = Room::new(VOICES, LISTENERS);
    for _ in 0..50 {
        room.seq += 1;
        room.says(0, 60);
        room.world.pass(20);
    }
    room.world.sink.take();
    room.seq += 1;
    room.says(0, 60);
    assert_eq!(room.world.sink.take().len(), LISTENERS);
}

#[test]
fn the_larger_go_first_and_a_little_padding_makes_the_smaller_as_large() {
    let mut room = Room::new(VOICES, LISTENERS);
    for (voice, bytes) in [(0, 60), (1, 82), (2, 75), (3, 66), (4, 59)] {
        room.says(voice, bytes);
    }
    room.world.pass(WAIT_MS);
    for (_, heard) in room.heard() {
        let head = heard[0].2 - 82;
        // Three of one size, with 60 as the smaller last of their message; 59 begins the next.
        let sizes: Vec<_> = heard.iter().map(|&(voice, bytes, all)| (voice, bytes, all - head)).collect();
        assert_eq!(sizes, [(1, 82, 82), (2, 75, 82), (3, 66, 82), (0, 60, 60), (4, 59, 59)]);
    }
    room.seq += 1;
    for (voice, bytes) in [(0, 100), (1, 60), (2, 52), (3, 41)] {
        room.says(voice, bytes);
    }
    room.world.pass(WAIT_MS);
    for (_, heard) in room.heard() {
        let head = heard[0].2 - 100;
        let sizes: Vec<_> = heard.iter().map(|&(voice, bytes, all)| (voice, bytes, all - head)).collect();
        assert_eq!(sizes, [(0, 100, 100), (1, 60, 60), (2, 52, 52), (3, 41, 52)]);
    }
}

#[test]
fn two_packets_of_one_voice_stay_in_order_and_as_they_are() {
    let mut room = Room::new(VOICES, LISTENERS);
    room.says(0, 70);
    room.says(1, 64);
    room.seq += 1;
    room.says(1, 80);
    room.world.pass(WAIT_MS);
    for (_, heard) in room.heard() {
        let sounds: Vec<_> = heard.iter().map(|&(voice, bytes, _)| (voice, bytes)).collect();
        assert_eq!(sounds, [(0, 70), (1, 64), (1, 80)]);
        assert_eq!(heard[2].2 - heard[1].2, 16, "neither was padded");
    }
}

#[test]
fn what_was_padded_is_sent_again_as_it_was() {
    let mut room = Room::new(VOICES, LISTENERS);
    room.says(0, 70);
    room.says(1, 64);
    room.world.pass(WAIT_MS);
    let sent = room.world.sink.take();
    let padded = sent.iter().find(|got| got.packet().payload == [1; 64]).unwrap();
    let (to, ssrc, seq) = (padded.to, padded.packet().ssrc, padded.packet().seq);
    room.world.pass(100);
    let mut composer = Composer::new();
    composer.nack(Ssrc(1), ssrc, &[seq]);
    room.world.rtcp(to, composer.bytes()).unwrap();
    let again = room.world.sink.take();
    assert_eq!((again.len(), &again[0].bytes), (1, &padded.bytes));
}

#[test]
fn when_room_runs_out_the_rest_follows() {
    let mut room = Room::new(VOICES, LISTENERS);
    (0..VOICES).for_each(|voice| room.says(voice, 60));
    room.world.now = room.world.now + Duration::from_millis(WAIT_MS);
    let mut turns = 0;
    loop {
        room.world.sink.room = Some(7);
        turns += 1;
        if !room.world.router.flush(room.world.now, &mut room.world.sink) {
            break;
        }
    }
    assert_eq!(turns, (VOICES * LISTENERS).div_ceil(7));
    for (_, heard) in room.heard() {
        assert_eq!(heard.iter().map(|&(voice, ..)| voice).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    }
}

#[test]
fn who_leaves_meanwhile_gets_nothing_and_takes_nothing_from_others() {
    let mut room = Room::new(VOICES + 1, LISTENERS + 1);
    (0..VOICES).for_each(|voice| room.says(voice, 60));
    room.world.router.close_transport(listener(3));
    room.world.router.unsubscribe(subscription(2, 5));
    room.world.router.close_track(voice_track(4));
    room.world.pass(WAIT_MS);
    let heard = room.heard();
    let voices =
        |hearer: usize| heard.get(&hearer).map(|h| h.iter().map(|&(voice, ..)| voice).collect::<Vec<_>>());
    assert_eq!((voices(3), voices(5), voices(0)), (None, Some(vec![0, 1, 3]), Some(vec![0, 1, 2, 3])));
    room.seq += 1;
    room.says(5, 60);
    room.world.pass(WAIT_MS);
    assert_eq!(room.heard().len(), LISTENERS, "who sounded in the meantime is heard as before");
}
