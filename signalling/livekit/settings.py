"""What the operator may choose about signalling, and every bound of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sfu import MAX_SDP_BYTES
from turn_config import IceServer


@dataclass(frozen=True, slots=True)
class SignalLimits:
    """Bounds of one connection; each keeps one client from costing the others."""

    frame_bytes: int = 2 * MAX_SDP_BYTES + 128 * 1024
    """A frame from a client; `sync_state` carries two descriptions, which JSON escapes, and the tracks."""
    join_request_bytes: int = 128 * 1024
    """The join request after gzip was undone; it carries one description."""
    queue_bytes: int = 256 * 1024
    """What may wait for a client that reads slowly; more closes its connection."""
    messages_per_second: float = 100.0
    messages_burst: int = 500
    """A client that meets a full room sends a subscription and a setting for each track at once."""
    data_message_bytes: int = 64 * 1024
    data_messages_per_second: float = 500.0
    data_messages_burst: int = 2000
    data_bytes_per_second: float = 4_000_000.0
    data_bytes_burst: int = 16_000_000
    updates_per_second: float = 20.0
    """Changes of one participant that are told to the others at once; beyond it they are told together."""
    updates_burst: int = 40
    hand_raises_per_second: float = 0.5
    """Each is an event in the log of the room."""
    hand_raises_burst: int = 5
    tracks: int = 16
    """Tracks that one leg may publish."""
    name_chars: int = 256
    metadata_bytes: int = 64 * 1024
    attributes_bytes: int = 64 * 1024
    """Keys and values together."""
    legs_per_call: int = 200
    refusals_per_minute_per_address: int = 120
    """Requests that are turned down, after which the next such has to wait; 0 means no bound."""


@dataclass(frozen=True, slots=True)
class SignalTimes:
    """How long things may take, in seconds."""

    ping_interval: int = 5
    ping_timeout: int = 15
    """A client that says nothing for this long is taken as disconnected."""
    resume_window: float = 30.0
    """How long a leg is kept for a client whose signalling was lost."""
    media_within: float = 30.0
    """A leg whose media has not come up by then is ended."""
    token_refresh: float = 300.0
    """At most this long between two tokens for a client in the call."""
    token_again: float = 30.0
    """Until the next try after a token was refused."""
    quality_interval: float = 5.0
    room_update_interval: float = 1.0
    close_within: float = 2.0
    """How long a closing connection may take to deliver its last words."""


def no_ice_servers() -> Sequence[IceServer]:
    """Return none: clients reach the media port directly."""
    return ()


@dataclass(frozen=True, slots=True)
class LiveKitSettings:
    """Settings of the LiveKit protocol server."""

    allowed_origins: tuple[str, ...] | None = None
    """Origins (`https://host[:port]`) from which pages may connect; None allows every one.

    The credential is a token in the request itself, never a cookie, so a foreign page has nothing to ride on.
    Requests without an Origin header, which no browser sends, are not concerned.
    """
    region: str = ""
    node_id: str = ""
    ice_servers: Callable[[], Sequence[IceServer]] = no_ice_servers
    """Called for each client, since credentials are made for one person and some hours."""
    max_kbps: int | None = None
    """Most that one leg may send, and be sent, beside what its room says; None is no bound."""
    allow_simulation: bool = False
    """Let clients ask for faults (`simulate`), which only tests do."""
    limits: SignalLimits = field(default_factory=SignalLimits)
    times: SignalTimes = field(default_factory=SignalTimes)
