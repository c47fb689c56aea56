"""What the operator may choose about the waiting room's channel, and every bound of it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class WaitingLimits:
    """Bounds; each keeps one client from costing the others."""

    frame_bytes: int = 16 * 1024
    """A message from a client; the first carries a token."""
    queue_bytes: int = 256 * 1024
    """What may wait for a client that reads slowly; more closes its connection."""
    messages_per_second: float = 5.0
    messages_burst: int = 30
    sockets: int = 10_000
    sockets_per_room: int = 500
    sockets_per_person: int = 4
    """Windows and devices of one person; a further one takes the place of the oldest."""
    sockets_per_address: int = 1000
    """A whole site may share one address."""
    refusals_per_minute_per_address: int = 120
    """Tokens that are turned down, after which the next such has to wait; 0 means no bound."""


@dataclass(frozen=True, slots=True)
class WaitingTimes:
    """How long things may take, in seconds."""

    hello_within: float = 5.0
    """A connection that has not said by then who it is for is closed."""
    ping_interval: float = 15.0
    ping_timeout: float = 45.0
    """A client that says nothing for this long is taken as gone."""
    grace: float = 120.0
    """How long the place of somebody without a connection is kept: a locked phone, a lift, a reload."""
    token_refresh: float = 300.0
    """At most this long between two tokens for somebody who waits, so that they can come back."""
    again: float = 2.0
    """Until the next try of what the database did not answer."""
    close_within: float = 2.0
    """How long a closing connection may take to deliver its last words."""


@dataclass(frozen=True, slots=True)
class WaitingSettings:
    """Settings of the waiting room's channel."""

    allowed_origins: tuple[str, ...] | None = None
    """Origins from which pages may connect; None allows every one (see `LiveKitSettings`)."""
    limits: WaitingLimits = field(default_factory=WaitingLimits)
    times: WaitingTimes = field(default_factory=WaitingTimes)
