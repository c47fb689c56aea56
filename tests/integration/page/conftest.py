"""The page as people use it: one Chromium for all tests, a profile for each visitor."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.support.browsers.chromium import FLAGS
from tests.support.consultation import Consultation
from tests.support.management import Management
from tests.support.server import Server
from tests.support.visitor import Arrive, Screen, Visitor

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put every test of this folder on the loop that the browsers live on."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def page_browser() -> AsyncIterator[Browser]:
    """Give a Chromium that grants the camera and the microphone without asking."""
    # A face and a dermatoscope: the first camera and the third, since a call gets no picture of the second.
    cameras = {"--use-fake-device-for-media-stream": "--use-fake-device-for-media-stream=device-count=3"}
    flags = [cameras.get(flag, flag) for flag in FLAGS]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_chromium(), args=flags)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def refusing_browser() -> AsyncIterator[Browser]:
    """Give a Chromium whose user answers every question with no."""
    flags = [flag for flag in FLAGS if not flag.startswith("--use-fake-ui")]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=_chromium(), args=[*flags, "--deny-permission-prompts"]
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def room_api(server: Server) -> AsyncIterator[Management]:
    """Give the room API of the shared server."""
    async with Management(server) as management:
        yield management


@pytest_asyncio.fixture(loop_scope="session")
async def arrive(page_browser: Browser) -> AsyncIterator[Arrive]:
    """Give a way to bring visitors to an address; at the end none of them may have met an uncaught error."""
    visitors: list[Visitor] = []

    async def bring(
        url: str, screen: Screen | None = None, browser: Browser | None = None, script: str | None = None
    ) -> Visitor:
        allowed = ("camera", "microphone") if browser is None else ()
        visitor = await Visitor.arrive(browser or page_browser, url, screen, allowed, script)
        visitors.append(visitor)
        return visitor

    yield bring
    for visitor in visitors:
        await visitor.context.close()
    assert [trouble for visitor in visitors for trouble in visitor.troubles] == []


@pytest_asyncio.fixture(loop_scope="session")
async def consultation(room_api: Management) -> Consultation:
    """Give a consultation that is open now."""
    return await Consultation.open(room_api)


@pytest_asyncio.fixture(loop_scope="session")
async def two(consultation: Consultation, arrive: Arrive) -> tuple[Visitor, Visitor]:
    """Give the clinician and a patient who see each other."""
    clinician = await arrive(consultation.clinician_url)
    await clinician.enter()
    patient = await arrive(consultation.guest_url)
    await patient.enter("Mme Durand")
    await clinician.sees("Mme Durand")
    await patient.sees("Dr Martin")
    return clinician, patient


def _chromium() -> str:
    found = shutil.which("chromium")
    assert found, "chromium is not installed: apt-get install chromium"
    return found
