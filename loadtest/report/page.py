"""The report as one HTML page that needs nothing from elsewhere."""

from __future__ import annotations

from collections import Counter
from importlib import resources
from typing import TYPE_CHECKING

from loadtest.joins import was_tried
from loadtest.planning import most_at_once
from loadtest.report import words
from loadtest.report.figures import Figure, figures_of, table
from loadtest.report.key_figures import key_figures
from loadtest.report.markup import Markup, tag
from loadtest.report.numbers import number, percent, with_unit
from loadtest.report.plots import Series, Text, legend, line_plot
from loadtest.server_figures import use_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loadtest.report.document import Circumstances
    from loadtest.run import RunRecord, StageRecord

_REASONS_MAX = 20
_MARKS = {
    "met": "✓ met",
    "missed": "✗ missed",
    "not measured": "? not measured",
    "not judged": "— not judged",
}


def page(record: RunRecord, around: Circumstances) -> str:
    """Write the page."""
    style = resources.files("loadtest.report").joinpath("style.css").read_text(encoding="utf-8")
    title = f"Load test: {record.scenario.title}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("style", Markup(style)),
    )
    body = tag("body", tag("main", *_parts(record, around, title)))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _parts(record: RunRecord, around: Circumstances, title: str) -> Iterator[str]:
    last = record.stages[-1]
    yield tag("h1", title)
    yield tag("p", record.scenario.about) if record.scenario.about else ""
    yield tag("p", f"{around.began} · {around.url} · seed {record.seed}", class_="quiet")
    yield tag(
        "section",
        tag("h2", words.headline(record)),
        tag("p", explained) if (explained := words.explanation(record)) else "",
        class_=f"card outcome {record.outcome.split(' ', maxsplit=1)[0]}",
    )
    yield from _verdicts(last)
    if len(record.stages) > 1:
        yield from _ramp(record.stages)
    for stage in _shown(record):
        yield from _stage(stage, f"stage-{stage.stage.people}-" if stage.stage.label else "")
    yield tag("h2", "What was run, and where")
    yield tag("div", table("Facts", ("fact", "value"), _facts(record, around)), class_="card facts")
    yield tag("h3", "Scenario")
    yield tag("div", tag("pre", around.scenario_text, tabindex="0"), class_="card")


def _verdicts(stage: StageRecord) -> Iterator[str]:
    label = f" with {stage.stage.label}" if stage.stage.label else ""
    heads = ("objective", "wanted", "measured", "verdict")
    head = tag("tr", *(tag("th", one, scope="col") for one in heads))
    body = [
        tag(
            "tr",
            tag("th", one.says, scope="row"),
            tag("td", words.wanted(one)),
            tag("td", words.measured(one)),
            tag("td", _MARKS[one.judgement], class_=one.judgement.split(" ", maxsplit=1)[0]),
        )
        for one in stage.verdicts
    ]
    made = tag("table", tag("caption", f"Objectives{label}"), tag("thead", head), tag("tbody", *body))
    yield tag("div", made, class_="card verdicts")


def _ramp(stages: Sequence[StageRecord]) -> Iterator[str]:
    people = [float(one.stage.people) for one in stages]
    p99 = Series("latency, 99th", [one.result.latency.percentile(0.99) for one in stages])
    text = Text("ramp", "Stages of the ramp", f"From {number(people[0])} to {number(people[-1])}.")
    unit = stages[0].stage.label.partition(" ")[2]
    rows = []
    for one in stages:
        found = {figure.name: with_unit(figure.value, figure.unit) for figure in key_figures(one)}
        rows.append(
            (
                one.stage.label,
                *(
                    found[name]
                    for name in ("latency_p99_ms", "loss_ratio", "join_p95_ms", "server_cpu_cores")
                ),
                one.outcome,
            )
        )
    heads = ("stage", "latency, 99th", "lost", "join, 95th", "CPU", "outcome")
    plot = line_plot(text, people, [p99], x_unit=unit, unit="ms")
    yield tag("h2", "Stages")
    note = "99th percentile of the one-way latency in each stage."
    yield _figure(Figure("ramp", text.title, note, legend([p99]), plot, heads, tuple(rows)))


def _shown(record: RunRecord) -> list[StageRecord]:
    """Give the stages worth their figures: the last that was met, and where it ended."""
    met = [one for one in record.stages[:-1] if one.outcome == "met"]
    return [*met[-1:], record.stages[-1]]


def _stage(stage: StageRecord, prefix: str) -> Iterator[str]:
    yield tag("h2", f"Figures with {stage.stage.label}" if stage.stage.label else "Figures")
    yield tag(
        "dl",
        *(
            tag("div", tag("dt", one.says), tag("dd", with_unit(one.value, one.unit)))
            for one in key_figures(stage)
        ),
        class_="key",
    )
    for figure in figures_of(stage, prefix):
        yield _figure(figure)
    reasons = Counter(
        one.error or "no reason given" for one in stage.result.joins if was_tried(one) and not one.ok
    )
    if reasons:
        rows = [(reason, f"{count:,}") for reason, count in reasons.most_common(_REASONS_MAX)]
        yield tag("div", table("Joins that failed, by reason", ("reason", "joins"), rows), class_="card")


def _figure(figure: Figure) -> Markup:
    caption = tag(
        "figcaption",
        tag("h3", figure.title),
        tag("p", figure.note, class_="note") if figure.note else "",
        figure.legend,
    )
    if figure.plot is None:
        return tag("figure", caption, tag("p", "Nothing was measured.", class_="quiet"))
    beside = table(f"{figure.title}: values", figure.heads, figure.rows, scrolls=True)
    return tag("figure", caption, tag("div", figure.plot, beside))


def _facts(record: RunRecord, around: Circumstances) -> list[tuple[str, str]]:
    last = record.stages[-1]
    result, use = last.result, use_of(last.samples, since=last.plan.warm_up_seconds)
    return [
        ("scenario", f"{record.scenario.title} ({record.scenario.kind})"),
        ("pictures sent", words.pictures(record.scenario)),
        ("seed", str(record.seed)),
        ("began", around.began),
        ("server", around.url),
        ("people at one time", number(most_at_once(last.plan))),
        (
            "warm-up and measured part",
            f"{number(last.plan.warm_up_seconds)} s, {number(last.plan.seconds)} s",
        ),
        ("server figures", "none: no --server-pid and no --admin-url" if use.memory_mb is None else "yes"),
        ("load tester busy", f"{percent(result.tool_busy)} of a core"),
        ("packets sent", number(result.packets_sent)),
        ("packets expected", number(result.packets_expected)),
        ("packets received", number(result.packets_received)),
        ("packets that came twice", number(result.duplicates)),
        ("payloads checked", f"{result.payloads_checked:,}, of them wrong: {result.payload_errors:,}"),
        *around.machine.items(),
    ]
