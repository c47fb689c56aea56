//! Which protocol a datagram speaks, and which transport it belongs to.
//!
//! Nothing but an authenticated check makes an address known (RFC 7983 for the first byte, RFC 5761 for RTCP):
//! DTLS and media from any other address are dropped before a protocol reads them.

use std::collections::HashMap;

use crate::drop_reason::DropReason;
use crate::id::TransportId;
use crate::path::Path;

/// Largest datagram that is looked at: an Ethernet frame's worth.
pub const MAX_DATAGRAM_UP: usize = 1_500;

/// A protocol that shares our port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Protocol {
    Stun,
    Dtls,
    Rtp,
    Rtcp,
}

/// Tells by length and first bytes what a datagram claims to be.
///
/// # Errors
/// The reason to drop it: too short for the protocol it claims, too long, or no protocol of ours.
pub fn classify(datagram: &[u8]) -> Result<Protocol, DropReason> {
    if datagram.len() > MAX_DATAGRAM_UP {
        return Err(DropReason::TooLong);
    }
    let (protocol, shortest) = match *datagram {
        [] | [_] => return Err(DropReason::TooShort),
        [0..=3, ..] => (Protocol::Stun, 20),
        [20..=63, ..] => (Protocol::Dtls, 13),
        [128..=191, 192..=223, ..] => (Protocol::Rtcp, 8),
        [128..=191, ..] => (Protocol::Rtp, 12),
        _ => return Err(DropReason::UnknownProtocol),
    };
    if datagram.len() < shortest { Err(DropReason::TooShort) } else { Ok(protocol) }
}

/// The two tables by which transports are found.
#[derive(Default)]
pub struct Demux {
    paths: HashMap<Path, TransportId>,
    ufrags: HashMap<Box<str>, TransportId>,
}

impl Demux {
    /// The transport that validated `path`.
    pub fn by_path(&self, path: Path) -> Option<TransportId> {
        self.paths.get(&path).copied()
    }

    /// The transport that answers checks for `ufrag`.
    pub fn by_ufrag(&self, ufrag: &str) -> Option<TransportId> {
        self.ufrags.get(ufrag).copied()
    }

    /// Makes a transport known by one more local ufrag.
    pub fn add_ufrag(&mut self, ufrag: &str, transport: TransportId) {
        self.ufrags.insert(ufrag.into(), transport);
    }

    /// Forgets a ufrag, if it still is `transport`'s.
    pub fn remove_ufrag(&mut self, ufrag: &str, transport: TransportId) {
        if self.by_ufrag(ufrag) == Some(transport) {
            self.ufrags.remove(ufrag);
        }
    }

    /// Lets DTLS and media from `path` through to `transport`; a path has one owner, the newest.
    pub fn add_path(&mut self, path: Path, transport: TransportId) {
        self.paths.insert(path, transport);
    }

    /// Stops letting `path` through, if it still is `transport`'s.
    pub fn remove_path(&mut self, path: Path, transport: TransportId) {
        if self.by_path(path) == Some(transport) {
            self.paths.remove(&path);
        }
    }

    /// How many addresses may send media.
    pub fn paths(&self) -> usize {
        self.paths.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_first_byte_and_length_has_one_meaning() {
        for first in 0..=255u8 {
            for len in 0..=64 {
                let mut datagram = vec![0u8; len];
                if let Some(byte) = datagram.first_mut() {
                    *byte = first;
                }
                let expected = match (first, len) {
                    (_, 0..=1) => Err(DropReason::TooShort),
                    (0..=3, 20..) => Ok(Protocol::Stun),
                    (20..=63, 13..) => Ok(Protocol::Dtls),
                    (128..=191, 12..) => Ok(Protocol::Rtp),
                    (0..=3 | 20..=63 | 128..=191, _) => Err(DropReason::TooShort),
                    _ => Err(DropReason::UnknownProtocol),
                };
                assert_eq!(classify(&datagram), expected, "first byte {first}, length {len}");
            }
        }
    }

    #[test]
    fn rtcp_is_known_by_its_packet_type() {
        let rows = [(191, Protocol::Rtp), (192, Protocol::Rtcp), (223, Protocol::Rtcp), (224, Protocol::Rtp)];
        for (second, expected) in rows {
            let mut datagram = [0u8; 12];
            datagram[..2].copy_from_slice(&[0x80, second]);
            assert_eq!(classify(&datagram), Ok(expected), "second byte {second}");
        }
    }

    #[test]
    fn a_path_taken_over_is_not_forgotten_with_its_former_owner() {
        let path = Path { socket: 0, remote: "192.0.2.1:1000".parse().unwrap() };
        let (old, new) = (TransportId::new(0, 1, 1), TransportId::new(0, 2, 1));
        let mut demux = Demux::default();
        demux.add_path(path, old);
        demux.add_path(path, new);
        demux.remove_path(path, old);
        assert_eq!(demux.by_path(path), Some(new));
    }
}
