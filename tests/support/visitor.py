"""A person at the web page, who reads what is on the screen and presses what has the name that they read."""

import json
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, expect

SCREENSHOTS = Path(__file__).parents[1] / "screenshots"
_AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
_PATIENCE_MS = 15_000.0

Scheme = Literal["light", "dark"]

_SAMPLES = 2048


@dataclass(slots=True)
class Screen:
    """The device: size in CSS pixels, colours and language of the browser."""

    width: int = 1280
    height: int = 800
    scheme: Scheme = "light"
    language: str = "fr-FR"
    agent: str | None = None
    """What the browser calls itself; None leaves its own name."""

    @property
    def french(self) -> bool:
        """Whether the page speaks French on it."""
        return self.language.startswith("fr")


@dataclass
class Visitor:
    """One person, in a browser profile of their own."""

    page: Page
    context: BrowserContext
    screen: Screen
    troubles: list[str] = field(default_factory=list)
    """Errors that nobody caught and breaches of the Content-Security-Policy."""
    requests: list[str] = field(default_factory=list)
    """Every address that the page asked for."""

    @classmethod
    async def arrive(
        cls,
        browser: Browser,
        url: str,
        screen: Screen | None = None,
        permissions: Sequence[str] = ("camera", "microphone"),
        script: str | None = None,
    ) -> Self:
        """Open this address on a device of this kind; the script runs before anything of the page does."""
        screen = screen or Screen()
        context = await browser.new_context(
            viewport={"width": screen.width, "height": screen.height},
            color_scheme=screen.scheme,
            locale=screen.language,
            permissions=list(permissions),
            user_agent=screen.agent,
        )
        context.set_default_timeout(_PATIENCE_MS)
        if script is not None:
            await context.add_init_script(script)
        page = await context.new_page()
        visitor = cls(page, context, screen)
        page.on("pageerror", lambda error: visitor.troubles.append(str(error)))
        page.on("console", visitor._note)
        page.on("request", visitor._record)
        await page.goto(url)
        return visitor

    def _note(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.troubles.append(message.text)

    def _record(self, request: Request) -> None:
        self.requests.append(request.url)

    # --- reading ---

    async def reads(self, text: str | re.Pattern[str]) -> None:
        """Wait until these words are in sight."""
        await expect(self.page.get_by_text(text).filter(visible=True).first).to_be_visible(
            timeout=_PATIENCE_MS
        )

    async def stands_at(self, heading: str | re.Pattern[str]) -> None:
        """Wait until a screen with this heading is shown."""
        await expect(self.page.get_by_role("heading", level=1, name=heading)).to_be_visible(
            timeout=_PATIENCE_MS
        )

    def tile(self, name: str) -> Locator:
        """The field of the stage that carries this name."""
        return self.page.locator("li.tile").filter(has_text=name)

    async def sees(self, name: str) -> None:
        """Wait until the picture of this person, screen or camera moves."""
        video = self.tile(name).locator("video")
        await expect(video).to_be_visible(timeout=_PATIENCE_MS)
        handle = await video.element_handle()
        assert handle is not None
        await self.page.wait_for_function(
            """([video, look]) => {
              if (video.videoWidth === 0) return false;
              video.looks ??= {};
              video.looks[look] ??= video.currentTime;
              return video.currentTime > video.looks[look] + 0.2;
            }""",
            arg=[handle, secrets.token_hex(4)],
            timeout=_PATIENCE_MS,
        )

    async def hears(self) -> None:
        """Wait until sound comes out of the page: one that plays in silence is not heard."""
        await self.page.wait_for_function(
            """(samples) => {
              const playing = [...document.querySelectorAll('audio')].filter(a => a.srcObject && !a.paused);
              window.ears ??= new AudioContext();
              return playing.some((audio) => {
                if (!audio.ear) {
                  audio.ear = new AnalyserNode(window.ears, {fftSize: samples});
                  window.ears.createMediaStreamSource(audio.srcObject).connect(audio.ear);
                }
                const wave = new Float32Array(samples);
                audio.ear.getFloatTimeDomainData(wave);
                return wave.some(sample => Math.abs(sample) > 0.01);
              });
            }""",
            arg=_SAMPLES,
            timeout=_PATIENCE_MS,
        )

    # --- doing ---

    def button(self, name: str | re.Pattern[str]) -> Locator:
        """The button of this name."""
        return self.page.get_by_role("button", name=name)

    async def press(self, name: str | re.Pattern[str]) -> None:
        """Press the button of this name."""
        await self.button(name).click()

    async def enter(self, name: str | None = None) -> None:
        """Write a name where one is asked for, and go in."""
        if name is not None:
            await self.page.get_by_label("Votre nom" if self.screen.french else "Your name").fill(name)
        await self.press("Entrer" if self.screen.french else "Enter")
        await expect(self.page.get_by_role("toolbar")).to_be_visible(timeout=_PATIENCE_MS)

    async def turn(self, screen: Screen) -> None:
        """Go on with this size and these colours; the language of the browser stays."""
        self.screen = screen
        await self.page.set_viewport_size({"width": screen.width, "height": screen.height})
        await self.page.emulate_media(color_scheme=screen.scheme)

    async def leave_page(self) -> None:
        """Close the window."""
        await self.context.close()

    # --- judging ---

    async def assert_accessible(self) -> None:
        """Fail on anything that axe-core calls serious or critical."""
        # Over the debugging protocol, so that the page's own policy stays in force.
        await self.page.evaluate(_AXE.read_text(encoding="utf-8"))
        found: list[dict[str, Any]] = await self.page.evaluate(
            """async () => (await axe.run(document, {resultTypes: ['violations']})).violations
                 .map(({id, impact, help, nodes}) => ({id, impact, help, nodes: nodes.map(n => n.html)}))"""
        )
        serious = [problem for problem in found if problem["impact"] in {"serious", "critical"}]
        assert serious == [], json.dumps(serious, indent=1, ensure_ascii=False)

    async def assert_fits(self) -> None:
        """Fail when the page is wider than the screen."""
        width = await self.page.evaluate("document.documentElement.scrollWidth")
        assert width <= self.screen.width, f"the page is {width} px wide on a screen of {self.screen.width}"
        # The call is fixed to the window, which therefore never grows: what sticks out of it is out of reach.
        outside = await self.page.evaluate(
            """() => [...document.querySelectorAll('button, input, select, textarea, a')]
                 .filter(control => control.checkVisibility())
                 .filter(control => {
                   const {left, right, bottom} = control.getBoundingClientRect();
                   const below = control.closest('.bar') && bottom > innerHeight + 1;
                   return left < -1 || right > innerWidth + 1 || below;
                 })
                 .map(control => control.outerHTML.slice(0, 160))"""
        )
        assert outside == [], f"out of reach on a screen of {self.screen.width}: {outside}"

    async def shoot(self, name: str) -> None:
        """Write a picture of the screen; its name says what kind of screen it was."""
        SCREENSHOTS.mkdir(exist_ok=True)
        screen = self.screen
        file = f"{name}-{screen.width}-{screen.scheme}-{screen.language[:2]}.png"
        await self.page.screenshot(path=SCREENSHOTS / file)

    def foreign_requests(self, origin: str) -> list[str]:
        """Everything that the page fetched from elsewhere."""
        host = urlsplit(origin).netloc
        return [url for url in self.requests if urlsplit(url).netloc not in {host, ""}]


Arrive = Callable[..., Awaitable[Visitor]]
"""Brings a visitor to an address: `await arrive(url, screen, browser)`."""
