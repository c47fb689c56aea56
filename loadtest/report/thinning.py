"""Much in few points: neighbouring seconds or bounds put together, so that a page stays small."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loadtest.results import Histogram, Second

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

POINTS_MAX = 300
COLUMNS_MAX = 48


def thinned(seconds: Sequence[Second], most: int = POINTS_MAX) -> list[Second]:
    """Give at most so many points: counts are sums, latency is the worst of what was put together."""
    every = -(-len(seconds) // most) or 1
    if every == 1:
        return list(seconds)
    return [_together(seconds[start : start + every]) for start in range(0, len(seconds), every)]


def rates(counts: Sequence[int], at: Sequence[float]) -> list[float | None]:
    """Turn counts into counts per second; each was counted since the time before, the first since 0."""
    return [
        count / (now - before) if now > before else None
        for count, now, before in zip(counts, at, (0.0, *at), strict=False)
    ]


def coarse(histogram: Histogram, most: int = COLUMNS_MAX) -> list[tuple[float, int]]:
    """Give upper bounds and counts from the first value to the last, in at most so many columns."""
    bounds = (*histogram.bounds_ms, float("inf"))
    filled = [n for n, count in enumerate(histogram.counts) if count]
    if not filled:
        return []
    # What lies beyond the last bound is never put together with what has one.
    last = min(filled[-1], len(histogram.bounds_ms) - 1)
    every = -(-(last + 1 - filled[0]) // most) or 1
    columns = []
    for start in range(filled[0], last + 1, every):
        end = min(start + every, last + 1)
        columns.append((bounds[end - 1], sum(histogram.counts[start:end])))
    beyond = histogram.counts[-1]
    return [*columns, (float("inf"), beyond)] if beyond else columns


def _together(some: Sequence[Second]) -> Second:
    return Second(
        at=some[-1].at,
        sent=sum(one.sent for one in some),
        expected=sum(one.expected for one in some),
        received=sum(one.received for one in some),
        lost=sum(one.lost for one in some),
        bytes_received=sum(one.bytes_received for one in some),
        latency_p50_ms=_worst(one.latency_p50_ms for one in some),
        latency_p99_ms=_worst(one.latency_p99_ms for one in some),
    )


def _worst(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
