"""When a delivery is tried again, and when no more: pure rules, so that a test of a day takes no time.

Theory of operation. The events of one room wait in one lane for each webhook, and only the first of a lane
is ever on its way: what follows waits until it is delivered or given up, so a receiver sees a room in order.
Rooms do not wait for each other. A failure puts the lane off, for longer each time; after a day of failures
the first event becomes a dead letter and the lane goes on with the next. Events that were asked for again
(letters) are single: they have the same patience and no order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OutcomeCode = Literal[
    "delivered",
    "gone",
    "refused",
    "failed",
    "redirected",
    "timed_out",
    "unreachable",
    "not_allowed",
]
"""`refused` is an answer 4xx, `gone` 410, `failed` 5xx, `redirected` 3xx; the last three are no answer."""

FIRST_RETRY_SECONDS = 5.0
LONGEST_RETRY_SECONDS = 1800.0  # a receiver that is back after a night is told within half an hour
RETRY_AFTER_MAX_SECONDS = 3600.0  # what a receiver may ask for
GIVE_UP_SECONDS = 86400.0
CLAIM_SECONDS = 60.0
HORIZON_SECONDS = 2 * RETRY_AFTER_MAX_SECONDS
"""Nothing is put off for longer: a time beyond it was written before the clock was set back."""

CLAIMS_PER_WEBHOOK = 50
"""As many as can be tried, some at a time, before the claims run out; more in one turn saves turns."""
_NO_ANSWER = frozenset({"timed_out", "unreachable", "not_allowed"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended."""

    code: OutcomeCode
    status: int | None = None
    """The HTTP status, if there was an answer."""
    retry_after_seconds: float | None = None
    """What the receiver asked for."""

    @property
    def answered(self) -> bool:
        """Whether anybody is there at all."""
        return self.code not in _NO_ANSWER


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is known of attempts that failed since the last one that did not."""

    attempts: int = 0
    failing_since: float | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Try the same event again at `due_at`."""

    due_at: float
    trouble: Trouble


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Make a dead letter of the event; `trouble` goes over to the next one of the lane."""

    trouble: Trouble


def after_failure(
    trouble: Trouble, outcome: Outcome, *, occurred_at: float, jitter: float, now: float
) -> Retry | GiveUp:
    """Decide what becomes of an event whose delivery failed; `jitter` is 0 to 1.

    A day is counted from the first failure in a row, or from the event itself if it is younger: events that
    piled up behind a failure get an attempt each, but not a day each.
    """
    failing_since = now if trouble.failing_since is None else min(trouble.failing_since, now)
    attempts = trouble.attempts + 1
    if now - max(failing_since, min(occurred_at, now)) >= GIVE_UP_SECONDS:
        return GiveUp(Trouble(0, failing_since))
    delay = retry_delay(attempts, jitter=jitter)
    if outcome.retry_after_seconds is not None:
        delay = max(delay, asked_delay(outcome.retry_after_seconds))
    return Retry(now + delay, Trouble(attempts, failing_since))


def retry_delay(attempts: int, *, jitter: float) -> float:
    """Give the seconds until the next attempt after so many failures: doubled each time, less up to half."""
    full = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(attempts - 1, 20))
    return full * (1 - jitter / 2)


def asked_delay(retry_after_seconds: float) -> float:
    """Give what is granted of a `Retry-After`: up to an hour."""
    return min(max(0.0, retry_after_seconds), RETRY_AFTER_MAX_SECONDS)


def room_for(claimed: int, *, unreachable: bool, held: bool) -> int:
    """Give how many more attempts may be claimed for a webhook now.

    One at a time while nobody answers, so that a dead receiver with many rooms costs one time-out and not all
    of them; none while the receiver asked for a pause.
    """
    if held:
        return 0
    return max(0, (1 if unreachable else CLAIMS_PER_WEBHOOK) - claimed)
