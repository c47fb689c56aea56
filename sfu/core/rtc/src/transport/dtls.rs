//! The passive side of DTLS 1.2 (RFC 6347, RFC 5764) on top of `dimpl`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::{Config, ConfigBuilder, Dtls, DtlsCertificate, Output};

use super::srtp::Keys;
use crate::command::Fingerprint;
use crate::event::{FailReason, SrtpProfile};
use crate::units::Time;

/// The whole handshake, from the first ClientHello.
const HANDSHAKE: Duration = Duration::from_secs(30);
/// First wait before a flight is sent again. RFC 6347 says 1 s for want of knowledge; checks have shown that the
/// path works, and a person waits. Browsers wait as long (Chromium `rtc_base/openssl_stream_adapter.h`, NSS
/// `lib/ssl/sslimpl.h`).
const FIRST_RETRY: Duration = Duration::from_millis(50);
/// Doubling from [`FIRST_RETRY`], nine last until [`HANDSHAKE`] ends. Answers to flights that the peer sends again
/// count too, of which a long or doubling path brings some.
const RETRIES: usize = 12;
/// Largest datagram of a handshake: fits the 1,280 bytes of IPv6 with room for tunnels.
const MTU: usize = 1_150;

/// Largest record that fits a datagram we accept, with room to spare.
pub(super) const BUFFER: usize = 2_048;

/// What all handshakes of the process have in common.
pub(super) fn config() -> Arc<Config> {
    Arc::new(builder().build().expect("these are constants that a test has built"))
}

pub(super) fn builder() -> ConfigBuilder {
    Config::builder()
        .mtu(MTU)
        // A path is known to answer before its ClientHello is looked at, which is all a cookie would show.
        .use_server_cookie(false)
        .require_client_certificate(true)
        .flight_start_rto(FIRST_RETRY)
        .flight_retries(RETRIES)
        .handshake_timeout(HANDSHAKE)
}

/// SHA-256 over a certificate.
pub fn fingerprint(certificate: &[u8]) -> Fingerprint {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate);
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    Fingerprint(bytes)
}

/// One handshake and the connection after it.
pub(super) struct Session {
    dtls: Dtls,
    epoch: Instant,
    timeout: Time,
}

/// What [`Session::poll`] yields.
pub(super) enum Step<'a> {
    Send(&'a [u8]),
    PeerCertificate(Fingerprint),
    Finished,
    Keys(Option<Keys>, SrtpProfile),
    Data(&'a [u8]),
    Closed,
    /// Nothing more for now.
    Idle,
}

impl Session {
    pub(super) fn new(
        now: Time,
        epoch: Instant,
        config: Arc<Config>,
        certificate: DtlsCertificate,
    ) -> Session {
        let dtls = Dtls::new_12(config, certificate, instant(epoch, now));
        Session { dtls, epoch, timeout: Time::NEVER }
    }

    /// When [`Session::handle_timeout`] wants to be called.
    pub(super) fn timeout(&self) -> Time {
        self.timeout
    }

    /// Takes a datagram; poll afterwards, also after an error.
    pub(super) fn handle_datagram(&mut self, now: Time, datagram: &[u8]) -> Result<(), FailReason> {
        self.handle_timeout(now)?;
        self.dtls.handle_packet(datagram).map_err(reason)
    }

    /// Sends flights again; poll afterwards, also after an error.
    pub(super) fn handle_timeout(&mut self, now: Time) -> Result<(), FailReason> {
        self.dtls.handle_timeout(instant(self.epoch, now)).map_err(reason)
    }

    /// Encrypts application data; poll afterwards to get the datagram.
    pub(super) fn send(&mut self, data: &[u8]) -> Result<(), FailReason> {
        self.dtls.send_application_data(data).map(drop).map_err(reason)
    }

    /// Says goodbye; poll afterwards.
    pub(super) fn close(&mut self) {
        // An error here means that there is nobody to say it to.
        let _ = self.dtls.close();
    }

    /// The next thing to do, until [`Step::Idle`]. `buffer` has [`BUFFER`] bytes.
    pub(super) fn poll<'a>(&mut self, buffer: &'a mut [u8]) -> Step<'a> {
        match self.dtls.poll_output(buffer) {
            Output::Packet(packet) => Step::Send(packet),
            Output::PeerCert(der) => Step::PeerCertificate(fingerprint(der)),
            Output::Connected => Step::Finished,
            Output::KeyingMaterial(material, profile) => {
                let profile = match profile {
                    dimpl::SrtpProfile::AEAD_AES_256_GCM => SrtpProfile::AeadAes256Gcm,
                    dimpl::SrtpProfile::AEAD_AES_128_GCM => SrtpProfile::AeadAes128Gcm,
                    _ => SrtpProfile::Aes128CmSha1_80,
                };
                Step::Keys(Keys::from_exporter(profile, &material), profile)
            }
            Output::ApplicationData(data) => Step::Data(data),
            Output::CloseNotify => Step::Closed,
            Output::Timeout(at) => {
                self.timeout = time(self.epoch, at);
                Step::Idle
            }
            // A record never exceeds its datagram, nor a datagram of ours the MTU.
            _ => Step::Idle,
        }
    }
}

/// Whether a datagram begins with a record of DTLS 1.0 to 1.2 that fits into it.
pub(super) fn is_record(datagram: &[u8]) -> bool {
    let [kind, 0xfe, _, _, _, _, _, _, _, _, _, high, low, body @ ..] = datagram else { return false };
    (20..=23).contains(kind) && body.len() >= usize::from(u16::from_be_bytes([*high, *low]))
}

fn reason(error: dimpl::Error) -> FailReason {
    match error {
        dimpl::Error::Timeout(_) => FailReason::DtlsTimeout,
        dimpl::Error::ConnectionClosed => FailReason::ClosedByPeer,
        dimpl::Error::SecurityError(dimpl::SecurityError::FatalAlert { .. }) => FailReason::ClosedByPeer,
        _ => FailReason::DtlsError,
    }
}

/// The `Instant` that stands for a time: what crates with a clock type of their own are given.
pub(super) fn instant(epoch: Instant, time: Time) -> Instant {
    epoch + Duration::from_micros(time.micros())
}

/// Rounds up, so that a timer is due when we say so.
pub(super) fn time(epoch: Instant, at: Instant) -> Time {
    let micros = at.saturating_duration_since(epoch).as_nanos().div_ceil(1_000);
    Time(u64::try_from(micros).unwrap_or(u64::MAX))
}
