"""What verdicts are called, on the page and on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loadtest.objectives import TOOL_BUSY_MAX
from loadtest.plan import LAYERED
from loadtest.report.numbers import percent, with_unit
from loadtest.scenario import Filmed

if TYPE_CHECKING:
    from loadtest.objectives import Verdict
    from loadtest.run import RunRecord
    from loadtest.scenario import Scenario

_UNITS = {"ratio": "%", "ms": "ms", "cores": "cores", "mb": "MB", "fps": "/s"}


def headline(record: RunRecord) -> str:
    """Say in a few words how it ended."""
    match record.outcome:
        case "met" if record.most_met is not None:
            return f"Every objective was met with up to {_grown(record)}"
        case "met":
            return "Every objective was met"
        case "missed":
            return "An objective was missed"
        case "tool was the limit":
            return "The load tester was the limit: the server is not judged"
        case "aborted":
            return "Stopped early: this report is partial"
        case "failed":
            return "The run failed: this report is partial"


def explanation(record: RunRecord) -> str:
    """Say what follows from it, in a sentence."""
    match record.outcome:
        case "failed":
            return _sentence(record.failure or "")
        case "tool was the limit":
            busy, limit = percent(record.stages[-1].result.tool_busy), percent(TOOL_BUSY_MAX)
            return (
                f"It was busy for {busy} of a core; over {limit} it makes loss and delay itself. "
                "Give it more cores, or a scenario with less load."
            )
        case "aborted":
            return "It was interrupted; the figures are those until then."
        case "met" if record.stages[-1].outcome == "missed":
            return f"With {record.stages[-1].stage.label} one was missed."
        case "missed":
            lacking = [one for one in record.stages[-1].verdicts if one.judgement != "met"]
            return _sentence(
                "; ".join(f"{one.says}: {measured(one)}, wanted {wanted(one)}" for one in lacking)
            )
        case "met":
            return ""


def pictures(scenario: Scenario) -> str:
    """Say what cameras send."""
    if not isinstance(scenario, Filmed) or "video" not in scenario.sends:
        return "none"
    video = scenario.video
    what = f"{video.codec.upper()} {'of a clip' if video.source == 'clip' else 'of invented bytes'}"
    if video.codec in LAYERED:
        spatial = {1: "", 2: "two spatial and ", 3: "three spatial and "}[len(video.encodings)]
        what += f", {spatial}three temporal layers"
    if video.packets_per_frame is not None:
        return f"{what}: {video.packets_per_frame} packets of {video.packet_bytes} bytes"
    sizes = (f"{one.width}x{one.height} at {one.kilobits_per_second:,} kb/s" for one in video.encodings)
    return f"{what}: {', '.join(sizes)}"


def wanted(verdict: Verdict) -> str:
    """Say what an objective asks for."""
    how = "at least" if verdict.at_least else "at most"
    return "none" if verdict.limit == 0 else f"{how} {with_unit(verdict.limit, _unit(verdict.name))}"


def measured(verdict: Verdict) -> str:
    """Say what was measured."""
    return with_unit(verdict.figure, _unit(verdict.name))


def _unit(name: str) -> str:
    return _UNITS.get(name.rpartition("_")[2], "")


def _grown(record: RunRecord) -> str:
    met = [one.stage for one in record.stages if one.stage.people == record.most_met]
    return met[0].label if met else str(record.most_met)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
