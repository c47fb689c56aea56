//! The atomics of the wake-up protocols. `tests/wake_model.rs` puts loom's in their place.

pub(crate) mod atomic {
    pub(crate) use std::sync::atomic::{AtomicBool, Ordering, fence};
}
