"""Everything that is due later: each timer has a name and an owner, and one slot."""

import heapq
from collections.abc import Callable, Hashable
from enum import StrEnum
from typing import Generic, TypeVar

NameT = TypeVar("NameT", bound=StrEnum)


class Timer(StrEnum):
    """Why something wakes up."""

    MEDIA = "media"
    """The leg's media should have come up."""
    PING = "ping"
    """The client should have been heard."""
    RESUME = "resume"
    """The client should have come back."""
    TOKEN = "token"  # noqa: S105 - a name, not a token
    """The client should get a fresh token."""
    ROSTER = "roster"
    """Held-back changes of a participant can be told."""
    ARRIVALS = "arrivals"
    """A whole call can be told whose media came up."""
    QUALITY = "quality"
    """Connection quality is to be judged, of a whole call."""
    ROOM = "room"
    """The head count of a call can be told."""


class TimerTable(Generic[NameT]):
    """Deadlines by owner and name; setting one again replaces it."""

    def __init__(self, earlier: Callable[[float], None] | None = None) -> None:
        """Call `earlier` whenever the next deadline has moved forward."""
        self._earlier = earlier
        self._deadlines: dict[tuple[Hashable, NameT], float] = {}
        self._heap: list[tuple[float, int, tuple[Hashable, NameT]]] = []
        self._count = 0
        self._names: set[NameT] = set()

    def set(self, owner: Hashable, timer: NameT, *, at: float) -> None:
        """Wake `owner` for this reason at that time, no longer at an earlier or later one."""
        key = (owner, timer)
        if self._deadlines.get(key) == at:
            return
        self._names.add(timer)
        self._deadlines[key] = at
        if len(self._heap) > 64 + 4 * len(self._deadlines):
            self._heap = [entry for entry in self._heap if self._deadlines.get(entry[2]) == entry[0]]
            heapq.heapify(self._heap)
        self._count += 1
        heapq.heappush(self._heap, (at, self._count, key))
        if self._earlier is not None and self._heap[0][2] == key:
            self._earlier(at)

    def pending(self, owner: Hashable, timer: NameT) -> bool:
        """Whether it is set."""
        return (owner, timer) in self._deadlines

    def cancel(self, owner: Hashable, timer: NameT) -> None:
        """Forget one timer."""
        self._deadlines.pop((owner, timer), None)

    def cancel_all(self, owner: Hashable) -> None:
        """Forget every timer of an owner."""
        for name in self._names:
            self._deadlines.pop((owner, name), None)

    def next(self) -> float | None:
        """Return the earliest deadline."""
        self._drop_replaced()
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: float) -> tuple[Hashable, NameT] | None:
        """Take one timer that is due."""
        self._drop_replaced()
        if not self._heap or self._heap[0][0] > now:
            return None
        _, _, key = heapq.heappop(self._heap)
        del self._deadlines[key]
        return key

    def __len__(self) -> int:
        return len(self._deadlines)

    def _drop_replaced(self) -> None:
        heap = self._heap
        while heap and self._deadlines.get(heap[0][2]) != heap[0][0]:
            heapq.heappop(heap)
