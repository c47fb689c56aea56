"""A plan from start to end: people come and go at their times, and once a second everything is counted."""

from __future__ import annotations

import asyncio
import contextlib
import random
import resource
import time
from typing import TYPE_CHECKING, Literal

import aiohttp

from loadtest.clips.store import camera_of, clip_of
from loadtest.engine.core import Swarm
from loadtest.engine.figures import Figures, Layout, rows
from loadtest.engine.news import News
from loadtest.engine.person import Person
from loadtest.faithful.child import Faithful
from loadtest.results import EngineResult, Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from loadtest.plan import RunPlan

_TICK = 1.0  # seconds between two counts
_ENCODINGS = ("low", "medium", "high")


async def run(
    plan: RunPlan,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    stop: asyncio.Event | None = None,
    check_every: int = 1,
    threads: int = 1,
) -> EngineResult:
    """Carry out a plan and give back what was measured; `stop` ends it early, with what there is by then.

    One received packet in `check_every` is decrypted and read; latency and payload errors are of those.
    Raises `RunError` when faithful participants or a clip of the plan cannot be had.
    """
    _raise_descriptor_limit()
    camera = camera_of(plan)
    clip = None if camera is None else (camera.codec, await asyncio.to_thread(clip_of, camera))
    async with Faithful(plan) as faithful:
        swarm = Swarm(threads=threads, check_every=check_every, seed=plan.seed % 2**64, clip=clip)
        try:
            return await _Run(plan, swarm, faithful, on_progress).carry_out(stop or asyncio.Event())
        finally:
            swarm.stop()


class _Run:
    """The state of one run."""

    def __init__(
        self,
        plan: RunPlan,
        swarm: Swarm,
        faithful: Faithful,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._plan = plan
        self._swarm = swarm
        self._faithful = faithful
        self._on_progress = on_progress
        self._loop = asyncio.get_running_loop()
        self._layout = Layout.of(Swarm.snapshot_layout())
        self._started = 0.0
        self._end = plan.warm_up_seconds + plan.seconds
        self._moments: list[Figures] = []
        self._measured_from = 0
        self._news = News(swarm)
        rng = random.Random(plan.seed)  # noqa: S311 - repeatable, not secret
        self._people = [
            Person(each, swarm, random.Random(rng.getrandbits(64)), time.monotonic)  # noqa: S311
            for each in plan.people
        ]

    async def carry_out(self, stop: asyncio.Event) -> EngineResult:
        self._started = self._loop.time()
        self._faithful.start(time.monotonic())
        stopping = asyncio.ensure_future(stop.wait())
        connector = aiohttp.TCPConnector(limit=0)
        try:
            with self._news.delivered():
                async with aiohttp.ClientSession(connector=connector) as http:
                    stays = [asyncio.ensure_future(self._stay(person, http)) for person in self._people]
                    try:
                        await self._count(stopping)
                        await self._faithful.finish()
                    finally:
                        for stay in stays:
                            stay.cancel()
                        ends = await asyncio.gather(*stays, return_exceptions=True)
                    # What the server can cause stands in the results; anything else is a fault of ours.
                    for end in ends:
                        if isinstance(end, Exception):
                            raise end
        finally:
            stopping.cancel()
        return self._result(aborted=stop.is_set())

    async def _stay(self, person: Person, http: aiohttp.ClientSession) -> None:
        await self._until(person.plan.joins_at)
        leaves = person.plan.leaves_at
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(None if leaves is None else self._started + leaves):
                await person.stay(http, self._plan.url, self._news.tell)

    async def _count(self, stopping: asyncio.Task[Literal[True]]) -> None:
        """Count every second until the end, and at the two ends of the measured part."""
        warm_up = self._plan.warm_up_seconds
        steps = int(self._end / _TICK)
        moments = sorted({0.0, warm_up, self._end, *(step * _TICK for step in range(1, steps + 1))})
        for moment in moments:
            wait = max(0.0, self._started + moment - self._loop.time())
            await asyncio.wait([stopping], timeout=wait)
            if moment == warm_up:
                self._measured_from = len(self._moments)
            self._moments.append(await self._figures())
            self._tell_progress()
            if stopping.done():
                break

    async def _figures(self) -> Figures:
        # The threads answer between two of their turns, which the loop does not wait for.
        snapshot = await asyncio.to_thread(self._swarm.snapshot)
        return Figures.read(snapshot, self._layout, at=self._loop.time() - self._started)

    def _tell_progress(self) -> None:
        if self._on_progress is None:
            return
        now, then = self._moments[-1], self._moments[max(0, len(self._moments) - 2)]
        passed = now.at - then.at
        received = now.since(then).sums["packets_received"]
        present = [p for p in self._people if p.plan.joins_at <= now.at and not _has_left(p, now.at)]
        self._on_progress(
            Progress(
                seconds=now.at,
                of_seconds=self._end,
                connected=sum(person.is_connected for person in present),
                expected=len(present),
                packets_per_second=received / passed if passed > 0 else 0.0,
            )
        )

    async def _until(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, self._started + seconds - self._loop.time()))

    def _result(self, *, aborted: bool) -> EngineResult:
        joins = tuple(person.result() for person in self._people)
        total = self._moments[-1].since(self._moments[self._measured_from])
        error = None
        if joins and not any(join.ok for join in joins) and not aborted:
            error = next((join.error for join in joins if join.error), "nobody connected")
        return EngineResult(
            joins=joins,
            latency=total.latency,
            seconds=rows(self._moments),
            packets_sent=total.sums["packets_sent"],
            packets_expected=total.sums["packets_expected"],
            packets_received=total.sums["packets_received"],
            packets_lost=total.lost,
            duplicates=total.sums["duplicates"],
            payload_errors=sum(total.sums[name] for name in ("damaged", "foreign", "undecipherable")),
            payloads_checked=total.sums["checked"],
            layer_seconds={
                name: total.sums[f"encoding_{number}_micros"] / 1e6 for number, name in enumerate(_ENCODINGS)
            },
            tool_busy=max(total.busy, self._faithful.busy),
            aborted=aborted,
            error=error,
            faithful=self._faithful.viewers,
        )


def _has_left(person: Person, at: float) -> bool:
    return person.plan.leaves_at is not None and person.plan.leaves_at <= at


def _raise_descriptor_limit() -> None:
    """Let the process have as many sockets as it may: each person needs two."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
