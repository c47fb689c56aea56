//! Why a datagram, packet or command was dropped: one word for code, log and metric label.

/// Defines the enum, its list and its labels together, so that none can be forgotten.
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $label:literal,)+) => {
        /// One reason to drop something that came from the network or from Python.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum DropReason { $($(#[$doc])* $name,)+ }

        impl DropReason {
            /// Every reason, in the order of its number.
            pub const ALL: &'static [DropReason] = &[$(DropReason::$name,)+];

            /// The label `reason` of `colloque_dropped_total`.
            pub const fn label(self) -> &'static str {
                match self { $(DropReason::$name => $label,)+ }
            }
        }
    };
}

reasons! {
    /// Too short for any protocol we speak.
    TooShort = "too_short",
    /// First byte belongs to no protocol we speak (RFC 7983).
    UnknownProtocol = "unknown_protocol",
    /// Not from an address that passed an authenticated check.
    Unvalidated = "unvalidated",
    /// Larger than any packet we forward.
    TooLong = "too_long",
    /// Not a well-formed STUN message.
    StunMalformed = "stun_malformed",
    /// A STUN message that is not a binding request.
    StunUnexpected = "stun_unexpected",
    /// No transport has this local ufrag.
    StunUnknownUfrag = "stun_unknown_ufrag",
    /// MESSAGE-INTEGRITY is missing or wrong.
    StunIntegrity = "stun_integrity",
    /// The same check came from another address: a replay.
    StunReplay = "stun_replay",
    /// The peer claims to be controlled; we are lite and cannot control.
    StunRoleConflict = "stun_role_conflict",
    /// Not a well-formed DTLS record, or one we do not expect now.
    DtlsMalformed = "dtls_malformed",
    /// Media before the handshake has finished.
    SrtpNotReady = "srtp_not_ready",
    /// SRTP authentication failed.
    SrtpAuth = "srtp_auth",
    /// SRTP packet that was here before.
    SrtpReplay = "srtp_replay",
    /// SRTCP authentication failed.
    SrtcpAuth = "srtcp_auth",
    /// SRTCP packet that was here before.
    SrtcpReplay = "srtcp_replay",
    /// More SSRCs on one transport than it may have.
    SsrcLimit = "ssrc_limit",
    /// Not a well-formed RTP packet.
    RtpMalformed = "rtp_malformed",
    /// No track expects this packet (mid, rid, SSRC or payload type).
    RtpUnroutable = "rtp_unroutable",
    /// Older than what is still useful.
    RtpTooOld = "rtp_too_old",
    /// A duplicate, or a retransmission of a packet that had come.
    RtpDuplicate = "rtp_duplicate",
    /// Not a well-formed RTCP packet.
    RtcpMalformed = "rtcp_malformed",
    /// RTCP about an SSRC that is not the sender's business.
    RtcpForeign = "rtcp_foreign",
    /// A resend was asked for that is not allowed now (just sent, too old, over the rate).
    ResendRefused = "resend_refused",
    /// Not a well-formed SCTP packet or DCEP message.
    SctpMalformed = "sctp_malformed",
    /// A data message that no channel or bound has room for.
    DataOverflow = "data_overflow",
    /// The send queue was full.
    OutboxFull = "outbox_full",
    /// The kernel refused to send.
    SendFailed = "send_failed",
    /// The kernel's receive queue overflowed.
    ReceiveOverflow = "receive_overflow",
    /// The way to another worker was full.
    LaneFull = "lane_full",
    /// A command, or another worker, named an object that is gone.
    UnknownId = "unknown_id",
    /// A table was full.
    TableFull = "table_full",
    /// A defect was caught while handling this input.
    Panic = "panic",
}
