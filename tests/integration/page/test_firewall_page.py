"""The firewall sheet as people read it: on a wide screen, on a phone, in the dark and on paper."""

import re

import pytest

from tests.data.firewall_sheets import FOLDER
from tests.support.server import Server
from tests.support.static_site import StaticSite
from tests.support.visitor import Arrive, Screen

SCREENS = [
    Screen(),
    Screen(scheme="dark", language="en"),
    Screen(360, 740),
    Screen(360, 740, "dark", language="en"),
]


@pytest.mark.parametrize("screen", SCREENS, ids=lambda one: f"{one.width}-{one.scheme}-{one.language[:2]}")
async def test_the_sheet_of_a_region_can_be_read_by_everybody(arrive: Arrive, screen: Screen) -> None:
    with StaticSite(FOLDER) as site:
        reader = await arrive(f"{site.url}{screen.language[:2]}.html", screen)
        await reader.stands_at("Fiche pare-feu" if screen.french else "Firewall sheet")
        # A table stays a table for those who hear it, on a phone too.
        tables = reader.page.get_by_role("table")
        assert await tables.count() == 7
        first = tables.filter(has_text="443/TCP").first
        assert await first.get_by_role("rowheader").all_inner_texts() == [
            *("443/TCP", "10000/UDP", "3478/UDP", "3478/TCP", "19302/UDP", "19302/TCP", "10000/UDP")
        ]
        assert await first.get_by_role("columnheader").count() == 5
        await reader.assert_fits()
        await reader.assert_accessible()
        await reader.shoot("firewall")
        assert reader.troubles == []
        assert reader.foreign_requests(site.url) == []


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_it_is_printed_on_a_few_sheets_of_paper(arrive: Arrive, language: str) -> None:
    with StaticSite(FOLDER) as site:
        reader = await arrive(f"{site.url}{language}.html", Screen(scheme="dark"))
        printed = await reader.page.pdf(prefer_css_page_size=True)
    pages = re.findall(rb"/Type\s*/Page\b(?!s)", printed)
    assert 2 <= len(pages) <= 4
    boxes = set(re.findall(rb"/MediaBox \[0 0 (\d+)[\d.]* (\d+)[\d.]*\]", printed))
    assert boxes <= {(b"594", b"841"), (b"595", b"842"), (b"595", b"841"), (b"594", b"842")}
    assert boxes


async def test_the_admin_listener_shows_it(server: Server, arrive: Arrive) -> None:
    reader = await arrive(f"{server.admin_url}/firewall.html", Screen(language="en-GB"))
    await reader.stands_at("Firewall sheet")
    await reader.reads(f"{server.ports.udp}/UDP")
    await reader.assert_accessible()
    assert reader.foreign_requests(server.admin_url) == []
