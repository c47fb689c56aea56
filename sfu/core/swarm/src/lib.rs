//! Synthetic participants: simulated browsers in great number, over real sockets, for load tests.
//!
//! [`Swarm`] is the face. Behind it each thread owns its participants. A [`participant`] is pure: it is given
//! datagrams and the time, and fills an outbox. It connects like a browser ([`sim::browser::Browser`]), sends what its
//! sources make ([`video`], [`audio`]) and keeps the books of what it receives ([`reception`]). Every payload says when
//! it was sent ([`stamp`]), so that a receiver on the same machine knows how long it took.
#![forbid(unsafe_code)]

pub mod audio;
pub mod clip;
pub mod codec;
pub mod figures;
pub mod histogram;
mod history;
pub mod layers;
pub mod line;
mod look;
mod missing;
pub mod participant;
pub mod reception;
pub mod stamp;
mod stream;
mod swarm;
mod thread;
pub mod tracking;
pub mod video;

pub use crate::swarm::{Connection, Swarm, SwarmConfig};
