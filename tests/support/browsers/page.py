"""What a test needs of a browser, whichever one it is."""

from pathlib import Path
from typing import Any, Protocol


class BrowserError(Exception):
    """What the page said when a verb failed."""


class Page(Protocol):
    """One page with one test participant in it."""

    async def call(self, verb: str, *args: object) -> Any:
        """Call a verb of the test participant and give back what it answered."""

    async def reload(self) -> None:
        """Load the page anew, as a person does with F5; the participant is gone and has to join again."""

    async def close(self) -> None:
        """Close the page as a person closes a tab."""

    async def crash(self) -> None:
        """Kill the page's process; the page cannot be used afterwards."""

    async def screenshot(self, path: Path) -> None:
        """Write a picture of the page."""

    async def errors(self) -> list[str]:
        """Give every error that nobody caught in this page."""


class Browser(Protocol):
    """A running browser."""

    name: str

    async def open(self, url: str) -> Page:
        """Open a page of its own, sharing nothing with the others."""

    async def close(self) -> None:
        """End the browser."""
