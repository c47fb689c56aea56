"""The findings as lines for people and as JSON for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from colloque.doctor.finding import Level

if TYPE_CHECKING:
    from colloque.doctor.finding import Finding
    from colloque.doctor.words import Words

Paint = Mapping[Level, Callable[[str], str]]


def lines(findings: Iterable[Finding], words: Words, paint: Paint) -> list[str]:
    """Give a line for each finding, and one that counts them."""
    found = list(findings)
    return [*(_line(one, words, paint) for one in found), _sum(found, words)]


def document(findings: Sequence[Finding], words: Words, *, version: str) -> dict[str, Any]:
    """Give all of it as JSON values; programs go by `code` and `level`, and show people `what` and `do`."""
    return {
        "version": version,
        "verdict": str(worst(findings)),
        "findings": [
            {"code": one.code, "level": str(one.level), "what": words.what(one), "do": words.do(one)}
            for one in findings
        ],
    }


def worst(findings: Iterable[Finding]) -> Level:
    """Give the level of all together."""
    levels = {one.level for one in findings}
    return next((level for level in (Level.FAIL, Level.WARN) if level in levels), Level.OK)


def _line(one: Finding, words: Words, paint: Paint) -> str:
    level = f"{one.level:<4}"
    shown = paint[one.level](level) if one.level in paint else level
    # The code leads to the table in the documentation.
    told = f"{words.do(one)}. [{one.code}]" if words.do(one) else ""
    return f"{shown}  {words.what(one)}. {told}".rstrip()


def _sum(found: Sequence[Finding], words: Words) -> str:
    counts = Counter(one.level for one in found)
    oks, warns, fails = counts[Level.OK], counts[Level.WARN], counts[Level.FAIL]
    if words.language == "fr":
        return f"{oks} ok, {warns} à améliorer (warn), {fails} à corriger (fail)"
    return f"{oks} ok, {warns} to improve (warn), {fails} to put right (fail)"
