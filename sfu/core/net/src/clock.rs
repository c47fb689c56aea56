//! The only clocks that the core reads.

use std::time::{Duration, Instant};

use rtc::units::Time;

/// Turns the system's monotonic clock into the [`Time`] that pure code is given.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    epoch: Instant,
}

impl Clock {
    /// A clock that shows zero now.
    pub fn start() -> Clock {
        Clock { epoch: Instant::now() }
    }

    /// The instant at which this clock showed zero.
    pub fn epoch(&self) -> Instant {
        self.epoch
    }

    /// Microseconds since the start of the clock.
    pub fn now(&self) -> Time {
        Time(self.epoch.elapsed().as_micros() as u64)
    }

    /// The time now, and with it the means to turn the kernel's timestamps into [`Time`].
    pub fn reading(&self) -> Reading {
        // SAFETY: all bytes zero is a valid timespec.
        let mut wall: libc::timespec = unsafe { std::mem::zeroed() };
        // SAFETY: the timespec is writable; the clock always exists.
        unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut wall) };
        Reading { now: self.now(), wall_micros: micros(wall) }
    }
}

/// Lets the kernel end the sleeps of this thread when they are over: by itself it adds up to 50 us to save wake-ups.
pub(crate) fn sleep_exactly() {
    // SAFETY: PR_SET_TIMERSLACK takes a number and no pointer. A kernel that refuses it leaves the thread as it was.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, SLACK_NANOS, 0, 0, 0) };
}

/// What the sleeps of a media thread may be too long.
const SLACK_NANOS: libc::c_ulong = 1_000;

/// Packets wait in the kernel for less than this; a larger distance is a step of the wall clock.
const LONGEST_WAIT_MICROS: i64 = 1_000_000;

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// Ours.
    pub now: Time,
    wall_micros: i64,
}

impl Reading {
    /// When the kernel got a packet that it stamped with `stamp` of its wall clock; now where that makes no sense.
    pub fn arrival(&self, stamp: libc::timespec) -> Time {
        match self.wall_micros - micros(stamp) {
            waited @ 0..LONGEST_WAIT_MICROS => Time(self.now.0.saturating_sub(waited as u64)),
            _ => self.now,
        }
    }
}

/// Processor time that the calling thread has used, in user and kernel mode: what benchmarks count.
pub fn thread_time() -> Duration {
    // SAFETY: all bytes zero is a valid timespec.
    let mut time: libc::timespec = unsafe { std::mem::zeroed() };
    // SAFETY: the timespec is writable; the clock of the calling thread always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn micros(time: libc::timespec) -> i64 {
    time.tv_sec * 1_000_000 + time.tv_nsec / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_of_the_kernel_is_told_in_our_time_unless_the_wall_clock_stepped() {
        let reading = Reading { now: Time(5_000_000), wall_micros: 1_700_000_000_000_000 };
        let rows = [
            (0, 5_000_000),
            (250, 4_999_750),
            (999_999, 4_000_001),
            (3_600_000_000, 5_000_000),
            (-7, 5_000_000),
        ];
        for (waited, expected) in rows {
            let wall = reading.wall_micros - waited;
            let stamp = libc::timespec { tv_sec: wall / 1_000_000, tv_nsec: wall % 1_000_000 * 1_000 };
            assert_eq!(reading.arrival(stamp), Time(expected), "{waited}");
        }
    }
}
