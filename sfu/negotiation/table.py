"""What has been agreed with a peer so far: one slot for each section of its description."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from sfu.model import TrackKey
from sfu.negotiation.codecs import Payload, PayloadMap
from sfu.negotiation.ice import Credentials


class Use(Enum):
    """What a section is for."""

    MEDIA = "media"
    DATA = "data"
    NOTHING = "nothing"
    """Rejected by us or closed by the peer; the peer may reuse its place under a new mid."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """One stream that a publisher sends in a section, by rid, by SSRC, or by the section alone."""

    rid: str | None = None
    ssrc: int | None = None
    rtx_ssrc: int | None = None


@dataclass(frozen=True, slots=True)
class Up:
    """A track that the peer sends in a section."""

    track: TrackKey
    payloads: tuple[Payload, ...]
    encodings: tuple[Encoding, ...]
    """Lowest quality first."""
    rids: tuple[str, ...]
    """As the answer lists them: in the offered order."""


@dataclass(frozen=True, slots=True)
class Down:
    """A track that we send in a section."""

    track: TrackKey
    stream_id: str
    ssrc: int
    rtx_ssrc: int | None
    payloads: tuple[Payload, ...]
    """With the subscriber's numbers."""
    maps: tuple[PayloadMap, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """One section as agreed."""

    mid: str
    kind: str
    use: Use
    payloads: tuple[Payload, ...] = ()
    """What of the offered codecs we forward."""
    sends: bool = False
    """The peer sends, or would, in this section."""
    receives: bool = False
    """The peer can receive in this section."""
    up: Up | None = None
    down: Down | None = None
    size: int = 0
    """Bytes of it in the peer's last description."""
    released: bool = False
    """Its track was ended on our side while the peer goes on sending: not to be taken for another track."""


@dataclass(frozen=True, slots=True)
class Remote:
    """The peer's end of the transport."""

    credentials: Credentials
    fingerprints: tuple[bytes, ...]
    extensions: tuple[tuple[str, int], ...]
    sctp_port: int | None
    max_message_size: int


@dataclass(frozen=True, slots=True)
class Table:
    """Everything agreed with one peer. Immutable: a failed negotiation leaves the last one in force."""

    session: int
    """Number of our description's session (RFC 8866, section 5.2)."""
    version: int = 0
    slots: tuple[Slot, ...] = ()
    local: Credentials | None = None
    remote: Remote | None = None
    size: int = 0
    """Bytes of the peer's last description."""

    @property
    def ups(self) -> Mapping[TrackKey, tuple[str, Up]]:
        """Tracks that the peer sends, with their mids."""
        return {slot.up.track: (slot.mid, slot.up) for slot in self.slots if slot.up is not None}

    @property
    def downs(self) -> Mapping[TrackKey, tuple[str, Down]]:
        """Tracks that we send, with their mids."""
        return {slot.down.track: (slot.mid, slot.down) for slot in self.slots if slot.down is not None}
