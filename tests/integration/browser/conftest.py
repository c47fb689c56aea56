"""Browsers are slow to start, so all tests here share one of each kind and one event loop."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.browsers import Browsers
from tests.support.management import Management
from tests.support.meeting import Meeting
from tests.support.server import Server
from tests.support.static_site import StaticSite

HERE = Path(__file__).parent
BUNDLE = HERE / "dist"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put every test of this folder on the loop that the browsers live on."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def page_url() -> Iterator[str]:
    """Serve the test participant from an origin that is not the server's."""
    assert (BUNDLE / "client.js").exists(), f"run `npm ci && npm run build` in {HERE}"
    with StaticSite(BUNDLE) as site:
        yield site.url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browsers() -> AsyncIterator[Browsers]:
    """Give one browser of each kind, started when the first test asks for it."""
    running = Browsers()
    yield running
    await running.close()


@pytest_asyncio.fixture(loop_scope="session")
async def meeting(server: Server, page_url: str, browsers: Browsers) -> AsyncIterator[Meeting]:
    """Give a new room with browsers at its door; no page may have had an error that nobody caught."""
    async with Management(server) as management:
        gathering = Meeting(server, management, await management.room(), page_url, browsers)
        yield gathering
        assert await gathering.close() == []
