//! What a worker leaves out when it cannot forward everything: pictures before sound, of pictures whole ones, and those
//! of large calls before those of small ones.
//!
//! A worker that finds no time to sleep falls behind, and then the kernel drops what comes, whatever it is. So what is
//! left out is chosen here, in steps. Each step halves what a call may cost: calls that cost less lose nothing, those
//! that cost more lose first pictures that no other needs, then all encodings but the lowest, then pictures for half of
//! the viewers of each publisher, for three quarters, and so on. A lecture to hundreds has given way to a consultation
//! of two by the time that one loses anything. At last pictures are left out altogether. Sound never is. A step is
//! taken after a tenth of a second without rest, and taken back after half a second with enough of it; when that was
//! too early, the next time waits twice as long.

use std::time::Duration;

use crate::command::LayerPlan;
use crate::units::{Burden, Time};

/// The highest step: no pictures at all.
pub const MAX_STEP: u8 = FIRST_SHARE + SHARES;

/// How far beyond its share a call only gets pictures that others need.
const BASE_LAYER: u8 = 1;
/// Also only the lowest encoding.
const LOWEST_ENCODING: u8 = 2;
/// From here on an eighth of the publishers more is seen by nobody, in any call.
const FIRST_SHARE: u8 = Burden::MAX.halvings() + LOWEST_ENCODING + Burden::MAX.halvings() + 1;
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
/// How often it is looked what calls cost while anything is left out.
const WEIGHING: Duration = Duration::from_secs(1);

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
    weighed: Time,
    /// Of the call that costs most.
    heaviest: Burden,
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
            weighed: Time(0),
            heaviest: Burden::default(),
        }
    }
}

impl Overload {
    /// The step that is taken now, 0 to [`MAX_STEP`].
    pub fn step(&self) -> u8 {
        self.step
    }

    /// Hears how long the worker slept since it was last asked. `weigh` finds what each call costs and tells the most
    /// that one does; asked for before a step is taken, and once a second while anything is left out.
    ///
    /// True when the step has changed.
    pub fn rested(&mut self, now: Time, slept: Duration, weigh: impl FnOnce() -> Burden) -> bool {
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
            self.heaviest = weigh();
            self.weighed = now;
            return self.leave_out_more(now);
        }
        self.tired = 0;
        if self.step > 0 && now.since(self.weighed) >= WEIGHING {
            self.heaviest = weigh();
            self.weighed = now;
        }
        if rest * ENOUGH_REST < passed {
            self.rested_since = None;
            return false;
        }
        let since = *self.rested_since.get_or_insert(now);
        if self.step == 0 || now.since(since) < self.hold {
            return false;
        }
        self.rested_since = Some(now);
        self.leave_out_less(now);
        true
    }

    /// The most that a subscription to pictures gets. `track` is a number that is the track's own, `burden` what its call
    /// costs, and `place` the subscription's among the `viewers` of the track.
    pub fn limit(&self, track: u64, burden: Burden, place: usize, viewers: usize) -> LayerPlan {
        let lowest = |seen: bool| LayerPlan { encoding: seen.then_some(0), temporal: 0 };
        if self.step >= FIRST_SHARE {
            let share = u64::from(self.step - FIRST_SHARE + 1);
            return lowest(place == 0 && track.wrapping_mul(GOLDEN) >> 61 >= share);
        }
        match self.beyond(burden) {
            0 => LayerPlan { encoding: Some(u8::MAX), temporal: u8::MAX },
            BASE_LAYER => LayerPlan { encoding: Some(u8::MAX), temporal: 0 },
            beyond => lowest(place < (viewers >> (beyond - LOWEST_ENCODING)).max(1)),
        }
    }

    /// How many halvings what a call costs is beyond what it may.
    fn beyond(&self, burden: Burden) -> u8 {
        (self.step + burden.halvings()).saturating_sub(Burden::MAX.halvings())
    }

    /// The step takes nothing away from any call, or no more than the step before.
    fn is_idle(&self) -> bool {
        let spent = self.heaviest.halvings() + LOWEST_ENCODING;
        self.step > 0 && self.step < FIRST_SHARE && !(1..=spent).contains(&self.beyond(self.heaviest))
    }

    fn leave_out_more(&mut self, now: Time) -> bool {
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
        while self.is_idle() {
            self.step += 1;
        }
        true
    }

    fn leave_out_less(&mut self, now: Time) {
        self.stepped_back = now;
        self.changed = now;
        self.step -= 1;
        while self.is_idle() {
            self.step -= 1;
        }
    }
}

/// Spreads track numbers, which count up (Knuth, The Art of Computer Programming, volume 3, section 6.4).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    /// A lecture to 300 who hear and see.
    const LECTURE: Burden = Burden::of(600);
    const CONSULTATION: Burden = Burden::of(2);
    const MAX: u8 = Burden::MAX.halvings();
    const EVERYTHING: LayerPlan = LayerPlan { encoding: Some(u8::MAX), temporal: u8::MAX };
    const LEAST: LayerPlan = LayerPlan { encoding: Some(0), temporal: 0 };

    /// Lets `millis` pass, of which the worker sleeps `percent`; returns the steps that were taken.
    fn pass(overload: &mut Overload, from: &mut u64, millis: u64, percent: u64, heaviest: Burden) -> Vec<u8> {
        let mut steps = Vec::new();
        for _ in 0..millis {
            *from += 1;
            let slept = Duration::from_micros(10 * percent);
            if overload.rested(Time::from_millis(*from), slept, || heaviest) {
                steps.push(overload.step());
            }
        }
        steps
    }

    #[test]
    fn a_worker_with_a_little_rest_leaves_nothing_out() {
        let (mut overload, mut now) = (Overload::default(), 1_000);
        assert_eq!(pass(&mut overload, &mut now, 10_000, 8, LECTURE), []);
        assert_eq!(overload.limit(3, LECTURE, 1_000, 1_001), EVERYTHING);
    }

    #[test]
    fn a_pause_of_the_machine_is_no_overload() {
        let (mut overload, mut now) = (Overload::default(), 1_000);
        pass(&mut overload, &mut now, 100, 50, LECTURE);
        for _ in 0..20 {
            now += 80; // not asked meanwhile
            assert_eq!(pass(&mut overload, &mut now, 100, 50, LECTURE), []);
        }
    }

    #[test]
    fn a_worker_that_seldom_gets_its_core_takes_a_step_whenever_it_does() {
        let (mut overload, mut now) = (Overload::default(), 1_000);
        overload.rested(Time::from_millis(now), Duration::from_secs(1), || LECTURE);
        let steps = (0..6).map(|_| {
            now += 200;
            overload.rested(Time::from_millis(now), Duration::ZERO, || LECTURE);
            overload.step()
        });
        assert_eq!(steps.collect::<Vec<_>>(), [0, 6, 7, 8, 9, 10]);
    }

    #[test]
    fn without_rest_it_goes_from_step_to_step_to_the_end_and_stays() {
        let (mut overload, mut now) = (Overload::default(), 1_000);
        let steps = pass(&mut overload, &mut now, 2_000, 0, LECTURE);
        assert_eq!(steps.first(), Some(&(MAX - LECTURE.halvings() + 1)), "the first that a lecture feels");
        assert_eq!(steps.last(), Some(&MAX_STEP));
        assert!((0..1_000).all(|track| overload.limit(track, CONSULTATION, 0, 1).encoding.is_none()));
    }

    #[test]
    fn steps_that_would_take_nothing_away_are_passed_over_in_both_directions() {
        let (mut overload, mut now) = (Overload::default(), 1_000);
        let up = pass(&mut overload, &mut now, 1_200, 0, CONSULTATION);
        let down = pass(&mut overload, &mut now, 20_000, 80, CONSULTATION);
        let felt = [MAX, MAX + 1, MAX + 2, FIRST_SHARE];
        assert_eq!(up[..4], felt);
        assert_eq!(down[down.len() - 4..], [felt[2], felt[1], felt[0], 0]);
    }

    #[test]
    fn a_call_that_costs_less_than_its_share_loses_nothing_for_one_that_costs_more() {
        let (mut overload, mut now) = (Overload::default(), 1_000);
        let mut seen = Vec::new();
        while overload.limit(7, CONSULTATION, 0, 1) == EVERYTHING {
            let watching = |&place: &usize| overload.limit(5, LECTURE, place, 300) == LEAST;
            seen.push((0..300).filter(watching).count());
            let step = overload.step();
            while overload.step() == step {
                pass(&mut overload, &mut now, 1, 0, LECTURE);
            }
        }
        assert_eq!(seen, [0, 0, 300, 150, 75, 37, 18, 9, 4], "pictures of the lecture, step by step");
    }

    #[test]
    fn a_call_that_grows_gives_way_within_a_second() {
        let (mut overload, mut now) = (Overload::default(), 1_000);
        pass(&mut overload, &mut now, 120, 0, CONSULTATION);
        let asked = std::cell::Cell::new(0);
        for _ in 0..100 {
            now += 25;
            overload.rested(Time::from_millis(now), Duration::from_millis(3), || {
                asked.set(asked.get() + 1);
                LECTURE
            });
        }
        assert_eq!(asked.get(), 2, "once a second");
        assert_eq!(overload.heaviest, LECTURE);
    }

    #[test]
    fn each_of_the_last_steps_takes_about_an_eighth_of_the_publishers() {
        for taken in 1..=SHARES {
            let overload = Overload { step: FIRST_SHARE + taken - 1, ..Overload::default() };
            let seen = |track, place| overload.limit(track, LECTURE, place, 9).encoding.is_some();
            let left = (0..8_000).filter(|&track| seen(track, 0)).count();
            let expected = 1_000 * (8 - usize::from(taken));
            assert!(left.abs_diff(expected) < 200, "{left} at {taken}");
            assert!((0..100).all(|track| !seen(track, 1)));
        }
    }

    #[test]
    fn a_step_back_that_was_too_early_is_tried_again_half_as_often() {
        let (mut overload, mut now) = (Overload::default(), 1_000);
        while overload.step() == 0 {
            pass(&mut overload, &mut now, 1, 0, LECTURE);
        }
        let mut waits = Vec::new();
        for _ in 0..7 {
            let began = now;
            while overload.step() > 0 {
                pass(&mut overload, &mut now, 1, 60, LECTURE);
            }
            waits.push((now - began) / 500);
            while overload.step() == 0 {
                pass(&mut overload, &mut now, 1, 0, LECTURE);
            }
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 16, 16]);
    }
}
