"""Runs as if they had been carried out, for tests of what is made of them."""

from typing import Any

from loadtest.objectives import Figures, judge, outcome_of
from loadtest.planning import Stage, plan, stages
from loadtest.results import EngineResult
from loadtest.run import RunRecord, StageRecord
from loadtest.scenario_file import parse_scenario
from loadtest.server_figures import ServerSample, use_of
from tests.support.load_engine import result

SCENARIO = """kind = "consultations"
title = "Pairs & <others>"
about = "Two pairs."
pairs = 2
fill_per_second = 4
settle_seconds = 1
seconds = 8

[objectives]
join_p95_ms = 300
loss_ratio = 0.01
"""
RAMP = """kind = "ramp"
title = "More and more"
of = "consultations"
start = 2
step = 2
most = 8
"""
SAMPLES = tuple(ServerSample(float(at), at * 0.5, 50e6 + at * 1e6) for at in range(11))


def stage_record(
    stage: Stage,
    measured: EngineResult | None = None,
    *,
    samples: tuple[ServerSample, ...] = SAMPLES,
    failure: str | None = None,
) -> StageRecord:
    """Give a stage with these results; good ones if there are none."""
    found, planned = measured or result(), plan(stage.scenario, 1)
    use = use_of(samples, since=planned.warm_up_seconds)
    verdicts = judge(stage.scenario.objectives, Figures(found, use))
    return StageRecord(
        stage, planned, found, samples, verdicts, outcome_of(verdicts, found, failure), failure
    )


def run_record(measured: EngineResult | None = None, text: str = SCENARIO, **fields: Any) -> RunRecord:
    """Give a run of one stage."""
    scenario = parse_scenario(text, "s.toml")
    record = stage_record(next(stages(scenario)), measured, **fields)
    return RunRecord(scenario, 5, (record,), record.outcome, record.failure, None)


def ramp_record(*results: EngineResult) -> RunRecord:
    """Give a ramp with a stage for each of these results."""
    scenario = parse_scenario(RAMP, "s.toml")
    records = tuple(stage_record(stage, one) for stage, one in zip(stages(scenario), results, strict=False))
    met = [one.stage.people for one in records if one.outcome == "met"]
    return RunRecord(scenario, 5, records, "met" if met else "missed", None, max(met, default=None))
