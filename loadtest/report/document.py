"""The report as data: everything that was measured and everything that is needed to measure it again."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from loadtest.report.key_figures import key_figures
from loadtest.server_figures import by_second

if TYPE_CHECKING:
    from collections.abc import Mapping

    from loadtest.run import RunRecord, StageRecord

FORMAT = 1
"""Rises when a field changes its meaning or goes."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What was around a run: its texts, its server and its machine."""

    scenario_text: str
    url: str
    began: str
    """Date and time, ISO 8601."""
    machine: Mapping[str, str]


def document(record: RunRecord, around: Circumstances) -> dict[str, Any]:
    """Give what goes into report.json; a figure beyond every bound, or not measured, is null."""
    made: dict[str, Any] = _finite(
        {
            "format": FORMAT,
            "outcome": record.outcome,
            "failure": record.failure,
            "partial": is_partial(record),
            "most_met": record.most_met,
            "title": record.scenario.title,
            "kind": record.scenario.kind,
            "seed": record.seed,
            "began": around.began,
            "url": around.url,
            "machine": dict(around.machine),
            "scenario": around.scenario_text,
            "stages": [_stage(one) for one in record.stages],
        }
    )
    return made


def is_partial(record: RunRecord) -> bool:
    """Say whether the run did not come to its end."""
    return record.outcome in {"aborted", "failed"}


def _stage(record: StageRecord) -> dict[str, Any]:
    return {
        "label": record.stage.label,
        "people": record.stage.people,
        "outcome": record.outcome,
        "failure": record.failure,
        "warm_up_seconds": record.plan.warm_up_seconds,
        "seconds": record.plan.seconds,
        "objectives": [asdict(one) for one in record.verdicts],
        "figures": {one.name: one.value for one in key_figures(record)},
        "result": asdict(record.result),
        "server": [asdict(one) for one in by_second(record.samples)],
    }


def _finite(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {key: _finite(one) for key, one in value.items()}
        case list() | tuple():
            return [_finite(one) for one in value]
        case _:
            return value
