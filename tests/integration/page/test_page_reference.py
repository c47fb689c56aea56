"""The room API described as a page, for everybody who programs against it, by our own server alone."""

import pytest
from playwright.async_api import expect

from control_api import OPERATIONS
from tests.support.server import Server
from tests.support.visitor import Arrive, Screen


@pytest.mark.parametrize("screen", [Screen(language="en"), Screen(360, 640, "dark")], ids=["wide", "phone"])
async def test_every_operation_can_be_read_on_a_page_without_scripts(
    server: Server, arrive: Arrive, screen: Screen
) -> None:
    developer = await arrive(f"{server.url}/v1/docs", screen)
    page = developer.page
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Colloque room API")
    for operation in OPERATIONS:
        heading = page.get_by_role("heading", name=f"{operation.method} {operation.path}", exact=True)
        await expect(heading).to_have_count(1)
    await page.get_by_role("link", name="Make a room", exact=True).click()
    assert page.url.endswith("#create_room")
    await page.get_by_role("link", name="RoomRequest").first.click()
    await expect(page.get_by_role("heading", name="RoomRequest", exact=True)).to_be_in_viewport()
    await developer.shoot("reference")
    await developer.assert_fits()
    await developer.assert_accessible()
    assert developer.troubles == []
    assert {request.partition("#")[0] for request in developer.requests} == {f"{server.url}/v1/docs"}
