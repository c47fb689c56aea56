"""Chromium, driven by Playwright."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any, Self

from playwright.async_api import Browser, Error, Playwright, async_playwright
from playwright.async_api import Page as PlaywrightPage

from tests.support.browsers.page import BrowserError

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    # A camera and a microphone that need neither hardware nor a click, and a screen that is this very tab.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--auto-accept-this-tab-capture",
    "--autoplay-policy=no-user-gesture-required",
    # A participant is not less present because another one's window is in front.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    # Nothing leaves the machine.
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Chromium:
    """A running Chromium; every page has a profile of its own."""

    name = "chromium"

    def __init__(self, playwright: Playwright, browser: Browser) -> None:
        self._playwright = playwright
        self._browser = browser

    @classmethod
    async def start(cls, executable: str, *more: str) -> Self:
        """Start a headless Chromium from this executable, with these flags besides."""
        playwright = await async_playwright().start()
        browser = await playwright.chromium.launch(
            executable_path=executable,
            headless=True,
            args=[*FLAGS, *more],
            ignore_default_args=["--mute-audio"],
        )
        return cls(playwright, browser)

    async def open(self, url: str) -> "ChromiumPage":
        """Open a page in a fresh profile."""
        context = await self._browser.new_context(permissions=["camera", "microphone"])
        page = await context.new_page()
        await page.goto(url)
        return ChromiumPage(page)

    async def close(self) -> None:
        """End the browser and its driver."""
        await self._browser.close()
        await self._playwright.stop()


class ChromiumPage:
    """One page in Chromium."""

    def __init__(self, page: PlaywrightPage) -> None:
        self.page = page

    async def call(self, verb: str, *args: object) -> Any:
        """Call a verb of the test participant and give back what it answered."""
        try:
            return await self.page.evaluate(
                "([verb, args]) => window.client[verb](...args)", [verb, list(args)]
            )
        except Error as error:
            raise BrowserError(f"{verb}: {error.message}") from None

    async def reload(self) -> None:
        """Load the page anew."""
        await self.page.reload()

    async def close(self) -> None:
        """Close the page as a person closes a tab."""
        await self.page.close(run_before_unload=False)
        await self.page.context.close()

    async def crash(self) -> None:
        """Kill the page's renderer process."""
        crashed = asyncio.get_running_loop().create_future()
        self.page.once("crash", lambda _: crashed.set_result(None))
        with contextlib.suppress(Error):
            await self.page.goto("chrome://crash")
        await crashed

    async def screenshot(self, path: Path) -> None:
        """Write a picture of the page."""
        await self.page.screenshot(path=path)

    async def errors(self) -> list[str]:
        """Give every error that nobody caught in this page."""
        found: list[str] = await self.page.evaluate("() => window.errors")
        return found
