//! Writes STUN messages.

use std::net::{IpAddr, SocketAddr};

use super::message::{fingerprint, integrity};
use super::{COOKIE, HEADER, TransactionId, attribute};

/// Writes one message into a slot, attribute after attribute.
///
/// Running out of room is noticed at the end, by [`Builder::finish`].
pub struct Builder<'a> {
    slot: &'a mut [u8],
    len: usize,
    fits: bool,
}

impl<'a> Builder<'a> {
    /// Begins a message of type `kind`, e.g. [`super::BINDING_SUCCESS`].
    pub fn new(slot: &'a mut [u8], kind: u16, transaction: TransactionId) -> Builder<'a> {
        let mut builder = Builder { slot, len: 0, fits: true };
        builder.put(&kind.to_be_bytes());
        builder.put(&[0, 0]);
        builder.put(&COOKIE.to_be_bytes());
        builder.put(&transaction);
        builder
    }

    /// Adds an attribute and pads it to four bytes.
    pub fn attribute(mut self, number: u16, value: &[u8]) -> Builder<'a> {
        self.put(&number.to_be_bytes());
        self.put(&(value.len() as u16).to_be_bytes());
        self.put(value);
        self.put(&[0; 3][..value.len().next_multiple_of(4) - value.len()]);
        self
    }

    /// Adds XOR-MAPPED-ADDRESS; an IPv4 address in IPv6 clothing is undressed.
    pub fn xor_mapped_address(self, address: SocketAddr) -> Builder<'a> {
        let mut value = [0; 20];
        value[2..4].copy_from_slice(&(address.port() ^ (COOKIE >> 16) as u16).to_be_bytes());
        match address.ip().to_canonical() {
            IpAddr::V4(ip) => {
                value[1] = 1;
                value[4..8].copy_from_slice(&(ip.to_bits() ^ COOKIE).to_be_bytes());
                self.attribute(attribute::XOR_MAPPED_ADDRESS, &value[..8])
            }
            IpAddr::V6(ip) => {
                value[1] = 2;
                value[4..].copy_from_slice(&ip.octets());
                if let Some(mask) = self.slot.get(4..HEADER) {
                    value[4..].iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
                }
                self.attribute(attribute::XOR_MAPPED_ADDRESS, &value)
            }
        }
    }

    /// Adds ERROR-CODE. The reason is for people who read traces.
    pub fn error(self, code: u16, reason: &str) -> Builder<'a> {
        let mut value = [0; 64];
        value[2] = (code / 100) as u8;
        value[3] = (code % 100) as u8;
        let reason = &reason.as_bytes()[..reason.len().min(60)];
        value[4..4 + reason.len()].copy_from_slice(reason);
        self.attribute(attribute::ERROR_CODE, &value[..4 + reason.len()])
    }

    /// Ends the message with MESSAGE-INTEGRITY made with `password` and FINGERPRINT; returns its length.
    ///
    /// `None` if the slot was too small.
    pub fn finish(mut self, password: &str) -> Option<usize> {
        if !self.fits {
            return None;
        }
        let code = integrity(password, &self.slot[..self.len]);
        let mut builder = self.attribute(attribute::MESSAGE_INTEGRITY, &code);
        let len = (builder.len + 8 - HEADER) as u16;
        builder.slot.get_mut(2..4)?.copy_from_slice(&len.to_be_bytes());
        let crc = fingerprint(&builder.slot[..builder.len]);
        builder = builder.attribute(attribute::FINGERPRINT, &crc.to_be_bytes());
        self = builder;
        self.fits.then_some(self.len)
    }

    fn put(&mut self, bytes: &[u8]) {
        match self.slot.get_mut(self.len..self.len + bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.len += bytes.len();
            }
            None => self.fits = false,
        }
    }
}
