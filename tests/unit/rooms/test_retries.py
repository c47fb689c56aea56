"""When a failed delivery is tried again, and when no more."""

import pytest

from rooms.retries import (
    CLAIMS_PER_WEBHOOK,
    FIRST_RETRY_SECONDS,
    GIVE_UP_SECONDS,
    LONGEST_RETRY_SECONDS,
    RETRY_AFTER_MAX_SECONDS,
    GiveUp,
    Outcome,
    Retry,
    Trouble,
    after_failure,
    retry_delay,
    room_for,
)

NOW = 1_900_000_000.0
DAY = 86400.0
FAILED = Outcome("failed", 500)


def test_the_pauses_double_up_to_half_an_hour() -> None:
    pauses = [retry_delay(attempts, jitter=0) for attempts in (1, 2, 3, 4, 9, 10, 10_000)]
    assert pauses == [5, 10, 20, 40, 1280, 1800, 1800]


def test_jitter_shortens_a_pause_by_up_to_half() -> None:
    assert retry_delay(1, jitter=1) == FIRST_RETRY_SECONDS / 2
    assert retry_delay(50, jitter=0.5) == LONGEST_RETRY_SECONDS * 0.75


def attempts_in_a_row(*, occurred_at: float, jitter: float) -> list[float]:
    """When an event is tried whose receiver always fails."""
    trouble, now, times = Trouble(), NOW, []
    while True:
        times.append(now)
        verdict = after_failure(trouble, FAILED, occurred_at=occurred_at, jitter=jitter, now=now)
        if isinstance(verdict, GiveUp):
            return times
        trouble, now = verdict.trouble, verdict.due_at


@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("age", [0.0, 3 * DAY])
def test_an_event_is_tried_for_a_day_and_not_for_much_longer(jitter: float, age: float) -> None:
    times = attempts_in_a_row(occurred_at=NOW - age, jitter=jitter)
    assert GIVE_UP_SECONDS <= times[-1] - times[0] <= GIVE_UP_SECONDS + LONGEST_RETRY_SECONDS
    assert 48 < len(times) < 120


def test_what_piled_up_behind_a_failure_gets_an_attempt_and_not_another_day() -> None:
    first = after_failure(Trouble(60, NOW - DAY), FAILED, occurred_at=NOW - DAY, jitter=0, now=NOW)
    assert isinstance(first, GiveUp)
    assert first.trouble.attempts == 0
    second = after_failure(first.trouble, FAILED, occurred_at=NOW - DAY + 1, jitter=0, now=NOW + 1)
    assert isinstance(second, GiveUp)
    young = after_failure(second.trouble, FAILED, occurred_at=NOW - 60, jitter=0, now=NOW + 2)
    assert young == Retry(NOW + 2 + FIRST_RETRY_SECONDS, Trouble(1, NOW - DAY))


@pytest.mark.parametrize(
    ("asked", "granted"),
    [(0.0, 5.0), (1.0, 5.0), (-7.0, 5.0), (120.0, 120.0), (1e9, RETRY_AFTER_MAX_SECONDS)],
)
def test_a_receiver_may_ask_for_a_longer_pause_within_an_hour(asked: float, granted: float) -> None:
    outcome = Outcome("refused", 429, retry_after_seconds=asked)
    verdict = after_failure(Trouble(), outcome, occurred_at=NOW, jitter=0, now=NOW)
    assert verdict == Retry(NOW + granted, Trouble(1, NOW))


def test_a_clock_that_was_set_back_makes_nothing_older_or_younger() -> None:
    ahead = Trouble(3, NOW + 3 * DAY)
    verdict = after_failure(ahead, FAILED, occurred_at=NOW + 3 * DAY, jitter=0, now=NOW)
    assert isinstance(verdict, Retry)
    later = after_failure(verdict.trouble, FAILED, occurred_at=NOW + 3 * DAY, jitter=0, now=NOW + 10 * DAY)
    assert isinstance(later, GiveUp)


def test_a_receiver_that_nobody_answers_for_gets_one_attempt_at_a_time() -> None:
    assert room_for(3, unreachable=False, held=False) == CLAIMS_PER_WEBHOOK - 3
    assert room_for(0, unreachable=True, held=False) == 1
    assert room_for(1, unreachable=True, held=False) == 0
    assert room_for(52, unreachable=False, held=False) == 0
    assert room_for(0, unreachable=False, held=True) == 0
