"""How good a connection is, in the four words that clients show: a pure function of two readings.

The score follows the E-model (ITU-T G.107) as simplified for packet loss and delay, as livekit does in
`pkg/sfu/connectionquality`; the borders are ours: excellent is what nobody notices, good what some notice,
poor what disturbs.
"""

from dataclasses import dataclass

from livekit.protocol.models import ConnectionQuality

from rooms import DegradedReason
from sfu import LegStats

EXCELLENT_FROM = 4.1  # of 5
GOOD_FROM = 3.3
_BEST_R = 93.2  # G.107 default of a perfect narrow-band connection
_DELAY_KNEE = 0.160  # seconds one way; conversation suffers beyond it
_HYSTERESIS = 0.1  # of the score; a value at a border does not flicker
_LEAST_PACKETS = 10  # in an interval; fewer say nothing about loss


@dataclass(frozen=True, slots=True)
class Quality:
    """A judgement: the word that clients show, the score (1 to 5; 0: lost) behind it, and what costs most."""

    word: ConnectionQuality
    score: float
    worst: DegradedReason = "loss"


LOST = Quality(ConnectionQuality.LOST, 0.0, "silence")


def judge(before: LegStats, after: LegStats, *, last: Quality | None = None) -> Quality:
    """Judge the time between two readings; `last` keeps the word steady at a border."""
    loss = max(
        _loss(after.packets_up - before.packets_up, after.lost_up - before.lost_up),
        _loss(after.packets_down - before.packets_down, after.lost_down - before.lost_down),
    )
    jitter = max(after.jitter_up_seconds or 0.0, after.jitter_down_seconds or 0.0)
    by_loss, by_delay = _cost_of_loss(loss), _cost_of_delay((after.rtt_seconds or 0.0) / 2 + 2 * jitter)
    score = _score(by_loss + by_delay)
    return Quality(_word(score, last), score, "delay" if by_delay > by_loss else "loss")


def _loss(packets: int, lost: int) -> float:
    """Return the share lost of all that were sent, 0 to 1."""
    if packets < 0 or lost <= 0 or packets + lost < _LEAST_PACKETS:
        return 0.0
    return lost / (packets + lost)


def _cost_of_loss(share: float) -> float:
    return 250.0 * share  # retransmission and redundancy repair some; 10 % still disturbs


def _cost_of_delay(seconds: float) -> float:
    """Return what mouth-to-ear delay takes from the rating."""
    return 25.0 * min(seconds, _DELAY_KNEE) + 120.0 * max(0.0, seconds - _DELAY_KNEE)


def _score(cost: float) -> float:
    """Return the mean opinion score, 1 to 5, of what impairments take from the rating."""
    rating = min(100.0, max(0.0, _BEST_R - cost))
    score = 1.0 + 0.035 * rating + 7e-6 * rating * (rating - 60.0) * (100.0 - rating)
    return min(5.0, max(1.0, score))


def _word(score: float, last: Quality | None) -> ConnectionQuality:
    excellent, good = EXCELLENT_FROM, GOOD_FROM
    if last is not None:
        excellent += _shift(last.word == ConnectionQuality.EXCELLENT)
        good += _shift(last.word in {ConnectionQuality.EXCELLENT, ConnectionQuality.GOOD})
    if score >= excellent:
        return ConnectionQuality.EXCELLENT
    return ConnectionQuality.GOOD if score >= good else ConnectionQuality.POOR


def _shift(was_above: bool) -> float:
    return -_HYSTERESIS if was_above else _HYSTERESIS
