//! Checks and decrypts what the peer sends.

use std::time::Duration;

use super::cipher::Cipher;
use super::replay::ReplayWindow;
use super::{MasterKey, rtp_header_len, ssrc_of};
use crate::drop_reason::DropReason;
use crate::event::SrtpProfile;
use crate::units::{SeqNo, Time};

/// Most RTP streams of one peer that are remembered at a time: as many as the router tells apart.
pub const MAX_MEDIA_STREAMS: usize = 256;
/// Most sources of RTCP: Firefox reports on each section that it receives under an SSRC of its own, and there are at
/// most 512 of these, beside 64 tracks that it publishes.
pub const MAX_CONTROL_STREAMS: usize = 576;

/// A stream that was silent for so long gives its place to a new one when the table is full.
const IDLE: Duration = Duration::from_secs(10);

/// Keys for packets that come in, and what has come.
pub struct Receiver {
    rtp: Cipher,
    rtcp: Cipher,
    media: Streams,
    control: Streams,
}

impl Receiver {
    pub(super) fn new(profile: SrtpProfile, master: &MasterKey) -> Option<Receiver> {
        Some(Receiver {
            rtp: Cipher::rtp(profile, master)?,
            rtcp: Cipher::rtcp(profile, master)?,
            media: Streams::new(MAX_MEDIA_STREAMS),
            control: Streams::new(MAX_CONTROL_STREAMS),
        })
    }

    /// Checks and decrypts an RTP packet in place; returns its length with the header and without the tag.
    ///
    /// After an error the packet's content is undefined and nothing is remembered of it.
    pub fn unprotect_rtp(&mut self, now: Time, packet: &mut [u8]) -> Result<usize, DropReason> {
        let header_len = rtp_header_len(packet).ok_or(DropReason::RtpMalformed)?;
        if packet.len() < header_len + self.rtp.rtp_overhead() {
            return Err(DropReason::RtpMalformed);
        }
        let ssrc = ssrc_of(packet, 8).ok_or(DropReason::RtpMalformed)?;
        let seq = u16::from_be_bytes([packet[2], packet[3]]);

        let known = self.media.find(ssrc);
        let index = match known {
            // RFC 3711, section 3.3.1: the index nearest to the newest one.
            Some(at) => SeqNo(self.media.list[at].window.newest()).extend(seq).0,
            None => seq.into(),
        };
        self.media.admit(now, known, index, DropReason::SrtpReplay)?;
        let len = self.rtp.open_rtp(index, header_len, packet).map_err(|_| DropReason::SrtpAuth)?;
        self.media.accept(now, known, ssrc, index);
        Ok(len)
    }

    /// Checks and decrypts an RTCP packet in place; returns its length without trailer and tag.
    ///
    /// After an error the packet's content is undefined and nothing is remembered of it.
    pub fn unprotect_rtcp(&mut self, now: Time, packet: &mut [u8]) -> Result<usize, DropReason> {
        let ssrc = ssrc_of(packet, 4).ok_or(DropReason::RtcpMalformed)?;
        let index = self.rtcp.rtcp_index(packet).ok_or(DropReason::RtcpMalformed)?;
        let known = self.control.find(ssrc);
        self.control.admit(now, known, index.into(), DropReason::SrtcpReplay)?;
        let len = self.rtcp.open_rtcp(index, packet).map_err(|_| DropReason::SrtcpAuth)?;
        self.control.accept(now, known, ssrc, index.into());
        Ok(len)
    }

    /// How many streams are remembered, RTP and RTCP together.
    pub fn streams(&self) -> usize {
        self.media.list.len() + self.control.list.len()
    }
}

/// What is remembered of each SSRC.
struct Streams {
    /// By rising SSRC; grows when a stream begins, never for one of its packets.
    list: Vec<Stream>,
    most: usize,
    /// Where the last packet's stream was: packets come in bursts of one stream.
    last: usize,
}

struct Stream {
    ssrc: u32,
    window: ReplayWindow,
    last_used: Time,
}

impl Streams {
    fn new(most: usize) -> Streams {
        Streams { list: Vec::new(), most, last: 0 }
    }

    fn find(&self, ssrc: u32) -> Option<usize> {
        if self.list.get(self.last).is_some_and(|stream| stream.ssrc == ssrc) {
            return Some(self.last);
        }
        self.list.binary_search_by_key(&ssrc, |stream| stream.ssrc).ok()
    }

    /// Refuses before any decryption what could not be accepted after it.
    fn admit(
        &self,
        now: Time,
        known: Option<usize>,
        index: u64,
        replay: DropReason,
    ) -> Result<(), DropReason> {
        match known {
            Some(at) if self.list[at].window.is_replay(index) => Err(replay),
            Some(_) => Ok(()),
            None if self.list.len() >= self.most && self.idle(now).is_none() => Err(DropReason::SsrcLimit),
            None => Ok(()),
        }
    }

    /// Remembers an authenticated packet.
    fn accept(&mut self, now: Time, known: Option<usize>, ssrc: u32, index: u64) {
        let at = match known {
            Some(at) => {
                self.list[at].window.accept(index);
                at
            }
            None => {
                // `admit` saw room or an idle stream.
                if self.list.len() >= self.most
                    && let Some(idle) = self.idle(now)
                {
                    self.list.remove(idle);
                }
                let window = ReplayWindow::starting_with(index);
                let at = self.list.partition_point(|stream| stream.ssrc < ssrc);
                self.list.insert(at, Stream { ssrc, window, last_used: now });
                at
            }
        };
        self.list[at].last_used = now;
        self.last = at;
    }

    /// The stream that was silent longest, if that was long.
    fn idle(&self, now: Time) -> Option<usize> {
        let (at, stream) = self.list.iter().enumerate().min_by_key(|(_, stream)| stream.last_used)?;
        (now.since(stream.last_used) >= IDLE).then_some(at)
    }
}
