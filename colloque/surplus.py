"""Which connections go when there are too many: whoever holds the most gives first.

A connection that was upgraded has shown a join token, so all others go before it, and nobody who has none can
push it out.
"""

from __future__ import annotations

from enum import IntEnum
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Standing(IntEnum):
    """What a connection is doing, from what is kept longest to what goes first."""

    UPGRADED = 0
    BUSY = 1
    """A request is being answered."""
    IDLE = 2
    """It has asked for something before."""
    SILENT = 3


def surplus(connections: Sequence[tuple[str, Standing]], *, most: int) -> list[int]:
    """Choose by index those to close so that `most` are left, of addresses and standings in order of age."""
    chosen: list[int] = []
    plain = [index for index, (_, standing) in enumerate(connections) if standing is not Standing.UPGRADED]
    upgraded = [index for index, (_, standing) in enumerate(connections) if standing is Standing.UPGRADED]
    for candidates in (plain, upgraded):
        excess = len(connections) - len(chosen) - most
        if excess > 0:
            chosen += _of_the_largest(connections, candidates, excess)
    return chosen


def _of_the_largest(
    connections: Sequence[tuple[str, Standing]], candidates: Sequence[int], count: int
) -> list[int]:
    """Take so many, each from the address that has the most left; of one address the newest idlest first."""
    shares: dict[str, list[int]] = {}
    for index in sorted(candidates, key=lambda one: (connections[one][1], one)):
        shares.setdefault(connections[index][0], []).append(index)

    def weight(share: list[int]) -> tuple[int, int, int, list[int]]:
        return -len(share), -connections[share[-1]][1], -share[-1], share

    heap = [weight(share) for share in shares.values()]
    heapify(heap)
    taken: list[int] = []
    while heap and len(taken) < count:
        share = heappop(heap)[-1]
        taken.append(share.pop())
        if share:
            heappush(heap, weight(share))
    return taken
