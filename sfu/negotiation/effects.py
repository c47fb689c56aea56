"""What an agreement asks to be done outside negotiation, as values."""

from dataclasses import dataclass

from sfu.model import TrackKey
from sfu.negotiation.codecs import Payload, PayloadMap
from sfu.negotiation.ice import Credentials
from sfu.negotiation.table import Encoding, Remote


@dataclass(frozen=True, slots=True)
class TrackAdded:
    """An announced track has a section: expect its packets."""

    track: TrackKey
    mid: str
    payloads: tuple[Payload, ...]
    encodings: tuple[Encoding, ...]


@dataclass(frozen=True, slots=True)
class TrackEnded:
    """The peer does not send a track any more."""

    track: TrackKey


@dataclass(frozen=True, slots=True)
class Delivered:
    """A subscription has a section: begin to send."""

    track: TrackKey
    mid: str
    ssrc: int
    rtx_ssrc: int | None
    maps: tuple[PayloadMap, ...]


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A subscription has lost its section: stop sending."""

    track: TrackKey
    ssrc: int


@dataclass(frozen=True, slots=True)
class IceRestarted:
    """Take checks with new local credentials too."""

    local: Credentials


@dataclass(frozen=True, slots=True)
class RemoteSet:
    """The peer's end of the transport is new or has changed."""

    remote: Remote


Effect = TrackAdded | TrackEnded | Delivered | Undelivered | IceRestarted | RemoteSet
