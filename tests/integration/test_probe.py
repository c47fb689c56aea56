"""The live part of connection tests with real media: what is sent comes back, and nothing stays behind."""

import asyncio
import re
from collections.abc import AsyncIterator

import aiohttp
import aioice.ice
import pytest

from tests.support.eventually import eventually
from tests.support.management import Management
from tests.support.probing_aiortc import GREY, EchoLeg, Prober
from tests.support.server import Server
from tests.support.waiting_client import WaitingClient

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything stays on loopback, which aioice leaves out of its own accord."""
    monkeypatch.setattr(
        aioice.ice, "get_host_addresses", lambda use_ipv4, **_: ["127.0.0.1"] if use_ipv4 else []
    )


_OBJECTS = re.compile(r'^colloque_(probe_)?objects\{kind="(\w+)"\} (\S+)$', re.MULTILINE)
_KEPT = {"probe_refused_addresses", "mirror"}


async def token_for(server: Server) -> str:
    """Make a test as an application does, and open it as its page does."""
    async with Management(server) as management:
        test = await management.ask("POST", "/v1/connection-tests", {})
        secret = test["url"].rsplit("/", 1)[1]
        ticket = await management.ask("POST", "/v1/join/connection-tests", {"test": secret})
    assert ticket["ws_url"] == f"{server.ws_url}/probe"
    return str(ticket["token"])


@pytest.fixture
async def prober(server: Server) -> AsyncIterator[Prober]:
    async with Prober(server.ws_url) as client:
        yield client


async def echoing(prober: Prober, server: Server, name: str = "a") -> EchoLeg:
    ready = await prober.hello(await token_for(server))
    leg = await prober.leg(name, ready["paths"][0])
    await leg.make_room()
    return leg


async def test_sound_and_picture_come_back_and_the_figures_are_true(server: Server, prober: Prober) -> None:
    ready = await prober.hello(await token_for(server))
    assert ready["seen"] == {"proxied": False, "tls": False, "ipv6": False}
    assert ready["paths"] == [{"name": "udp", "port": server.ports.udp, "policy": "all", "ice_servers": []}]
    leg = await prober.leg("a", ready["paths"][0])
    await leg.make_room()
    assert abs(await leg.picture() - GREY) < 20
    assert await leg.loudness() > 6000
    told, counted = await leg.figures(), await leg.counted()
    assert (told["lost_up"], told["lost_down"]) == (0, 0)
    for what in ("packets_up", "packets_down"):
        assert told[what] > 50
        assert abs(told[what] - counted[what]) <= 15, (what, told, counted)
    assert 0.7 < told["bytes_up"] / counted["bytes_up"] < 1.3, (told, counted)
    assert told["bytes_down"] > 0.7 * told["bytes_up"]
    # The first reports come after a second or so.
    late = await eventually(leg.reported, what="round trip and jitter are known")
    assert late is not None
    assert 0 < late["rtt_ms"] < 500
    assert 0 < late["jitter_up_ms"] < 200
    await prober.say(type="bye")
    assert await prober.ends() == 1000


async def test_two_legs_at_once_do_not_hear_each_other(server: Server, prober: Prober) -> None:
    ready = await prober.hello(await token_for(server))
    first, second = [await prober.leg(name, ready["paths"][0]) for name in "ab"]
    await first.make_room()
    assert await first.loudness() > 6000
    assert (await second.figures())["packets_down"] == 0, "it has no section in which anything could come"
    state = await prober.ask("answer", type="offer", leg="c", sdp="v=0")
    assert (state["type"], state["code"]) == ("error", "too-many-legs")


async def test_one_token_holds_two_connections_and_a_third_is_told_to_wait(server: Server) -> None:
    token = await token_for(server)
    async with Prober(server.ws_url) as one, Prober(server.ws_url) as two, Prober(server.ws_url) as three:
        answers = await asyncio.gather(*(each.hello(token) for each in (one, two, three)))
        assert sorted(each["type"] for each in answers) == ["ready", "ready", "refused"]
        (refused,) = [each for each in answers if each["type"] == "refused"]
        assert (refused["code"], refused["retry_after"]) == ("busy", 10)


async def test_a_pong_comes_back(server: Server, prober: Prober) -> None:
    await prober.hello(await token_for(server))
    assert (await prober.ask("pong", type="ping", id=5))["id"] == 5


async def test_hello_is_for_tokens_of_tests_alone(server: Server, management: Management) -> None:
    room = await management.room(waiting_room=True)
    roles = ("guest", "patient", "delegate", "host", "observer")
    tokens = [await management.token(room, role, role=role) for role in roles]
    tokens += [management.foreign_token(room, "sdk", room_admin=True), "", "x.y.z", "x" * 8192]
    for token in tokens:
        async with Prober(server.ws_url) as client:
            refused = await client.hello(token)
            assert (refused["type"], refused["code"]) == ("refused", "unauthenticated")
            assert await client.ends() == 4010


async def test_a_token_of_a_test_opens_nothing_else(server: Server, management: Management) -> None:
    token = await token_for(server)
    authorization = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(server.url, headers=authorization) as http:
        async with http.get("/rtc/v1/validate") as answer:
            assert (answer.status, await answer.text()) == (403, "test-only")
        for method, path in (("GET", "/v1/rooms"), ("POST", "/v1/ice-servers"), ("GET", "/v1/events")):
            async with http.request(method, path) as answer:
                assert answer.status in {401, 403}
    async with WaitingClient(server, token) as waiting:
        assert (await waiting.hears("refused"))["code"] == "test-only"


async def test_a_message_of_more_than_an_offer_needs_ends_the_connection(
    server: Server, management: Management
) -> None:
    async with Prober(server.ws_url) as client:
        await client.hello(await token_for(server))
        await client.say(type="x" * 200_000)
        assert await client.ends() == 1009
    assert 'colloque_probe_dropped_total{reason="frame-too-large"}' in await management.metrics()


async def test_a_client_that_goes_without_a_word_leaves_nothing(own_server: Server) -> None:
    async with Management(own_server) as management:

        async def census() -> dict[str, float]:
            found = _OBJECTS.findall(await management.metrics())
            counts = {side + kind: float(count) for side, kind, count in found}
            return {kind: count for kind, count in counts.items() if kind not in _KEPT}

        async def empty() -> bool:
            return not any((await census()).values())

        events = await management.ask("GET", "/v1/events")
        for _ in range(3):
            async with Prober(own_server.ws_url) as client:
                leg = await echoing(client, own_server)
                assert await leg.loudness() > 0
                during = await census()
                assert {"probe_legs", "probe_sockets", "leg", "subscription"} <= {
                    kind for kind, count in during.items() if count
                }
                state = (await management.debug_state())["probe"]["sessions"]
                assert [one["state"] for one in state] == ["testing"]
            await eventually(empty, what="everything of the test is gone")
        assert await management.ask("GET", "/v1/events") == events, "no room has heard of it"


async def test_a_server_that_stops_ends_tests_with_a_word(own_server: Server) -> None:
    async with Prober(own_server.ws_url) as client:
        await echoing(client, own_server)
        stopped = asyncio.get_running_loop().run_in_executor(None, own_server.stop)
        assert (await client.hears(lambda one: one["type"] == "again"))["retry_after"] == 5
        assert await client.ends() == 1001
        assert await stopped == 0
