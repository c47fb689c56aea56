//! Which protocol a datagram speaks, and which transport it belongs to.
//!
//! Nothing but an authenticated check makes an address known (RFC 7983 for the first byte, RFC 5761 for RTCP):
//! DTLS and media from any other address are dropped before a protocol reads them.
//!
//! All workers share one port, and the kernel always gives what comes from one address to the same of them, whether
//! or not the transport lives there. The home of a transport learns through which worker its checks come, and tells
//! that one alone which paths to hand over; it tells it again with every check, so nothing lost stays lost.

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

/// The tables by which transports are found.
pub struct Demux {
    paths: HashMap<Path, Owner>,
    ufrags: HashMap<Box<str>, TransportId>,
    /// Paths of transports of other workers, and which.
    foreign: HashMap<Path, u8>,
    max_foreign: usize,
}

#[derive(Debug, Clone, Copy)]
struct Owner {
    transport: TransportId,
    /// The worker that hands over what comes from there.
    through: Option<u8>,
}

impl Demux {
    /// Tables that know nobody; of at most `max_foreign` paths it is known which other worker they belong to.
    pub fn new(max_foreign: usize) -> Demux {
        Demux { paths: HashMap::new(), ufrags: HashMap::new(), foreign: HashMap::new(), max_foreign }
    }

    /// The transport that validated `path`.
    pub fn by_path(&self, path: Path) -> Option<TransportId> {
        self.paths.get(&path).map(|owner| owner.transport)
    }

    /// The worker whose transport validated `path`.
    pub fn foreign(&self, path: Path) -> Option<u8> {
        self.foreign.get(&path).copied()
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
        let through = self.paths.get(&path).and_then(|owner| owner.through);
        self.paths.insert(path, Owner { transport, through });
        self.foreign.remove(&path);
    }

    /// Notes the worker that hands over what comes from `path`.
    pub fn set_through(&mut self, path: Path, worker: u8) {
        if let Some(owner) = self.paths.get_mut(&path) {
            owner.through = Some(worker);
        }
    }

    /// Stops letting `path` through, if it still is `transport`'s. Returns the worker that hands over what comes from
    /// there, which is to be told.
    pub fn remove_path(&mut self, path: Path, transport: TransportId) -> Option<u8> {
        if self.by_path(path) != Some(transport) {
            return None;
        }
        self.paths.remove(&path)?.through
    }

    /// Remembers that what comes from `path` belongs to `worker` and to no transport of this one; false when too many
    /// are remembered.
    pub fn add_foreign(&mut self, path: Path, worker: u8) -> bool {
        let fits = self.foreign.len() < self.max_foreign || self.foreign.contains_key(&path);
        if fits {
            self.foreign.insert(path, worker);
            self.paths.remove(&path);
        }
        fits
    }

    /// Forgets that, if it still belongs to `worker`.
    pub fn remove_foreign(&mut self, path: Path, worker: u8) {
        if self.foreign(path) == Some(worker) {
            self.foreign.remove(&path);
        }
    }

    /// How many paths of other workers are remembered.
    pub fn foreign_paths(&self) -> usize {
        self.foreign.len()
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
        let mut demux = Demux::new(0);
        demux.add_path(path, old);
        demux.add_path(path, new);
        demux.remove_path(path, old);
        assert_eq!(demux.by_path(path), Some(new));
    }

    #[test]
    fn paths_of_other_workers_are_bounded_and_the_newest_owner_has_a_path() {
        let path = |port| Path { socket: 0, remote: ([192, 0, 2, 1], port).into() };
        let mut demux = Demux::new(2);
        assert!(demux.add_foreign(path(1), 1) && demux.add_foreign(path(2), 1));
        assert!(!demux.add_foreign(path(3), 1) && demux.add_foreign(path(2), 2));
        demux.remove_foreign(path(2), 1);
        assert_eq!((demux.foreign(path(2)), demux.foreign(path(3))), (Some(2), None));
        demux.add_path(path(2), TransportId::new(0, 0, 1));
        assert_eq!((demux.foreign(path(2)), demux.foreign_paths()), (None, 1));
        assert!(demux.add_foreign(path(2), 1));
        assert_eq!((demux.by_path(path(2)), demux.paths()), (None, 0));
    }

    #[test]
    fn who_hands_over_what_comes_from_a_path_is_known_until_the_path_is_removed() {
        let path = Path { socket: 0, remote: "192.0.2.1:1000".parse().unwrap() };
        let (old, new) = (TransportId::new(0, 1, 1), TransportId::new(0, 2, 1));
        let mut demux = Demux::new(0);
        demux.add_path(path, old);
        demux.set_through(path, 3);
        demux.add_path(path, new);
        assert_eq!(demux.remove_path(path, old), None);
        assert_eq!(demux.remove_path(path, new), Some(3));
    }
}
