//! The only clock that the core reads.

use std::time::Instant;

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
}
