"""Whatever people, hosts, applications and the network do, in any order: media is for those who were let in.

The whole server in virtual time (tests/support/virtual_house.py). Every datagram that leaves its media port
is held against what is stored, read apart from the server: none goes to somebody who is not let in, and none
later than a second after a removal, a denial or the end.

A few lives are in the suite, always the same; COLLOQUE_LONG_RUNS=1000 makes that many, the same ones first.
"""

import asyncio
import gc
import json
import os
import random
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from rooms import (
    Application,
    GroupDraft,
    ParticipantDraft,
    ProbeResult,
    Role,
    RoomAct,
    RoomDraft,
    RoomsError,
    RoomsSettings,
)
from rooms.states import OVER
from rooms.tokens import CLOCK_LEEWAY_SECONDS
from signalling.livekit.entrance import end_of
from tests.support.rooms_database import empty_database
from tests.support.virtual_house import EPOCH, KEY, House
from tests.support.virtual_people import Person
from tests.support.virtual_time import VirtualLoop, sleep

LIVES = int(os.environ.get("COLLOQUE_LONG_RUNS", "12"))
ROOM = "rdv"
APPLICATION = Application("default", ROOM)
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
ENDS = ("deny", "remove", "forget", "finish")
VERBS = ("admit", "deny", "admit_all", "remove", "lock", "unlock", "end")
AFTER_THE_END = 1.0
"""Seconds in which the last datagrams may leave."""
SETTINGS = RoomsSettings(
    token_ttl_seconds=90, open_before_minutes=5, close_after_minutes=1, overrun_minutes=1
)
TURNS = (0, 0, 1, 3, 8, 40)
"""How far a thing gets before the next begins, in turns of the loop."""
STEPS = 60
"""How many things happen in a life."""


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


class Life:
    """A consultation in which everything happens."""

    def __init__(self, folder: Path, template: Path, seed: int) -> None:
        self.loop = VirtualLoop(seed)
        url = empty_database(folder / f"{len(list(folder.iterdir()))}.sqlite3", template)
        self.house = House(self.loop, url, SETTINGS, seed=seed)
        self.truth = Truth()
        self.people = {name: Person(self.house, name) for name in ROLES}
        self.groups: list[str] = []
        self.probes: set[str] = set()
        self.unsettled: set[asyncio.Task[None]] = set()
        self.chance = random.Random(seed)

    def live(self) -> None:
        """Begin, let one thing after another happen, and look after each whether all is well."""
        with self.house.current():
            try:
                self._run(self._prepare())
                assert self.house.figures["rtp"] > 0, "people heard each other"
                for number in range(STEPS):
                    what = self.chance.choice(_THINGS)
                    print(number, what.__name__)  # shown if this life fails
                    what(self)
                    self._go_on(self.chance.choice(TURNS))
                    self.look()
                self._run(self._pass(AFTER_THE_END + 0.2))
                self.look()
            finally:
                self._run(self.house.crash())
                self.loop.close()

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

    def knock(self) -> None:
        person = self._anybody(GUESTS)
        person.knock(self._a_token(person))

    def enter(self) -> None:
        person = self._anybody()
        person.enter(self._a_token(person))

    def show_a_token_of_a_test(self) -> None:
        """Try both doors with the token of a connection test, which opens neither."""
        self._ask(self._probe(self._anybody()))

    def lose_the_line(self) -> None:
        person = self._anybody()
        lines = [*person.windows, *(caller.line for caller in person.callers)]
        if lines:
            self.chance.choice(lines).drop()

    def resume(self) -> None:
        callers = [caller for caller in self._anybody().callers if caller.sid]
        if callers:
            self.chance.choice(callers).resume()

    def say_it_again(self) -> None:
        """Say old words on any line, in any order."""
        person = self._anybody()
        callers = [caller for caller in person.callers if caller.line.open]
        said = [frame for caller in person.callers for frame in caller.line.said]
        if callers and said:
            self.chance.choice(callers).line.say(self.chance.choice(said))

    def vanish(self) -> None:
        for caller in self._anybody().callers:
            caller.vanish()

    # --- who decides ---

    def decide(self) -> None:
        self._ask(self._decision(self.chance.choice(ACTS), self._anybody().identity))

    def admit_and_think_better_of_it(self) -> None:
        """Take it back while somebody is on the way in."""
        person = self._anybody(GUESTS)
        self._ask(self._decision("admit", person.identity))
        self._go_on(60)
        person.enter(person.token)
        self._go_on(self.chance.randint(0, 60))
        self._ask(self._decision(self.chance.choice(ENDS), person.identity))

    def decide_in_the_room(self) -> None:
        """A host, a delegate or a patient says it, who may have been removed a moment ago."""
        person, whom = self._anybody(("doctor", "aide", "ada")), self._anybody().identity
        verb = self.chance.choice(VERBS)
        if not any(window.open for window in person.windows):
            person.knock(person.token)
            self._go_on(40)
        about = {"identity": whom} if verb in {"admit", "deny", "remove"} else {}
        person.windows[-1].say(json.dumps({"type": verb, "id": 1, **about}))

    def open_a_group(self) -> None:
        self._ask(self._open_group(self._anybody().identity))

    def use_a_group(self) -> None:
        if not self.groups:
            return
        group, groups, now = self.chance.choice(self.groups), self.house.rooms.groups, self._now()
        if self.chance.random() < 0.3:
            self._ask(groups.close(APPLICATION, group, now=now))
        else:
            names = [name for name in ROLES if self.chance.random() < 0.5]
            self._ask(groups.place(APPLICATION, group, names, now=now))

    # --- time, and what goes wrong ---

    def wait(self) -> None:
        self._run(self._pass(self.chance.choice((0.02, 0.3, 0.3, 1.2, 1.2, 5.0, 35.0))))

    def crash(self) -> None:
        if self.chance.random() < 0.2:
            self._run(self._crash())

    # --- what must hold ---

    def look(self) -> None:
        """Hold what left the server and who came in against what is stored."""
        self._run(self._read_what_is_true())
        sent, self.house.sent = self.house.sent, []
        for at, identity, kind in sent:
            assert self.truth.ever_let_in(identity, at - AFTER_THE_END, at), (kind, identity, at)
        for name, person in self.people.items():
            for at, token in person.came_in:
                assert self.truth.ever_let_in(name, at, at), (name, "came in")
                assert token not in self.probes, (name, "came in with the token of a test")
                assert (end_of(token) or 0.0) + CLOCK_LEEWAY_SECONDS >= at, "with a token that had run out"
            person.came_in.clear()

    # --- within ---

    def _now(self) -> float:
        return self.house.wall()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self.loop.run_until_complete(work)

    def _go_on(self, turns: int) -> None:
        self._run(_turns(turns))

    def _anybody(self, names: Sequence[str] = tuple(ROLES)) -> Person:
        return self.people[self.chance.choice(names)]

    def _a_token(self, person: Person) -> str:
        """Give one that they ever had, most often the newest."""
        return self.chance.choice([person.tokens[0], person.token, person.token])

    def _ask(self, asking: Coroutine[Any, Any, Any]) -> None:
        task = self.loop.create_task(_answered(asking))
        self.unsettled.add(task)
        task.add_done_callback(self.unsettled.discard)

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

    async def _probe(self, person: Person) -> None:
        tests = self.house.rooms.connection_tests
        _, secret = await tests.create("default", room_id=ROOM, now=self._now())
        token = (await tests.open(secret, now=self._now())).token
        self.probes.add(token)
        person.enter(token)
        person.knock(token)
        await tests.finish(token, ProbeResult(), now=self._now())

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
        draft = GroupDraft(members=[name])
        (group,) = await self.house.rooms.groups.open(APPLICATION, [draft], now=self._now())
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


async def _turns(number: int) -> None:
    for _ in range(number):
        await sleep(0)


async def _answered(asking: Coroutine[Any, Any, Any]) -> None:
    with suppress(RoomsError):
        await asking


_THINGS: tuple[Callable[[Life], None], ...] = (
    *(
        Life.show_a_token_of_a_test,
        Life.knock,
        Life.enter,
        Life.enter,
        Life.lose_the_line,
        Life.resume,
        Life.say_it_again,
        Life.vanish,
    ),
    *(Life.decide, Life.decide, Life.decide, Life.admit_and_think_better_of_it, Life.decide_in_the_room),
    *(Life.open_a_group, Life.use_a_group, Life.wait, Life.wait, Life.wait, Life.crash),
)


# What a crash leaves behind.
@pytest.mark.filterwarnings("ignore:.*was deleted before being closed:ResourceWarning")
@pytest.mark.filterwarnings("ignore:.*garbage collector is trying to clean up")
@pytest.mark.parametrize("seed", range(LIVES))
def test_media_is_for_those_who_were_let_in(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    template = tmp_path_factory.getbasetemp() / "template.sqlite3"
    in_memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # nothing has to outlive the machine
    with TemporaryDirectory(dir=in_memory) as folder:
        Life(Path(folder), template, seed).live()
    gc.collect()  # here, where what a crash leaves behind is no news and holds up no other life
