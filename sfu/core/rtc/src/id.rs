//! Names of the core's objects: a slot in a flat table and the slot's generation.
//!
//! Ids are given out on the control side, so that adding an object answers at once. A generation is never used
//! twice for a slot: a command that races with a close finds another generation and does nothing.

/// Defines an id type: `worker` in the top 8 bits, `slot` in the next 24, `generation` in the low 32.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl $name {
            /// The id of `slot` in its `generation` on `worker`.
            ///
            /// # Panics
            /// If `slot` does not fit 24 bits: tables are bounded far below that.
            pub const fn new(worker: u8, slot: u32, generation: u32) -> $name {
                assert!(slot < 1 << 24);
                $name((worker as u64) << 56 | (slot as u64) << 32 | generation as u64)
            }

            /// The worker that owns the object.
            pub const fn worker(self) -> u8 {
                (self.0 >> 56) as u8
            }

            /// The object's place in its worker's table.
            pub const fn slot(self) -> usize {
                (self.0 >> 32 & 0xff_ffff) as usize
            }

            /// Which use of the slot this is.
            pub const fn generation(self) -> u32 {
                self.0 as u32
            }
        }
    };
}

id!(
    /// One ICE, DTLS, SRTP and SCTP association with a browser or SDK.
    TransportId
);
id!(
    /// One published source of media, in one to three encodings.
    TrackId
);
id!(
    /// One track delivered to one transport.
    SubscriptionId
);

/// An opaque group of audio tracks among which speakers are ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub u32);
