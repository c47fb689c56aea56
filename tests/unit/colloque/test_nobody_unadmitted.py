"""Whatever people, hosts, applications and the network do, in any order: media is for those who were let in.

The whole server in virtual time (tests/support/virtual_house.py). Every datagram that leaves its media port
is held against what is stored, read apart from the server: none goes to somebody who is not let in, and none
later than a second after a removal, a denial or the end.

COLLOQUE_LONG_RUNS=1000 makes that many lives instead of a few.
"""

import asyncio
import json
import os
import shutil
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from rooms import ParticipantDraft, Role, RoomAct, RoomDraft, RoomsError, RoomsSettings
from rooms.states import OVER
from signalling.livekit.entrance import end_of
from tests.support.rooms_database import empty_database
from tests.support.virtual_house import EPOCH, KEY, House
from tests.support.virtual_people import Person
from tests.support.virtual_time import VirtualLoop, sleep

T = TypeVar("T")

LONG = int(os.environ.get("COLLOQUE_LONG_RUNS", "0"))
ROOM = "rdv"
ROLES: dict[str, Role] = {
    "doctor": "host",
    "aide": "delegate",
    "ada": "patient",
    "ben": "guest",
    "eve": "observer",
}
GUESTS = ("ada", "ben", "eve")
ACTS = (
    "admit",
    "admit",
    "deny",
    "remove",
    "forget",
    "put",
    "put",
    "give a token",
    "finish",
    "reopen",
    "reopen",
)
AFTER_THE_END = 1.0
"""Seconds in which the last datagrams may leave."""
SETTINGS = RoomsSettings(
    token_ttl_seconds=90, open_before_minutes=5, close_after_minutes=1, overrun_minutes=1
)
TURNS = st.sampled_from([0, 0, 1, 3, 8, 40])
"""How far a thing gets before the next begins."""
PICK = st.integers(0, 999)
"""Chooses one of what there is, which may be another in another run: ids and keys are random."""


class Truth:
    """Who may be in the call, and since when, by what is stored."""

    def __init__(self) -> None:
        self.position = 0
        self.open = [(EPOCH, True)]
        self.people: dict[str, list[tuple[float, bool]]] = {
            name: [(EPOCH, role in {"host", "delegate"})] for name, role in ROLES.items()
        }

    def note(self, event: Any) -> None:
        """Follow the event log."""
        what = event.type.rpartition(".")[2]
        if event.type.startswith("room.") and (what in OVER or what == "reopened"):
            self.open.append((event.occurred_at, what == "reopened"))
        elif event.type in {"participant.admitted", "participant.denied", "participant.removed"}:
            self.people[event.data["identity"]].append((event.occurred_at, what == "admitted"))

    def ever_let_in(self, identity: str, since: float, until: float) -> bool:
        """Whether this person might be in the call at any moment between."""
        changes = [at for at, _ in (*self.open, *self.people[identity]) if since <= at <= until]
        return any(self._is_let_in(identity, at) for at in (since, *changes, until))

    def _is_let_in(self, identity: str, at: float) -> bool:
        return _holds(self.open, at) and _holds(self.people[identity], at)


def _holds(changes: list[tuple[float, bool]], at: float) -> bool:
    """Whether something held at a moment, or just before a change at that very moment."""
    ends = [*(next_at for (_, _), (next_at, _) in pairwise(changes)), float("inf")]
    return any(so and began <= at <= end for (began, so), end in zip(changes, ends, strict=True))


class Life(RuleBasedStateMachine):
    """A consultation in which everything happens."""

    folder: Path
    template: Path
    seen: dict[str, int]

    @initialize(seed=st.integers(0, 2**16))
    def begin(self, seed: int) -> None:
        self.loop = VirtualLoop(seed)
        file = self.folder / "rooms.sqlite3"
        for left in self.folder.glob("rooms.sqlite3*"):
            left.unlink()
        self.house = House(self.loop, empty_database(file, self.template), SETTINGS, seed=seed)
        self.truth = Truth()
        self.people = {name: Person(self.house, name) for name in ROLES}
        self.groups: list[str] = []
        self.crashes = 0
        self.unsettled: set[asyncio.Task[None]] = set()
        self._current = self.house.current()
        self._current.__enter__()
        asyncio.set_event_loop(self.loop)
        self._run(self._prepare())

    async def _prepare(self) -> None:
        await self.house.start()
        now = self.house.wall()
        draft = RoomDraft(id=ROOM, waiting_room=True, starts_at=now, ends_at=now + 240)
        await self.house.rooms.create_room("default", draft, now=now)
        for name, role in ROLES.items():
            await self.house.rooms.participants.put("default", ROOM, name, ParticipantDraft(role), now=now)
            await self._mint(name)
        for name in ("doctor", *GUESTS[:-1]):
            await self.house.rooms.waiting_room.admit("default", ROOM, name, now=now)
            self.people[name].enter(self.people[name].token)
        await self._pass(1.5)

    # --- people ---

    @rule(name=st.sampled_from(GUESTS), old=st.booleans(), turns=TURNS)
    def knock(self, name: str, old: bool, turns: int) -> None:
        person = self.people[name]
        person.knock(person.tokens[0] if old else person.token)
        self._go_on(turns)

    @rule(name=st.sampled_from([*ROLES]), old=st.booleans(), turns=TURNS)
    def enter(self, name: str, old: bool, turns: int) -> None:
        person = self.people[name]
        person.enter(person.tokens[0] if old else person.token)
        self._go_on(turns)

    @rule(name=st.sampled_from([*ROLES]), pick=PICK, turns=TURNS)
    def lose_the_line(self, name: str, pick: int, turns: int) -> None:
        lines = [*self.people[name].windows, *(caller.line for caller in self.people[name].callers)]
        if lines:
            _one_of(lines, pick).drop()
        self._go_on(turns)

    @rule(name=st.sampled_from([*ROLES]), pick=PICK, turns=TURNS)
    def resume(self, name: str, pick: int, turns: int) -> None:
        callers = [caller for caller in self.people[name].callers if caller.sid]
        if callers:
            _one_of(callers, pick).resume()
        self._go_on(turns)

    @rule(name=st.sampled_from([*ROLES]), pick=PICK, turns=TURNS)
    def say_it_again(self, name: str, pick: int, turns: int) -> None:
        """Old words on a new line, in any order."""
        callers = [caller for caller in self.people[name].callers if caller.line.open]
        said = [frame for caller in self.people[name].callers for frame in caller.line.said]
        if callers and said:
            _one_of(callers, pick).line.say(_one_of(said, pick))
        self._go_on(turns)

    @rule(name=st.sampled_from([*ROLES]), turns=TURNS)
    def vanish(self, name: str, turns: int) -> None:
        for caller in self.people[name].callers:
            caller.vanish()
        self._go_on(turns)

    # --- who decides ---

    @rule(act=st.sampled_from(ACTS), name=st.sampled_from([*ROLES]), turns=TURNS)
    def decide(self, act: str, name: str, turns: int) -> None:
        self._ask(self._decision(act, name), turns)

    @rule(
        name=st.sampled_from(GUESTS),
        between=st.integers(0, 60),
        then=st.sampled_from(["deny", "remove", "forget", "finish"]),
        turns=TURNS,
    )
    def admit_and_think_better_of_it(self, name: str, between: int, then: str, turns: int) -> None:
        """Somebody is on the way in already when it is taken back."""
        self._ask(self._decision("admit", name), 60)
        self.people[name].enter(self.people[name].token)
        self._go_on(between)
        self._ask(self._decision(then, name), turns)

    @rule(
        who=st.sampled_from(["doctor", "aide", "ada"]),
        verb=st.sampled_from(["admit", "deny", "admit_all", "remove", "lock", "unlock", "end"]),
        whom=st.sampled_from([*ROLES]),
        turns=TURNS,
    )
    def decide_in_the_room(self, who: str, verb: str, whom: str, turns: int) -> None:
        """A host, a delegate or a patient says it, who may have been removed a moment ago."""
        person = self.people[who]
        if not any(window.open for window in person.windows):
            person.knock(person.token)
            self._go_on(40)
        about = {"identity": whom} if verb in {"admit", "deny", "remove"} else {}
        person.windows[-1].say(json.dumps({"type": verb, "id": 1, **about}))
        self._go_on(turns)

    @rule(name=st.sampled_from([*ROLES]), turns=TURNS)
    def open_a_group(self, name: str, turns: int) -> None:
        self._ask(self._open_group(name), turns)

    @rule(pick=PICK, names=st.sets(st.sampled_from([*ROLES])), close=st.booleans(), turns=TURNS)
    def use_a_group(self, pick: int, names: set[str], close: bool, turns: int) -> None:
        if not self.groups:
            return
        group, groups = _one_of(self.groups, pick), self.house.rooms.groups
        if close:
            self._ask(groups.close("default", ROOM, group, now=self._now()), turns)
        else:
            self._ask(groups.place("default", ROOM, group, sorted(names), now=self._now()), turns)

    # --- time, and what goes wrong ---

    @rule(seconds=st.sampled_from([0.02, 0.3, 0.3, 1.2, 1.2, 5.0, 35.0]))
    def wait(self, seconds: float) -> None:
        self._run(self._pass(seconds))

    @precondition(lambda self: self.crashes < 2)
    @rule()
    def crash(self) -> None:
        self.crashes += 1
        self._run(self._crash())

    # --- what must hold ---

    @invariant()
    def media_is_for_those_who_were_let_in(self) -> None:
        if not hasattr(self, "house"):
            return
        self._run(self._read_what_is_true())
        sent, self.house.sent = self.house.sent, []
        for at, identity, kind in sent:
            assert self.truth.ever_let_in(identity, at - AFTER_THE_END, at), (kind, identity, at)
        for name, person in self.people.items():
            for at, token in person.came_in:
                assert self.truth.ever_let_in(name, at, at), (name, "came in")
                assert (end_of(token) or 0.0) + 60 >= at, "with a token that had run out"
            person.came_in.clear()

    def teardown(self) -> None:
        if not hasattr(self, "house"):
            return
        self._run(self._pass(1.2))
        self.media_is_for_those_who_were_let_in()
        for name, count in self.house.figures.items():
            self.seen[name] = self.seen.get(name, 0) + count
        self._run(self.house.crash())
        self.loop.close()
        asyncio.set_event_loop(None)
        self._current.__exit__(None, None, None)

    # --- within ---

    def _now(self) -> float:
        return self.house.wall()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self.loop.run_until_complete(work)

    def _go_on(self, turns: int) -> None:
        self._run(_turns(turns))

    def _ask(self, asking: Coroutine[Any, Any, Any], turns: int) -> None:
        task = self.loop.create_task(_answered(asking))
        self.unsettled.add(task)
        task.add_done_callback(self.unsettled.discard)
        self._go_on(turns)

    async def _decision(self, act: str, name: str) -> None:
        rooms, now = self.house.rooms, self._now()
        match act:
            case "admit":
                await rooms.waiting_room.admit("default", ROOM, name, now=now)
            case "deny":
                await rooms.waiting_room.deny("default", ROOM, name, now=now)
            case "remove":
                await rooms.participants.remove("default", ROOM, name, now=now)
            case "forget":
                await self._forget(name)
            case "put":
                await self._put(name)
            case "give a token":
                await self._mint(name)
            case _:
                await rooms.act("default", ROOM, RoomAct(act), now=now)

    async def _mint(self, name: str) -> None:
        ticket = await self.house.rooms.participants.mint_token(KEY, ROOM, name, now=self._now())
        self.people[name].tokens.append(ticket.token)

    async def _forget(self, name: str) -> None:
        await self.house.rooms.participants.forget("default", ROOM, name, now=self._now())
        self.truth.people[name].append((self._now(), False))

    async def _put(self, name: str) -> None:
        draft = ParticipantDraft(ROLES[name])
        if ROLES[name] in {"host", "delegate"}:
            self.truth.people[name].append((self._now(), True))
        await self.house.rooms.participants.put("default", ROOM, name, draft, now=self._now())
        await self._mint(name)

    async def _open_group(self, name: str) -> None:
        group = await self.house.rooms.groups.open("default", ROOM, members=[name], now=self._now())
        self.groups.append(group.id)

    async def _pass(self, seconds: float) -> None:
        left = seconds
        while left > 0:
            for person in self.people.values():
                person.forget_what_is_closed()
                person.stay()
                for caller in person.callers:
                    caller.talk()
            self.house.turn_soon()
            step = min(left, 0.25)
            await sleep(step)
            left -= step

    async def _crash(self) -> None:
        for person in self.people.values():
            person.be_disconnected()
        await self._read_what_is_true()
        await self.house.crash()
        self.unsettled.clear()
        await self.house.start()

    async def _read_what_is_true(self) -> None:
        page = await self.house.rooms.events.read(after=self.truth.position, limit=500)
        self.truth.position = page.last
        for event in page.items:
            self.truth.note(event)


def _one_of(things: Sequence[T], pick: int) -> T:
    return things[pick % len(things)]


async def _turns(number: int) -> None:
    for _ in range(number):
        await sleep(0)


async def _answered(asking: Coroutine[Any, Any, Any]) -> None:
    with suppress(RoomsError):
        await asking


@pytest.mark.filterwarnings("ignore:.*was deleted before being closed:ResourceWarning")  # by a crash
@pytest.mark.timeout(0 if LONG else 120)
def test_media_is_for_those_who_were_let_in(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    memory = Path("/dev/shm")  # nothing here has to outlive the machine
    folder = memory / tmp_path.name if memory.is_dir() else tmp_path / "lives"
    folder.mkdir(exist_ok=True)
    Life.folder, Life.template, Life.seen = folder, tmp_path_factory.getbasetemp() / "template.sqlite3", {}
    try:
        run_state_machine_as_test(
            Life,
            settings=settings(
                max_examples=LONG or 16,
                stateful_step_count=45,
                derandomize=not LONG,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate] if not LONG else [Phase.generate, Phase.shrink],
            ),
        )
    finally:
        shutil.rmtree(folder)
    assert Life.seen["rtp"] > 100, "people heard each other"
