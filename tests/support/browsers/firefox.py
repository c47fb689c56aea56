"""Firefox, driven over WebDriver BiDi by a small Node program that speaks JSON lines."""

import asyncio
import itertools
import json
from pathlib import Path
from typing import Any, Self

from tests.support.browsers.page import BrowserError

DRIVER = Path(__file__).parents[2] / "integration" / "browser" / "firefox.mjs"
_LONGEST_LINE = 16 * 2**20  # a whole journal of a call fits


class Firefox:
    """A running Firefox; every page has a profile of its own."""

    name = "firefox"

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._reader: asyncio.Task[None] | None = None
        self.version = ""

    @classmethod
    async def start(cls, executable: str) -> Self:
        """Start a headless Firefox from this executable."""
        process = await asyncio.create_subprocess_exec(
            "node",
            str(DRIVER),
            executable,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
        )
        firefox = cls(process)
        greeting = await firefox._next()
        if greeting is None:
            raise BrowserError("Firefox did not start; what it said is above")
        firefox.version = greeting["value"]
        firefox._reader = asyncio.create_task(firefox._read())
        return firefox

    async def open(self, url: str) -> "FirefoxPage":
        """Open a page in a fresh profile."""
        return FirefoxPage(self, await self.ask("open", url=url))

    async def close(self) -> None:
        """End the browser and its driver."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        if self._reader is not None:
            await self._reader

    async def ask(self, action: str, **fields: object) -> Any:
        """Send one request to the driver and give back its answer."""
        assert self._process.stdin is not None
        number = next(self._ids)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._process.stdin.write(json.dumps({"id": number, "do": action, **fields}).encode() + b"\n")
        return await future

    async def _next(self) -> dict[str, Any] | None:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        answer: dict[str, Any] | None = json.loads(line) if line else None
        return answer

    async def _read(self) -> None:
        while (answer := await self._next()) is not None:
            future = self._waiting.pop(answer["id"])
            if future.done():
                continue  # the test gave up on it
            if "error" in answer:
                future.set_exception(BrowserError(answer["error"]))
            else:
                future.set_result(answer["value"])
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(BrowserError("Firefox ended"))


class FirefoxPage:
    """One page in Firefox."""

    def __init__(self, firefox: Firefox, number: int) -> None:
        self._firefox = firefox
        self._number = number

    async def call(self, verb: str, *args: object) -> Any:
        """Call a verb of the test participant and give back what it answered."""
        return await self._firefox.ask("call", page=self._number, verb=verb, args=args)

    async def press(self, name: str, *, within: float = 10.0) -> None:
        """Press the button that says exactly this, once it is there; `within` is in seconds."""
        await self._firefox.ask("press", page=self._number, name=name, within=within * 1000)

    async def reload(self) -> None:
        """Load the page anew."""
        await self._firefox.ask("reload", page=self._number)

    async def close(self) -> None:
        """Close the page as a person closes a tab."""
        await self._firefox.ask("close", page=self._number)

    async def crash(self) -> None:
        """Not possible over BiDi: about:crashcontent is out of its reach."""
        raise NotImplementedError("only Chromium's pages can be killed")

    async def screenshot(self, path: Path) -> None:
        """Write a picture of the page."""
        await self._firefox.ask("screenshot", page=self._number, path=str(path))

    async def errors(self) -> list[str]:
        """Give every error that nobody caught in this page."""
        found: list[str] = await self._firefox.ask("errors", page=self._number)
        return found
