"""The engine's side of the faithful participants: their process is begun, told what to do and heard."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Self

from loadtest.errors import RunError
from loadtest.results import FaithfulViewer

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from loadtest.plan import RunPlan

MISSING = "the scenario has faithful viewers, which need aiortc and av: pip install 'colloque[faithful]'"
_READY_SECONDS = 60.0  # of loading, on a machine that is busy
_RESULT_SECONDS, _GOODBYE_SECONDS = 5.0, 2.0  # together less than a run waits for its engine
_PARTS = ("aiortc", "av")


def see_that_it_is_installed() -> None:
    """Raise `RunError` with what to install when a part is missing."""
    if any(find_spec(part) is None for part in _PARTS):
        raise RunError(MISSING)


class Faithful:
    """The process of the faithful participants of one run. Use as a context manager."""

    def __init__(self, plan: RunPlan) -> None:
        """Take the plan; without such participants nothing is ever begun."""
        self._plan = plan
        self._process: Process | None = None
        self.viewers: tuple[FaithfulViewer, ...] = ()
        self.busy = 0.0
        """Share of a core that the loop of the process used."""

    async def __aenter__(self) -> Self:
        """Begin the process and wait until it is loaded; raise `RunError`."""
        if not self._plan.faithful:
            return self
        see_that_it_is_installed()
        # A session of its own: the signal that ends the run must not end it before it was heard. It finds its
        # parts where this process does, and never in the folder that the user happens to be in.
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "loadtest.faithful",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
        if await self._line(_READY_SECONDS) != b"ready\n":
            await self._kill()
            raise RunError("the process of the faithful participants could not be begun")
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the process if it is still there."""
        await self._kill()

    def start(self, started: float) -> None:
        """Let them join; the run has started at this time, in seconds of the clock of all processes."""
        if self._process is None or self._process.stdin is None:
            return
        begins = started + self._plan.warm_up_seconds
        order = {
            "url": self._plan.url,
            "people": [{"identity": one.identity, "token": one.token} for one in self._plan.faithful],
            "begins": begins,
            "ends": begins + self._plan.seconds,
        }
        self._process.stdin.write(json.dumps(order).encode() + b"\n")

    async def finish(self) -> None:
        """Hear what they saw; call it at the end of the run, also of one that ends early."""
        if self._process is None or self._process.stdin is None:
            return
        with contextlib.suppress(OSError):
            self._process.stdin.write(b"end\n")
        line = await self._line(_RESULT_SECONDS)
        if not line:
            said = "the process of the faithful participants ended without a word"
            self.viewers = tuple(_blind(one.identity, said) for one in self._plan.faithful[1:])
            return
        told = json.loads(line)
        self.viewers = tuple(FaithfulViewer(**one) for one in told["viewers"])
        self.busy = told["busy"]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._process.wait()

    async def _line(self, seconds: float) -> bytes:
        assert self._process is not None, "begun"  # noqa: S101
        assert self._process.stdout is not None, "asked for"  # noqa: S101
        try:
            async with asyncio.timeout(seconds):
                return await self._process.stdout.readline()
        except TimeoutError:
            return b""

    async def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


def _blind(identity: str, error: str) -> FaithfulViewer:
    return FaithfulViewer(identity, error, 0.0, 0, 1.0, 0, None, None, None)
