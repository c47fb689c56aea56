//! What a worker leaves out when it cannot forward everything: pictures before sound, and of pictures whole ones.
//!
//! A worker that finds no time to sleep falls behind, and then the kernel drops what comes, whatever it is. So what is
//! left out is chosen here, in steps: first pictures that no other needs, then all encodings but the lowest, then
//! pictures for those behind the first so many viewers of each publisher (so that a lecture gives way before a
//! consultation does), at last pictures altogether. Sound is never left out. A step is taken after a tenth of a second
//! without rest, and taken back after half a second with enough of it; when that was too early, the next time waits
//! twice as long.

use std::time::Duration;

use crate::command::LayerPlan;
use crate::units::Time;

/// The highest step: no pictures at all.
pub const MAX_STEP: u8 = FIRST_SHARE + SHARES;

/// Only pictures that others need.
const BASE_LAYER: u8 = 1;
/// Only the lowest encoding.
const LOWEST_ENCODING: u8 = 2;
/// From here on each publisher is seen by half as many: 128, 64, ... 1.
const FIRST_HALVING: u8 = 3;
const MOST_VIEWERS: usize = 128;
/// From here on an eighth of the publishers more is seen by nobody.
const FIRST_SHARE: u8 = FIRST_HALVING + 8;
const SHARES: u8 = 7;

/// How long is looked at a time.
const WINDOW: Duration = Duration::from_millis(25);
/// Less rest than a twentieth of the time is none.
const NO_REST: u32 = 20;
/// More rest than a quarter of the time allows a step back.
const ENOUGH_REST: u32 = 4;
/// Windows without rest before the first step, and between further ones.
const WINDOWS_TO_FIRST_STEP: u8 = 4;
const WINDOWS_TO_NEXT_STEP: u8 = 2;
/// How long there must be enough rest before a step is taken back.
const HOLD: Duration = Duration::from_millis(500);
const LONGEST_HOLD: Duration = Duration::from_secs(8);
/// A step that has to be taken again so soon was taken back too early.
const RELAPSE: Duration = Duration::from_secs(2);
/// After so long without a step, the first one back is tried as early as at first.
const FORGIVEN: Duration = Duration::from_secs(60);

/// How much is left out now, and why.
#[derive(Debug)]
pub struct Overload {
    step: u8,
    window: Time,
    rest: Duration,
    /// Windows without rest, one after the other, since the last step.
    tired: u8,
    rested_since: Option<Time>,
    hold: Duration,
    stepped_back: Time,
    /// When the last step was taken or taken back.
    changed: Time,
}

impl Default for Overload {
    fn default() -> Overload {
        Overload {
            step: 0,
            window: Time(0),
            rest: Duration::ZERO,
            tired: 0,
            rested_since: None,
            hold: HOLD,
            stepped_back: Time(0),
            changed: Time(0),
        }
    }
}

impl Overload {
    /// The step that is taken now, 0 to [`MAX_STEP`].
    pub fn step(&self) -> u8 {
        self.step
    }

    /// Hears how long the worker slept since it was last asked. `viewers` tells how many subscriptions the most
    /// watched track has; asked for only when a step is taken.
    ///
    /// True when the step has changed.
    pub fn rested(&mut self, now: Time, slept: Duration, viewers: impl FnOnce() -> usize) -> bool {
        self.rest += slept;
        let passed = now.since(self.window);
        if passed < WINDOW {
            return false;
        }
        let rest = std::mem::take(&mut self.rest);
        self.window = now;
        if rest * NO_REST < passed {
            self.rested_since = None;
            // A worker that is kept from its core looks seldom; each look then counts for more, but one alone for too
            // little: the machine may have stood still.
            let windows = passed.as_micros() / WINDOW.as_micros();
            self.tired += windows.min(u128::from(WINDOWS_TO_FIRST_STEP - 1)) as u8;
            let enough = if self.step == 0 { WINDOWS_TO_FIRST_STEP } else { WINDOWS_TO_NEXT_STEP };
            if self.tired < enough {
                return false;
            }
            self.tired = 0;
            return self.leave_out_more(now, viewers());
        }
        self.tired = 0;
        if rest * ENOUGH_REST < passed {
            self.rested_since = None;
            return false;
        }
        let since = *self.rested_since.get_or_insert(now);
        if self.step == 0 || now.since(since) < self.hold {
            return false;
        }
        self.rested_since = Some(now);
        self.leave_out_less(now, viewers());
        true
    }

    /// The most that a subscription to pictures gets; `place` is its place among those of its track, and `track` a
    /// number that is the track's own.
    pub fn limit(&self, track: u64, place: usize) -> LayerPlan {
        let encoding = match self.step {
            0 | BASE_LAYER => Some(u8::MAX),
            LOWEST_ENCODING => Some(0),
            halving @ FIRST_HALVING..FIRST_SHARE => (place < viewers_at(halving)).then_some(0),
            share => (place == 0 && track.wrapping_mul(GOLDEN) >> 61 >= u64::from(share - FIRST_SHARE + 1))
                .then_some(0),
        };
        LayerPlan { encoding, temporal: if self.step == 0 { u8::MAX } else { 0 } }
    }

    fn leave_out_more(&mut self, now: Time, viewers: usize) -> bool {
        if self.step == MAX_STEP {
            return false;
        }
        if self.stepped_back != Time(0) && now.since(self.stepped_back) < RELAPSE {
            self.hold = (self.hold * 2).min(LONGEST_HOLD);
        } else if now.since(self.changed) > FORGIVEN {
            self.hold = HOLD;
        }
        self.stepped_back = Time(0);
        self.changed = now;
        self.step += 1;
        while is_idle(self.step, viewers) {
            self.step += 1;
        }
        true
    }

    fn leave_out_less(&mut self, now: Time, viewers: usize) {
        self.stepped_back = now;
        self.changed = now;
        self.step -= 1;
        while is_idle(self.step, viewers) {
            self.step -= 1;
        }
    }
}

/// Spreads track numbers, which count up (Knuth, The Art of Computer Programming, volume 3, section 6.4).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

fn viewers_at(halving: u8) -> usize {
    MOST_VIEWERS >> (halving - FIRST_HALVING)
}

/// The step takes nothing away, because no track has so many viewers.
fn is_idle(step: u8, viewers: usize) -> bool {
    (FIRST_HALVING..FIRST_SHARE).contains(&step) && viewers_at(step) >= viewers
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIEWERS: usize = 300;

    /// Lets `millis` pass, of which the worker sleeps `percent`; returns the steps that were taken.
    fn pass(overload: &mut Overload, from: &mut u64, millis: u64, percent: u64, viewers: usize) -> Vec<u8> {
        let mut steps = Vec::new();
        for _ in 0..millis {
            *from += 1;
            let slept = Duration::from_micros(10 * percent);
            if overload.rested(Time::from_millis(*from), slept, || viewers) {
                steps.push(overload.step());
            }
        }
        steps
    }

    #[test]
    fn a_worker_with_a_little_rest_leaves_nothing_out() {
        let (mut overload, mut now) = (Overload::default(), 1_000);
        assert_eq!(pass(&mut overload, &mut now, 10_000, 8, VIEWERS), []);
        assert_eq!(overload.limit(3, 1_000), LayerPlan { encoding: Some(255), temporal: 255 });
    }

    #[test]
    fn a_pause_of_the_machine_is_no_overload() {
        let (mut overload, mut now) = (Overload::default(), 1_000);
        pass(&mut overload, &mut now, 100, 50, VIEWERS);
        for _ in 0..20 {
            now += 80; // not asked meanwhile
            assert_eq!(pass(&mut overload, &mut now, 100, 50, VIEWERS), []);
        }
    }

    #[test]
    fn a_worker_that_seldom_gets_its_core_takes_a_step_whenever_it_does() {
        let (mut overload, mut now) = (Overload::default(), 1_000);
        overload.rested(Time::from_millis(now), Duration::from_secs(1), || VIEWERS);
        let steps = (0..10).map(|_| {
            now += 200;
            overload.rested(Time::from_millis(now), Duration::ZERO, || VIEWERS);
            overload.step()
        });
        assert_eq!(steps.collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn without_rest_it_goes_from_step_to_step_to_the_end_and_stays() {
        let (mut overload, mut now) = (Overload::default(), 1_000);
        let steps = pass(&mut overload, &mut now, 1_200, 0, VIEWERS);
        assert_eq!(steps, (1..=MAX_STEP).collect::<Vec<_>>());
        assert!((0..1_000).all(|track| overload.limit(track, 0).encoding.is_none()));
    }

    #[test]
    fn steps_that_would_take_nothing_away_are_passed_over_in_both_directions() {
        let (mut overload, mut now) = (Overload::default(), 1_000);
        let up = pass(&mut overload, &mut now, 1_200, 0, 3);
        assert_eq!(up[..4], [1, 2, FIRST_HALVING + 6, FIRST_HALVING + 7]);
        let down = pass(&mut overload, &mut now, 20_000, 80, 3);
        assert_eq!(down[down.len() - 4..], [FIRST_HALVING + 6, 2, 1, 0]);
    }

    #[test]
    fn who_is_behind_the_first_viewers_gives_way_first() {
        let (mut overload, mut now) = (Overload::default(), 1_000);
        while overload.step() != FIRST_HALVING + 2 {
            pass(&mut overload, &mut now, 1, 0, VIEWERS);
        }
        let watching = |place| overload.limit(5, place) == LayerPlan { encoding: Some(0), temporal: 0 };
        assert!(watching(31) && !watching(32));
    }

    #[test]
    fn each_of_the_last_steps_takes_about_an_eighth_of_the_publishers() {
        for taken in 1..=SHARES {
            let overload = Overload { step: FIRST_SHARE + taken - 1, ..Overload::default() };
            let left = (0..8_000).filter(|&track| overload.limit(track, 0).encoding.is_some()).count();
            let expected = 1_000 * (8 - usize::from(taken));
            assert!(left.abs_diff(expected) < 200, "{left} at {taken}");
            assert!((0..100).all(|track| overload.limit(track, 1).encoding.is_none()));
        }
    }

    #[test]
    fn a_step_back_that_was_too_early_is_tried_again_half_as_often() {
        let (mut overload, mut now) = (Overload::default(), 1_000);
        while overload.step() == 0 {
            pass(&mut overload, &mut now, 1, 0, VIEWERS);
        }
        let mut waits = Vec::new();
        for _ in 0..7 {
            let began = now;
            while overload.step() == 1 {
                pass(&mut overload, &mut now, 1, 60, VIEWERS);
            }
            waits.push((now - began) / 500);
            while overload.step() == 0 {
                pass(&mut overload, &mut now, 1, 0, VIEWERS);
            }
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 16, 16]);
    }
}
