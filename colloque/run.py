"""The process: one uvloop, signals, and a server between start and stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import resource
import signal
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import uvloop

from colloque import logs
from colloque.config import ConfigError
from colloque.errors import StartError
from colloque.server import Server

if TYPE_CHECKING:
    from colloque.settings import Settings

log = logging.getLogger("colloque.run")

Ready = Callable[[Server], Awaitable[None]]


def serve(settings: Settings, *, reload: Callable[[], Settings], ready: Ready) -> None:
    """Run a server until it is told to stop; raise `StartError` if it cannot start.

    SIGTERM and SIGINT stop it with a word to every client, a second one at once. SIGHUP reads the settings
    and the certificate again; settings that are wrong are named in the log and change nothing.
    """
    logs.set_up(settings.logging.level, settings.logging.format)
    _allow_many_files()
    os.umask(0o077)  # that there is an appointment at all is nobody else's business on this machine
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, reload, ready))


async def _serve(settings: Settings, reload: Callable[[], Settings], ready: Ready) -> None:
    server = Server(settings)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    await server.start()
    try:
        loop.add_signal_handler(signal.SIGHUP, _reload, server, reload)
        for one in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(one, stop.set)
        await ready(server)
        # What is loaded by now stays: to look through it again would hold the loop for 50 ms each time.
        gc.collect()
        gc.freeze()
        server.say_ready()
        await stop.wait()
    finally:
        closing = asyncio.ensure_future(server.close())
        for one in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(one, closing.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await closing


def _allow_many_files() -> None:
    # Every connection is an open file; the usual soft limit of 1,024 is for programs that use select().
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _reload(server: Server, reload: Callable[[], Settings]) -> None:
    try:
        server.reload(reload())
    except ConfigError as error:
        for problem in error.problems:
            log.error("settings_not_reloaded", extra={"reason": problem})
    except StartError as error:
        log.error("settings_not_reloaded", extra={"reason": str(error)})
