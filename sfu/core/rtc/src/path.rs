//! Where a datagram came from or goes to.

use std::net::SocketAddr;

/// One of our sockets and the peer's address on it: the 5-tuple that ICE checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path {
    /// Index of our socket, as the shell numbers them.
    pub socket: u8,
    /// The peer's address as seen by the kernel.
    pub remote: SocketAddr,
}

impl Path {
    /// Whether the peer speaks IPv6; an IPv4 address in IPv6 clothing does not count.
    pub fn is_ipv6(&self) -> bool {
        self.remote.ip().to_canonical().is_ipv6()
    }
}

/// How a transport reaches us; the word used in events and as the metric label `path`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PathKind {
    /// UDP straight to the media port.
    Udp,
}

impl PathKind {
    /// The label used in metrics and events.
    pub const fn label(self) -> &'static str {
        match self {
            PathKind::Udp => "udp",
        }
    }
}
