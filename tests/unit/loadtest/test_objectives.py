"""Each objective is held against what was measured, and a busy tool blames nobody."""

from typing import Any

import pytest

from loadtest.joins import percentile, stage_ms
from loadtest.objectives import Figures, Verdict, judge, needs_server_figures, outcome_of
from loadtest.results import EngineResult, Histogram
from loadtest.scenario_parts import Objectives
from loadtest.server_figures import ServerUse
from tests.support.load_engine import BOUNDS, join, result, viewer

NOT_SEEN = ServerUse(None, None)


def verdicts(
    limits: dict[str, float], measured: EngineResult | None = None, server: ServerUse = NOT_SEEN
) -> dict[str, Verdict]:
    objectives = Objectives.model_validate({"join_success_ratio": None, **limits})
    return {one.name: one for one in judge(objectives, Figures(measured or result(), server))}


@pytest.mark.parametrize(
    ("name", "figure", "fields"),
    [
        ("join_p95_ms", 30.0, {"joins": (join(at=10.0), join(at=7.0))}),
        ("first_video_p95_ms", 50.0, {"joins": (join(at=10.0), join(at=7.0))}),
        ("loss_ratio", 0.02, {"packets_expected": 1000, "packets_lost": 20}),
        ("latency_p50_ms", 0.5, {"latency": Histogram(BOUNDS, (1, 8, 1, 0, 0, 0, 0, 0))}),
        ("latency_p99_ms", 16.0, {"latency": Histogram(BOUNDS, (98, 0, 0, 0, 0, 0, 2, 0))}),
    ],
)
def test_a_limit_is_met_when_the_figure_reaches_it_and_missed_when_it_is_above(
    name: str, figure: float, fields: dict[str, Any]
) -> None:
    met = verdicts({name: figure}, result(**fields))[name]
    assert met.figure == pytest.approx(figure)
    assert met.judgement == "met"
    assert verdicts({name: figure * 0.99}, result(**fields))[name].judgement == "missed"


def test_joins_must_succeed_at_least_as_often_as_asked_for() -> None:
    nine = result(joins=(*(join() for _ in range(9)), join(ok=False, error="refused")))
    assert verdicts({"join_success_ratio": 0.9}, nine)["join_success_ratio"].judgement == "met"
    assert verdicts({"join_success_ratio": 0.91}, nine)["join_success_ratio"].judgement == "missed"


def test_who_did_not_come_before_the_run_was_stopped_did_not_fail() -> None:
    absent = join(ok=False, signalling_ms=None)
    stopped = result(joins=(join(), absent, join(ok=False, error="refused", signalling_ms=None)))
    assert verdicts({"join_success_ratio": 0.5}, stopped)["join_success_ratio"].figure == 0.5


def test_the_server_is_held_to_its_use_of_the_machine() -> None:
    found = verdicts({"server_cpu_cores": 0.5, "server_memory_mb": 80}, server=ServerUse(0.4, 90.0))
    assert [found[name].judgement for name in ("server_cpu_cores", "server_memory_mb")] == ["met", "missed"]


def test_only_what_was_set_is_judged_and_payloads_always() -> None:
    assert list(verdicts({"loss_ratio": 0.1})) == ["loss_ratio", "payload_errors"]


def test_latency_beyond_the_last_bound_misses_every_limit() -> None:
    late = result(latency=Histogram(BOUNDS, (0, 0, 0, 0, 0, 0, 0, 5)))
    assert verdicts({"latency_p50_ms": 1e6}, late)["latency_p50_ms"].judgement == "missed"


def test_of_faithful_viewers_the_worst_is_judged() -> None:
    worse = viewer(frames_per_second=20.0, freeze_ratio=0.2, pictures_read_ratio=0.9, end_to_end_p99_ms=90.0)
    limits = {
        "decoded_fps": 25.0,
        "freeze_ratio": 0.1,
        "pictures_read_ratio": 0.95,
        "end_to_end_p99_ms": 80.0,
    }
    for viewers, said in (((viewer(),), "met"), ((viewer(), worse), "missed")):
        found = verdicts(limits, result(faithful=viewers))
        assert [found[name].judgement for name in limits] == [said] * 4


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("join_success_ratio", {"joins": ()}),
        ("join_p95_ms", {"joins": (join(ok=False),)}),
        ("loss_ratio", {"packets_expected": 0}),
        ("latency_p50_ms", {"latency": Histogram(BOUNDS, (0,) * 8)}),
        ("server_cpu_cores", {}),
        ("decoded_fps", {}),
        ("pictures_read_ratio", {"faithful": (viewer(), viewer(pictures_read_ratio=None))}),
        ("end_to_end_p99_ms", {"faithful": (viewer(), viewer(end_to_end_p99_ms=None))}),
    ],
)
def test_what_could_not_be_measured_is_not_met(name: str, fields: dict[str, Any]) -> None:
    found = verdicts({name: 1.0}, result(**fields))
    assert found[name].judgement == "not measured"
    assert outcome_of(tuple(found.values()), result(**fields), None) == "missed"


def test_a_busy_tool_blames_nobody() -> None:
    busy = result(tool_busy=0.81, packets_lost=5000)
    found = verdicts({"loss_ratio": 0.001, "join_p95_ms": 1000}, busy)
    assert [found[name].judgement for name in ("loss_ratio", "join_p95_ms")] == ["not judged"] * 2
    assert outcome_of(tuple(found.values()), busy, None) == "tool was the limit"


def test_at_four_fifths_the_tool_is_not_yet_the_limit() -> None:
    found = verdicts({"loss_ratio": 0.001}, result(tool_busy=0.8))
    assert outcome_of(tuple(found.values()), result(tool_busy=0.8), None) == "met"


def test_wrong_payloads_count_even_when_the_tool_was_busy() -> None:
    wrong = result(tool_busy=0.95, payload_errors=1)
    found = verdicts({}, wrong)
    assert found["payload_errors"].judgement == "missed"
    assert outcome_of(tuple(found.values()), wrong, None) == "missed"


@pytest.mark.parametrize(
    ("fields", "failure", "outcome"),
    [
        ({}, None, "met"),
        ({"aborted": True}, None, "aborted"),
        ({"aborted": True}, "the server has gone", "failed"),
        ({"error": "no sockets left"}, None, "failed"),
    ],
)
def test_a_run_that_was_not_completed_is_never_met(
    fields: dict[str, Any], failure: str | None, outcome: str
) -> None:
    measured = result(**fields)
    assert outcome_of(tuple(verdicts({}, measured).values()), measured, failure) == outcome


def test_objectives_for_the_server_are_known_to_need_its_figures() -> None:
    assert needs_server_figures(Objectives(server_memory_mb=80.0))
    assert needs_server_figures(Objectives(server_cpu_cores=1.0))
    assert not needs_server_figures(Objectives(loss_ratio=0.1))


def test_the_stages_of_a_join_are_what_each_added() -> None:
    split = stage_ms(join(at=10.0))
    assert split == {"signalling": 10, "ICE": 10, "DTLS": 10, "first audio": 10, "first video": 20}


def test_who_comes_first_waits_for_a_picture_only_from_when_there_is_one() -> None:
    early = join(dtls_ms=30.0, first_video_ms=5_040.0, video_offered_ms=5_000.0)
    assert stage_ms(early)["first video"] == 40
    found = verdicts({"first_video_p95_ms": 50}, result(joins=(early,)))["first_video_p95_ms"]
    assert (found.figure, found.judgement) == (40, "met")


def test_a_stage_that_was_not_reached_has_no_time() -> None:
    split = stage_ms(join(at=10.0, dtls_ms=None, first_audio_ms=None))
    assert (split["DTLS"], split["first audio"], split["first video"]) == (None, None, None)


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([5, None, 1, 3], 0.5) == 3
    assert percentile(range(1, 101), 0.95) == 95
    assert percentile([None], 0.5) is None
