"""When a room is open."""

from dataclasses import dataclass

import pytest

from rooms.window import closes_at, opens_at, outside

MINUTE = 60.0


@dataclass(frozen=True)
class Times:
    starts_at: float | None
    ends_at: float | None
    open_before_minutes: int = 30
    close_after_minutes: int = 60
    state: str = "planned"


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
    ("now", "refusal"),
    [(8_199.9, "too-early"), (8_200.0, None), (13_599.9, None), (13_600.0, "too-late")],
)
def test_a_room_is_open_from_its_first_moment_until_just_before_its_last(
    now: float, refusal: str | None
) -> None:
    assert outside(Times(10_000, None), now=now) == refusal


@pytest.mark.parametrize("state", ["finished", "cancelled", "not_held"])
def test_nobody_enters_a_room_that_is_over_whatever_its_times(state: str) -> None:
    assert outside(Times(None, None, state=state), now=0) == "too-late"
    assert outside(Times(10_000, None, state=state), now=9_000) == "too-late"
