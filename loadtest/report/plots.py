"""Plots as SVG: lines, columns and lying bars.

All colours are classes of the page's style, so that they follow light and dark. Lines differ by their dashes
too, never by colour alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

from loadtest.report.markup import Markup, tag
from loadtest.report.numbers import number, ticks, with_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_WIDTH, _HEIGHT = 640.0, 250.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 58.0, 14.0, 24.0, 40.0
_BAR, _BAR_GAP, _ROW_GAP, _LABEL_WIDTH = 13.0, 2.0, 14.0, 150.0
_MOST_LABELS = 10


@dataclass(frozen=True, slots=True)
class Series:
    """One line: a value, or none, for each place on the x axis."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Text:
    """What a plot is called, for those who see it and for those who hear it."""

    id: str
    title: str
    says: str
    """What can be seen, in a sentence."""


def line_plot(
    text: Text, x: Sequence[float], series: Sequence[Series], *, x_unit: str, unit: str, warm_up: float = 0
) -> Markup:
    """Draw lines over `x`; the part up to `warm_up` has another ground."""
    top = max((value for one in series for value in one.values if _is_drawn(value)), default=0.0)
    scale, across = ticks(top), _x_ticks(x)
    last = max(x, default=1.0) or 1.0

    def place(at: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * at / last

    def height(value: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * value / scale[-1]

    parts: list[str] = []
    if warm_up > 0 and x:
        wide = place(min(warm_up, last)) - _LEFT
        parts.append(
            tag("rect", x=_LEFT, y=_TOP, width=wide, height=_HEIGHT - _TOP - _BOTTOM, class_="warm-up")
        )
        if wide > 60:
            parts.append(tag("text", "warm-up", x=_LEFT + 6, y=_TOP + 14, class_="quiet"))
    parts += _grid(scale, height, unit)
    for at in across:
        parts.append(tag("text", number(at), x=place(at), y=_HEIGHT - _BOTTOM + 18, text_anchor="middle"))
    parts.append(tag("text", x_unit, x=_WIDTH - _RIGHT, y=_HEIGHT - 6, text_anchor="end", class_="quiet"))
    for n, one in enumerate(series, 1):
        for run in _unbroken(x, one.values):
            points = " ".join(f"{place(at):.1f},{height(value):.1f}" for at, value in run)
            if len(run) == 1:
                parts.append(
                    tag("circle", cx=place(run[0][0]), cy=height(run[0][1]), r=3, class_=f"dot s{n}")
                )
            else:
                parts.append(tag("polyline", points=points, class_=f"line s{n}"))
    return _svg(text, _HEIGHT, *parts)


def column_plot(
    text: Text, labels: Sequence[str], values: Sequence[float], *, x_unit: str, unit: str
) -> Markup:
    """Draw a column for each label."""
    scale = ticks(max(values, default=0.0))
    wide = (_WIDTH - _LEFT - _RIGHT) / max(1, len(values))

    def height(value: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * value / scale[-1]

    parts = _grid(scale, height, unit)
    every = -(-len(labels) // _MOST_LABELS) or 1
    for n, (label, value) in enumerate(zip(labels, values, strict=True)):
        left = _LEFT + n * wide
        if value > 0:
            # What is there at all can be seen.
            high = max(1.0, height(0) - height(value))
            x, y = left + wide * 0.08, height(0) - high
            parts.append(tag("rect", x=x, y=y, width=wide * 0.84, height=high, class_="bar s1"))
        if n % every == 0:
            parts.append(
                tag("text", label, x=left + wide / 2, y=_HEIGHT - _BOTTOM + 18, text_anchor="middle")
            )
    parts.append(tag("text", x_unit, x=_WIDTH - _RIGHT, y=_HEIGHT - 6, text_anchor="end", class_="quiet"))
    return _svg(text, _HEIGHT, *parts)


def bar_plot(text: Text, labels: Sequence[str], series: Sequence[Series], *, unit: str) -> Markup:
    """Draw a group of lying bars for each label, one for each series, each with its figure."""
    top = max((value for one in series for value in one.values if value is not None), default=0.0) or 1.0
    room = _WIDTH - _LABEL_WIDTH - 90
    parts: list[str] = []
    y = 8.0
    for row, label in enumerate(labels):
        middle = y + len(series) * (_BAR + _BAR_GAP) / 2 + 4
        parts.append(tag("text", label, x=_LABEL_WIDTH - 10, y=middle, text_anchor="end"))
        for n, one in enumerate(series, 1):
            value = one.values[row]
            wide = 0.0 if value is None else max(1.0, room * value / top)
            if value is not None:
                parts.append(tag("rect", x=_LABEL_WIDTH, y=y, width=wide, height=_BAR, class_=f"bar s{n}"))
            parts.append(
                tag("text", with_unit(value, unit), x=_LABEL_WIDTH + wide + 6, y=y + _BAR - 2, class_="quiet")
            )
            y += _BAR + _BAR_GAP
        y += _ROW_GAP
    return _svg(text, y, *parts)


def _svg(text: Text, height: float, *parts: str) -> Markup:
    return tag(
        "svg",
        tag("title", text.title, id=f"{text.id}-title"),
        tag("desc", text.says, id=f"{text.id}-says"),
        *parts,
        viewBox=f"0 0 {_WIDTH:g} {height:g}",
        role="img",
        aria_labelledby=f"{text.id}-title {text.id}-says",
    )


def _grid(scale: Sequence[float], height: Callable[[float], float], unit: str) -> list[str]:
    parts: list[str] = [tag("text", unit, x=_LEFT - 8, y=12, text_anchor="end", class_="quiet")]
    for value in scale:
        y = height(value)
        parts.append(tag("line", x1=_LEFT, y1=y, x2=_WIDTH - _RIGHT, y2=y, class_="grid"))
        parts.append(tag("text", number(value), x=_LEFT - 8, y=y + 4, text_anchor="end"))
    return parts


def _x_ticks(x: Sequence[float]) -> list[float]:
    last = max(x, default=0.0)
    return [at for at in ticks(last, 8) if at <= last]


def _is_drawn(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _unbroken(x: Sequence[float], values: Sequence[float | None]) -> Iterator[list[tuple[float, float]]]:
    run: list[tuple[float, float]] = []
    for at, value in zip(x, values, strict=True):
        if _is_drawn(value):
            run.append((at, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def legend(series: Sequence[Series], *, bars: bool = False) -> Markup:
    """Say which line or bar is which, for plots of more than one."""
    if len(series) < 2:
        return Markup("")
    return tag(
        "ul",
        *(
            tag(
                "li",
                tag(
                    "svg",
                    tag("rect", x=8, y=0, width=12, height=12, class_=f"bar s{n}")
                    if bars
                    else tag("line", x1=1, y1=6, x2=27, y2=6, class_=f"line s{n}"),
                    viewBox="0 0 28 12",
                    aria_hidden="true",
                ),
                one.name,
            )
            for n, one in enumerate(series, 1)
        ),
        class_="legend",
    )
