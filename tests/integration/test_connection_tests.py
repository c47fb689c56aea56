"""Connection tests by REST on the real server: from the appointment's link to the event that tells of it."""

import time
from typing import Any

import aiohttp
import pytest

from tests.support.eventually import eventually
from tests.support.management import Management, Refused, room_name
from tests.support.receiver import Receiver
from tests.support.server import Server
from tests.support.waiting_client import WaitingClient

pytestmark = pytest.mark.integration

HOUR = 3600
RESULT = {
    "browser": {"name": "chrome", "version": 131, "os": "android", "webrtc": True},
    "paths": [
        {"name": "udp", "port": 10000, "outcome": "blocked"},
        {"name": "turn_tls", "port": 443, "outcome": "ok", "connect_ms": 800},
    ],
}


async def early_link(management: Management) -> tuple[str, str]:
    """Make an appointment of tomorrow; give its room and the secret of the patient's link."""
    tomorrow = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 24 * HOUR))
    room = await management.room(id=room_name(), starts_at=tomorrow, waiting_room=True)
    person = f"/v1/rooms/{room}/participants/p1"
    await management.ask("PUT", person, {"role": "patient"})
    link = await management.ask("POST", f"{person}/link")
    return room, link["url"].rpartition("/")[2]


async def page(server: Server, path: str, body: object) -> Any:
    """Ask as the page does, with no key."""
    async with aiohttp.ClientSession() as http, http.post(f"{server.url}{path}", json=body) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def opened(server: Server, **shown: str) -> Any:
    return await page(server, "/v1/join/connection-tests", shown)


async def report(server: Server, token: str, result: object = None) -> Any:
    body = {"token": token, "result": RESULT if result is None else result}
    return await page(server, "/v1/join/connection-tests/result", body)


async def test_the_evening_before_a_link_makes_a_test_and_the_application_hears_of_it(
    management: Management,
) -> None:
    room, secret = await early_link(management)
    async with Receiver() as receiver:
        hook = {"url": receiver.url, "event_types": ["connection_test.finished"]}
        webhook = await management.ask("POST", "/v1/webhooks", hook)
        ticket = await opened(management.server, link=secret)
        assert ticket["ws_url"] == f"{management.server.ws_url}/probe"
        judged = await report(management.server, ticket["token"])
        assert (judged["verdict"], judged["reason"]) == ("video_low", "tcp_only")
        assert judged["advice"][0] == {"code": "open_udp_media", "ports": ["10000/udp"]}

        async def told() -> bool:
            return any(one.event["room"] == room for one in receiver.deliveries)

        await eventually(told, within=20, what="the event of the result")
        (delivery,) = [one for one in receiver.deliveries if one.event["room"] == room]
        delivery.verify(webhook["secret"])
        assert delivery.event["data"] == {
            "id": ticket["id"], "identity": "p1", "verdict": "video_low", "reason": "tcp_only",
        }  # fmt: skip
        await management.ask("DELETE", f"/v1/webhooks/{webhook['id']}")
    (listed,) = (await management.ask("GET", f"/v1/connection-tests?room={room}&identity=p1"))["items"]
    assert listed == await management.ask("GET", f"/v1/connection-tests/{ticket['id']}")
    assert (listed["state"], listed["result"]["browser"]) == ("finished", RESULT["browser"])
    assert 'colloque_connection_tests_total{verdict="video_low"}' in await management.metrics()


async def test_a_test_with_an_address_of_its_own_is_done_after_a_crash_as_before(own_server: Server) -> None:
    async with Management(own_server) as management:
        made = await management.ask("POST", "/v1/connection-tests", {"valid_minutes": 60})
        secret = made["url"].rpartition("/")[2]
        assert made["url"] == f"{own_server.url}/t/{secret}"
        token = (await opened(own_server, test=secret))["token"]
        own_server.kill()
        own_server.start()
        await report(own_server, token)
        own_server.kill()
        own_server.start()
        test = await management.ask("GET", f"/v1/connection-tests/{made['id']}")
        assert (test["state"], test["verdict"]) == ("finished", "video_low")
        assert (await opened(own_server, test=secret))["id"] == made["id"]
    log = own_server.read_log()
    assert secret not in log
    assert token not in log


async def test_the_token_of_a_test_is_refused_at_every_other_door(management: Management) -> None:
    server = management.server
    _, secret = await early_link(management)
    token = (await opened(server, link=secret))["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(server.url, headers=bearer) as http:
        for path in ("/rtc/v1", "/rtc/v1/validate"):
            async with http.get(path) as answer:
                assert (answer.status, (await answer.text()).strip()) == (403, "test-only"), path
        async with http.post("/v1/ice-servers") as answer:
            assert (answer.status, (await answer.json())["code"]) == (403, "test-only")
        async with http.get("/v1/connection-tests") as answer:
            assert answer.status == 401
        async with http.post("/twirp/livekit.RoomService/ListRooms", json={}) as answer:
            assert answer.status == 401
    async with WaitingClient(server, token) as waiting:
        assert (await waiting.hears("refused"))["code"] == "test-only"
        assert await waiting.ends() == 4010


async def test_a_test_is_a_table_with_the_ports_to_open(management: Management) -> None:
    server = management.server
    _, secret = await early_link(management)
    ticket = await opened(server, link=secret)
    await report(server, ticket["token"])
    key = aiohttp.encode_basic_auth(server.key, server.secret)
    headers = {"Accept": "text/csv", "Authorization": key}
    async with (
        aiohttp.ClientSession(server.url, headers=headers) as http,
        http.get(f"/v1/connection-tests/{ticket['id']}") as answer,
    ):
        assert answer.content_type == "text/csv"
        text = await answer.text()
    assert "path,udp,10000/udp,blocked" in text
    with pytest.raises(Refused) as refused:
        await management.ask("GET", "/v1/connection-tests/test_nowhere")
    assert refused.value.code == "not-found"
