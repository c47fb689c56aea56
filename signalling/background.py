"""Work on the running event loop that nobody awaits: tasks, and the one alarm of a table of timers."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

log = logging.getLogger(__name__)


class Background:
    """Tasks that nobody awaits; one that fails is logged."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run this beside everything else."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    async def close(self) -> None:
        """Break off what still runs, and wait until it has ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def __len__(self) -> int:
        return len(self._tasks)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background_work_failed", exc_info=error)


class Alarm:
    """Calls `wake` when something is due; `wake` says what is due next, in the loop's time."""

    def __init__(self, wake: Callable[[], float | None]) -> None:
        """Belong to the running loop."""
        self._loop = asyncio.get_running_loop()
        self._wake = wake
        self._handle: asyncio.Handle | None = None
        self._at = 0.0
        """When it rings; what uvloop makes of a time that has come does not know it (no `when`)."""

    def set(self, at: float) -> None:
        """Ring at this time at the latest; an earlier one that is set stays."""
        if self._handle is not None:
            if self._at <= at:
                return
            self._handle.cancel()
        self._handle, self._at = self._loop.call_at(at, self._ring), at

    def cancel(self) -> None:
        """Ring no more, until it is set again."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _ring(self) -> None:
        self._handle = None
        upcoming = self._wake()
        if upcoming is not None:
            self.set(upcoming)
