"""What the operator may choose about connection tests, and every bound of their live part."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ProbeLimits:
    """Bounds; each keeps one client from costing the others, and tests from costing calls."""

    tests: int = 50
    """Connections that test at one time."""
    tests_per_address: int = 4
    connections_per_test: int = 2
    """A window that was left open must not keep the next one out."""
    sockets: int = 200
    """All connections, also those that have not said hello or are being refused."""
    sockets_per_address: int = 40
    frame_bytes: int = 128 * 1024
    """A message from a client; an offer holds a whole session description."""
    queue_bytes: int = 256 * 1024
    """What may wait for a client that reads slowly; more closes its connection."""
    messages_per_second: float = 20.0
    messages_burst: int = 40
    offer_bytes_per_second: float = 32 * 1024
    offer_bytes_burst: int = 384 * 1024
    """Descriptions of one connection, whichever of its legs they are about.

    A browser's has 11 kB, and each way to try takes two: all of them at once are half of this.
    """
    legs_at_once: int = 2
    """Of one connection."""
    legs: int = 20
    """Of one connection in its life: more than there are ways to try, with some tried again."""
    kbps: int = 2500
    """What a client is asked to send at most; enough to see that a picture of 720 lines would pass."""
    too_many_kbps: int = 4000
    """A leg that sends more all the same, measured over `ProbeTimes.rate_window`, is closed."""
    refusals_per_minute_per_address: int = 120
    """Tokens that are turned down, after which the next such has to wait; 0 means no bound."""


@dataclass(frozen=True, slots=True)
class ProbeTimes:
    """How long things may take, in seconds."""

    hello_within: float = 5.0
    """A connection that has not said by then which test it is for is closed."""
    whole: float = 60.0
    """From `ready` on: a test takes three quarters of it at most."""
    busy_retry_after: int = 10
    rate_window: float = 2.0
    rate_every: float = 0.5
    """How often the rate of legs is looked at."""
    close_within: float = 2.0
    """How long a closing connection may take to deliver its last words."""


@dataclass(frozen=True, slots=True)
class ProbeSettings:
    """Settings of the live part of connection tests."""

    allowed_origins: tuple[str, ...] | None = None
    """Origins from which pages may connect; None allows every one (see `LiveKitSettings`)."""
    limits: ProbeLimits = field(default_factory=ProbeLimits)
    times: ProbeTimes = field(default_factory=ProbeTimes)
