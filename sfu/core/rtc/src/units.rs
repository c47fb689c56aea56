//! Numbers that must not be mixed up, each with a type of its own.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// A point in time: microseconds since the process started its clock.
///
/// Pure code never reads a clock; every call that depends on time is given one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(pub u64);

impl Time {
    /// Later than every real time: "never".
    pub const NEVER: Time = Time(u64::MAX);

    /// A time `ms` milliseconds after the start of the clock.
    pub const fn from_millis(ms: u64) -> Time {
        Time(ms * 1_000)
    }

    /// Microseconds since the start of the clock.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub const fn since(self, earlier: Time) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Time;

    fn add(self, rhs: Duration) -> Time {
        let micros = u64::try_from(rhs.as_micros()).unwrap_or(u64::MAX);
        Time(self.0.saturating_add(micros))
    }
}

impl Sub<Duration> for Time {
    type Output = Time;

    fn sub(self, rhs: Duration) -> Time {
        let micros = u64::try_from(rhs.as_micros()).unwrap_or(u64::MAX);
        Time(self.0.saturating_sub(micros))
    }
}

/// A bit rate in thousands of bits a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Kbps(pub u32);

/// Synchronisation source of an RTP stream (RFC 3550, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ssrc(pub u32);

impl fmt::Display for Ssrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// RTP payload type, 0 to 127 (RFC 3551).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Pt(pub u8);

/// RTP timestamp in units of the codec's clock rate; wraps at 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RtpTime(pub u32);

/// RTP sequence number extended to 64 bits, so that the wrap at 65,536 is handled in one place.
///
/// The low 48 bits are the SRTP packet index (RFC 3711, section 3.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SeqNo(pub u64);

impl SeqNo {
    /// The 16 bits that travel in the RTP header.
    pub const fn wire(self) -> u16 {
        self.0 as u16
    }

    /// The extended number nearest to this one whose low 16 bits are `wire`.
    ///
    /// Never goes below zero: a number that would is taken from the next cycle up.
    pub const fn extend(self, wire: u16) -> SeqNo {
        let delta = wire.wrapping_sub(self.wire()) as i16;
        match self.0.checked_add_signed(delta as i64) {
            Some(value) => SeqNo(value),
            None => SeqNo(wire as u64),
        }
    }

    /// The number after this one.
    pub const fn next(self) -> SeqNo {
        SeqNo(self.0 + 1)
    }
}

/// What a call costs a worker: how often the number of its deliveries can be halved, 0 to 14.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Burden(u8);

impl Burden {
    /// Of every call with at least 16,384 deliveries.
    pub const MAX: Burden = Burden(14);

    /// Of a call with so many deliveries.
    pub const fn of(deliveries: usize) -> Burden {
        match deliveries.checked_ilog2() {
            None => Burden(0),
            Some(halvings) if halvings > Burden::MAX.0 as u32 => Burden::MAX,
            Some(halvings) => Burden(halvings as u8),
        }
    }

    /// How often it can be halved.
    pub const fn halvings(self) -> u8 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_number_is_extended_to_the_nearest_cycle() {
        let rows = [
            (0, 0, 0),
            (0, 65_535, 65_535),
            (65_535, 0, 65_536),
            (65_536, 65_535, 65_535),
            (65_540, 3, 65_539),
            (200_000, 3_391, 199_999),
        ];
        for (newest, wire, expected) in rows {
            assert_eq!(SeqNo(newest).extend(wire), SeqNo(expected), "{newest} then {wire}");
        }
    }

    #[test]
    fn time_never_wraps() {
        assert_eq!(Time(5) - Duration::from_secs(1), Time(0));
        assert_eq!(Time::NEVER + Duration::from_secs(1), Time::NEVER);
    }
}
