"""`colloque bench`: what this machine can do at most, and what the packet core makes of it."""

from __future__ import annotations

import os
import statistics
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from colloque.errors import StartError
from colloque.machine import others_load, this_machine, usage
from colloque.version import running_version
from sfu.bridge import BUILD_COMMIT, bench_forward, bench_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from colloque.machine import Machine

Kind = Literal["limit", "forward"]
Sample = tuple[str, str, int, list[float]]

MOST_OTHER_LOAD = 0.3
"""Cores that others may use while we measure; more would be in our figures."""
PER_FLUSH = (1, 2, 4, 8, 16)
_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of work, with a sample of each round in nanoseconds of processor time per packet."""

    level: str
    what: str
    per_flush: int
    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        """Nanoseconds per packet."""
        return statistics.median(self.samples)

    def as_json(self) -> dict[str, object]:
        """Give the row as JSON values."""
        return {
            "level": self.level,
            "what": self.what,
            "per_flush": self.per_flush or None,
            "ns_per_packet": {
                "median": round(self.median, 1),
                "min": round(min(self.samples), 1),
                "max": round(max(self.samples), 1),
            },
            "kpps_per_cpu_second": round(1e6 / self.median, 1),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured, where, and how busy others were."""

    kind: Kind
    machine: Machine
    version: str
    commit: str
    """Of the packet core; empty when it was built outside of a repository."""
    destinations: int
    rows: tuple[Row, ...]
    other_load: float
    ratios: dict[int, float] = field(default_factory=dict)
    """R = L4 / L3 in packets per processor second, for each number of packets in a flush."""

    def as_json(self) -> dict[str, object]:
        """Give the report as JSON values."""
        return {
            "benchmark": self.kind,
            "machine": self.machine.as_json(),
            "version": self.version,
            "commit": self.commit or None,
            "destinations": self.destinations,
            "cores_used_by_others": round(self.other_load, 2),
            "rows": [row.as_json() for row in self.rows],
            "ratio": {str(per_flush): round(ratio, 3) for per_flush, ratio in self.ratios.items()},
        }


def measure(
    kind: Kind, *, destinations: int, rounds: int, seconds: float, core: int | None, even_if_busy: bool
) -> Report:
    """Measure on one core, `seconds` of processor time for each row and round.

    Raises `StartError` when others keep the machine busy, before or during the run.
    """
    run = bench_limit if kind == "limit" else bench_forward
    before = usage()
    time.sleep(_LOOK_SECONDS)
    refuse_if_busy(others_load(before, usage()), even_if_busy=even_if_busy)
    started, samples = usage(), []
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed) if core is None else core})
    try:
        with _progress() as progress:
            task = progress.add_task(f"{kind}, round 1 of {rounds}", total=None)
            for number in range(rounds):
                progress.update(task, description=f"{kind}, round {number + 1} of {rounds}")
                samples += run(destinations=destinations, per_flush=PER_FLUSH, seconds=seconds)
    finally:
        os.sched_setaffinity(0, allowed)
    load = others_load(started, usage())
    refuse_if_busy(load, even_if_busy=even_if_busy)
    rows = gather(samples)
    return Report(
        kind, this_machine(), running_version(), BUILD_COMMIT, destinations, rows, load, ratios(rows)
    )


def gather(samples: Iterable[Sample]) -> tuple[Row, ...]:
    """Put the samples of all rounds together, row by row in the order of the first round."""
    found: defaultdict[tuple[str, str, int], list[float]] = defaultdict(list)
    for level, what, per_flush, nanoseconds in samples:
        found[level, what, per_flush] += nanoseconds
    return tuple(Row(*name, tuple(values)) for name, values in found.items())


def ratios(rows: Sequence[Row]) -> dict[int, float]:
    """Give what the worker reaches of the ideal, for each number of packets in a flush."""
    ideal = {row.per_flush: row.median for row in rows if row.level == "L3"}
    return {
        row.per_flush: ideal[row.per_flush] / row.median
        for row in rows
        if row.level == "L4" and row.per_flush in ideal
    }


def refuse_if_busy(load: float, *, even_if_busy: bool) -> None:
    """Raise `StartError` when others use too many cores for figures to mean anything."""
    if load > MOST_OTHER_LOAD and not even_if_busy:
        raise StartError(
            f"others use {load:.1f} cores of this machine, which would be in the figures: "
            "stop them, or say --even-if-busy"
        )


def write(report: Report, line: Callable[[Table | str], None]) -> None:
    """Write the report for people: the machine, a table, and the ratios."""
    machine = report.machine
    line(f"{machine.processor}, {machine.cores} cores, Linux {machine.kernel}, Colloque {report.version}")
    line("ns: processor time of a packet; kpps: thousands of packets in a processor second")
    table = Table(box=None, pad_edge=False)
    table.add_column("level", no_wrap=True)
    table.add_column("what", no_wrap=True)
    for name in ("flush", "ns", "low to high", "kpps"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in report.rows:
        table.add_row(
            row.level,
            row.what,
            str(row.per_flush or ""),
            f"{row.median:.0f}",
            f"{min(row.samples):.0f} to {max(row.samples):.0f}",
            f"{1e6 / row.median:.0f}",
        )
    line(table)
    for per_flush, ratio in report.ratios.items():
        line(f"R at {per_flush} packets a flush: {ratio:.2f} of the ideal fan-out")


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
