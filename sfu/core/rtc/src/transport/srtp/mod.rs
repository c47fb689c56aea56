//! SRTP and SRTCP (RFC 3711, RFC 7714) keyed by DTLS (RFC 5764).
//!
//! [`Sender`] keeps no state per stream: the caller knows the extended sequence number, which is the packet index.
//! [`Receiver`] keeps a rollover counter and a replay window for each stream, made only after a packet of the
//! stream was authenticated.

mod cipher;
mod kdf;
mod receiver;
mod replay;
mod sender;

use arrayvec::ArrayVec;

pub use self::receiver::{MAX_CONTROL_STREAMS, MAX_MEDIA_STREAMS, Receiver};
pub use self::sender::Sender;
use crate::event::SrtpProfile;

/// Most bytes that protection adds to a packet: a tag of AES-GCM and the index of SRTCP.
pub const MAX_OVERHEAD: usize = 20;
/// The part of an RTCP packet that stays readable: the first header and the sender's SSRC.
const RTCP_HEADER: usize = 8;
const RTP_HEADER: usize = 12;

/// Which end of the DTLS handshake one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Side {
    Client,
    Server,
}

/// A master key with its salt.
#[derive(Clone)]
struct MasterKey {
    key: ArrayVec<u8, 32>,
    salt: ArrayVec<u8, 14>,
}

impl MasterKey {
    fn new(key: &[u8], salt: &[u8]) -> Option<MasterKey> {
        Some(MasterKey { key: ArrayVec::try_from(key).ok()?, salt: ArrayVec::try_from(salt).ok()? })
    }
}

/// The master keys of both directions, as DTLS exports them.
pub struct Keys {
    profile: SrtpProfile,
    client: MasterKey,
    server: MasterKey,
}

impl Keys {
    /// Splits the exported material: client key, server key, client salt, server salt (RFC 5764, section 4.2).
    ///
    /// `None` if its length is not that of the profile.
    pub fn from_exporter(profile: SrtpProfile, material: &[u8]) -> Option<Keys> {
        let (key, salt) = match profile {
            SrtpProfile::AeadAes256Gcm => (32, 12),
            SrtpProfile::AeadAes128Gcm => (16, 12),
            SrtpProfile::Aes128CmSha1_80 => (16, 14),
        };
        if material.len() != 2 * (key + salt) {
            return None;
        }
        let (keys, salts) = material.split_at(2 * key);
        Some(Keys {
            profile,
            client: MasterKey::new(&keys[..key], &salts[..salt])?,
            server: MasterKey::new(&keys[key..], &salts[salt..])?,
        })
    }

    /// What `side` protects its packets with.
    pub fn sender(&self, side: Side) -> Option<Sender> {
        Sender::new(self.profile, self.of(side))
    }

    /// What `side` opens the other side's packets with.
    pub fn receiver(&self, side: Side) -> Option<Receiver> {
        match side {
            Side::Client => Receiver::new(self.profile, &self.server),
            Side::Server => Receiver::new(self.profile, &self.client),
        }
    }

    fn of(&self, side: Side) -> &MasterKey {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }
}

/// Length of the RTP header with its CSRCs and extension (RFC 3550, section 5.1), if the packet holds all of it.
pub fn rtp_header_len(packet: &[u8]) -> Option<usize> {
    let first = *packet.first()?;
    if first >> 6 != 2 {
        return None;
    }
    let mut len = RTP_HEADER + 4 * usize::from(first & 0x0f);
    if first & 0x10 != 0 {
        let words = packet.get(len + 2..len + 4)?;
        len += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
    }
    (len <= packet.len()).then_some(len)
}

/// The SSRC at `at`.
fn ssrc_of(packet: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(packet.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

#[cfg(test)]
mod tests;
