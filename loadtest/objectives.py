"""The verdict: each objective against what was measured, and what follows for the run as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from loadtest.joins import first_video_ms, join_ms, percentile, was_tried

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from loadtest.results import EngineResult, FaithfulViewer
    from loadtest.scenario_parts import Objectives
    from loadtest.server_figures import ServerUse

TOOL_BUSY_MAX = 0.8
"""Above this share of its core the tool itself makes loss and delay."""

Judgement = Literal["met", "missed", "not measured", "not judged"]
Outcome = Literal["met", "missed", "tool was the limit", "aborted", "failed"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One objective, what was measured, and whether it was met."""

    name: str
    says: str
    limit: float
    at_least: bool
    """Whether the figure must reach the limit; else it must not exceed it."""
    figure: float | None
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures that objectives are about."""

    result: EngineResult
    server: ServerUse


@dataclass(frozen=True, slots=True)
class _Kind:
    says: str
    figure: Callable[[Figures], float | None]
    at_least: bool = False


def judge(objectives: Objectives, figures: Figures) -> tuple[Verdict, ...]:
    """Hold the figures against every objective that was set, and payloads against having none wrong.

    When the tool was busier than `TOOL_BUSY_MAX` the server is not blamed for anything that the tool may have
    caused, nor praised: only wrong payloads count.
    """
    tool_is_limit = figures.result.tool_busy > TOOL_BUSY_MAX
    verdicts = []
    for name, kind in _KINDS.items():
        limit = getattr(objectives, name)
        if limit is None:
            continue
        figure = kind.figure(figures)
        judgement = "not judged" if tool_is_limit else _judgement(figure, limit, at_least=kind.at_least)
        verdicts.append(Verdict(name, kind.says, limit, kind.at_least, figure, judgement))
    return (*verdicts, _payloads(figures.result))


def outcome_of(verdicts: tuple[Verdict, ...], result: EngineResult, failure: str | None) -> Outcome:
    """Say how the run as a whole ended; `failure` is why it could not be completed."""
    if failure is not None or result.error is not None:
        return "failed"
    if result.aborted:
        return "aborted"
    if any(one.judgement == "missed" for one in verdicts):
        return "missed"
    if result.tool_busy > TOOL_BUSY_MAX:
        return "tool was the limit"
    return "met" if all(one.judgement == "met" for one in verdicts) else "missed"


def needs_server_figures(objectives: Objectives) -> bool:
    """Say whether an objective is about the server's use of its machine."""
    return objectives.server_cpu_cores is not None or objectives.server_memory_mb is not None


def success_ratio(result: EngineResult) -> float | None:
    """Give the share of joins that succeeded of those that were tried; none when nobody came."""
    tried = [one for one in result.joins if was_tried(one)]
    return sum(one.ok for one in tried) / len(tried) if tried else None


def loss_ratio(result: EngineResult) -> float | None:
    """Give the share of expected packets that never came; none when none was expected."""
    return result.packets_lost / result.packets_expected if result.packets_expected else None


def worst_of(
    result: EngineResult,
    figure: Callable[[FaithfulViewer], float | None],
    choose: Callable[[Iterable[float]], float],
) -> float | None:
    """Give the worst viewer's figure of those who really decode; none when one of them has none."""
    values = [figure(one) for one in result.faithful]
    known = [value for value in values if value is not None]
    return choose(known) if known and len(known) == len(values) else None


def _judgement(figure: float | None, limit: float, *, at_least: bool) -> Judgement:
    if figure is None:
        return "not measured"
    return "met" if (figure >= limit if at_least else figure <= limit) else "missed"


def _payloads(result: EngineResult) -> Verdict:
    wrong = result.payload_errors
    says = "packets with wrong content"
    return Verdict(
        "payload_errors",
        says,
        0,
        at_least=False,
        figure=wrong,
        judgement=_judgement(wrong, 0, at_least=False),
    )


_KINDS = {
    "join_success_ratio": _Kind("joins that succeed", lambda f: success_ratio(f.result), at_least=True),
    "join_p95_ms": _Kind("join, 95th percentile", lambda f: percentile(map(join_ms, f.result.joins), 0.95)),
    "first_video_p95_ms": _Kind(
        "first video packet, 95th percentile",
        lambda f: percentile(map(first_video_ms, f.result.joins), 0.95),
    ),
    "loss_ratio": _Kind("packets lost", lambda f: loss_ratio(f.result)),
    "latency_p50_ms": _Kind("one-way latency, median", lambda f: f.result.latency.percentile(0.5)),
    "latency_p99_ms": _Kind("one-way latency, 99th percentile", lambda f: f.result.latency.percentile(0.99)),
    "decoded_fps": _Kind(
        "pictures decoded a second",
        lambda f: worst_of(f.result, lambda v: v.frames_per_second, min),
        at_least=True,
    ),
    "freeze_ratio": _Kind("time frozen", lambda f: worst_of(f.result, lambda v: v.freeze_ratio, max)),
    "pictures_read_ratio": _Kind(
        "pictures with a whole watermark",
        lambda f: worst_of(f.result, lambda v: v.pictures_read_ratio, min),
        at_least=True,
    ),
    "end_to_end_p99_ms": _Kind(
        "camera to decoded picture, 99th percentile",
        lambda f: worst_of(f.result, lambda v: v.end_to_end_p99_ms, max),
    ),
    "server_cpu_cores": _Kind("server CPU, mean", lambda f: f.server.cpu_cores),
    "server_memory_mb": _Kind("server memory, highest", lambda f: f.server.memory_mb),
}
