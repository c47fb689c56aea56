//! The other end, as far as a transport can tell it from a browser: a controlling ICE agent, a DTLS client and
//! SRTP keys of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::{Config, Dtls, DtlsCertificate, Output};

use crate::command::{ExtensionIds, IceCredentials, RemoteParams};
use crate::event::SrtpProfile;
use crate::path::Path;
use crate::transport::dtls::{builder, instant};
use crate::transport::srtp::{Keys, MAX_OVERHEAD, Receiver, Sender, Side};
use crate::transport::stun::{self, Builder, Message, TransactionId, attribute};
use crate::transport::{TransportShared, fingerprint};
use crate::units::{SeqNo, Time};

pub(super) struct Peer {
    pub(super) path: Path,
    pub(super) local: IceCredentials,
    pub(super) remote: IceCredentials,
    pub(super) priority: u32,
    pub(super) certificate: DtlsCertificate,
    pub(super) dtls: Dtls,
    epoch: Instant,
    pub(super) timeout: Time,
    pub(super) srtp: Option<(Sender, Receiver)>,
    pub(super) closed: bool,
    checks: u64,
    /// Answers to checks, newest last.
    pub(super) answers: Vec<Answer>,
    /// Decrypted application data.
    pub(super) data: Vec<Vec<u8>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) kind: u16,
    pub(super) transaction: TransactionId,
    pub(super) mapped: Option<std::net::SocketAddr>,
    pub(super) error: Option<u16>,
}

impl Peer {
    pub(super) fn new(now: Time, epoch: Instant, path: Path, remote: IceCredentials) -> Peer {
        let certificate = dimpl::certificate::generate_self_signed_certificate().unwrap();
        // Browsers begin with 50 ms.
        let config = Config::builder().flight_start_rto(Duration::from_millis(50)).flight_retries(9);
        let config = config.dangerously_set_rng_seed(2).build().unwrap();
        Peer::with(now, epoch, path, remote, config, certificate)
    }

    pub(super) fn with(
        now: Time,
        epoch: Instant,
        path: Path,
        remote: IceCredentials,
        config: Config,
        certificate: DtlsCertificate,
    ) -> Peer {
        let mut dtls = Dtls::new_12(Arc::new(config), certificate.clone(), instant(epoch, now));
        dtls.set_active(true);
        Peer {
            path,
            local: IceCredentials { ufrag: "peer".into(), pwd: "peerpasswordpeerpassword".into() },
            remote,
            priority: 0x6e00_01ff,
            certificate,
            dtls,
            epoch,
            timeout: now,
            srtp: None,
            closed: false,
            checks: 0,
            answers: Vec::new(),
            data: Vec::new(),
        }
    }

    pub(super) fn description(&self) -> RemoteParams {
        RemoteParams {
            ice: self.local.clone(),
            fingerprints: [fingerprint(&self.certificate.certificate)].into_iter().collect(),
            extensions: ExtensionIds::default(),
            sctp_port: Some(5_000),
            max_message_size: 262_144,
        }
    }

    pub(super) fn check(&mut self, nominate: bool) -> Vec<u8> {
        self.check_with(
            |builder| if nominate { builder.attribute(attribute::USE_CANDIDATE, &[]) } else { builder },
        )
    }

    pub(super) fn check_with(&mut self, more: impl FnOnce(Builder<'_>) -> Builder<'_>) -> Vec<u8> {
        self.checks += 1;
        let mut transaction = [7; 12];
        transaction[..8].copy_from_slice(&self.checks.to_be_bytes());
        let mut slot = [0; 500];
        let builder = Builder::new(&mut slot, stun::BINDING_REQUEST, transaction)
            .attribute(attribute::USERNAME, format!("{}:{}", self.remote.ufrag, self.local.ufrag).as_bytes())
            .attribute(attribute::PRIORITY, &self.priority.to_be_bytes());
        let len = more(builder).finish(&self.remote.pwd).unwrap();
        slot[..len].to_vec()
    }

    /// Takes what the server sent.
    pub(super) fn receive(&mut self, now: Time, datagram: &[u8]) {
        if stun::is_stun(datagram) {
            let message = Message::parse(datagram).unwrap();
            assert!(message.is_authentic(&self.remote.pwd));
            self.answers.push(Answer {
                kind: message.kind,
                transaction: message.transaction,
                mapped: message.mapped_address,
                error: message.error,
            });
        } else {
            self.dtls.handle_timeout(instant(self.epoch, now)).unwrap();
            // An error ends the connection: the test sees that nothing comes of it.
            let _ = self.dtls.handle_packet(datagram);
        }
    }

    /// What DTLS wants to send now.
    pub(super) fn flush(&mut self, now: Time) -> Vec<Vec<u8>> {
        if self.dtls.handle_timeout(instant(self.epoch, now)).is_err() {
            self.timeout = Time::NEVER;
            return Vec::new();
        }
        let mut sent = Vec::new();
        let mut buffer = [0; 4_096];
        loop {
            match self.dtls.poll_output(&mut buffer) {
                Output::Packet(packet) => sent.push(packet.to_vec()),
                Output::KeyingMaterial(material, profile) => {
                    let profile = match profile {
                        dimpl::SrtpProfile::AEAD_AES_256_GCM => SrtpProfile::AeadAes256Gcm,
                        dimpl::SrtpProfile::AEAD_AES_128_GCM => SrtpProfile::AeadAes128Gcm,
                        _ => SrtpProfile::Aes128CmSha1_80,
                    };
                    let keys = Keys::from_exporter(profile, &material).unwrap();
                    self.srtp =
                        Some((keys.sender(Side::Client).unwrap(), keys.receiver(Side::Client).unwrap()));
                }
                Output::ApplicationData(data) => self.data.push(data.to_vec()),
                Output::CloseNotify => self.closed = true,
                Output::Timeout(at) => {
                    self.timeout = crate::transport::dtls::time(self.epoch, at);
                    return sent;
                }
                _ => {}
            }
        }
    }

    /// A protected receiver report about nothing.
    pub(super) fn report(&mut self) -> Vec<u8> {
        let mut slot = vec![0x80, 201, 0, 1, 0, 0, 0, 9];
        let len = slot.len();
        slot.resize(len + MAX_OVERHEAD, 0);
        let len = self.srtp.as_mut().unwrap().0.protect_rtcp(&mut slot, len).unwrap();
        slot.truncate(len);
        slot
    }

    /// A protected RTP packet.
    pub(super) fn rtp(&mut self, ssrc: u32, index: u64, payload: &[u8]) -> Vec<u8> {
        let mut slot = vec![0x80, 96];
        slot.extend_from_slice(&SeqNo(index).wire().to_be_bytes());
        slot.extend_from_slice(&[0; 4]);
        slot.extend_from_slice(&ssrc.to_be_bytes());
        slot.extend_from_slice(payload);
        let len = slot.len();
        slot.resize(len + MAX_OVERHEAD, 0);
        let len = self.srtp.as_ref().unwrap().0.protect_rtp(SeqNo(index), 12, &mut slot, len).unwrap();
        slot.truncate(len);
        slot
    }
}

pub(super) fn credentials(name: &str) -> IceCredentials {
    IceCredentials { ufrag: name.into(), pwd: format!("{name:x<24}").into() }
}

pub(super) fn path(port: u16) -> Path {
    Path { socket: 0, remote: format!("192.0.2.1:{port}").parse().unwrap() }
}

pub(super) fn shared() -> Arc<TransportShared> {
    // The only clock here, and only as an origin: what follows counts from it.
    let mut shared = TransportShared::generate(Instant::now()).unwrap();
    // The waits between flights are the same in every run.
    shared.dtls = Arc::new(builder().dangerously_set_rng_seed(1).build().unwrap());
    Arc::new(shared)
}
