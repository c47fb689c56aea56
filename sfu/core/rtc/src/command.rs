//! What Python may ask of the core. Commands are checked when they are made; after that they cannot fail.
//!
//! A command that names an object that is gone does nothing and is counted: closing races are normal.

use arrayvec::{ArrayString, ArrayVec};

use crate::id::{GroupId, SubscriptionId, TrackId, TransportId};
use crate::units::{Kbps, Pt, Ssrc};

/// Most payload types that one track or subscription may list.
pub const MAX_PAYLOADS: usize = 40;
/// Most encodings of one track: three simulcast streams.
pub const MAX_ENCODINGS: usize = 3;
/// Most fingerprints kept of a remote description.
pub const MAX_FINGERPRINTS: usize = 4;

/// Media identification of a section of the session description (RFC 8843): at most 16 bytes.
pub type Mid = ArrayString<16>;
/// Identifier of a simulcast stream (RFC 8851): at most 16 bytes.
pub type Rid = ArrayString<16>;

/// One thing for a worker to do.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // the fields are documented on the types they hold
pub enum Command {
    /// Makes room for a peer: from now on checks for its ufrag are answered once `SetRemote` has come.
    AddTransport { transport: TransportId, local: IceCredentials },
    /// Sets or renews what the peer described of itself.
    SetRemote { transport: TransportId, remote: Box<RemoteParams> },
    /// Accepts new local credentials beside the old ones, until a check with the new ones has been nominated.
    RestartIce { transport: TransportId, local: IceCredentials },
    /// Asks the peer to send no more than this, or takes the request back. Said once a second by REMB.
    SetUpCap { transport: TransportId, cap: Option<Kbps> },
    /// Says goodbye (DTLS close_notify) and frees the transport, its tracks and its subscriptions.
    CloseTransport { transport: TransportId },
    /// Expects media of one published source on a transport.
    AddTrack { track: TrackId, params: Box<TrackParams> },
    /// Stops or resumes forwarding of a track to everyone; reception goes on.
    PauseTrack { track: TrackId, paused: bool },
    /// Forgets a track and its subscriptions.
    CloseTrack { track: TrackId },
    /// Keeps a mirror of a track of another worker, `of`, whose `params` these are.
    AddMirror { mirror: TrackId, of: TrackId, params: Box<TrackParams> },
    /// Forgets mirrors and their subscriptions.
    CloseMirrors { mirrors: Box<[TrackId]> },
    /// Feeds the mirror of a track on another worker.
    Relay { track: TrackId, mirror: TrackId },
    /// Feeds mirrors no longer: of each pair the first is the track.
    EndRelays { relays: Box<[(TrackId, TrackId)]> },
    /// Delivers a track to a transport.
    Subscribe { subscription: SubscriptionId, params: Box<SubscriptionParams> },
    /// Ends a delivery.
    Unsubscribe { subscription: SubscriptionId },
    /// Sets which encoding and temporal layer a subscription should get.
    SetLayerPlan { subscription: SubscriptionId, plan: LayerPlan },
    /// Asks the publisher for a key frame of one encoding, or of all; throttled like requests of subscribers.
    RequestKeyframe { track: TrackId, encoding: Option<u8> },
    /// Ranks an audio track among the speakers of a group, or of none.
    SetAudioGroup { track: TrackId, group: Option<GroupId> },
    /// Sends a message on an open data channel; waits for the channel within a bound.
    SendData { transport: TransportId, channel: u16, binary: bool, payload: Box<[u8]> },
}

/// User name fragment and password of one side (RFC 8445, section 5.3).
#[derive(Clone, PartialEq, Eq)]
pub struct IceCredentials {
    /// 4 to 256 characters; ours begins with the home worker as one base-36 digit.
    pub ufrag: Box<str>,
    /// 22 to 256 characters.
    pub pwd: Box<str>,
}

impl std::fmt::Debug for IceCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IceCredentials(..)") // secrets never reach a log
    }
}

/// SHA-256 over the peer's certificate (RFC 8122).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

/// What the peer's description says of its end of the transport.
#[derive(Debug, Clone)]
pub struct RemoteParams {
    /// The peer's credentials; new ones are an ICE restart.
    pub ice: IceCredentials,
    /// Certificates we accept; the handshake fails when the peer shows another one.
    pub fingerprints: ArrayVec<Fingerprint, MAX_FINGERPRINTS>,
    /// Ids of the header extensions, the same in every section of a bundle (RFC 8285).
    pub extensions: ExtensionIds,
    /// The peer's SCTP port, 5000 in practice; `None` when no data channel was offered.
    pub sctp_port: Option<u16>,
    /// Largest message the peer accepts, in bytes (RFC 8841); 0 means no limit was given.
    pub max_message_size: u32,
}

/// A header extension that the core reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Extension {
    /// urn:ietf:params:rtp-hdrext:sdes:mid
    Mid,
    /// urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
    Rid,
    /// urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id
    RepairedRid,
    /// urn:ietf:params:rtp-hdrext:ssrc-audio-level
    AudioLevel,
    /// http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
    AbsSendTime,
    /// http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
    TransportCc,
    /// urn:3gpp:video-orientation
    VideoOrientation,
    /// http://www.webrtc.org/experiments/rtp-hdrext/playout-delay
    PlayoutDelay,
    /// https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension
    DependencyDescriptor,
    /// http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time
    AbsCaptureTime,
}

impl Extension {
    /// Every extension, in the order of its number.
    pub const ALL: [Extension; 10] = [
        Extension::Mid,
        Extension::Rid,
        Extension::RepairedRid,
        Extension::AudioLevel,
        Extension::AbsSendTime,
        Extension::TransportCc,
        Extension::VideoOrientation,
        Extension::PlayoutDelay,
        Extension::DependencyDescriptor,
        Extension::AbsCaptureTime,
    ];

    /// The URI that names the extension in a session description.
    pub const fn uri(self) -> &'static str {
        match self {
            Extension::Mid => "urn:ietf:params:rtp-hdrext:sdes:mid",
            Extension::Rid => "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
            Extension::RepairedRid => "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
            Extension::AudioLevel => "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            Extension::AbsSendTime => "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
            Extension::TransportCc => {
                "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
            }
            Extension::VideoOrientation => "urn:3gpp:video-orientation",
            Extension::PlayoutDelay => "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
            Extension::DependencyDescriptor => {
                "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
            }
            Extension::AbsCaptureTime => "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
        }
    }
}

/// Which id each extension has on one transport; 0 where it was not negotiated. Ids are 1 to 14 (one-byte form)
/// or up to 255 (two-byte form).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExtensionIds([u8; Extension::ALL.len()]);

impl ExtensionIds {
    /// The id of `extension`, if it was negotiated.
    pub const fn id(&self, extension: Extension) -> Option<u8> {
        match self.0[extension as usize] {
            0 => None,
            id => Some(id),
        }
    }

    /// The extension that has `id`.
    pub fn extension(&self, id: u8) -> Option<Extension> {
        Extension::ALL.into_iter().find(|&e| self.id(e) == Some(id))
    }

    /// Gives `extension` an id; 0 takes it away.
    pub fn set(&mut self, extension: Extension, id: u8) {
        self.0[extension as usize] = id;
    }
}

/// Sound or picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum MediaKind {
    Audio,
    Video,
}

/// How the payload of a packet is to be read, as far as forwarding needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Codec {
    Opus,
    /// Redundant audio (RFC 2198) whose primary encoding is Opus.
    Red,
    Vp8,
    Vp9,
    H264,
    Av1,
    /// Forwarded without a look inside: comfort noise, DTMF.
    Opaque,
}

/// One payload type of a published track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadParams {
    /// The number in the publisher's packets.
    pub pt: Pt,
    /// What it carries.
    pub codec: Codec,
    /// Units per second of its timestamps.
    pub clock_rate: u32,
    /// The retransmission payload type bound to it (RFC 4588).
    pub rtx_pt: Option<Pt>,
    /// Lost packets may be asked for again.
    pub nack: bool,
    /// Key frames may be asked for by PLI.
    pub pli: bool,
    /// Key frames may be asked for by FIR.
    pub fir: bool,
    /// Arrival times are reported by transport-wide feedback.
    pub transport_cc: bool,
}

/// One simulcast stream of a track, known by its rid, by its SSRC, or by the mid alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EncodingParams {
    /// Stream id that the publisher writes into the header extension.
    pub rid: Option<Rid>,
    /// SSRC from the description.
    pub ssrc: Option<Ssrc>,
    /// SSRC of its retransmissions from the description.
    pub rtx_ssrc: Option<Ssrc>,
}

/// A published source.
#[derive(Debug, Clone)]
pub struct TrackParams {
    /// The transport it arrives on.
    pub transport: TransportId,
    /// Sound or picture.
    pub kind: MediaKind,
    /// The section it was negotiated in.
    pub mid: Mid,
    /// What its packets may carry.
    pub payloads: ArrayVec<PayloadParams, MAX_PAYLOADS>,
    /// Its streams, lowest quality first; at least one.
    pub encodings: ArrayVec<EncodingParams, MAX_ENCODINGS>,
}

/// How a publisher's payload type appears to a subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadMap {
    /// The publisher's number.
    pub up: Pt,
    /// The subscriber's number.
    pub down: Pt,
    /// The subscriber's retransmission number.
    pub down_rtx: Option<Pt>,
    /// The subscriber cannot read RED: only the primary block is forwarded.
    pub strip_red: bool,
}

/// One track delivered to one transport.
#[derive(Debug, Clone)]
pub struct SubscriptionParams {
    /// What is delivered.
    pub track: TrackId,
    /// To whom.
    pub transport: TransportId,
    /// The section of the subscriber's description it is delivered in.
    pub mid: Mid,
    /// SSRC of the packets sent.
    pub ssrc: Ssrc,
    /// SSRC of retransmissions; without one lost packets are sent again as they were.
    pub rtx_ssrc: Option<Ssrc>,
    /// Payload types; packets of types that are not listed are not forwarded.
    pub payloads: ArrayVec<PayloadMap, MAX_PAYLOADS>,
    /// What to send at first.
    pub plan: LayerPlan,
}

/// Which layer a subscription is to get: *target* in the words of the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerPlan {
    /// Index into the track's encodings; `None` pauses the subscription. When the target is not being sent, the
    /// nearest lower one that is (or else the lowest) takes its place until it comes.
    pub encoding: Option<u8>,
    /// Highest temporal layer to forward, where the codec marks them; 255 for all.
    pub temporal: u8,
}
