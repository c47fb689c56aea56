"""The figures of one stage: each a plot, what it shows in words, and the table of the same values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loadtest.joins import STAGES, join_ms, percentile, stage_ms, was_tried
from loadtest.plan import FAITHFUL
from loadtest.report.markup import Markup, tag
from loadtest.report.numbers import NONE, number, percent
from loadtest.report.plots import Series, Text, bar_plot, column_plot, legend, line_plot
from loadtest.report.thinning import coarse, rates, thinned
from loadtest.server_figures import by_second

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from loadtest.results import FaithfulViewer, Histogram, Second
    from loadtest.run import StageRecord


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot and its table."""

    id: str
    title: str
    note: str
    """How to read it, one sentence."""
    legend: Markup
    plot: Markup | None
    """None where nothing was measured."""
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def figures_of(record: StageRecord, prefix: str) -> Iterator[Figure]:
    """Give the figures in the order in which they are read; `prefix` keeps the ids of stages apart."""
    seconds = thinned(record.result.seconds)
    warm_up = record.plan.warm_up_seconds
    yield _latency(seconds, warm_up, f"{prefix}latency")
    yield _latencies(record.result.latency, f"{prefix}latencies")
    yield _loss(seconds, warm_up, f"{prefix}loss")
    yield _packets(seconds, warm_up, f"{prefix}packets")
    yield _joins(record, f"{prefix}joins")
    yield _layers(record, f"{prefix}layers")
    if record.result.faithful:
        yield _faithful(record, f"{prefix}faithful")
    yield from _server(record, prefix)


def _latency(seconds: Sequence[Second], warm_up: float, id_: str) -> Figure:
    p50 = Series("median", [one.latency_p50_ms for one in seconds])
    p99 = Series("99th percentile", [one.latency_p99_ms for one in seconds])
    return _over_time(
        id_,
        "One-way latency over time",
        "From when a packet was sent until the receiver's kernel had it, through the server.",
        [one.at for one in seconds],
        (p50, p99),
        unit="ms",
        warm_up=warm_up,
    )


def _loss(seconds: Sequence[Second], warm_up: float, id_: str) -> Figure:
    at = [one.at for one in seconds]
    ratio = Series("lost", [one.lost / one.expected if one.expected else None for one in seconds])
    figure = _over_time(
        id_, "Loss over time", "Share of the packets expected in each second that never came.", at,
        (Series("lost, %", [None if value is None else value * 100 for value in ratio.values]),),
        unit="%", warm_up=warm_up,
    )  # fmt: skip
    rows = tuple(
        (number(one.at), number(one.expected), number(one.lost), percent(share))
        for one, share in zip(seconds, ratio.values, strict=True)
    )
    return Figure(
        figure.id, figure.title, figure.note, figure.legend, figure.plot,
        ("second", "expected", "lost", "share"), rows,
    )  # fmt: skip


def _packets(seconds: Sequence[Second], warm_up: float, id_: str) -> Figure:
    at = [one.at for one in seconds]
    return _over_time(
        id_,
        "Packets per second",
        "What senders gave to the server, and what came out for all receivers together.",
        at,
        (
            Series("received", rates([one.received for one in seconds], at)),
            Series("sent", rates([one.sent for one in seconds], at)),
            Series("expected", rates([one.expected for one in seconds], at)),
        ),
        unit="packets/s",
        warm_up=warm_up,
    )


def _server(record: StageRecord, prefix: str) -> Iterator[Figure]:
    seen = by_second(record.samples)
    at = [one.at for one in seen]
    warm_up = record.plan.warm_up_seconds
    yield _over_time(
        f"{prefix}cpu", "Server CPU", "CPU time of the server's process; 1 is one core used up.", at,
        (Series("cores", [one.cpu_cores for one in seen]),), unit="cores", warm_up=warm_up,
    )  # fmt: skip
    yield _over_time(
        f"{prefix}memory", "Server memory", "Resident memory of the server's process.", at,
        (Series("MB", [one.memory_mb for one in seen]),), unit="MB", warm_up=warm_up,
    )  # fmt: skip


def _over_time(
    id_: str,
    title: str,
    note: str,
    at: Sequence[float],
    series: Sequence[Series],
    *,
    unit: str,
    warm_up: float,
) -> Figure:
    says = "; ".join(_range(one, unit) for one in series)
    text = Text(id_, title, f"{says}.")
    known = any(value is not None for one in series for value in one.values)
    plot = line_plot(text, at, series, x_unit="seconds", unit=unit, warm_up=warm_up) if known else None
    columns = zip(*(one.values for one in series), strict=True)
    rows = tuple((number(when), *map(number, values)) for when, values in zip(at, columns, strict=True))
    return Figure(id_, title, note, legend(series), plot, ("second", *(one.name for one in series)), rows)


def _range(series: Series, unit: str) -> str:
    known = [value for value in series.values if value is not None]
    if not known:
        return f"{series.name}: nothing measured"
    return f"{series.name}: {number(min(known))} to {number(max(known))} {unit}"


def _latencies(histogram: Histogram, id_: str) -> Figure:
    title = "One-way latency, all packets"
    total, columns = sum(histogram.counts), coarse(histogram)
    labels = ["more" if math.isinf(bound) else number(bound) for bound, _ in columns]
    p50, p99 = (number(histogram.percentile(share)) for share in (0.5, 0.99))
    text = Text(id_, title, f"Half of all packets took at most {p50} ms, 99 % at most {p99} ms.")
    sofar, rows = 0, []
    for label, (_, count) in zip(labels, columns, strict=True):
        sofar += count
        rows.append((label, f"{count:,}", percent(count / total), percent(sofar / total)))
    shares = [count / total * 100 for _, count in columns]
    plot = column_plot(text, labels, shares, x_unit="up to ms", unit="%") if columns else None
    heads = ("up to ms", "packets", "share", "so far")
    return Figure(id_, title, text.says if columns else "", Markup(""), plot, heads, tuple(rows))


def _joins(record: StageRecord, id_: str) -> Figure:
    title = "Join time by stage"
    tried = [one for one in record.result.joins if was_tried(one)]
    joins = [one for one in tried if one.ok]
    stages = {stage: [stage_ms(one)[stage] for one in joins] for stage in STAGES}
    stages["until media can flow"] = [join_ms(one) for one in joins]
    seen = {name: values for name, values in stages.items() if any(value is not None for value in values)}
    series = [
        Series("median", [percentile(values, 0.5) for values in seen.values()]),
        Series("95th percentile", [percentile(values, 0.95) for values in seen.values()]),
    ]
    failed = len(tried) - len(joins)
    text = Text(id_, title, f"{len(joins)} people joined, {failed} could not.")
    rows = tuple(
        (
            name,
            str(sum(value is not None for value in values)),
            *(number(percentile(values, share)) for share in (0.5, 0.95, 1.0)),
        )
        for name, values in stages.items()
    )
    note = f"{text.says} Each stage by itself; the first packets are counted from when media can flow."
    plot = bar_plot(text, list(seen), series, unit="ms") if seen else None
    heads = ("stage", "joins", "median, ms", "95th, ms", "longest, ms")
    return Figure(id_, title, note, legend(series, bars=True), plot, heads, rows)


def _layers(record: StageRecord, id_: str) -> Figure:
    title = "Layers"
    layers = record.result.layer_seconds
    total = sum(layers.values())
    shares = [value / total if total else 0.0 for value in layers.values()]
    most = max(layers, key=layers.__getitem__, default=NONE)
    text = Text(id_, title, f"Most of the time {most} was received.")
    plot = bar_plot(text, list(layers), [Series("share", shares)], unit="%") if total else None
    rows = tuple(
        (name, number(value), percent(share))
        for (name, value), share in zip(layers.items(), shares, strict=True)
    )
    note = "How long receivers had each layer of the videos, all receivers together."
    return Figure(id_, title, note, Markup(""), plot, ("layer", "seconds", "share"), rows)


def _faithful(record: StageRecord, id_: str) -> Figure:
    title = "Faithful viewers"
    viewers = record.result.faithful
    names = [f"viewer {one.identity.removeprefix(FAITHFUL)}" for one in viewers]
    series = [
        Series("median", [one.end_to_end_p50_ms for one in viewers]),
        Series("99th percentile", [one.end_to_end_p99_ms for one in viewers]),
    ]
    known = any(value is not None for one in series for value in one.values)
    frozen = sum(one.freezes for one in viewers)
    text = Text(id_, title, f"{len(viewers)} viewers really decoded; their pictures froze {frozen} times.")
    # A column for each: they are few, and have much to tell.
    figures: dict[str, Callable[[FaithfulViewer], str]] = {
        "pictures a second": lambda one: number(one.frames_per_second),
        "freezes": lambda one: str(one.freezes),
        "time frozen": lambda one: percent(one.freeze_ratio),
        "watermarks whole": lambda one: percent(one.pictures_read_ratio),
        "median, ms": lambda one: number(one.end_to_end_p50_ms),
        "99th, ms": lambda one: number(one.end_to_end_p99_ms),
        "error": lambda one: one.error or "none",
    }
    rows = tuple((what, *map(say, viewers)) for what, say in figures.items())
    note = f"{text.says} The bars are the time from the camera to the decoded picture."
    plot = bar_plot(text, names, series, unit="ms") if known else None
    heads = ("figure", *names)
    return Figure(id_, title, note, legend(series, bars=True), plot, heads, rows)


def table(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, scrolls: bool = False
) -> Markup:
    """Give a table whose first column names the rows; one that scrolls can be reached by keyboard."""
    head = tag("tr", *(tag("th", one, scope="col") for one in heads))
    body = [
        tag("tr", tag("th", first, scope="row"), *(tag("td", one) for one in rest)) for first, *rest in rows
    ]
    made = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *body))
    if not scrolls:
        return made
    return tag("div", made, class_="scrolls", tabindex="0", role="region", aria_label=caption)
