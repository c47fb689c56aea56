"""Which encodings a publisher is told to send, as viewers come, go and change their minds."""

from collections.abc import Callable

import pytest

from sfu import CloseReason, TrackKey, Wanted
from tests.unit.sfu.conftest import Live
from tests.unit.sfu.test_leg import JOIN, Person, publisher, turns

CAMERA = TrackKey("TR_cam")


class Timers:
    """Timers that go off when the test says so."""

    def __init__(self, live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
        self.set: list[tuple[float, Callable[[], None]]] = []
        monkeypatch.setattr(live.sfu, "after", self._after)

    def _after(self, seconds: float, callback: Callable[[], None]) -> "Timers":
        self.set.append((seconds, callback))
        return self

    def cancel(self) -> None:
        self.set.clear()

    def expire(self) -> None:
        """Let every timer go off."""
        due, self.set = self.set, []
        for _, callback in due:
            callback()


@pytest.fixture
def timers(live: Live, monkeypatch: pytest.MonkeyPatch) -> Timers:
    return Timers(live, monkeypatch)


def viewer(live: Live, name: str, wanted: Wanted | None = None) -> Person:
    person = Person(live, name)
    person.leg.subscribe(CAMERA)
    if wanted is not None:
        person.leg.set_wanted(CAMERA, wanted)
    person.leg.negotiate(JOIN)
    return person


async def told(person: Person) -> list[tuple[bool, ...]]:
    await turns()
    return [enabled for _, enabled in person.heard.of("wanted_changed")]


async def test_a_track_that_nobody_watches_is_told_so_after_a_while(live: Live, timers: Timers) -> None:
    person = publisher(live)
    assert await told(person) == []
    ((seconds, _),) = timers.set
    assert seconds == 5.0
    timers.expire()
    assert await told(person) == [(False, False, False)]


async def test_more_is_told_at_once_and_less_later(live: Live, timers: Timers) -> None:
    person = publisher(live)
    await turns()
    timers.expire()
    small = viewer(live, "small", Wanted(width=320, height=180))
    assert (await told(person))[-1] == (True, False, False)
    small.leg.set_wanted(CAMERA, Wanted(width=1280, height=720))
    assert (await told(person))[-1] == (True, False, True)
    timers.expire()
    assert (await told(person))[-1] == (False, False, True)


async def test_a_change_of_mind_within_the_while_costs_nothing(live: Live, timers: Timers) -> None:
    person = publisher(live)
    big = viewer(live, "big")
    await turns()
    timers.expire()
    before = await told(person)
    big.leg.set_wanted(CAMERA, Wanted(disabled=True))
    await turns()
    assert timers.set
    big.leg.set_wanted(CAMERA, Wanted())
    await turns()
    assert timers.set == []
    assert await told(person) == before


async def test_the_wishes_of_all_viewers_add_up_until_they_leave(live: Live, timers: Timers) -> None:
    person = publisher(live)
    one, two = viewer(live, "one", Wanted(quality=0)), viewer(live, "two", Wanted(quality=1))
    await turns()
    timers.expire()
    assert (await told(person))[-1] == (True, True, False)
    two.leg.close(CloseReason.LEFT)
    one.leg.unsubscribe(CAMERA)
    await turns()
    timers.expire()
    assert (await told(person))[-1] == (False, False, False)


async def test_sound_is_never_turned_off(live: Live, timers: Timers) -> None:
    person = publisher(live)
    await turns()
    timers.expire()
    await turns()
    assert {track for track, _ in person.heard.of("wanted_changed")} == {"TR_cam"}


async def test_an_ended_track_leaves_no_timer(live: Live, timers: Timers) -> None:
    person = publisher(live)
    await turns()
    assert timers.set
    person.leg.unpublish(CAMERA)
    assert timers.set == []
