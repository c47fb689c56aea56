"""The page that describes the interface has all of the OpenAPI file, and nothing in it is taken for HTML."""

import base64
import hashlib
import html
import re
from typing import Any

from control_api.reference import as_page, content_policy
from tests.unit.control_api.conftest import Client
from tests.unit.control_api.test_openapi import file_of


async def test_everything_that_is_named_in_the_file_is_on_the_page(client: Client) -> None:
    file, page = file_of(client), client.api.manual.page().body
    assert isinstance(page, str)
    names = [*file["components"]["schemas"], *file["paths"]]
    for path in file["paths"].values():
        for operation in path.values():
            names += [operation["summary"], *(one["name"] for one in operation["parameters"])]
    for schema in file["components"]["schemas"].values():
        names += [*schema.get("properties", ()), *schema.get("enum", ())]
    assert [name for name in names if html.escape(name) not in page] == []


async def test_every_link_within_the_page_leads_somewhere_once(client: Client) -> None:
    page = str(client.api.manual.page().body)
    places = re.findall(r'id="([^"]+)"', page)
    assert len(set(places)) == len(places)
    links = set(re.findall(r'href="#([^"]+)"', page))
    assert len(links) > 40
    assert links <= set(places)


async def test_the_policy_allows_the_style_of_the_page_and_no_script(client: Client) -> None:
    reply = client.api.manual.page()
    (style,) = re.findall(r"<style>(.*?)</style>", str(reply.body), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in content_policy()
    assert reply.headers["Content-Security-Policy"] == content_policy()
    assert "script" not in content_policy()
    assert "<script" not in str(reply.body)


async def test_what_stands_in_the_file_is_text_on_the_page(client: Client) -> None:
    file = file_of(client)
    evil = "<script>alert('x')</script>\"'&"
    page = as_page(_spoilt(file, evil))
    assert "<script" not in page
    assert "alert(" in page


def _spoilt(value: Any, evil: str) -> Any:
    """Put text that is HTML wherever people read words."""
    if isinstance(value, list):
        return [_spoilt(one, evil) for one in value]
    if not isinstance(value, dict):
        return value
    words = ("description", "summary", "title", "version", "pattern", "format")
    return {
        name: evil if name in words and isinstance(one, str) else _spoilt(one, evil)
        for name, one in value.items()
    }
