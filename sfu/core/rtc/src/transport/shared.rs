//! What all transports of a process have in common.

use std::sync::Arc;
use std::time::Instant;

use dimpl::DtlsCertificate;

use super::data::DataConfig;
use super::dtls::{self, fingerprint};
use crate::command::Fingerprint;

/// What all transports of a process share: the certificate and settings.
pub struct TransportShared {
    pub(super) epoch: Instant,
    pub(super) certificate: DtlsCertificate,
    pub(super) dtls: Arc<dimpl::Config>,
    pub(super) data: DataConfig,
}

impl TransportShared {
    /// Settings around `certificate`. `epoch` is the instant that [`Time`](crate::units::Time) 0 stands for.
    pub fn new(epoch: Instant, certificate: DtlsCertificate) -> TransportShared {
        TransportShared { epoch, certificate, dtls: dtls::config(), data: DataConfig::new() }
    }

    /// Makes a new ECDSA P-256 certificate, valid for a year, from the randomness of the system.
    ///
    /// `None` if the system has none.
    pub fn generate(epoch: Instant) -> Option<TransportShared> {
        let certificate = dimpl::certificate::generate_self_signed_certificate().ok()?;
        Some(TransportShared::new(epoch, certificate))
    }

    /// What our session descriptions name.
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.certificate.certificate)
    }
}
