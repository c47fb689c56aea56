"""Figures as people read them, and the round values that go along an axis."""

from __future__ import annotations

import math

NONE = "—"
"""Stands where nothing was measured."""


def number(value: float | None) -> str:
    """Write a figure with three digits that count, and thousands apart."""
    if value is None:
        return NONE
    if math.isinf(value):
        return "beyond the scale"
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(ratio: float | None) -> str:
    """Write a share as a percentage."""
    return NONE if ratio is None else f"{number(ratio * 100)} %"


def with_unit(value: float | None, unit: str) -> str:
    """Write a figure in its unit; a ratio as a percentage."""
    if unit == "%":
        return percent(value)
    text = number(value)
    return text if value is None or math.isinf(value) or not unit else f"{text} {unit}"


def ticks(highest: float, about: int = 4) -> list[float]:
    """Give round values from 0 to at least `highest`, in about so many steps of 1, 2 or 5 times 10^n."""
    if not 0 < highest < math.inf:
        return [0.0, 1.0]
    rough = highest / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))
    return [round(step * n, 12) for n in range(math.ceil(highest / step - 1e-9) + 1)]
