//! Waiting awake: a worker that has just had work looks again for a moment before it sleeps.
//!
//! Being woken takes longer than most packets take to handle, more so on virtual machines. What is spent on looking is
//! bounded by a share of the time, so that an idle server does not burn a processor.

use std::time::Duration;

use rtc::units::Time;

/// A worker spends at most this part of the time on looking.
const SHARE: u32 = 10;
/// What can be saved up for a busy moment.
const SAVINGS: Duration = Duration::from_millis(10);

/// How long a worker may look, now and altogether.
#[derive(Debug)]
pub(crate) struct Patience {
    moment: Duration,
    saved: Duration,
    at: Time,
}

impl Patience {
    /// Looks for up to `moment` at a time; never if that is zero.
    pub(crate) fn new(moment: Duration) -> Patience {
        Patience { moment, saved: Duration::ZERO, at: Time(0) }
    }

    /// Until when the worker may look, if it began `now`; nothing when it may not.
    pub(crate) fn until(&mut self, now: Time) -> Option<Time> {
        if self.moment.is_zero() {
            return None;
        }
        self.saved = (self.saved + now.since(self.at) / SHARE).min(SAVINGS);
        self.at = now;
        (self.saved >= self.moment).then(|| now + self.moment)
    }

    /// So long it did.
    pub(crate) fn spend(&mut self, looked: Duration) {
        self.saved = self.saved.saturating_sub(looked);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Duration = Duration::from_micros(50);

    #[test]
    fn without_a_moment_it_never_looks() {
        assert_eq!(Patience::new(Duration::ZERO).until(Time::from_millis(5_000)), None);
    }

    #[test]
    fn it_looks_for_a_tenth_of_the_time_at_most_however_often_it_is_asked() {
        let mut patience = Patience::new(MOMENT);
        let (mut now, mut looked) = (Time::from_millis(1_000), Duration::ZERO);
        let end = now + Duration::from_secs(1);
        while now < end {
            match patience.until(now) {
                Some(until) => {
                    looked += until.since(now);
                    patience.spend(until.since(now));
                    now = until;
                }
                None => now = now + Duration::from_micros(10),
            }
        }
        let bounds = Duration::from_millis(99)..=Duration::from_millis(100) + SAVINGS;
        assert!(bounds.contains(&looked), "{looked:?}");
    }

    #[test]
    fn what_was_not_spent_in_quiet_times_is_bounded() {
        let mut patience = Patience::new(MOMENT);
        let now = Time::from_millis(3_600_000);
        let moments = std::iter::from_fn(|| {
            let until = patience.until(now)?;
            patience.spend(until.since(now));
            Some(())
        });
        assert_eq!(moments.count(), 200);
    }
}
