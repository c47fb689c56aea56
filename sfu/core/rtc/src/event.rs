//! What the core tells Python: few, typed, and never at the rate of packets.

use arrayvec::ArrayVec;

use crate::command::MAX_ENCODINGS;
use crate::id::{GroupId, SubscriptionId, TrackId, TransportId};
use crate::path::PathKind;
use crate::receive::rate::TEMPORAL_LAYERS;
use crate::units::{Kbps, Pt};

/// Most speakers named in one event.
pub const MAX_SPEAKERS: usize = 8;

/// Something that Python may want to act on.
///
/// Events marked *state* replace an older one of the same object that was not yet taken; the others are *edges*,
/// queued within a bound and counted when dropped.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // the fields are the ids and values the variants speak of
pub enum Event {
    /// Edge: ICE has a pair, DTLS has finished over it with the right fingerprint and SRTP has keys.
    TransportConnected { transport: TransportId, path: PathKind, ipv6: bool, srtp_profile: SrtpProfile },
    /// Edge: media moved to another address of the peer.
    PathChanged { transport: TransportId, path: PathKind, ipv6: bool },
    /// Edge: nothing authentic has come for 3 s.
    TransportSilent { transport: TransportId },
    /// Edge: something came again after silence.
    TransportResumed { transport: TransportId },
    /// Edge: the transport is over; close it. Sent at most once.
    TransportFailed { transport: TransportId, reason: FailReason },
    /// Edge: the first packet of an encoding has come.
    TrackStarted { track: TrackId, encoding: u8, pt: Pt },
    /// State: which encodings are being sent now, bit 0 the lowest.
    LayersChanged { track: TrackId, active: u8 },
    /// State: the encoding that a subscription gets now (*current*); `None` when paused or not started.
    LayerSwitched { subscription: SubscriptionId, encoding: Option<u8> },
    /// State: what each encoding takes on the way, the lowest first, by temporal layer with those below it. Said when it
    /// differs much from what was said before.
    RatesChanged { track: TrackId, rates: ArrayVec<[Kbps; TEMPORAL_LAYERS], MAX_ENCODINGS> },
    /// State: who speaks in a group among the tracks at home on `worker`, loudest first; levels are 0 (silent) to 127
    /// (loudest).
    SpeakersChanged { worker: u8, group: GroupId, speakers: Vec<(TrackId, u8)> },
    /// Edge: the peer opened a data channel.
    DataChannelOpened { transport: TransportId, channel: u16, label: Box<str> },
    /// Edge: a message on a data channel. Not taken from SCTP while the queue is full, so reliable ones wait.
    DataReceived { transport: TransportId, channel: u16, binary: bool, payload: Box<[u8]> },
    /// Edge: this many edge events were lost because nobody took them.
    EventsDropped { count: u64 },
}

/// The cipher that protects media (RFC 5764, RFC 7714).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum SrtpProfile {
    AeadAes256Gcm,
    AeadAes128Gcm,
    Aes128CmSha1_80,
}

impl SrtpProfile {
    /// The name in RFC 5764 and RFC 7714, without the prefix.
    pub const fn label(self) -> &'static str {
        match self {
            SrtpProfile::AeadAes256Gcm => "AEAD_AES_256_GCM",
            SrtpProfile::AeadAes128Gcm => "AEAD_AES_128_GCM",
            SrtpProfile::Aes128CmSha1_80 => "AES128_CM_SHA1_80",
        }
    }
}

/// Why a transport is over; the word is the reason in events and logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum FailReason {
    /// No check came in time after the description.
    IceTimeout,
    /// Checks stopped: the peer is gone or its network is.
    ConsentExpired,
    /// The handshake did not finish in time.
    DtlsTimeout,
    /// The peer showed a certificate that its description does not name.
    FingerprintMismatch,
    /// The handshake broke.
    DtlsError,
    /// No SRTP profile in common.
    NoSrtpProfile,
    /// The peer closed DTLS.
    ClosedByPeer,
    /// A defect of ours was caught while handling this transport.
    InternalError,
}

impl FailReason {
    /// The word used in events, metrics and logs.
    pub const fn label(self) -> &'static str {
        match self {
            FailReason::IceTimeout => "ice_timeout",
            FailReason::ConsentExpired => "consent_expired",
            FailReason::DtlsTimeout => "dtls_timeout",
            FailReason::FingerprintMismatch => "fingerprint_mismatch",
            FailReason::DtlsError => "dtls_error",
            FailReason::NoSrtpProfile => "no_srtp_profile",
            FailReason::ClosedByPeer => "closed_by_peer",
            FailReason::InternalError => "internal_error",
        }
    }
}
