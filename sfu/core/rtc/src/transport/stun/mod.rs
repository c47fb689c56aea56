//! STUN as far as ICE needs it (RFC 8489, RFC 8445): binding requests and their answers over UDP.
//!
//! [`peek_ufrag`] finds the transport a check is for, [`Message`] reads it, [`Builder`] writes.

mod build;
mod message;

pub use self::build::Builder;
pub use self::message::Message;
use crate::drop_reason::DropReason;

/// Picks one connectivity check out of all; chosen at random by its sender.
pub type TransactionId = [u8; 12];

/// Type of a binding request.
pub const BINDING_REQUEST: u16 = 0x0001;
/// Type of a success response to a binding request.
pub const BINDING_SUCCESS: u16 = 0x0101;
/// Type of an error response to a binding request.
pub const BINDING_ERROR: u16 = 0x0111;

/// Numbers of the attributes that a check or its answer may carry.
pub mod attribute {
    #![allow(missing_docs)] // the names of the RFCs

    pub const USERNAME: u16 = 0x0006;
    pub const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub const ERROR_CODE: u16 = 0x0009;
    pub const UNKNOWN_ATTRIBUTES: u16 = 0x000A;
    pub const MESSAGE_INTEGRITY_SHA256: u16 = 0x001C;
    pub const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub const PRIORITY: u16 = 0x0024;
    pub const USE_CANDIDATE: u16 = 0x0025;
    pub const FINGERPRINT: u16 = 0x8028;
    pub const ICE_CONTROLLED: u16 = 0x8029;
    pub const ICE_CONTROLLING: u16 = 0x802A;
}

const COOKIE: u32 = 0x2112_A442;
const HEADER: usize = 20;
const INTEGRITY_LEN: usize = 20;
/// Mixed into the CRC, so that it differs from that of other protocols (RFC 8489, section 14.7).
const FINGERPRINT_XOR: u32 = 0x5354_554E;

/// Whether a datagram is STUN, by its first byte and its cookie (RFC 7983, RFC 8489 section 5).
pub fn is_stun(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| first >> 6 == 0) && datagram.get(4..8) == Some(&COOKIE.to_be_bytes())
}

/// The part of USERNAME before the colon: the ufrag of the transport that a check is for.
///
/// Nothing is authenticated by that.
pub fn peek_ufrag(datagram: &[u8]) -> Result<&str, DropReason> {
    if !is_stun(datagram) {
        return Err(DropReason::StunMalformed);
    }
    if datagram[..2] != BINDING_REQUEST.to_be_bytes() {
        return Err(DropReason::StunUnexpected);
    }
    let mut attributes = Attributes::of(datagram).ok_or(DropReason::StunMalformed)?;
    let username = attributes.find(|attribute| attribute.number == attribute::USERNAME);
    let username = username.ok_or(DropReason::StunUnknownUfrag)?.value;
    let (local, _) = split_username(username).ok_or(DropReason::StunUnknownUfrag)?;
    Ok(local)
}

/// `receiver:sender` (RFC 8445, section 7.2.2).
fn split_username(username: &[u8]) -> Option<(&str, &str)> {
    std::str::from_utf8(username).ok()?.split_once(':')
}

/// One attribute as it stands in the datagram.
struct Attribute<'a> {
    number: u16,
    /// Where its header begins.
    at: usize,
    value: &'a [u8],
}

/// The attributes in order. Ends early at one that does not fit.
struct Attributes<'a> {
    datagram: &'a [u8],
    at: usize,
}

impl<'a> Attributes<'a> {
    /// `None` if the length in the header is not that of the datagram.
    fn of(datagram: &'a [u8]) -> Option<Attributes<'a>> {
        let len = datagram.get(2..4)?;
        let len = usize::from(u16::from_be_bytes([len[0], len[1]]));
        (len % 4 == 0 && datagram.len() == HEADER + len).then_some(Attributes { datagram, at: HEADER })
    }

    /// Whether the last attribute ended where the message does.
    fn complete(&self) -> bool {
        self.at == self.datagram.len()
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let at = self.at;
        let head = self.datagram.get(at..at + 4)?;
        let number = u16::from_be_bytes([head[0], head[1]]);
        let len = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let value = self.datagram.get(at + 4..at + 4 + len)?;
        let end = at + 4 + len.next_multiple_of(4);
        if end > self.datagram.len() {
            return None;
        }
        self.at = end;
        Some(Attribute { number, at, value })
    }
}

#[cfg(test)]
mod tests;
