"""One connection, as it stands."""

from typing import Any, Protocol

from signalling.livekit.outbox import Sendable
from signalling.livekit.rate import TokenBucket
from signalling.probe.legs import Legs
from signalling.probe.lifecycle import State
from signalling.probe.seen import Seen
from signalling.probe.settings import ProbeLimits
from signalling.words import Word


class Outlet(Protocol):
    """The way to a client: its WebSocket."""

    def send(self, message: Sendable) -> None:
        """Put a message at the end of what is to be sent; never waits, never raises."""

    def close(self, code: int, reason: str) -> None:
        """Send what waits, then close."""


class Session:
    """One connection."""

    def __init__(self, outlet: Outlet, seen: Seen, limits: ProbeLimits, *, now: float) -> None:
        self.outlet = outlet
        self.seen = seen
        self.messages = TokenBucket(limits.messages_per_second, limits.messages_burst, now=now)
        self.offer_bytes = TokenBucket(limits.offer_bytes_per_second, limits.offer_bytes_burst, now=now)
        self.state = State.GREETING
        self.test: str | None = None
        """The connection test that it is part of, once its token was found good."""
        self.legs: Legs | None = None

    def say(self, word: Word) -> None:
        """Tell the client, unless the connection is over."""
        if self.state is not State.ENDED:
            self.outlet.send(word)

    def debug_state(self) -> dict[str, Any]:
        """Describe it as JSON values, without its address."""
        return {
            "state": self.state,
            "test": self.test,
            "legs": {} if self.legs is None else self.legs.debug_state(),
        }
