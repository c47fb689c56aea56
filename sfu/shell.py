"""What calls, legs and tracks need of the world around them, which `Sfu` gives them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from sfu.bridge import CoreLike, Snapshot
from sfu.metrics import Occurrences
from sfu.model import SfuLimits

if TYPE_CHECKING:
    from sfu.call import Call
    from sfu.leg import Leg
    from sfu.subscription import Subscription
    from sfu.track import Track


class Timer(Protocol):
    """A timer that can be taken back."""

    def cancel(self) -> None:
        """Keep it from going off."""


@dataclass(slots=True)
class Directory:
    """Finds the object an event is about, by the core's id."""

    legs: dict[int, "Leg"] = field(default_factory=dict)
    tracks: dict[int, "Track"] = field(default_factory=dict)
    subscriptions: dict[int, "Subscription"] = field(default_factory=dict)
    calls: dict[int, "Call"] = field(default_factory=dict)
    """By the number of the call's group of speakers."""


class Shell(Protocol):
    """The world around the live objects: core, bounds, time and timers."""

    core: CoreLike
    limits: SfuLimits
    directory: Directory
    occurrences: Occurrences

    def now(self) -> float:
        """Return seconds on a clock that never goes back."""

    def soon(self, callback: Callable[[], None]) -> None:
        """Call back when the event loop next turns."""

    def in_turn(self, callback: Callable[[], None]) -> None:
        """Call back when the event loop next turns, or a few turns later if many ask for it."""

    def after(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call back after a time."""

    def snapshot(self) -> Snapshot:
        """Return the core's counters, at most a moment old."""

    def place(self, call: "Call") -> int:
        """Choose the worker of a new leg of a call."""

    def free(self, call: "Call") -> None:
        """Forget a call that has no legs left."""
