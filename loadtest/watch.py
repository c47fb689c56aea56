"""Looking at the server once a second while the engine runs: what it takes, and whether it lives."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import aiohttp

from loadtest.errors import RunError
from loadtest.server_figures import (
    ProcessTimes,
    ServerSample,
    read_metrics,
    read_stat,
    read_statm,
    read_version,
)
from loadtest.target import reason

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SECONDS_BETWEEN = 1.0
_ANSWER_SECONDS = 1.0
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class ServerGone(Exception):
    """The server has ended; the text says how that was seen."""


class Source(Protocol):
    """Where the server's figures come from."""

    async def read(self, at: float) -> ServerSample | None:
        """Give the totals now, which is `at`; none if it does not say just now. Raise `ServerGone`."""


class NoSource:
    """For a server whose figures nobody may see."""

    async def read(self, at: float) -> ServerSample | None:  # noqa: ARG002 - the protocol's
        """Give nothing."""
        return None


class ProcessSource:
    """Figures of one process of this machine, from /proc."""

    def __init__(self, pid: int, proc: Path = Path("/proc")) -> None:
        """Look at the process once; raise `RunError` if there is none."""
        self._pid = pid
        self._folder = proc / str(pid)
        try:
            self._started = self._times().started
        except OSError as error:
            raise RunError(f"--server-pid {pid}: there is no such process") from error

    async def read(self, at: float) -> ServerSample | None:
        """Give CPU time and resident memory of the process."""
        try:
            times = self._times()
            memory = read_statm((self._folder / "statm").read_text(), page_bytes=_PAGE)
        except OSError as error:
            raise ServerGone(f"process {self._pid} has ended") from error
        # A process that has ended but was not yet waited for has no memory left.
        if times.started != self._started or memory == 0:
            raise ServerGone(f"process {self._pid} has ended")
        return ServerSample(at, times.cpu_seconds, memory)

    def _times(self) -> ProcessTimes:
        return read_stat((self._folder / "stat").read_text(), ticks_per_second=_TICKS)


class MetricsSource:
    """Figures that the server itself tells on its Prometheus page."""

    def __init__(self, session: aiohttp.ClientSession, admin_url: str) -> None:
        """Read `/metrics` there."""
        self._session = session
        self._url = f"{admin_url.rstrip('/')}/metrics"

    async def check(self) -> str | None:
        """See that the page has the figures, or raise `RunError`; give the server's version if it is said."""
        try:
            text = await self._page()
            sample = read_metrics(text, 0.0)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RunError(f"--admin-url {self._url}: cannot be read: {reason(error)}") from error
        except ValueError as error:
            raise RunError(f"--admin-url {self._url}: is no page of metrics") from error
        if sample.cpu_seconds is None and sample.memory_bytes is None:
            raise RunError(f"--admin-url {self._url}: has no figures of the process; use --server-pid")
        return read_version(text)

    async def read(self, at: float) -> ServerSample | None:
        """Give CPU time and resident memory as the page has them; none if it does not answer in time."""
        try:
            return read_metrics(await self._page(), at)
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return None

    async def _page(self) -> str:
        timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        async with self._session.get(self._url, timeout=timeout) as answer:
            answer.raise_for_status()
            return await answer.text()


class Watch:
    """Keeps what was seen of the server in one run."""

    def __init__(
        self,
        source: Source,
        is_there: Callable[[], Awaitable[bool]],
        *,
        clock: Callable[[], float],
        pause: Callable[[float], Awaitable[object]],
    ) -> None:
        """Count seconds from now; `is_there` says whether somebody still listens."""
        self.samples: list[ServerSample] = []
        self._source = source
        self._is_there = is_there
        self._clock = clock
        self._pause = pause
        self._start = clock()

    async def until_gone(self) -> str:
        """Take a sample a second until the server has ended, then say how that was seen."""
        while True:
            begun = self._clock() - self._start
            try:
                sample = await self._source.read(begun)
            except ServerGone as gone:
                return str(gone)
            if sample is not None:
                self.samples.append(sample)
            if not await self._is_there():
                return "nobody listens at its address any more"
            took = self._clock() - self._start - begun
            await self._pause(max(0.0, SECONDS_BETWEEN - took))
