"""How the connections of a call are: what signalling knows of each and the management interface writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rooms.model import IpFamily

QualityWord = Literal["excellent", "good", "poor", "lost"]
"""What clients are told of a connection (LiveKit: `ConnectionQuality`)."""


@dataclass(frozen=True, slots=True)
class LineFigures:
    """What was measured between two readings of a leg, some seconds apart; up is from the client.

    All is `None` in the first seconds.
    """

    loss_up: float | None = None
    """Share of the RTP packets that did not arrive, 0 to 1; `None` where none were sent."""
    loss_down: float | None = None
    kbps_up: float | None = None
    """RTP payload, kbit/s."""
    kbps_down: float | None = None
    rtt_seconds: float | None = None
    """The last known round trip; `None` while unknown."""


@dataclass(frozen=True, slots=True)
class LayerNow:
    """Which layer of a picture goes to a person now."""

    identity: str
    """Who publishes it."""
    source: str
    layer: int | None
    """0 is the lowest; `None` while nothing of it goes to them."""
    layers: int
    """How many the publisher announced."""


@dataclass(frozen=True, slots=True)
class LegQuality:
    """The connection of one person whose media is up; no address."""

    leg: str
    identity: str
    group: str | None
    """The sub-group whose call the person is in; `None`: the room's own."""
    path: str
    family: IpFamily
    figures: LineFigures
    pictures: tuple[LayerNow, ...]
    """One for every picture that the person is subscribed to."""
    audio_only: bool
    """Pictures neither come from this person nor go to them."""
    word: QualityWord | None
    """What clients were told last; `None` before the first judgement."""
    score: float | None
    """What is behind it: 1 (bad) to 5 (perfect), 0 where nothing is heard."""
    since: float | None
    """Since when that has been the word, in seconds since the Unix epoch."""
