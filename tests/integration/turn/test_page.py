"""The connection test on the page in a hospital whose firewall leaves some ways: each port by itself."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.support.connection_tests import address_secret
from tests.support.hospital import Hospital, hospital

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

BROWSER_CLIENT = Path(__file__).parents[1] / "browser" / "dist"
PORTS = {"10000/UDP", "3478/UDP", "19302/UDP", "3478/TCP", "19302/TCP", "5349/TCP"}
_LONGEST_MS = 45_000.0


@pytest.fixture(scope="module")
def place() -> Iterator[Hospital]:
    with hospital(BROWSER_CLIENT) as built:
        yield built


@pytest.fixture(autouse=True)
async def without_pages(place: Hospital) -> AsyncIterator[None]:
    """End what a test has opened."""
    yield
    await place.end_browser()


async def passed(place: Hospital) -> Page:
    """Do a whole test on the page, up to its verdict."""
    page = (await place.opens(f"/t/{await address_secret(place.database)}")).page
    await page.get_by_role("button", name="Start the test").click()
    await page.get_by_role("button", name="Yes", exact=True).click(timeout=_LONGEST_MS)
    await expect(page.get_by_role("heading", name="What was tried")).to_be_visible()
    return page


async def ports_by_outcome(page: Page) -> dict[str, set[str]]:
    """Read what came of each port."""
    found: dict[str, set[str]] = {}
    for line in await page.locator(".probe-line").filter(has_text=", port ").all():
        name = await line.locator(".probe-name").inner_text()
        outcome = await line.get_attribute("data-state") or ""
        found.setdefault(outcome, set()).add(name.rpartition(" ")[2])
    return found


async def test_every_open_port_is_seen_to_be_open(place: Hospital) -> None:
    place.lets_out(*(port.lower() for port in PORTS))
    page = await passed(place)
    assert await ports_by_outcome(page) == {"ok": PORTS}
    await expect(page.get_by_role("heading", level=1)).to_have_text("All is well for a video call")


async def test_a_relay_over_udp_alone_does_for_pictures_and_the_direct_way_is_to_be_opened(
    place: Hospital,
) -> None:
    place.lets_out("19302/udp")
    page = await passed(place)
    assert await ports_by_outcome(page) == {"ok": {"19302/UDP"}, "blocked": PORTS - {"19302/UDP"}}
    await expect(page.get_by_role("heading", level=1)).to_have_text("All is well for a video call")
    await expect(page.get_by_text("Have 10000/UDP opened by the IT department")).to_be_visible()


async def test_where_tls_alone_gets_out_the_ports_for_media_are_to_be_opened(place: Hospital) -> None:
    place.lets_out("5349/tcp")
    page = await passed(place)
    assert await ports_by_outcome(page) == {"ok": {"5349/TCP"}, "blocked": PORTS - {"5349/TCP"}}
    await expect(page.get_by_role("heading", level=1)).to_have_text(
        "A video call is possible, with a picture less sharp"
    )
    await expect(page.get_by_text("Have 10000/UDP, 3478/UDP, 19302/UDP")).to_be_visible()


async def test_where_nothing_gets_out_no_call_is_possible(place: Hospital) -> None:
    place.lets_out()
    page = await passed(place)
    assert await ports_by_outcome(page) == {"blocked": PORTS}
    await expect(page.get_by_role("heading", level=1)).to_have_text(
        "For now, a call is not possible from here"
    )
