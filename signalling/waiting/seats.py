"""Connections, and the waiting room that they belong to."""

from collections import Counter
from typing import Protocol

from rooms import Admission, Scene
from signalling.livekit.outbox import Sendable
from signalling.livekit.rate import TokenBucket
from signalling.waiting.board import Note
from signalling.waiting.lifecycle import State


class Outlet(Protocol):
    """The way to a client: its WebSocket."""

    def send(self, message: Sendable) -> None:
        """Put a message at the end of what is to be sent; never waits, never raises."""

    def close(self, code: int, reason: str) -> None:
        """Send what waits, then close."""


class Seat:
    """One connection."""

    def __init__(self, outlet: Outlet, address: str, messages: TokenBucket, *, now: float) -> None:
        self.outlet = outlet
        self.address = address
        self.messages = messages
        self.heard_at = now
        self.state = State.GREETING
        self.admission: Admission | None = None
        self.expected = False
        """Counted among those who are arriving at the board of `admission`."""
        self.judged_from = 0
        """The first look (`Board.looks`) that is younger than this seat; older ones know nothing of it."""
        self.being_let_in = False
        self.told: str | None = None
        """The last state that this client was told."""


class Board:
    """One waiting room."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.scene: Scene | None = None
        self.waiting: dict[str, list[Seat]] = {}
        """Connections by identity, the oldest first."""
        self.hosts: list[Seat] = []
        self.arriving: Counter[str] = Counter()
        self.absent: set[str] = set()
        """Identities whose place is kept without a connection."""
        self.notes: dict[str, Note] = {}
        self.for_all: Note | None = None
        self.looking = False
        self.stale = False
        self.looks = 0
        """How often the room was read."""
        self.looked_at = float("-inf")
        self.told_at = float("-inf")
        """When hosts were last told because the call changed."""

    @property
    def seats(self) -> list[Seat]:
        """Every connection."""
        return [*self.hosts, *(seat for seats in self.waiting.values() for seat in seats)]

    @property
    def empty(self) -> bool:
        """Whether nobody needs it."""
        return not (self.waiting or self.hosts or self.absent or self.arriving or self.looking)
