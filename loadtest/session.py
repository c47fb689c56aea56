"""The shell around a run: event loop, signals, connections and clocks."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
import uvloop

from loadtest.clips.store import clip_of
from loadtest.errors import RunError
from loadtest.faithful.child import see_that_it_is_installed
from loadtest.planning import camera
from loadtest.run import Surroundings, run
from loadtest.scenario import Filmed
from loadtest.target import HttpTarget
from loadtest.watch import MetricsSource, NoSource, ProcessSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from loadtest.results import Progress
    from loadtest.run import Engine, RunRecord
    from loadtest.scenario import Scenario
    from loadtest.watch import Source


@dataclass(frozen=True, slots=True)
class Options:
    """Which server, and how to look at it."""

    url: str
    key: str
    secret: str
    seed: int
    server_pid: int | None = None
    admin_url: str | None = None


def carry_out(
    scenario: Scenario,
    options: Options,
    engine: Engine,
    on_progress: Callable[[str, Progress], None] | None,
    on_clip: Callable[[float], None] = lambda _: None,
) -> tuple[RunRecord, str | None]:
    """Run a scenario; give what was measured, and the server's version where it says one.

    `on_clip` hears how much of a clip is made, 0 to 1, if the scenario has one that was not made yet.
    SIGINT and SIGTERM end it with what was measured so far, a second one at once. Raises `RunError`.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(_carry_out(scenario, options, engine, on_progress, on_clip))
        except asyncio.CancelledError as error:
            raise RunError("interrupted twice: nothing is reported") from error


async def _carry_out(
    scenario: Scenario,
    options: Options,
    engine: Engine,
    on_progress: Callable[[str, Progress], None] | None,
    on_clip: Callable[[float], None] = lambda _: None,
) -> tuple[RunRecord, str | None]:
    if isinstance(scenario, Filmed) and scenario.video.source == "clip" and "video" in scenario.sends:
        await asyncio.to_thread(clip_of, camera(scenario.video), tell=on_clip)
    if scenario.faithful:
        see_that_it_is_installed()
    stop = stop_on_signals()
    async with AsyncExitStack() as stack:
        source, version = await _source(options, stack)
        target = await stack.enter_async_context(HttpTarget(options.url, options.key, options.secret))
        world = Surroundings(
            engine=engine,
            target=target,
            source=source,
            key=options.key,
            secret=options.secret,
            now=time.time,
            clock=time.monotonic,
            on_progress=on_progress,
        )
        return await run(scenario, options.seed, world, stop), version


async def _source(options: Options, stack: AsyncExitStack) -> tuple[Source, str | None]:
    """Prefer the process, which answers even when the server is too busy to."""
    process = None if options.server_pid is None else ProcessSource(options.server_pid)
    if options.admin_url is None:
        return process or NoSource(), None
    metrics = MetricsSource(await stack.enter_async_context(aiohttp.ClientSession()), options.admin_url)
    version = await metrics.check()
    return process or metrics, version


def stop_on_signals() -> asyncio.Event:
    """Give what the first SIGINT or SIGTERM sets; a second one cancels the task that runs now."""
    stop = asyncio.Event()
    loop, running = asyncio.get_running_loop(), asyncio.current_task()
    assert running is not None, "called by the run itself"  # noqa: S101

    def told() -> None:
        if stop.is_set():
            running.cancel()
        stop.set()

    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, told)
    return stop
