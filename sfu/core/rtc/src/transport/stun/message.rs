//! Reads STUN messages.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use arrayvec::ArrayVec;
use aws_lc_rs::hmac;
use subtle::ConstantTimeEq;

use super::{
    Attributes, COOKIE, FINGERPRINT_XOR, HEADER, INTEGRITY_LEN, TransactionId, attribute, is_stun,
    split_username,
};

/// More unknown attributes than this are not listed in an answer.
const MAX_UNKNOWN: usize = 8;

/// A well-formed STUN message and the attributes that ICE knows.
///
/// An attribute that comes twice counts once, the first time; those behind MESSAGE-INTEGRITY do not count, as
/// nothing vouches for them (RFC 8489, section 14.5).
#[derive(Debug)]
pub struct Message<'a> {
    raw: &'a [u8],
    /// Class and method, e.g. [`super::BINDING_REQUEST`].
    pub kind: u16,
    /// Ties an answer to its request.
    pub transaction: TransactionId,
    /// Ufrags of the receiver and of the sender.
    pub username: Option<(&'a str, &'a str)>,
    /// Priority that the peer-reflexive candidate would have (RFC 8445, section 7.1.1).
    pub priority: Option<u32>,
    /// The controlling side nominates the pair.
    pub use_candidate: bool,
    /// The sender claims to be controlled, with this tie-breaker.
    pub controlled: Option<u64>,
    /// The sender claims to control, with this tie-breaker.
    pub controlling: Option<u64>,
    /// How the sender of a response saw us.
    pub mapped_address: Option<SocketAddr>,
    /// Code of an error response.
    pub error: Option<u16>,
    /// Attributes that must be understood and are not.
    pub unknown: ArrayVec<u16, MAX_UNKNOWN>,
    integrity_at: Option<usize>,
}

impl<'a> Message<'a> {
    /// Reads a datagram; `None` if it is not well-formed or its FINGERPRINT is wrong.
    pub fn parse(raw: &'a [u8]) -> Option<Message<'a>> {
        if !is_stun(raw) {
            return None;
        }
        let mut attributes = Attributes::of(raw)?;
        let mut message = Message {
            raw,
            kind: u16::from_be_bytes([raw[0], raw[1]]),
            transaction: raw[8..HEADER].try_into().ok()?,
            username: None,
            priority: None,
            use_candidate: false,
            controlled: None,
            controlling: None,
            mapped_address: None,
            error: None,
            unknown: ArrayVec::new(),
            integrity_at: None,
        };
        for attribute in &mut attributes {
            if attribute.number == attribute::FINGERPRINT {
                let last = attribute.at + 8 == raw.len();
                let right = attribute.value == fingerprint(&raw[..attribute.at]).to_be_bytes();
                if !last || !right {
                    return None;
                }
            } else if message.integrity_at.is_none() {
                message.read(attribute.number, attribute.at, attribute.value)?;
            }
        }
        attributes.complete().then_some(message)
    }

    /// Whether MESSAGE-INTEGRITY is there and was made with `password` (RFC 8489, section 14.5).
    pub fn is_authentic(&self, password: &str) -> bool {
        let Some(at) = self.integrity_at else { return false };
        let expected = integrity(password, &self.raw[..at]);
        bool::from(expected.ct_eq(&self.raw[at + 4..at + 4 + INTEGRITY_LEN]))
    }

    fn read(&mut self, number: u16, at: usize, value: &'a [u8]) -> Option<()> {
        match number {
            attribute::USERNAME if self.username.is_none() => self.username = Some(split_username(value)?),
            attribute::PRIORITY if self.priority.is_none() => {
                self.priority = Some(u32::from_be_bytes(value.try_into().ok()?));
            }
            attribute::USE_CANDIDATE => self.use_candidate = true,
            attribute::ICE_CONTROLLED if self.controlled.is_none() => {
                self.controlled = Some(u64::from_be_bytes(value.try_into().ok()?));
            }
            attribute::ICE_CONTROLLING if self.controlling.is_none() => {
                self.controlling = Some(u64::from_be_bytes(value.try_into().ok()?));
            }
            attribute::XOR_MAPPED_ADDRESS if self.mapped_address.is_none() => {
                self.mapped_address = Some(self.read_address(value)?);
            }
            attribute::ERROR_CODE if self.error.is_none() => {
                let [_, _, class, rest, ..] = *value else { return None };
                self.error = Some(u16::from(class & 7) * 100 + u16::from(rest));
            }
            attribute::MESSAGE_INTEGRITY => {
                if value.len() != INTEGRITY_LEN {
                    return None;
                }
                self.integrity_at = Some(at);
            }
            // We agreed on SHA-1 by having the peer know our password; the stronger one may stand beside it.
            attribute::MESSAGE_INTEGRITY_SHA256 => {}
            _ if is_optional(number) => {}
            _ => {
                let _ = self.unknown.try_push(number);
            }
        }
        Some(())
    }

    fn read_address(&self, value: &[u8]) -> Option<SocketAddr> {
        let port = u16::from_be_bytes([*value.get(2)?, *value.get(3)?]) ^ (COOKIE >> 16) as u16;
        let ip: IpAddr = match value.get(1)? {
            1 => {
                let bits = u32::from_be_bytes(value.get(4..)?.try_into().ok()?);
                Ipv4Addr::from_bits(bits ^ COOKIE).into()
            }
            2 => {
                let bits = u128::from_be_bytes(value.get(4..)?.try_into().ok()?);
                Ipv6Addr::from_bits(bits ^ u128::from_be_bytes(self.raw[4..HEADER].try_into().ok()?)).into()
            }
            _ => return None,
        };
        Some(SocketAddr::new(ip, port))
    }
}

/// Attributes from 0x8000 up may be skipped by who does not know them (RFC 8489, section 14), and second ones too.
fn is_optional(number: u16) -> bool {
    use attribute::{ERROR_CODE, PRIORITY, UNKNOWN_ATTRIBUTES, USERNAME, XOR_MAPPED_ADDRESS};
    number >= 0x8000
        || [USERNAME, ERROR_CODE, UNKNOWN_ATTRIBUTES, XOR_MAPPED_ADDRESS, PRIORITY].contains(&number)
}

/// CRC of what comes before FINGERPRINT. The length in the header already counts it.
pub(super) fn fingerprint(before: &[u8]) -> u32 {
    crc32fast::hash(before) ^ FINGERPRINT_XOR
}

/// HMAC of what comes before MESSAGE-INTEGRITY, with the length as if the message ended behind it.
pub(super) fn integrity(password: &str, before: &[u8]) -> [u8; INTEGRITY_LEN] {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    let len = (before.len() + 4 + INTEGRITY_LEN - HEADER) as u16;
    let mut context = hmac::Context::with_key(&key);
    context.update(&before[..2]);
    context.update(&len.to_be_bytes());
    context.update(&before[4..]);
    let mut code = [0; INTEGRITY_LEN];
    code.copy_from_slice(context.sign().as_ref());
    code
}
