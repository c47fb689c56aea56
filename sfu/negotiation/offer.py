"""What a peer's description says, as values that negotiation can decide on."""

from dataclasses import dataclass
from enum import StrEnum

Parameters = tuple[tuple[str, str], ...]
"""Format parameters (`a=fmtp`), names in lower case, in the order of the description."""


class Direction(StrEnum):
    """Which way media may flow, seen from the side that wrote it (RFC 8866, section 6.7)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        """Whether the side that wrote it sends."""
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def receives(self) -> bool:
        """Whether the side that wrote it receives."""
        return self in (Direction.SENDRECV, Direction.RECVONLY)

    @staticmethod
    def of(*, sends: bool, receives: bool) -> "Direction":
        """Return the word for a pair of yes and no."""
        if sends:
            return Direction.SENDRECV if receives else Direction.SENDONLY
        return Direction.RECVONLY if receives else Direction.INACTIVE


@dataclass(frozen=True, slots=True)
class OfferedPayload:
    """One payload type of a section, as offered."""

    pt: int
    name: str
    """As written: codec names are compared without regard to case."""
    clock_rate: int
    channels: int
    fmtp: str
    """Format parameters as written."""
    feedback: tuple[str, ...]
    """RTCP feedback offered for it (RFC 4585), such as `nack pli`."""


@dataclass(frozen=True, slots=True)
class OfferedStream:
    """An RTP stream that the description names by SSRC (RFC 5576)."""

    ssrc: int
    rtx_ssrc: int | None = None


@dataclass(frozen=True, slots=True)
class OfferedSection:
    """One `m=` section."""

    mid: str
    kind: str
    """`audio`, `video`, `application` or another word."""
    protocol: str
    direction: Direction = Direction.SENDRECV
    closed: bool = False
    """Port zero without `a=bundle-only`: the peer does not use the section, now or any more."""
    bundled: bool = True
    """It shares the transport of the other sections."""
    rtcp_mux: bool = True
    payloads: tuple[OfferedPayload, ...] = ()
    extensions: tuple[tuple[int, str], ...] = ()
    """Header extensions as (id, URI) (RFC 8285)."""
    rids: tuple[str, ...] = ()
    """Simulcast streams that the peer sends, in the order of the description (RFC 8853)."""
    streams: tuple[OfferedStream, ...] = ()
    """Streams named by SSRC: those of `a=ssrc-group:SIM` in its order, or else the first."""
    track_ids: tuple[str, ...] = ()
    """Ids under which the description names what the peer sends."""
    sctp_port: int | None = None
    max_message_size: int | None = None
    size: int = 0
    """Bytes of it in the description."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A peer's description of the whole connection, read and checked for what we could not work with."""

    ufrag: str
    pwd: str
    fingerprints: tuple[bytes, ...]
    """SHA-256 digests of certificates that the peer may show; never empty."""
    sections: tuple[OfferedSection, ...]
    extmap_allow_mixed: bool = False
    size: int = 0
    """Bytes of the description."""
