"""Which changes of a line are worth an event, in virtual time."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol.models import ConnectionQuality

from signalling.livekit.line import (
    MOST_EVENTS_A_MINUTE,
    Degraded,
    Line,
    LineEvent,
    PathChanged,
    Recovered,
    judged,
    moved,
)
from signalling.livekit.quality import LOST, Quality

FINE = Quality(ConnectionQuality.EXCELLENT, 4.4)
POOR = Quality(ConnectionQuality.POOR, 2.3456, "delay")
V4, V6 = PathChanged("udp", "ipv4"), PathChanged("udp", "ipv6")
READINGS = {"f": FINE, "g": Quality(ConnectionQuality.GOOD, 3.9), "p": POOR, "l": LOST}


class Watched:
    """A line and what was told of it, with the time of each."""

    def __init__(self) -> None:
        self.now = 100.0
        self.line = Line(up_since=self.now)
        self.told: list[tuple[float, LineEvent]] = []

    def reads(self, quality: Quality) -> None:
        self.line, events = judged(self.line, quality, now=self.now)
        self.told += [(self.now, event) for event in events]

    def moves(self, path: PathChanged) -> None:
        self.line, events = moved(self.line, path, now=self.now)
        self.told += [(self.now, event) for event in events]

    def hears(self, readings: str) -> str:
        """Take a reading every five seconds; give what was told, one letter each: Degraded, Recovered."""
        before = len(self.told)
        for reading in readings:
            self.now += 5
            self.reads(READINGS[reading])
        return "".join(type(event).__name__[0] for _, event in self.told[before:])


@pytest.mark.parametrize(
    ("readings", "told"),
    [
        ("fffgggfff", ""),
        ("fp", ""),
        ("fpfpfpfpfpfp", ""),
        ("fpp", "D"),
        ("fpppppppppppp", "D"),
        ("fl", "D"),
        ("fpl", "D"),
        ("fppff", "D"),
        ("fppfff", "DR"),
        ("fppggg", "DR"),
        ("fppffpffpffp", "D"),
        ("flfpflf", "D"),
        ("fllfffllllll", "DRD"),
    ],
)
def test_what_lasts_is_told_and_what_flickers_is_not(readings: str, told: str) -> None:
    assert Watched().hears(readings) == told


def test_an_event_says_what_disturbs_and_how_much() -> None:
    line = Watched()
    line.hears("pp")
    assert line.told == [(110.0, Degraded("delay", 2.35))]
    line = Watched()
    line.hears("l")
    assert line.told == [(105.0, Degraded("silence", 0.0))]


def test_a_line_that_is_bad_again_soon_is_told_later() -> None:
    line = Watched()
    assert line.hears("lfff") == "DR"  # at 105 and 120
    assert line.hears("lll") == "D"  # at 135, though it was bad from 125 on
    degraded = [at for at, event in line.told if isinstance(event, Degraded)]
    assert degraded == [105.0, 135.0]


def test_the_addresses_that_a_client_tries_at_first_are_no_news() -> None:
    line = Watched()
    for _ in range(4):
        line.now += 1
        line.moves(V6)
    assert line.hears("ffffff") == ""


def test_many_moves_are_told_as_the_last_of_them() -> None:
    line = Watched()
    line.hears("ff")
    line.moves(V4)
    for path in (V6, V4, V6, V4, V6):
        line.now += 0.5
        line.moves(path)
    assert line.told == [(110.0, V4)]
    line.hears("ffff")
    assert [event for _, event in line.told] == [V4, V6]
    line.hears("ffffffff")
    assert len(line.told) == 2


@given(seed=st.integers(0, 2**32))
def test_whatever_a_line_does_its_events_alternate_and_are_few(seed: int) -> None:
    chance = random.Random(seed)
    line = Watched()
    span = chance.choice([0.01, 0.5, 3, 8])
    for _ in range(400):
        line.now += chance.random() * span
        if chance.random() < 0.3:
            line.moves(chance.choice([V4, V6]))
        else:
            line.reads(chance.choice(list(READINGS.values())))
    words = [type(event) for _, event in line.told if not isinstance(event, PathChanged)]
    assert words == [Degraded, Recovered] * (len(words) // 2) + [Degraded] * (len(words) % 2)
    times = [at for at, _ in line.told]
    for at in times:
        assert sum(at <= other < at + 60 for other in times) <= MOST_EVENTS_A_MINUTE
    degraded = [at for at, event in line.told if isinstance(event, Degraded)]
    assert all(later - earlier >= 30 for earlier, later in pairwise(degraded))


@given(seed=st.integers(0, 2**32))
def test_whatever_came_before_what_holds_for_a_minute_is_what_was_told(seed: int) -> None:
    chance = random.Random(seed)
    line = Watched()
    for _ in range(100):
        line.now += chance.random() * 5
        line.reads(chance.choice(list(READINGS.values())))
    bad = chance.random() < 0.5
    line.hears(("p" if bad else "g") * 12)
    words = [type(event) for _, event in line.told]
    assert (words[-1:] == [Degraded]) is bad
