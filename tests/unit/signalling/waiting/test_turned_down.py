"""The waiting room's channel from socket to database, for those who may not have what they ask for."""

import json
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from rooms import ParticipantDraft, Role, RoomAct, RoomDraft, RoomsSettings
from signalling.waiting import HOST_VERBS
from tests.support.messages import rows
from tests.support.pretended_socket import Frame, Line
from tests.support.rooms_database import empty_database
from tests.support.virtual_house import KEY, House
from tests.support.virtual_time import VirtualLoop, sleep

VERBS = {row.name: row for row in rows("waiting")}
TTL = 60


class Window:
    """A connection to the channel, and what it heard."""

    def __init__(self, house: House) -> None:
        self.heard: list[dict[str, Any]] = []
        self.line = Line(house.loop, self._hear)
        self.line.dial(house.waiting._channel.serve, {})

    def say(self, **word: Any) -> None:
        self.line.say(json.dumps(word))

    def hello(self, token: str) -> None:
        self.say(type="hello", v=1, token=token)

    def take(self) -> list[dict[str, Any]]:
        """Return what came since the last time, but whether anybody is there."""
        heard, self.heard = self.heard, []
        return [word for word in heard if word["type"] != "ping"]

    def _hear(self, line: Line, frame: Frame) -> None:
        del line
        self.heard.append(json.loads(frame))


class Practice:
    """A house in which a room with a waiting room has begun."""

    def __init__(self, house: House) -> None:
        self.house = house

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.house.loop.run_until_complete(work)

    def begin(self) -> None:
        self.run(self.house.start())
        now = self.house.wall()
        self.run(self.house.rooms.create_room("default", RoomDraft(id="rdv", waiting_room=True), now=now))
        self.run(self.house.rooms.act("default", "rdv", RoomAct.START, now=now))

    def token(self, identity: str, role: Role) -> str:
        people, now = self.house.rooms.participants, self.house.wall()
        self.run(people.put("default", "rdv", identity, ParticipantDraft(role), now=now))
        return str(self.run(people.mint_token(KEY, "rdv", identity, now=now)).token)

    def arrive(self, identity: str, role: Role) -> Window:
        window = Window(self.house)
        window.hello(self.token(identity, role))
        self.wait(1.5)
        return window

    def wait(self, seconds: float) -> None:
        self.run(sleep(seconds))


@pytest.fixture
def practice(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    url = empty_database(tmp_path / "rooms.sqlite3", tmp_path_factory.getbasetemp() / "template.sqlite3")
    loop = VirtualLoop(1)
    practice = Practice(House(loop, url, RoomsSettings(token_ttl_seconds=TTL), seed=1))
    with practice.house.current():
        practice.begin()
        yield practice
        practice.run(practice.house.close())
        loop.close()


@pytest.mark.parametrize("role", ["patient", "host"])
def test_a_token_that_has_run_out_is_refused_and_learns_nothing(practice: Practice, role: Role) -> None:
    host, waiting = practice.arrive("doctor", "host"), practice.arrive("zoe", "patient")
    token = practice.token("late", role)
    for _ in range(2 * TTL):
        practice.wait(1)
        host.say(type="pong")
        waiting.say(type="pong")
    host.take()
    waiting.take()
    before = practice.run(practice.house.rooms.events.newest())
    late = Window(practice.house)
    late.hello(token)
    practice.wait(3)
    assert late.heard == [{"type": "refused", "code": "unauthenticated"}]
    assert (late.line.open, late.line.upgraded) == (False, True)
    assert practice.run(practice.house.rooms.events.newest()) == before
    assert (host.take(), waiting.take()) == ([], []), "somebody heard of who was refused"


@pytest.mark.parametrize("role", ["patient", "guest", "observer"])
def test_what_is_refused_changes_nothing_for_others(practice: Practice, role: Role) -> None:
    host, target = practice.arrive("doctor", "host"), practice.arrive("target", "patient")
    speaker = practice.arrive("speaker", role)
    everybody = (host, target, speaker)
    for one in everybody:
        one.take()
    before = practice.run(practice.house.rooms.events.newest())
    for verb in HOST_VERBS:
        speaker.say(**{"type": verb, "id": 7, **VERBS[verb].says})
        practice.wait(1.5)
        answers = [(word["type"], word.get("code"), word.get("id")) for word in speaker.take()]
        assert answers == [("error", VERBS[verb].refusal, 7)], verb
        assert (host.take(), target.take()) == ([], []), verb
        assert practice.run(practice.house.rooms.events.newest()) == before, verb
        for one in everybody:
            one.say(type="pong")
    assert all(one.line.open for one in everybody)
