"""The clock: kept right by a time server, and the same as the database's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from colloque.doctor.finding import Finding, fail, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

DRIFT_WARN_SECONDS, DRIFT_FAIL_SECONDS = 2.0, 30.0
"""Windows of rooms and lives of tokens are minutes; half a minute of them is somebody's refused entry."""


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """What the kernel says of its clock."""

    synchronised: bool | None
    """None where the kernel would not tell."""
    max_error_seconds: float = 0.0
    """The kernel's own bound of how wrong it may be."""


def judge(facts: ClockFacts) -> Finding:
    """Say whether the clock is kept right."""
    if facts.synchronised is None:
        return UNKNOWN()
    if not facts.synchronised:
        return FREE_RUNNING()
    return SYNCHRONISED(milliseconds=f"{facts.max_error_seconds * 1000:.0f}")


def judge_drift(seconds: float) -> Iterator[Finding]:
    """Compare with the database's clock: `seconds` is how far it is ahead of ours."""
    if abs(seconds) >= DRIFT_FAIL_SECONDS:
        yield FAR_FROM_DATABASE(seconds=f"{seconds:+.0f}")
    elif abs(seconds) >= DRIFT_WARN_SECONDS:
        yield OFF_DATABASE(seconds=f"{seconds:+.1f}")
    else:
        yield AS_DATABASE()


SYNCHRONISED = ok("clock.synchronised")
FREE_RUNNING = warn("clock.free_running")
UNKNOWN = warn("clock.unknown")
AS_DATABASE = ok("clock.as_database")
OFF_DATABASE = warn("clock.off_database")
FAR_FROM_DATABASE = fail("clock.far_from_database")
