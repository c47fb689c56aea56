"""Long runs in few points: neighbouring seconds put together, so that a page stays small."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loadtest.results import Second

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

POINTS_MAX = 300


def thinned(seconds: Sequence[Second], most: int = POINTS_MAX) -> list[Second]:
    """Give at most so many points: counts are means of a second, latency is the worst of its seconds."""
    every = -(-len(seconds) // most) or 1
    if every == 1:
        return list(seconds)
    return [_together(seconds[start : start + every]) for start in range(0, len(seconds), every)]


def _together(some: Sequence[Second]) -> Second:
    return Second(
        at=some[-1].at,
        sent=_mean(one.sent for one in some),
        expected=_mean(one.expected for one in some),
        received=_mean(one.received for one in some),
        lost=_mean(one.lost for one in some),
        bytes_received=_mean(one.bytes_received for one in some),
        latency_p50_ms=_worst(one.latency_p50_ms for one in some),
        latency_p99_ms=_worst(one.latency_p99_ms for one in some),
    )


def _mean(values: Iterable[int]) -> int:
    found = list(values)
    return round(sum(found) / len(found))


def _worst(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
