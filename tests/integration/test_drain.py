"""A server that is emptied: calls go on and take their people back, nobody begins another."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.eventually import eventually
from tests.support.management import Management, room_name
from tests.support.sdk_person import Person
from tests.support.server import Server
from tests.support.waiting_client import WaitingClient

pytestmark = pytest.mark.integration


@pytest.fixture
def emptied(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path)
    running.start()
    yield running
    running.stop()


async def test_calls_go_on_and_nobody_begins_another_until_it_is_taken_back(emptied: Server) -> None:
    ada, bob = Person("ada"), Person("bob")
    async with Management(emptied) as api:
        here, other = await api.room(), await api.room(id=room_name())
        try:
            await ada.room.connect(emptied.ws_url, await api.token(here, "ada"))
            await ada.speaks()
            assert await drain(emptied, "POST") == (200, {"draining": True, "remaining_legs": 1})
            assert await ready(emptied) == (503, "draining\n")
            assert "colloque_drain_remaining_legs 1.0" in await api.metrics()

            await bob.room.connect(emptied.ws_url, await api.token(here, "bob"))
            await bob.hears("ada")
            assert await turned_away(emptied, await api.token(here, "carol")) is None
            assert await turned_away(emptied, await api.token(other, "carol")) == "5"
            async with WaitingClient(emptied, await api.token(other, "dora")) as refused:
                assert (await refused.next())["code"] == "draining"
            events = (await api.ask("GET", "/v1/events?limit=200"))["items"]
            told = [(one["room"], one["data"]) for one in events if one["type"] == "node.draining"]
            assert [room for room, _ in told] == [here]

            assert await drain(emptied, "DELETE") == (200, {"draining": False, "remaining_legs": 0})
            assert await turned_away(emptied, await api.token(other, "carol")) is None
            assert await ready(emptied) == (200, "ready\n")
            await drain(emptied, "POST")
        finally:
            await ada.leaves()
            await bob.leaves()

        async def empty() -> bool:
            return bool((await drain(emptied, "POST"))[1]["remaining_legs"] == 0)

        await eventually(empty, within=5, what="a server that is empty")


async def test_a_page_in_somebodys_browser_empties_no_server(emptied: Server) -> None:
    assert (await drain(emptied, "POST", Origin="https://elsewhere.example"))[0] == 403
    assert await ready(emptied) == (200, "ready\n")


async def drain(server: Server, verb: str, **headers: str) -> tuple[int, Any]:
    url = f"{server.admin_url}/admin/drain"
    async with aiohttp.request(verb, url, headers=headers) as answer:
        said = await answer.json() if answer.content_type == "application/json" else await answer.text()
        return answer.status, said


async def ready(server: Server) -> tuple[int, str]:
    async with aiohttp.request("GET", f"{server.admin_url}/readyz") as answer:
        return answer.status, await answer.text()


async def turned_away(server: Server, token: str) -> str | None:
    """When somebody with this token should come again; None: now, what they say is looked at."""
    url = f"{server.url}/rtc/v1/validate"
    async with aiohttp.request("GET", url, headers={"Authorization": f"Bearer {token}"}) as answer:
        assert answer.status in {400, 503}, "it says nothing, which is wrong where anything is heard"
        return answer.headers.get("Retry-After")
