//! Protects what we send.

use super::cipher::Cipher;
use super::{MasterKey, ssrc_of};
use crate::event::SrtpProfile;
use crate::units::SeqNo;

/// SRTCP indices have 31 bits, and none may be used twice under one key (RFC 3711, section 9.2).
const LAST_RTCP_INDEX: u32 = (1 << 31) - 1;
const RTP_INDEX: u64 = (1 << 48) - 1;

/// Keys for packets on their way out.
pub struct Sender {
    rtp: Cipher,
    rtcp: Cipher,
    next_rtcp: u32,
}

impl Sender {
    pub(super) fn new(profile: SrtpProfile, master: &MasterKey) -> Option<Sender> {
        Some(Sender {
            rtp: Cipher::rtp(profile, master)?,
            rtcp: Cipher::rtcp(profile, master)?,
            next_rtcp: 1,
        })
    }

    /// Protects the RTP packet in `slot[..len]` in place and returns its new length.
    ///
    /// `index` is the extended sequence number whose low 16 bits are in the header, `header_len` the length with
    /// CSRCs and extension. `None` if the slot has no room for [`super::MAX_OVERHEAD`] more or `len` is less than
    /// `header_len`. Two packets of one SSRC may share an index only if they are the same byte for byte: AES-GCM
    /// is broken by anything else.
    pub fn protect_rtp(&self, index: SeqNo, header_len: usize, slot: &mut [u8], len: usize) -> Option<usize> {
        debug_assert_eq!(slot.get(2..4), Some(&index.wire().to_be_bytes()[..]), "index and header disagree");
        self.rtp.seal_rtp(index.0 & RTP_INDEX, header_len, slot, len)
    }

    /// Protects the compound RTCP packet in `slot[..len]` in place and returns its new length.
    ///
    /// `None` if the slot has no room, the packet is no RTCP, or 2^31 packets were sent.
    pub fn protect_rtcp(&mut self, slot: &mut [u8], len: usize) -> Option<usize> {
        if self.next_rtcp > LAST_RTCP_INDEX {
            return None;
        }
        ssrc_of(slot.get(..len)?, 4)?;
        let index = self.next_rtcp;
        // One count for all our SSRCs: a receiver only needs each of them to rise.
        self.next_rtcp += 1;
        self.rtcp.seal_rtcp(index, slot, len)
    }
}
