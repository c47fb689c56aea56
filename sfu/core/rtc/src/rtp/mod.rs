//! RTP packets: the header, its extensions, and as much of each codec's payload as forwarding needs.
//!
//! Everything here is a view into bytes that a stranger sent: parsers answer `None` and never panic.

pub mod av1;
pub mod dependency;
pub mod extensions;
pub mod h264;
pub mod header;
pub mod picture;
pub mod red;
pub mod vp8;
pub mod vp9;

pub use extensions::{ExtensionElements, ExtensionWriter};
pub use header::{FixedHeader, MAX_HEADER, RtpPacket};
pub use picture::Picture;

/// Reads bits from the most significant end; `None` past the end of the bytes.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8]) -> Bits<'a> {
        Bits { bytes, at: 0 }
    }

    /// The next `count` bits, at most 32, as a number.
    fn take(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = *self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    fn flag(&mut self) -> Option<bool> {
        Some(self.take(1)? == 1)
    }
}
