"""When a room is open."""

from dataclasses import dataclass

import pytest

from rooms.window import closes_at, opens_at, outside, state_of

MINUTE = 60.0


@dataclass(frozen=True)
class Times:
    starts_at: float | None
    ends_at: float | None
    open_before_minutes: int = 30
    close_after_minutes: int = 60


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "opens", "closes"),
    [
        (None, None, None, None),
        (10_000, None, 10_000 - 30 * MINUTE, 10_000 + 60 * MINUTE),
        (10_000, 12_000, 10_000 - 30 * MINUTE, 12_000 + 60 * MINUTE),
        (None, 12_000, None, 12_000 + 60 * MINUTE),
    ],
)
def test_opening_hours_follow_from_the_planned_times(
    starts_at: float | None, ends_at: float | None, opens: float | None, closes: float | None
) -> None:
    times = Times(starts_at, ends_at)
    assert (opens_at(times), closes_at(times)) == (opens, closes)


@pytest.mark.parametrize(
    ("now", "refusal", "state"),
    [
        (8_199.9, "too-early", "planned"),
        (8_200.0, None, "in_progress"),
        (13_599.9, None, "in_progress"),
        (13_600.0, "too-late", "finished"),
    ],
)
def test_a_room_is_open_from_its_first_moment_until_just_before_its_last(
    now: float, refusal: str | None, state: str
) -> None:
    times = Times(10_000, None)
    assert (outside(times, now=now), state_of(times, now=now)) == (refusal, state)
