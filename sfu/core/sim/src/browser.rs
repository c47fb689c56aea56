//! The other end of a transport: a browser without the pictures.
//!
//! It controls ICE, begins DTLS, exchanges SRTP and SRTCP, and opens data channels. What it sends and hears are
//! plain RTP and RTCP packets and messages; the script of a test decides what they hold.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::{Dtls, DtlsCertificate, Output};
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};
use rtc::command::{Fingerprint, IceCredentials};
use rtc::drop_reason::DropReason;
use rtc::event::SrtpProfile;
use rtc::transport::srtp::{self, Keys, MAX_OVERHEAD, Receiver, Sender, Side};
use rtc::transport::stun::{self, Builder, Message, attribute};
use rtc::units::{SeqNo, Time};

use crate::data::{Data, DataEvent};

/// Checks come this often until the first answer (RFC 8445, section 14.2, Ta).
const CHECK_INTERVAL: Duration = Duration::from_millis(50);
/// Checks that keep consent come this often (libwebrtc's interval on a stable path).
const CONSENT_INTERVAL: Duration = Duration::from_millis(2_500);
/// Priority that a host candidate over UDP has in Chromium.
const PRIORITY: u32 = 0x7e7f_1eff;

/// What a browser is made from.
pub struct BrowserConfig {
    /// Where its datagrams come from.
    pub address: SocketAddr,
    /// Its own credentials.
    pub ice: IceCredentials,
    /// Its certificate, ECDSA P-256.
    pub certificate: DtlsCertificate,
    /// The instant that time 0 stands for.
    pub epoch: Instant,
    /// Seed of its transaction ids.
    pub seed: u64,
}

/// What a browser knows of the server from the answer.
#[derive(Debug, Clone)]
pub struct Server {
    /// The one candidate.
    pub address: SocketAddr,
    /// The server's credentials.
    pub ice: IceCredentials,
    /// The server's certificate.
    pub fingerprint: Fingerprint,
}

/// Something a browser noticed.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // the fields are what the variants speak of
pub enum Occurrence {
    /// DTLS has finished and media can flow.
    Connected(SrtpProfile),
    /// An RTP packet, decrypted.
    Rtp(Vec<u8>),
    /// A compound RTCP packet, decrypted.
    Rtcp(Vec<u8>),
    /// The server acknowledged a data channel.
    ChannelOpened(u16),
    /// A message on a data channel.
    Message { channel: u16, binary: bool, payload: Vec<u8> },
    /// The server closed DTLS, or it broke.
    Closed,
    /// SRTP or SRTCP that does not decrypt.
    Undecipherable(DropReason),
}

/// First wait before a browser sends a flight of its handshake again: what Chromium
/// (`rtc_base/openssl_stream_adapter.h`) and Firefox (NSS, `lib/ssl/sslimpl.h`) wait, not the second of RFC 6347.
const DTLS_FIRST_RETRY: Duration = Duration::from_millis(50);
/// Doubling from [`DTLS_FIRST_RETRY`], these outlast a handshake.
const DTLS_RETRIES: usize = 12;

/// A simulated browser.
pub struct Browser {
    config: BrowserConfig,
    rng: ChaCha12Rng,
    server: Option<Server>,
    dtls: Dtls,
    dtls_started: bool,
    dtls_due: Time,
    /// The handshake took too long; it names the time at which it gave up as its next for ever.
    dtls_gave_up: bool,
    next_check: Time,
    checked: bool,
    trusted: bool,
    media: Option<(Sender, Receiver)>,
    data: Data,
    outgoing: VecDeque<Vec<u8>>,
    occurrences: VecDeque<Occurrence>,
    /// Datagrams of checks that were answered, for counting.
    pub checks_answered: u64,
}

impl Browser {
    /// A browser that has not seen an answer yet.
    pub fn new(now: Time, config: BrowserConfig) -> Browser {
        let settings = dimpl::Config::builder()
            .mtu(1_150)
            .flight_start_rto(DTLS_FIRST_RETRY)
            .flight_retries(DTLS_RETRIES)
            .build()
            .expect("constants");
        let start = config.epoch + Duration::from_micros(now.micros());
        let mut dtls = Dtls::new_12(Arc::new(settings), config.certificate.clone(), start);
        dtls.set_active(true);
        Browser {
            rng: ChaCha12Rng::seed_from_u64(config.seed),
            data: Data::new(config.epoch),
            config,
            server: None,
            dtls,
            dtls_started: false,
            dtls_due: Time::NEVER,
            dtls_gave_up: false,
            next_check: Time::NEVER,
            checked: false,
            trusted: false,
            media: None,
            outgoing: VecDeque::new(),
            occurrences: VecDeque::new(),
            checks_answered: 0,
        }
    }

    /// Where its datagrams come from now.
    pub fn address(&self) -> SocketAddr {
        self.config.address
    }

    /// The credentials that belong into its offer.
    pub fn ice(&self) -> &IceCredentials {
        &self.config.ice
    }

    /// The fingerprint that belongs into its offer.
    pub fn fingerprint(&self) -> Fingerprint {
        rtc::transport::fingerprint(&self.config.certificate.certificate)
    }

    /// Media can be sent.
    pub fn is_connected(&self) -> bool {
        self.media.is_some()
    }

    /// Its keys, for who protects and opens packets in place; `None` before the handshake is over.
    pub fn media(&mut self) -> Option<(&mut Sender, &mut Receiver)> {
        self.media.as_mut().map(|(sender, receiver)| (sender, receiver))
    }

    /// Takes the answer and begins to check; again for an ICE restart.
    pub fn set_server(&mut self, now: Time, server: Server) {
        self.server = Some(server);
        self.next_check = now;
        self.checked = false;
    }

    /// Goes on from another address, as after a change of network; checks at once.
    pub fn rebind(&mut self, now: Time, address: SocketAddr) {
        self.config.address = address;
        self.next_check = now;
    }

    /// Stops checking for consent, as a browser that is gone does.
    pub fn fall_silent(&mut self) {
        self.next_check = Time::NEVER;
    }

    /// Protects and sends an RTP packet; `index` is its extended sequence number. Nothing before the keys are there.
    pub fn send_rtp(&mut self, index: SeqNo, packet: &[u8]) {
        let Some((sender, _)) = &mut self.media else { return };
        let Some(header_len) = srtp::rtp_header_len(packet) else { return };
        let mut datagram = packet.to_vec();
        datagram.resize(packet.len() + MAX_OVERHEAD, 0);
        if let Some(len) = sender.protect_rtp(index, header_len, &mut datagram, packet.len()) {
            datagram.truncate(len);
            self.outgoing.push_back(datagram);
        }
    }

    /// Protects and sends a compound RTCP packet.
    pub fn send_rtcp(&mut self, compound: &[u8]) {
        let Some((sender, _)) = &mut self.media else { return };
        let mut datagram = compound.to_vec();
        datagram.resize(compound.len() + MAX_OVERHEAD, 0);
        if let Some(len) = sender.protect_rtcp(&mut datagram, compound.len()) {
            datagram.truncate(len);
            self.outgoing.push_back(datagram);
        }
    }

    /// Sends a datagram as it is: garbage, or a packet that was recorded.
    pub fn send_raw(&mut self, datagram: Vec<u8>) {
        self.outgoing.push_back(datagram);
    }

    /// Opens a data channel; `reliable` or with no retransmissions and unordered.
    pub fn open_channel(&mut self, now: Time, channel: u16, label: &str, reliable: bool) {
        self.data.open(now, channel, label, reliable);
        self.pump(now);
    }

    /// Sends a message on a data channel that was opened.
    pub fn send_message(&mut self, now: Time, channel: u16, binary: bool, payload: &[u8]) {
        self.data.send(now, channel, binary, payload);
        self.pump(now);
    }

    /// Takes a datagram from the network.
    pub fn handle_datagram(&mut self, now: Time, datagram: &[u8]) {
        let mut datagram = datagram.to_vec();
        match datagram.first() {
            Some(0..=3) => self.handle_stun(now, &datagram),
            Some(20..=63) => {
                let _ = self.dtls.handle_timeout(self.instant(now));
                if self.dtls.handle_packet(&datagram).is_err() {
                    self.occurrences.push_back(Occurrence::Closed);
                }
                self.pump(now);
            }
            Some(128..=191) => self.handle_media(now, &mut datagram),
            _ => {}
        }
    }

    /// When it wants `handle_timeout`.
    pub fn poll_timeout(&self) -> Time {
        self.next_check.min(self.dtls_due).min(self.data.poll_timeout())
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        if now >= self.next_check {
            self.check(now);
        }
        if now >= self.dtls_due {
            self.dtls_gave_up |= self.dtls.handle_timeout(self.instant(now)).is_err();
        }
        self.data.handle_timeout(now);
        self.pump(now);
    }

    /// The next datagram to the server.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.outgoing.pop_front()
    }

    /// The next thing it noticed.
    pub fn poll_occurrence(&mut self) -> Option<Occurrence> {
        self.occurrences.pop_front()
    }

    fn check(&mut self, now: Time) {
        let Some(server) = &self.server else { return };
        self.next_check = now + if self.checked { CONSENT_INTERVAL } else { CHECK_INTERVAL };
        let mut transaction = [0; 12];
        self.rng.fill_bytes(&mut transaction);
        let mut slot = [0; 512];
        let username = format!("{}:{}", server.ice.ufrag, self.config.ice.ufrag);
        let len = Builder::new(&mut slot, stun::BINDING_REQUEST, transaction)
            .attribute(attribute::USERNAME, username.as_bytes())
            .attribute(attribute::ICE_CONTROLLING, &self.config.seed.to_be_bytes())
            .attribute(attribute::PRIORITY, &PRIORITY.to_be_bytes())
            .attribute(attribute::USE_CANDIDATE, &[])
            .finish(&server.ice.pwd);
        let len = len.expect("a check fits 512 bytes");
        self.outgoing.push_back(slot[..len].to_vec());
    }

    fn handle_stun(&mut self, now: Time, datagram: &[u8]) {
        let Some(message) = Message::parse(datagram) else { return };
        if message.kind == stun::BINDING_REQUEST && message.is_authentic(&self.config.ice.pwd) {
            self.answer_check(message.transaction);
        }
        if message.kind != stun::BINDING_SUCCESS {
            return;
        }
        self.checks_answered += 1;
        self.checked = true;
        if !self.dtls_started {
            self.dtls_started = true;
            let _ = self.dtls.handle_timeout(self.instant(now));
            self.pump(now);
        }
    }

    /// Servers that are not ICE-lite check the path from their side, too.
    fn answer_check(&mut self, transaction: stun::TransactionId) {
        let Some(server) = &self.server else { return };
        let mut slot = [0; 128];
        let len = Builder::new(&mut slot, stun::BINDING_SUCCESS, transaction)
            .xor_mapped_address(server.address)
            .finish(&self.config.ice.pwd);
        let len = len.expect("an answer fits 128 bytes");
        self.outgoing.push_back(slot[..len].to_vec());
    }

    fn handle_media(&mut self, now: Time, datagram: &mut [u8]) {
        let Some((_, receiver)) = &mut self.media else { return };
        let rtcp = matches!(datagram.get(1), Some(192..=223));
        let opened =
            if rtcp { receiver.unprotect_rtcp(now, datagram) } else { receiver.unprotect_rtp(now, datagram) };
        self.occurrences.push_back(match opened {
            Ok(len) if rtcp => Occurrence::Rtcp(datagram[..len].to_vec()),
            Ok(len) => Occurrence::Rtp(datagram[..len].to_vec()),
            Err(reason) => Occurrence::Undecipherable(reason),
        });
    }

    /// Moves what DTLS and SCTP have for each other and for us until neither has more.
    fn pump(&mut self, now: Time) {
        let mut buffer = [0; 2_048];
        while self.dtls_started {
            match self.dtls.poll_output(&mut buffer) {
                Output::Packet(packet) => self.outgoing.push_back(packet.to_vec()),
                Output::PeerCert(der) => {
                    let shown = rtc::transport::fingerprint(der);
                    self.trusted = self.server.as_ref().is_some_and(|server| server.fingerprint == shown);
                }
                Output::KeyingMaterial(material, profile) if self.trusted => {
                    let profile = match profile {
                        dimpl::SrtpProfile::AEAD_AES_256_GCM => SrtpProfile::AeadAes256Gcm,
                        dimpl::SrtpProfile::AEAD_AES_128_GCM => SrtpProfile::AeadAes128Gcm,
                        _ => SrtpProfile::Aes128CmSha1_80,
                    };
                    let keys = Keys::from_exporter(profile, &material).expect("length of the profile");
                    self.media = keys.sender(Side::Client).zip(keys.receiver(Side::Client));
                    self.occurrences.push_back(Occurrence::Connected(profile));
                    self.data.connect(now);
                }
                Output::ApplicationData(data) => self.data.handle_datagram(now, data),
                Output::CloseNotify => self.occurrences.push_back(Occurrence::Closed),
                Output::Timeout(at) => {
                    let after = at.saturating_duration_since(self.config.epoch).as_nanos().div_ceil(1_000);
                    let after = Time(u64::try_from(after).unwrap_or(u64::MAX));
                    self.dtls_due = if self.dtls_gave_up { Time::NEVER } else { after };
                    let Some(packet) = self.data.poll_transmit(now) else { break };
                    if self.media.is_some() {
                        let _ = self.dtls.send_application_data(&packet);
                    }
                }
                _ => {}
            }
        }
        while let Some(event) = self.data.poll_event() {
            self.occurrences.push_back(match event {
                DataEvent::Opened(channel) => Occurrence::ChannelOpened(channel),
                DataEvent::Message { channel, binary, payload } => {
                    Occurrence::Message { channel, binary, payload }
                }
            });
        }
    }

    fn instant(&self, now: Time) -> Instant {
        self.config.epoch + Duration::from_micros(now.micros())
    }
}
