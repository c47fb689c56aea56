"""How the numbers of the Rust side become rows and totals."""

import struct
from typing import Any

import pytest

from loadtest.engine.core import Swarm
from loadtest.engine.figures import Figures, Layout, rows

LAYOUT = Layout.of(Swarm.snapshot_layout())


def snapshot(*threads: dict[str, int], slow: int = 0) -> bytes:
    """Numbers as the Rust side writes them: a row for each thread, and `slow` packets beyond every bound."""
    buckets = [0] * len(LAYOUT.bounds_ms) + [slow]
    numbers = [[thread.get(name, 0) for name in LAYOUT.names] + buckets for thread in threads]
    return b"".join(struct.pack(f"<{len(row)}Q", *row) for row in numbers)


def figures(*threads: dict[str, int], at: float = 0.0, **more: Any) -> Figures:
    return Figures.read(snapshot(*threads, **more), LAYOUT, at=at)


def test_numbers_of_all_threads_are_added_and_the_busiest_is_named() -> None:
    first = {"packets_received": 3, "busy_micros": 10, "lived_micros": 100}
    second = {"packets_received": 4, "busy_micros": 80, "lived_micros": 100}
    read = figures(first, second, slow=2)
    assert read.sums["packets_received"] == 7
    assert read.busy == pytest.approx(0.8)
    assert read.latency.counts[-1] == 4


def test_what_lies_between_two_moments_is_a_row() -> None:
    then = figures({"packets_expected": 10, "packets_received": 9, "packets_sent": 1}, at=1.0)
    now = figures({"packets_expected": 30, "packets_received": 26, "packets_sent": 5}, at=2.0, slow=1)
    (row,) = rows([then, now])
    assert (row.at, row.sent, row.expected, row.received, row.lost) == (2.0, 4, 20, 17, 3)
    assert (row.latency_p50_ms, rows([then, then])[0].latency_p50_ms) == (float("inf"), None)


def test_the_share_of_a_busy_thread_is_that_of_the_time_between_two_moments() -> None:
    then = figures({"busy_micros": 900, "lived_micros": 1_000})
    now = figures({"busy_micros": 1_000, "lived_micros": 2_000})
    assert now.since(then).busy == pytest.approx(0.1)


def test_packets_that_come_late_never_make_a_loss_negative() -> None:
    then = figures({"packets_expected": 10, "packets_received": 8})
    now = figures({"packets_expected": 20, "packets_received": 20})
    assert now.since(then).lost == 0


def test_a_swarm_that_did_not_answer_has_no_figures_and_is_not_busy() -> None:
    read = Figures.read(b"", LAYOUT, at=0.0)
    assert (read.sums["packets_received"], read.busy, sum(read.latency.counts)) == (0, 0.0, 0)


def test_a_snapshot_of_the_core_is_as_long_as_its_layout_says() -> None:
    swarm = Swarm(threads=2)
    try:
        read = Figures.read(swarm.snapshot(), LAYOUT, at=0.0)
    finally:
        swarm.stop()
    assert len(read.threads) == 2
    assert set(read.sums.values()) - {read.sums["lived_micros"], read.sums["busy_micros"]} <= {0}
