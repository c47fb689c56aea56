//! RTCP: reading compound packets of strangers, and writing ours.

pub mod compose;
pub mod parse;
pub mod transport_cc;

pub use compose::Composer;
pub use parse::{Compound, Malformed, RtcpPacket};

use crate::units::{RtpTime, Ssrc};

pub(crate) const SENDER_REPORT: u8 = 200;
pub(crate) const RECEIVER_REPORT: u8 = 201;
pub(crate) const SOURCE_DESCRIPTION: u8 = 202;
pub(crate) const GOODBYE: u8 = 203;
pub(crate) const TRANSPORT_FEEDBACK: u8 = 205;
pub(crate) const PAYLOAD_FEEDBACK: u8 = 206;
pub(crate) const FORMAT_NACK: u8 = 1;
pub(crate) const FORMAT_TRANSPORT_CC: u8 = 15;
pub(crate) const FORMAT_PLI: u8 = 1;
pub(crate) const FORMAT_FIR: u8 = 4;
pub(crate) const FORMAT_APPLICATION: u8 = 15;

/// Seconds since 1900 with 32 fractional bits, by the clock of whoever sent it (RFC 3550, section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// The middle 32 bits, in units of 1/65,536 s, as reports carry them.
    pub const fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }

    /// This time and `micros` microseconds more; wraps like the clock itself in 2036.
    pub const fn plus_micros(self, micros: u64) -> NtpTime {
        let fraction = ((micros % 1_000_000) << 32) / 1_000_000;
        NtpTime(self.0.wrapping_add((micros / 1_000_000) << 32).wrapping_add(fraction))
    }
}

/// What a sender says of its own stream (RFC 3550, section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderInfo {
    /// The instant of the report.
    pub ntp: NtpTime,
    /// The same instant in the stream's timestamps.
    pub rtp: RtpTime,
    /// Packets sent so far.
    pub packets: u32,
    /// Payload bytes sent so far.
    pub bytes: u32,
}

/// What a receiver says of one stream (RFC 3550, section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportBlock {
    /// The stream.
    pub ssrc: Ssrc,
    /// Share lost since the last report, of 256.
    pub fraction_lost: u8,
    /// Packets lost since the start; 24 bits with sign, negative with duplicates.
    pub lost: i32,
    /// Highest sequence number received, extended by the count of cycles.
    pub highest: u32,
    /// Interarrival jitter in timestamp units.
    pub jitter: u32,
    /// Middle bits of the NTP time of the last sender report; 0 when there was none.
    pub last_sr: u32,
    /// Time since then, in 1/65,536 s.
    pub delay: u32,
}
