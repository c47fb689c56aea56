//! Every timer has a name, so that wake-ups can be counted by why.

/// Why a worker wants to be woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Timer {
    /// Checks of the peer's address have to come again and again (RFC 7675).
    Consent,
    /// DTLS flights are sent again.
    Dtls,
    /// SCTP retransmission and acknowledgement.
    Sctp,
    /// Lost packets are asked for.
    Nack,
    /// Arrival times are reported to publishers.
    TransportCc,
    /// Sender and receiver reports.
    Report,
    /// Speakers are ranked.
    Speakers,
    /// A key-frame request that had to wait.
    Keyframe,
    /// An encoding that stopped is noticed.
    Layers,
    /// Sound that waited for company leaves.
    Sound,
}
