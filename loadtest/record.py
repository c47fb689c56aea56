"""Recording what happens in rooms of a running server, as one more participant of each, whom nobody sees.

A hidden participant is told by the server who joins, publishes, mutes and leaves, as every client is. It
sends nothing and takes no track.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, TextIO

import aiohttp
import uvloop

from loadtest.engine.core import Swarm
from loadtest.engine.news import News
from loadtest.engine.person import Person
from loadtest.errors import RunError
from loadtest.plan import PersonPlan
from loadtest.recording import Roster, head, tail
from loadtest.session import stop_on_signals
from loadtest.target import HttpTarget
from loadtest.tokens import hidden_token

if TYPE_CHECKING:
    from pathlib import Path

    from livekit.protocol import rtc

    from loadtest.recording import Event

_DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Options:
    """Which rooms of which server, and where it is written."""

    url: str
    key: str
    secret: str
    rooms: tuple[str, ...]
    out: Path
    seconds: float | None
    """How long; else until a signal."""


@dataclass(slots=True)
class Recorded:
    """What has been written so far."""

    events: int = 0
    people: int = 0
    seconds: float = 0.0


def record(options: Options) -> Recorded:
    """Record until the time is over or a signal comes; raise `RunError`.

    What was written by then stays when a room's connection ends early.
    """
    try:
        with (
            options.out.open("x", encoding="utf-8") as out,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            return runner.run(_record(options, out))
    except FileExistsError as error:
        raise RunError(f"--out {options.out}: exists already") from error
    except OSError as error:
        raise RunError(f"--out {options.out}: {error.strerror}") from error
    except asyncio.CancelledError as error:
        raise RunError("interrupted twice: the recording has no end") from error


async def _record(options: Options, out: TextIO) -> Recorded:
    stop = stop_on_signals()
    swarm = Swarm(threads=1, seed=0)
    try:
        async with HttpTarget(options.url, options.key, options.secret) as target:
            await target.check()
            return await _Recorder(options, target.url, swarm, out).run(stop)
    finally:
        swarm.stop()


class _Recorder:
    """The state of one recording."""

    def __init__(self, options: Options, url: str, swarm: Swarm, out: TextIO) -> None:
        self._options = options
        self._url = url
        self._swarm = swarm
        self._out = out
        self._recorded = Recorded()
        self._numbers: dict[tuple[int, str], int] = {}
        self._identity = f"recorder-{secrets.token_hex(4)}"
        self._began: float | None = None
        self._awaited = set(range(1, len(options.rooms) + 1))
        self._news = News(swarm)
        self._watchers = [self._watcher(number) for number in sorted(self._awaited)]

    async def run(self, stop: asyncio.Event) -> Recorded:
        """Record until `stop` is set or the time is over."""
        self._out.write(head())
        with self._news.delivered():
            failed = await self._watch(stop)
        self._recorded.seconds = self._now()
        self._out.write(tail(self._recorded.seconds))
        for number in failed:
            error = self._watchers[number].result().error or "the connection ended"
            raise RunError(f"--room {self._options.rooms[number]}: {error}")
        return self._recorded

    async def _watch(self, stop: asyncio.Event) -> list[int]:
        """Stay in every room until then; give back whose stay ended before."""
        async with aiohttp.ClientSession() as http:
            stays = [
                asyncio.ensure_future(one.stay(http, self._url, self._news.tell)) for one in self._watchers
            ]
            stopped = asyncio.ensure_future(stop.wait())
            try:
                await asyncio.wait(
                    {*stays, stopped}, timeout=self._options.seconds, return_when=asyncio.FIRST_COMPLETED
                )
                return [number for number, stay in enumerate(stays) if stay.done()]
            finally:
                for task in (stopped, *stays):
                    task.cancel()
                await asyncio.gather(stopped, *stays, return_exceptions=True)

    def _watcher(self, number: int) -> Person:
        room = self._options.rooms[number - 1]
        life = self._options.seconds or _DAY_SECONDS
        plan = PersonPlan(
            room=room,
            identity=self._identity,
            token=hidden_token(
                self._options.key,
                self._options.secret,
                room=room,
                identity=self._identity,
                now=time.time(),
                ttl_seconds=life + 60,
            ),
            joins_at=0.0,
            leaves_at=None,
            subscribes=False,
        )
        roster = Roster(number, self._numbers)

        def hear(kind: str, message: rtc.SignalResponse) -> None:
            if kind == "join":
                self._awaited.discard(number)
                self._write(list(roster.told(self._now(), message.join.other_participants)))
                if not self._awaited:
                    self._began = self._began or time.monotonic()
            elif kind == "update":
                others = (one for one in message.update.participants if one.identity != self._identity)
                self._write(list(roster.told(self._now(), others)))

        # What is random of them does not matter: they send nothing.
        return Person(plan, self._swarm, Random(number), time.monotonic, on_message=hear)  # noqa: S311

    def _now(self) -> float:
        """Give the time of the recording, which begins when every room has answered."""
        return 0.0 if self._began is None else time.monotonic() - self._began

    def _write(self, events: list[Event]) -> None:
        self._out.writelines(event.line() for event in events)
        self._out.flush()
        self._recorded.events += len(events)
        self._recorded.people = len(self._numbers)
