"""The raised hands of a call, in the order in which the server heard of them.

Clients raise a hand by setting their attribute `hand` to anything, and lower it by setting it to nothing.
That value stays as they wrote it: the SDKs wait until they read it back. Beside it stands `colloque.hand`,
which the server alone writes: the time at which the hand went up, in ISO 8601 to the millisecond. No two are
the same and a later hand has a later time, also where the server's clock steps back, so the order of these
values is the order of the queue.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from rooms import Admission

HAND = "hand"
"""The attribute of a participant that is not empty while the hand is up."""
OURS = "colloque."
"""Attributes, and topics of data messages, that begin so are the server's alone: clients believe them."""
HAND_SINCE = f"{OURS}hand"
"""The attribute that says since when, by the server's clock."""
OF_A_HAND = frozenset({HAND, HAND_SINCE})
_YEAR_10000 = 253_402_300_800_000  # milliseconds


def with_hand_down(admission: Admission) -> Admission:
    """Give the same person with the hand down: one that is up in one call is not up in the next."""
    kept = {key: value for key, value in admission.attributes.items() if key not in OF_A_HAND}
    return replace(admission, attributes=kept)


class HandQueue:
    """Who has a hand up, first come first; holds at most one entry for each person in the call."""

    def __init__(self) -> None:
        """Begin with no hand up."""
        self._up: dict[str, int] = {}
        self._newest = 0

    def __len__(self) -> int:
        """Count the hands that are up."""
        return len(self._up)

    def __iter__(self) -> Iterator[str]:
        """Give the identities in the order of the queue."""
        return iter(sorted(self._up, key=self._up.__getitem__))

    def lift(self, identity: str, *, wall: float, kept: str = "") -> bool:
        """Put a hand up; False if it is up already and keeps its place.

        `kept` is the value of an earlier connection of the person, which gives the old place back; anything
        that the server cannot have said before is taken as a hand that goes up now.
        """
        if identity in self._up:
            return False
        now = round(wall * 1000)
        since = _milliseconds(kept)
        if since is None or since > now:
            since = max(now, self._newest + 1)
        taken = set(self._up.values())
        while since in taken:
            since += 1
        self._up[identity] = since
        self._newest = max(self._newest, since)
        return True

    def lower(self, identity: str) -> bool:
        """Take a hand down; False if it was not up."""
        return self._up.pop(identity, None) is not None

    def value(self, identity: str) -> str:
        """Give what everybody sees of a hand; empty if it is down."""
        since = self._up.get(identity)
        return "" if since is None else _text(since)

    def position(self, identity: str) -> int:
        """Give the place in the queue, from 1; the hand must be up."""
        since = self._up[identity]
        return sum(other <= since for other in self._up.values())


def _text(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _milliseconds(text: str) -> int | None:
    """Read a value back; None for what is not exactly of our making."""
    try:
        found = round(datetime.fromisoformat(text).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
    return found if 0 <= found < _YEAR_10000 and _text(found) == text else None
