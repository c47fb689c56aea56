"""What callers of the room API were told, step by step, and whether the server still says so.

Each writer takes its rooms through the same steps, one request each, and notes what was answered. A request
that got no answer may have been done or not, but nothing in between: `Story.check` reads the room back and
gives the number of steps that were done.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp

from tests.support.server import Server

STEPS = 6
"""Create, expect a person, rename, remove the person, cancel, delete."""
_EVENTS_OF_STEPS = {3: "room.updated", 4: "participant.removed", 5: "room.cancelled", 6: "room.deleted"}


class Busy(Exception):
    """Not now, the server said: what was asked for may have been done or not."""


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, as far as a repetition must be the same."""

    status: int
    body: Any
    headers: tuple[str | None, ...]


class Api:
    """The REST interface, where what went wrong is an answer too. Use as an async context manager."""

    def __init__(self, server: Server) -> None:
        """Talk to this server with its key."""
        credentials = base64.b64encode(f"{server.key}:{server.secret}".encode()).decode()
        self._http = aiohttp.ClientSession(
            server.url,
            headers={"Authorization": f"Basic {credentials}"},
            connector=aiohttp.TCPConnector(limit=0),
        )

    async def __aenter__(self) -> Self:
        """Nothing is opened before the first request."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self._http.close()

    async def ask(self, verb: str, path: str, body: object = None, *, key: str | None = None) -> Told:
        """Send one request; raise `aiohttp.ClientError` if there is no whole answer."""
        headers = {} if key is None else {"Idempotency-Key": key}
        async with self._http.request(verb, path, json=body, headers=headers) as answer:
            text = await answer.text()
            kept = tuple(answer.headers.get(name) for name in ("ETag", "Location", "Retry-After"))
            return Told(answer.status, json.loads(text) if text else None, kept)


@dataclass(slots=True)
class Story:
    """One room and how far it has come."""

    name: str
    chooses_id: bool
    is_deleted: bool
    """The last step is taken."""
    room: str = ""
    done: int = 0
    """Steps that were answered."""
    asked: int = 0
    """Steps that were asked for; one more than `done` while there is no answer."""
    told: dict[int, Told] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """How many steps it has."""
        return STEPS if self.is_deleted else STEPS - 1

    async def go_on(self, api: Api) -> None:
        """Take the next step; raise `Busy`, or `aiohttp.ClientError` if there is no answer."""
        self.asked = self.done + 1
        told = await self._step(api, self.asked)
        if told.status == 503:
            raise Busy
        assert told.status in {200, 201, 204}, (self, told)
        self._note(told)

    async def check(self, api: Api) -> int:
        """See that the room is as it is after some number of steps, wholly, and give the number."""
        if not self.room and (created := await self._find(api)) is not None:
            self.room = created
        level = await self._level(api) if self.room else 0
        if level:
            await self._check_events(api, level)
        return level

    async def check_repetitions(self, api: Api, level: int) -> None:
        """See that repeated requests with a key do nothing and are answered as they were."""
        for step in (1, 5):
            if level >= step:
                again = [await self._step(api, step) for _ in range(2)]
                assert again[0] == again[1] == self.told.setdefault(step, again[0]), (self, step)
        assert await self.check(api) == level

    async def settle(self, api: Api, level: int) -> None:
        """Take what was found as what is so, after a step of which nobody was told."""
        if level > self.done and level == 1:
            self._note(await self._step(api, 1))
        self.done = self.asked = level

    def _note(self, told: Told) -> None:
        self.done = self.asked
        self.told[self.done] = told
        if self.done == 1:
            self.room = told.body["id"]

    async def _step(self, api: Api, step: int) -> Told:
        room, person = f"/v1/rooms/{self.room}", f"/v1/rooms/{self.room}/participants/p"
        match step:
            case 1:
                body = {"kind": "group", "metadata": {"story": self.name}}
                body |= {"id": self.name} if self.chooses_id else {}
                return await api.ask("POST", "/v1/rooms", body, key=f"create-{self.name}")
            case 2:
                return await api.ask("PUT", person, {"role": "patient", "metadata": {"story": self.name}})
            case 3:
                return await api.ask("PATCH", room, {"name": self.name})
            case 4:
                return await api.ask("POST", f"{person}/remove")
            case 5:
                return await api.ask("POST", f"{room}/cancel", key=f"cancel-{self.name}")
            case _:
                return await api.ask("DELETE", room)

    async def _find(self, api: Api) -> str | None:
        found = await api.ask("GET", f"/v1/rooms?metadata.story={self.name}")
        assert len(found.body["items"]) <= 1, found
        return next((one["id"] for one in found.body["items"]), None)

    async def _level(self, api: Api) -> int:
        room = await api.ask("GET", f"/v1/rooms/{self.room}")
        person = await api.ask("GET", f"/v1/rooms/{self.room}/participants/p")
        if room.status == 404:
            assert person.status == 404
            return STEPS if self.asked == STEPS else 0
        assert room.body["metadata"] == {"story": self.name}
        seen = (person.status == 200, room.body["name"], (person.body or {}).get("state"), room.body["state"])
        after_step = {
            1: (False, None, None, "planned"),
            2: (True, None, "expected", "planned"),
            3: (True, self.name, "expected", "planned"),
            4: (True, self.name, "removed", "planned"),
            5: (True, self.name, "removed", "cancelled"),
        }
        assert seen in after_step.values(), (self, seen)
        return next(step for step, state in after_step.items() if state == seen)

    async def _check_events(self, api: Api, level: int) -> None:
        events = (await api.ask("GET", f"/v1/events?room={self.room}&limit=200")).body["items"]
        assert [one["seq"] for one in events] == list(range(1, len(events) + 1)), self
        assert len({one["id"] for one in events}) == len(events)
        types = [one["type"] for one in events]
        assert types == ["room.planned"] * (level > 0) + [
            name for step, name in _EVENTS_OF_STEPS.items() if level >= step
        ], (self, level)


async def write(api: Api, stories: list[Story], new: Callable[[], Story]) -> None:
    """Write one story after another until the server or its database is gone."""
    try:
        while True:
            story = new()
            stories.append(story)
            while story.done < story.steps:
                await story.go_on(api)
    except (aiohttp.ClientError, OSError, Busy):
        return
