//! ICE, DTLS, SRTP and SCTP of one leg.
//!
//! A [`Transport`] owns all of it. Its worker hands it what belongs to it: checks by local ufrag, everything else
//! by validated path. Each input is followed by whatever it leads to in the outbox; what the worker should know
//! comes from [`Transport::poll_event`].
//!
//! Order of trust: a path by an authentic check ([`ice`]), a handshake from such a path only ([`dtls`]), keys only
//! after the certificate was one the peer's description names, media and data only with those keys.

pub mod data;
mod dtls;
mod ice;
mod liveness;
mod news;
mod shared;
pub mod srtp;
pub mod stun;

use std::time::Duration;

use arrayvec::ArrayVec;

use self::data::Data;
pub use self::dtls::fingerprint;
use self::ice::Ice;
pub use self::ice::{MAX_PATHS, PathChange};
use self::liveness::{Liveness, Notice};
use self::news::News;
pub use self::news::TransportEvent;
pub use self::shared::TransportShared;
use self::srtp::{Receiver, Sender, Side};
use crate::command::{Fingerprint, IceCredentials, MAX_FINGERPRINTS, RemoteParams};
use crate::counters::{Cell, Counters};
use crate::drop_reason::DropReason;
use crate::event::{FailReason, SrtpProfile};
use crate::outbox::{Outbox, TrafficClass};
use crate::path::Path;
use crate::timer::Timer;
use crate::units::{SeqNo, Time};

/// A peer that checks but does not finish the handshake is given up after this.
const CONNECT: Duration = Duration::from_secs(30);

/// One peer's ICE agent, DTLS connection, SRTP keys and SCTP association.
pub struct Transport {
    counters: Counters,
    ice: Ice,
    liveness: Liveness,
    dtls: dtls::Session,
    /// Certificates that the peer's description names.
    fingerprints: ArrayVec<Fingerprint, MAX_FINGERPRINTS>,
    /// The one the peer showed, once it was found among them.
    accepted: Option<Fingerprint>,
    /// Where handshake datagrams go while nothing is nominated.
    handshake_path: Option<Path>,
    connect_by: Time,
    media: Option<Media>,
    data: Data,
    phase: Phase,
    news: News,
    /// What the gauges of SRTP contexts and data channels hold of this transport.
    gauged: (usize, usize),
}

/// How far a transport has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Connecting,
    Connected,
    Failed,
    Closed,
}

struct Media {
    sender: Sender,
    receiver: Receiver,
    profile: SrtpProfile,
}

impl Transport {
    /// A transport that accepts checks for `local` once the peer is described.
    pub fn new(now: Time, local: IceCredentials, shared: &TransportShared, counters: Counters) -> Transport {
        let dtls = dtls::Session::new(now, shared.epoch, shared.dtls.clone(), shared.certificate.clone());
        Transport {
            data: Data::new(shared.epoch, shared.data.clone(), counters.clone()),
            counters,
            ice: Ice::new(local),
            liveness: Liveness::new(),
            dtls,
            fingerprints: ArrayVec::new(),
            accepted: None,
            handshake_path: None,
            connect_by: Time::NEVER,
            media: None,
            phase: Phase::Connecting,
            news: News::default(),
            gauged: (0, 0),
        }
    }

    /// Takes what the peer described of itself; again at every offer. A new ufrag is an ICE restart: the selected
    /// path goes on until a check with the new one is nominated.
    ///
    /// A description that no longer names the certificate of the connection ends it: another one needs another
    /// connection (RFC 8842, section 4).
    pub fn set_remote(&mut self, now: Time, remote: &RemoteParams) {
        self.ice.set_remote(&remote.ice.ufrag);
        self.liveness.described(now);
        self.fingerprints = remote.fingerprints.clone();
        if self.accepted.is_some_and(|accepted| !self.fingerprints.contains(&accepted)) {
            return self.fail(FailReason::FingerprintMismatch);
        }
        self.data.set_remote(remote.sctp_port.is_some(), remote.max_message_size);
    }

    /// Accepts new local credentials beside the old ones, until a check with the new ones is nominated.
    ///
    /// Returns the ufrag of an earlier restart that this one overtook, if checks for it are no longer accepted.
    pub fn restart_ice(&mut self, local: IceCredentials) -> Option<Box<str>> {
        self.ice.restart(local)
    }

    /// The ufrags by which checks find this transport.
    pub fn local_ufrags(&self) -> impl Iterator<Item = &str> {
        self.ice.local_ufrags()
    }

    /// The validated paths, at most [`MAX_PATHS`].
    pub fn paths(&self) -> impl ExactSizeIterator<Item = Path> {
        self.ice.paths()
    }

    /// Whether `path` is one of [`Transport::paths`].
    pub fn has_path(&self, path: Path) -> bool {
        self.ice.is_valid(path)
    }

    /// Whether an event other than data waits; cheap enough to ask after every packet.
    pub fn has_news(&self) -> bool {
        self.news != News::default()
    }

    /// Where media goes.
    pub fn path(&self) -> Option<Path> {
        self.ice.selected()
    }

    /// Whether media can be sent.
    pub fn is_connected(&self) -> bool {
        self.phase == Phase::Connected
    }

    /// How many SSRCs have a replay window.
    pub fn srtp_contexts(&self) -> usize {
        self.media.as_ref().map_or(0, |media| media.receiver.streams())
    }

    /// How many data channels the peer has open.
    pub fn data_channels(&self) -> usize {
        self.data.open_channels()
    }

    /// Answers a connectivity check that [`stun::peek_ufrag`] showed to be for this transport.
    pub fn handle_stun(
        &mut self,
        now: Time,
        path: Path,
        datagram: &[u8],
        out: &mut Outbox,
    ) -> Result<Option<PathChange>, DropReason> {
        if self.is_over() {
            return Err(DropReason::Unvalidated);
        }
        let checked = self.ice.handle_stun(now, path, datagram, out)?;
        let notice = self.liveness.heard(now);
        self.note(notice);
        if self.connect_by == Time::NEVER {
            self.connect_by = now + CONNECT;
        }
        if checked.moved {
            self.news.path_changed = self.is_connected();
            self.maybe_connected();
        }
        Ok(checked.change)
    }

    /// Takes a DTLS datagram from `path`.
    pub fn handle_dtls(
        &mut self,
        now: Time,
        path: Path,
        datagram: &[u8],
        out: &mut Outbox,
    ) -> Result<(), DropReason> {
        if self.is_over() || !self.ice.is_valid(path) {
            return Err(DropReason::Unvalidated);
        }
        if !dtls::is_record(datagram) {
            return Err(DropReason::DtlsMalformed);
        }
        self.handshake_path = Some(path);
        let result = self.dtls.handle_datagram(now, datagram);
        self.pump(now, out);
        if let Err(reason) = result {
            self.fail(reason);
        }
        Ok(())
    }

    /// Checks and decrypts RTP in place; returns its length with header and without tag.
    pub fn unprotect_rtp(&mut self, now: Time, path: Path, datagram: &mut [u8]) -> Result<usize, DropReason> {
        let media = self.media.as_mut().ok_or(DropReason::SrtpNotReady)?;
        let len = media.receiver.unprotect_rtp(now, datagram)?;
        let notice = self.liveness.heard_media(now);
        self.note(notice);
        self.news.path_changed |= self.ice.heard(now, path);
        self.gauge_contexts();
        Ok(len)
    }

    /// Checks and decrypts RTCP in place; returns its length without trailer and tag.
    pub fn unprotect_rtcp(
        &mut self,
        now: Time,
        path: Path,
        datagram: &mut [u8],
    ) -> Result<usize, DropReason> {
        let media = self.media.as_mut().ok_or(DropReason::SrtpNotReady)?;
        let len = media.receiver.unprotect_rtcp(now, datagram)?;
        // A report alone is no media: a listener may send one every few seconds.
        let notice = self.liveness.heard(now);
        self.note(notice);
        self.news.path_changed |= self.ice.heard(now, path);
        self.gauge_contexts();
        Ok(len)
    }

    /// Protects the RTP packet in `slot[..len]` in place; see [`Sender::protect_rtp`]. `None` if not connected.
    pub fn protect_rtp(&self, index: SeqNo, header_len: usize, slot: &mut [u8], len: usize) -> Option<usize> {
        if !self.is_connected() {
            return None;
        }
        self.media.as_ref()?.sender.protect_rtp(index, header_len, slot, len)
    }

    /// Protects the RTCP packet in `slot[..len]` in place; see [`Sender::protect_rtcp`]. `None` if not connected.
    pub fn protect_rtcp(&mut self, slot: &mut [u8], len: usize) -> Option<usize> {
        if !self.is_connected() {
            return None;
        }
        self.media.as_mut()?.sender.protect_rtcp(slot, len)
    }

    /// Sends a message on a data channel with the order and reliability that the peer gave it. A message for a
    /// channel that is not open yet waits for it, within a bound.
    ///
    /// [`DropReason::DataOverflow`] if it is larger than the peer takes or than the buffer has room for.
    pub fn send_data(
        &mut self,
        now: Time,
        channel: u16,
        binary: bool,
        payload: &[u8],
        out: &mut Outbox,
    ) -> Result<(), DropReason> {
        if self.is_over() {
            return Err(DropReason::DataOverflow);
        }
        self.data.send(now, channel, binary, payload)?;
        self.pump(now, out);
        Ok(())
    }

    /// The next thing to know. Call it only when there is room for what comes: a message not taken stays in SCTP,
    /// where it holds the peer back.
    pub fn poll_event(&mut self, now: Time) -> Option<TransportEvent> {
        if std::mem::take(&mut self.news.connected)
            && let (Some(path), Some(media)) = (self.path(), &self.media)
        {
            return Some(TransportEvent::Connected { path, profile: media.profile });
        }
        if std::mem::take(&mut self.news.path_changed)
            && let Some(path) = self.path()
        {
            return Some(TransportEvent::PathChanged { path });
        }
        match self.news.silence.take() {
            Some(Notice::Silent) => return Some(TransportEvent::Silent),
            Some(_) => return Some(TransportEvent::Resumed),
            None => {}
        }
        if let Some(reason) = self.news.failed.take() {
            return Some(TransportEvent::Failed(reason));
        }
        // Nobody should hear of a channel before its transport is connected.
        if self.is_connected() { self.data.poll_event(now) } else { None }
    }

    /// When to call [`Transport::handle_timeout`], and why. It need not be asked again after each RTP packet: a
    /// call that comes too early does nothing.
    pub fn poll_timeout(&self) -> Option<(Time, Timer)> {
        if self.is_over() {
            return None;
        }
        let consent = self.liveness.deadline().map(|at| (at, Timer::Consent));
        let connect = (self.phase == Phase::Connecting).then_some((self.connect_by, Timer::Dtls));
        let dtls = Some((self.dtls.timeout(), Timer::Dtls));
        let sctp = self.data.timeout().map(|at| (at, Timer::Sctp));
        let timers = [consent, connect, dtls, sctp].into_iter().flatten();
        timers.filter(|(at, _)| *at != Time::NEVER).min_by_key(|(at, _)| *at)
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time, out: &mut Outbox) {
        if self.is_over() {
            return;
        }
        let notice = self.liveness.handle_timeout(now);
        self.note(notice);
        if self.phase == Phase::Connecting && now >= self.connect_by {
            self.fail(FailReason::DtlsTimeout);
        }
        if self.is_over() {
            return;
        }
        self.data.handle_timeout(now);
        let result = self.dtls.handle_timeout(now);
        self.pump(now, out);
        if let Err(reason) = result {
            self.fail(reason);
        }
    }

    /// Says goodbye (close_notify). Nothing is sent or accepted after it.
    pub fn close(&mut self, now: Time, out: &mut Outbox) {
        if self.is_over() {
            return;
        }
        self.dtls.close();
        self.pump(now, out);
        self.end(Phase::Closed);
    }

    /// Takes everything out of DTLS and SCTP that is in them, as far as there is room for it.
    fn pump(&mut self, now: Time, out: &mut Outbox) {
        self.pump_dtls(now, out);
        while !self.is_over() && out.room() > 0 {
            let Some(packet) = self.data.poll_packet(now) else { break };
            let result = self.dtls.send(&packet);
            self.pump_dtls(now, out);
            if let Err(reason) = result {
                self.fail(reason);
            }
        }
        self.gauge_channels();
    }

    fn pump_dtls(&mut self, now: Time, out: &mut Outbox) {
        let mut buffer = [0; dtls::BUFFER];
        let mut finished = false;
        while !self.is_over() {
            let path = self.path().or(self.handshake_path);
            match self.dtls.poll(&mut buffer) {
                dtls::Step::Send(datagram) => {
                    // Without room it is lost like on the way: it will be sent again.
                    if path.is_some_and(|path| !out.push(path, TrafficClass::Other, datagram)) {
                        self.counters.dropped(DropReason::OutboxFull);
                    }
                }
                dtls::Step::PeerCertificate(shown) => {
                    if !self.fingerprints.contains(&shown) {
                        return self.fail(FailReason::FingerprintMismatch);
                    }
                    self.accepted = Some(shown);
                }
                dtls::Step::Finished => finished = true,
                dtls::Step::Keys(keys, profile) => self.install(now, keys.as_ref(), profile),
                dtls::Step::Data(packet) => {
                    if let Err(reason) = self.data.handle_packet(now, packet) {
                        self.counters.dropped(reason);
                    }
                    let notice = self.liveness.heard(now);
                    self.note(notice);
                }
                dtls::Step::Closed => self.fail(FailReason::ClosedByPeer),
                dtls::Step::Idle => break,
            }
        }
        if finished && self.media.is_none() {
            self.fail(FailReason::NoSrtpProfile);
        }
    }

    /// Takes the keys of a finished handshake.
    fn install(&mut self, now: Time, keys: Option<&srtp::Keys>, profile: SrtpProfile) {
        if self.accepted.is_none() {
            return self.fail(FailReason::FingerprintMismatch);
        }
        let ends = keys.and_then(|keys| Some((keys.sender(Side::Server)?, keys.receiver(Side::Server)?)));
        let Some((sender, receiver)) = ends else { return self.fail(FailReason::DtlsError) };
        self.media = Some(Media { sender, receiver, profile });
        // Chromium nominates some 50 ms after it has begun to use a pair. Over the pair of a finished handshake the
        // peer has answered us, which is more than a nomination says.
        if let Some(path) = self.handshake_path {
            self.ice.select_first(now, path);
        }
        self.maybe_connected();
    }

    fn maybe_connected(&mut self) {
        if self.phase == Phase::Connecting && self.media.is_some() && self.path().is_some() {
            self.phase = Phase::Connected;
            self.news.connected = true;
        }
    }

    fn note(&mut self, notice: Option<Notice>) {
        match notice {
            Some(Notice::Gone(reason)) => self.fail(reason),
            // Until it is connected, silence says nothing that a failure would not.
            Some(notice) if self.is_connected() => self.news.silence = Some(notice),
            _ => {}
        }
    }

    fn fail(&mut self, reason: FailReason) {
        if !self.is_over() {
            self.news = News { failed: Some(reason), ..News::default() };
            self.end(Phase::Failed);
        }
    }

    /// Forgets the keys: nothing can be sent by mistake.
    fn end(&mut self, phase: Phase) {
        self.phase = phase;
        self.media = None;
        self.gauge_contexts();
        self.gauge_channels();
    }

    /// Keeps the gauge right after a packet that may have begun a stream.
    fn gauge_contexts(&mut self) {
        let contexts = self.srtp_contexts();
        if contexts != self.gauged.0 {
            self.counters.adjust(Cell::SrtpContexts, self.gauged.0, contexts);
            self.gauged.0 = contexts;
        }
    }

    fn gauge_channels(&mut self) {
        let channels = if self.is_over() { 0 } else { self.data_channels() };
        self.counters.adjust(Cell::DataChannels, self.gauged.1, channels);
        self.gauged.1 = channels;
    }

    fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Failed | Phase::Closed)
    }
}

#[cfg(test)]
mod tests;
