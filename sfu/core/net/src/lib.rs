//! The shell around the packet core: UDP sockets, threads, the clock and the queues to Python. No protocol.
//!
//! [`core::Core`] is the face. Behind it each worker has a thread (`thread`) that takes orders and datagrams, lets
//! [`rtc::worker::Worker`] handle them and sends what comes out. This is the only crate with `unsafe` code, around
//! kernel calls that std has no name for, so the synthetic participants of `swarm` use its sockets, batches and clock too.

mod by_hand;
pub mod clock;
mod config;
pub mod core;
mod directories;
mod directory;
pub mod event_fd;
mod lane;
#[cfg(test)]
mod loopback_tests;
mod memo_lanes;
mod patience;
pub mod poller;
pub mod receive;
mod segmentation;
mod slots;
mod sockaddr;
pub mod socket;
mod steering;
mod sync;
mod thread;
pub mod transmit;
mod wake;

pub use crate::by_hand::ByHand;
pub use crate::config::{Busy, CoreConfig, MAX_ADDRESSES, MAX_WORKERS, MediaAddress, StartError};
pub use crate::core::Core;
pub use crate::thread::OUTBOX;
