"""Real browsers behind one interface."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable

from tests.support.browsers.chromium import Chromium
from tests.support.browsers.firefox import Firefox
from tests.support.browsers.page import Browser

_START_WITHIN = 60.0  # seconds; a start takes three, but the machine may be busy with a build
_KINDS: dict[str, tuple[Callable[[str], Awaitable[Browser]], tuple[str, ...]]] = {
    "chromium": (Chromium.start, ("chromium",)),
    "firefox": (Firefox.start, ("firefox-esr", "firefox")),
}


class Browsers:
    """One browser of each kind, each started when it is first asked for."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._running: dict[str, Browser] = {}

    async def get(self, name: str) -> Browser:
        """Give the browser of this name."""
        if name not in self._running:
            start, executables = _KINDS[name]
            async with asyncio.timeout(_START_WITHIN):
                self._running[name] = await start(_executable(*executables))
        return self._running[name]

    async def close(self) -> None:
        """End those that run."""
        for browser in self._running.values():
            await browser.close()


def _executable(*names: str) -> str:
    found = next(filter(None, map(shutil.which, names)), None)
    assert found, f"{names[0]} is not installed: apt-get install {names[0]}"
    return found
