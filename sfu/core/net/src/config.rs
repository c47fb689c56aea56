//! What the core is made from, and why it refuses.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::directory::Full;

/// Most worker threads.
pub const MAX_WORKERS: u8 = 16;
/// Most addresses to listen on.
pub const MAX_ADDRESSES: usize = 16;

/// An address to bind and the one that peers are told, which differ behind NAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaAddress {
    /// Address of an interface, or the unspecified address.
    pub bind: IpAddr,
    /// Address in our candidates.
    pub announce: IpAddr,
}

/// What the core is made from.
#[derive(Debug, Clone)]
pub struct CoreConfig {
    /// The media port; 0 lets the system choose one per address.
    pub udp_port: u16,
    /// Where to listen; pairs with the same `bind` share a socket.
    pub addresses: Vec<MediaAddress>,
    /// Number of worker threads.
    pub workers: u8,
    /// Most transports of one worker at a time.
    pub max_transports: usize,
    /// Sound and pictures are marked for routers on the way (RFC 8837).
    pub marks: bool,
    /// How long a worker that had work looks for more before it sleeps, within a tenth of the time; zero for not at
    /// all.
    pub busy_poll: Duration,
    /// How long sound of many voices waits, so that it leaves as one message for each listener; not at all if zero.
    pub audio_gather: Duration,
    /// Several workers have the kernel give datagrams to the right one of them, where it lets us.
    pub steering: bool,
}

/// Why the core did not start.
#[derive(Debug)]
pub enum StartError {
    /// The address cannot be bound.
    Bind(SocketAddr, io::Error),
    /// The system refused a thread or a descriptor.
    System(io::Error),
    /// It was started before.
    AlreadyStarted,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Bind(address, error) => write!(f, "cannot bind UDP {address}: {error}"),
            StartError::System(error) => write!(f, "cannot start a worker: {error}"),
            StartError::AlreadyStarted => f.write_str("the core was started before"),
        }
    }
}

impl std::error::Error for StartError {}

/// A table or a queue is full; nothing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy(pub(crate) &'static str);

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "too many {}", self.0)
    }
}

impl std::error::Error for Busy {}

impl From<Full> for Busy {
    fn from(full: Full) -> Busy {
        Busy(full.0)
    }
}
