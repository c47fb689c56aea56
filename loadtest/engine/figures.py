"""What the Rust side has counted at one moment, and what became of it between two moments."""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from loadtest.results import Histogram, Second

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NUMBER = 8  # bytes


@dataclass(frozen=True, slots=True)
class Layout:
    """The meaning of a snapshot's numbers."""

    names: tuple[str, ...]
    bounds_ms: tuple[float, ...]

    @classmethod
    def of(cls, layout: Mapping[str, Any]) -> Self:
        """Take what `Swarm.snapshot_layout` says."""
        bounds = tuple(micros / 1000 for micros in layout["latency_bounds_us"])
        return cls(tuple(layout["figures"]), bounds)


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts since the start, or between two moments."""

    at: float
    """Seconds after the start of the run."""
    sums: Mapping[str, int]
    """Over all threads, by name."""
    latency: Histogram
    threads: tuple[tuple[int, int], ...]
    """Microseconds that each thread was busy and has been there."""

    @classmethod
    def read(cls, snapshot: bytes, layout: Layout, *, at: float) -> Self:
        """Read `Swarm.snapshot`."""
        names, buckets = layout.names, len(layout.bounds_ms) + 1
        row = struct.Struct(f"<{len(names) + buckets}Q")
        rows = list(row.iter_unpack(snapshot))
        columns = list(zip(*rows, strict=True)) or [()] * (row.size // _NUMBER)
        busy, lived = columns[names.index("busy_micros")], columns[names.index("lived_micros")]
        return cls(
            at,
            {name: sum(column) for name, column in zip(names, columns, strict=False)},
            Histogram(layout.bounds_ms, tuple(sum(column) for column in columns[len(names) :])),
            tuple(zip(busy, lived, strict=True)),
        )

    def since(self, earlier: Figures) -> Figures:
        """Return what was counted after `earlier`."""
        counts = zip(self.latency.counts, earlier.latency.counts, strict=True)
        threads = zip(self.threads, earlier.threads, strict=False)
        return Figures(
            self.at,
            {name: value - earlier.sums[name] for name, value in self.sums.items()},
            Histogram(self.latency.bounds_ms, tuple(now - then for now, then in counts)),
            tuple((busy - was_busy, lived - was) for (busy, lived), (was_busy, was) in threads),
        )

    @property
    def lost(self) -> int:
        """Packets that should have come and did not; one that comes late makes up for it."""
        return max(0, self.sums["packets_expected"] - self.sums["packets_received"])

    @property
    def busy(self) -> float:
        """The share of its time that the busiest thread did not sleep."""
        return max((busy / lived for busy, lived in self.threads if lived), default=0.0)

    def second(self) -> Second:
        """Give the row of a report, if this is what was counted in one second."""
        return Second(
            at=self.at,
            sent=self.sums["packets_sent"],
            expected=self.sums["packets_expected"],
            received=self.sums["packets_received"],
            lost=self.lost,
            bytes_received=self.sums["bytes_received"],
            latency_p50_ms=self.latency.percentile(0.5),
            latency_p99_ms=self.latency.percentile(0.99),
        )


def rows(moments: Sequence[Figures]) -> tuple[Second, ...]:
    """Give one row for each pair of moments that follow each other."""
    return tuple(now.since(then).second() for then, now in itertools.pairwise(moments))
