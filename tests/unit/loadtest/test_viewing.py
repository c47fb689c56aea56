"""The books of a viewer who really decodes."""

import pytest

from loadtest.faithful.viewing import Viewing
from loadtest.results import FaithfulViewer

BEGINS, UNTIL = 2.0, 12.0


def seen(*times: float, delay_ms: float | None = 40.0) -> FaithfulViewer:
    viewing = Viewing(BEGINS)
    for at in times:
        viewing.picture(at, delay_ms)
    return viewing.result("v", until=UNTIL, error=None)


def every(first: float, last: float, per_second: int = 30) -> list[float]:
    return [first + n / per_second for n in range(round((last - first) * per_second))]


def test_pictures_that_come_evenly_never_freeze() -> None:
    found = seen(*every(0.0, UNTIL))
    assert found.frames_per_second == pytest.approx(30, abs=0.2)
    assert (found.freezes, found.freeze_ratio, found.pictures_read_ratio) == (0, 0.0, 1.0)


@pytest.mark.parametrize(("gap", "freezes"), [(0.18, 0), (0.19, 1), (2.0, 1)])
def test_a_gap_is_a_freeze_from_150_ms_over_the_mean(gap: float, freezes: int) -> None:
    found = seen(*every(0.0, 5.0), *every(5.0 - 1 / 30 + gap, UNTIL))
    assert found.freezes == freezes
    assert found.freeze_ratio == pytest.approx(freezes * gap / 10, abs=0.005)


def test_slow_pictures_freeze_from_three_times_their_mean() -> None:
    slow = every(0.0, 6.0, per_second=5)
    assert seen(*slow, *every(slow[-1] + 0.55, UNTIL, per_second=5)).freezes == 0
    assert seen(*slow, *every(slow[-1] + 0.65, UNTIL, per_second=5)).freezes == 1


def test_pictures_that_stop_or_never_come_are_frozen_until_the_end() -> None:
    stopped = seen(*every(0.0, 7.0))
    assert stopped.freezes == 1
    assert stopped.freeze_ratio == pytest.approx(0.5, abs=0.01)
    never = seen()
    assert (never.freezes, never.freeze_ratio, never.frames_per_second) == (1, 1.0, 0.0)
    assert (never.pictures_read_ratio, never.end_to_end_p99_ms) == (None, None)


def test_a_freeze_that_began_in_the_warm_up_counts_from_the_measured_part_on() -> None:
    found = seen(*every(0.0, 1.0), *every(3.0, UNTIL))
    assert found.freezes == 1
    assert found.freeze_ratio == pytest.approx(0.1, abs=0.01)


def test_delays_are_of_the_pictures_that_could_be_read() -> None:
    viewing = Viewing(BEGINS)
    for n in range(200):
        viewing.picture(BEGINS + n / 30, None if n % 2 else float(n))
    found = viewing.result("v", until=UNTIL, error=None)
    assert found.pictures_read_ratio == 0.5
    assert (found.end_to_end_p50_ms, found.end_to_end_p99_ms) == (98.0, 196.0)
