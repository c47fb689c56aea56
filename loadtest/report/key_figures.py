"""The few figures that say how a run went, and those that machines are sized by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from loadtest.joins import join_ms, percentile
from loadtest.objectives import loss_ratio, success_ratio, worst_of
from loadtest.planning import most_at_once
from loadtest.server_figures import use_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loadtest.results import EngineResult, Second
    from loadtest.run import StageRecord


_EARLY = 0.1  # seconds: no row begins so much before its time


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """One of them; `unit` is `%` for a ratio."""

    name: str
    says: str
    value: float | None
    unit: str


def key_figures(record: StageRecord) -> tuple[KeyFigure, ...]:
    """Give them in the order in which they are shown."""
    result, warm_up = record.result, record.plan.warm_up_seconds
    measured, length = _measured(result.seconds, warm_up)
    rate = _ratio(sum(one.received for one in measured), length)
    bits = _ratio(sum(one.bytes_received for one in measured) * 8 / 1e6, length)
    use = use_of(record.samples, since=warm_up)
    people = most_at_once(record.plan)
    figures = (
        KeyFigure("people", "people at one time", people, ""),
        KeyFigure("join_success_ratio", "joins that succeed", success_ratio(result), "%"),
        KeyFigure("join_p95_ms", "join, 95th", percentile(map(join_ms, result.joins), 0.95), "ms"),
        KeyFigure("latency_p50_ms", "latency, median", result.latency.percentile(0.5), "ms"),
        KeyFigure("latency_p99_ms", "latency, 99th", result.latency.percentile(0.99), "ms"),
        KeyFigure("loss_ratio", "packets lost", loss_ratio(result), "%"),
        KeyFigure("packets_per_second", "packets out", rate, "/s"),
        KeyFigure("megabits_per_second", "bit rate out", bits, "Mb/s"),
        KeyFigure("server_cpu_cores", "server CPU", use.cpu_cores, "cores"),
        KeyFigure("server_memory_mb", "server memory", use.memory_mb, "MB"),
        KeyFigure("packets_per_cpu_second", "packets per CPU second", _ratio(rate, use.cpu_cores), ""),
        KeyFigure("tool_busy", "load tester busy", result.tool_busy, "%"),
    )
    return (*figures, *_faithful(result)) if result.faithful else figures


def _faithful(result: EngineResult) -> tuple[KeyFigure, ...]:
    """Give the figures of the worst viewer of those who really decode."""
    fps = worst_of(result, lambda one: one.frames_per_second, min)
    frozen = worst_of(result, lambda one: one.freeze_ratio, max)
    read = worst_of(result, lambda one: one.pictures_read_ratio, min)
    p99 = worst_of(result, lambda one: one.end_to_end_p99_ms, max)
    return (
        KeyFigure("decoded_fps", "pictures decoded", fps, "/s"),
        KeyFigure("freeze_ratio", "time frozen", frozen, "%"),
        KeyFigure("pictures_read_ratio", "watermarks whole", read, "%"),
        KeyFigure("end_to_end_p99_ms", "camera to picture, 99th", p99, "ms"),
    )


def _measured(seconds: Sequence[Second], warm_up: float) -> tuple[list[Second], float | None]:
    """Give the rows that were begun after the warm-up, and how long they are together.

    Each row begins where the one before ended, which is a little late: the one that ends the warm-up, too.
    """
    begins = [0.0, *(one.at for one in seconds)]
    rows = [(start, one) for start, one in zip(begins, seconds, strict=False) if start > warm_up - _EARLY]
    return [one for _, one in rows], rows[-1][1].at - rows[0][0] if rows else None


def _ratio(value: float | None, by: float | None) -> float | None:
    return None if value is None or not by else value / by
