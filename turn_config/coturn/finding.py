"""What a check has to say about a settings file of coturn."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Severity(StrEnum):
    """How bad it is."""

    DANGER = "danger"
    """Others can use the relay or see what they should not: put it right now."""
    DIFFERS = "differs"
    """Not as the settings want it."""
    NOTE = "note"
    """Neither wanted nor in the way."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    line: int | None
    """Counted from one; None: something is missing."""
    severity: Severity
    option: str
    """Empty: the line itself is wrong."""
    text: str
    """What is wrong and what to do, without the option's name and without any secret."""

    def __str__(self) -> str:
        """Give all but the line."""
        return f"{self.severity}: {self.option}{': ' if self.option else ''}{self.text}"


def in_order(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort by line, what is missing last, the worst of a line first; each once."""
    rank = list(Severity)
    return tuple(
        sorted(
            dict.fromkeys(found),
            key=lambda one: (one.line is None, one.line or 0, rank.index(one.severity)),
        )
    )
