"""What an examination says: a level and a stable code, with the names and figures of this host."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Language = Literal["en", "fr"]


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """It works, but less well than it could, or could not be looked at."""
    FAIL = "fail"
    """Somebody will have no call."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing that an examination can find. Its sentences are in `words`."""

    code: str
    """`EXAMINATION.RESULT`; programs and the documentation go by it, so it never changes."""
    level: Level

    def __call__(self, **values: object) -> Finding:
        """Say it of this host."""
        return Finding(self, values)


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict on this host."""

    verdict: Verdict
    values: Mapping[str, object]
    """For the places in the sentences; a dictionary by language where a word has to be translated."""

    @property
    def level(self) -> Level:
        """How bad it is."""
        return self.verdict.level

    @property
    def code(self) -> str:
        """What programs go by."""
        return self.verdict.code


def ok(code: str) -> Verdict:
    """Make a verdict that all is well."""
    return Verdict(code, Level.OK)


def warn(code: str) -> Verdict:
    """Make a verdict that something could be better."""
    return Verdict(code, Level.WARN)


def fail(code: str) -> Verdict:
    """Make a verdict that something does not work."""
    return Verdict(code, Level.FAIL)
