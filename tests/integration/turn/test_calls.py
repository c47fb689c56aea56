"""Calls out of a hospital whose firewall leaves one way: each port of the relay, and the media port."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.connection_tests import probe_token
from tests.support.hospital import HOST, Hospital, hospital
from tests.support.participant import CAMERA, MICROPHONE
from tests.support.probing_aiortc import GREY

pytestmark = pytest.mark.integration

PAGE = Path(__file__).parents[1] / "browser" / "dist"
RELAYED = Path(__file__).parents[2] / "support" / "relayed_aiortc.py"
PROBING = RELAYED.with_name("probing_aiortc.py")
RELAYS = {
    "3478/udp": f"turn:{HOST}:3478?transport=udp",
    "19302/udp": f"turn:{HOST}:19302?transport=udp",
    "3478/tcp": f"turn:{HOST}:3478?transport=tcp",
    "5349/tcp": f"turns:{HOST}:5349?transport=tcp",
}
_JOIN_WITHIN = 20.0  # seconds; ways that are closed have to be given up first


@pytest.fixture(scope="module")
def place() -> Iterator[Hospital]:
    with hospital(PAGE) as built:
        yield built


@pytest.fixture(autouse=True)
async def without_pages(place: Hospital) -> AsyncIterator[None]:
    """End what a test has opened."""
    yield
    await place.end_browser()


@pytest.mark.parametrize("open_port", RELAYS)
async def test_a_browser_holds_a_call_through_the_only_port_that_is_open(
    place: Hospital, open_port: str
) -> None:
    place.lets_out(open_port)
    relayed = {"rtcConfig": {"iceTransportPolicy": "relay"}}
    alice, bob = [await place.joins(open_port.replace("/", "-"), one, **relayed) for one in ("alice", "bob")]
    for one in (alice, bob):
        await one.publish(CAMERA, MICROPHONE)
    for one, other in ((alice, bob), (bob, alice)):
        await one.sees(other.identity, within=_JOIN_WITHIN)
        await one.hears(other.identity, within=_JOIN_WITHIN)
        way = await one.do("way")
        assert (way["type"], way["url"]) == ("relay", RELAYS[open_port])


async def test_a_browser_finds_the_relay_by_itself_where_udp_is_closed(place: Hospital) -> None:
    place.lets_out("3478/tcp")
    alice, bob = [await place.joins("by-itself", one) for one in ("alice", "bob")]
    for one in (alice, bob):
        await one.publish(CAMERA, MICROPHONE)
    await asyncio.gather(alice.sees("bob", within=_JOIN_WITHIN), bob.hears("alice", within=_JOIN_WITHIN))
    assert (await alice.do("way"))["protocol"] == "tcp"


async def test_where_the_media_port_is_open_no_relay_is_used(place: Hospital) -> None:
    place.lets_out("10000/udp", "3478/udp", "19302/udp", "3478/tcp", "5349/tcp")
    alice, bob = [await place.joins("straight", one) for one in ("alice", "bob")]
    await bob.publish(CAMERA, MICROPHONE)
    await alice.publish(MICROPHONE)
    await alice.sees("bob", within=_JOIN_WITHIN)
    assert (await bob.do("way"))["type"] in {"host", "prflx"}


@pytest.mark.parametrize("open_port", RELAYS)
async def test_aiortc_holds_a_call_through_the_only_port_that_is_open(
    place: Hospital, open_port: str
) -> None:
    place.lets_out(open_port)
    room = f"aiortc-{open_port.replace('/', '-')}"
    tokens = [place.token(room, one) for one in ("showing", "watching")]
    relay = RELAYS[open_port].partition(HOST)[2]
    said = await place.run(RELAYED, place.ws_url, *tokens, relay, within=60)
    assert int(said) >= 30


@pytest.mark.parametrize(
    "open_ports",
    [
        ["10000/udp", "3478/udp", "3478/tcp", "19302/udp", "19302/tcp", "5349/tcp"],
        ["10000/udp", "19302/udp", "5349/tcp"],
    ],
)
async def test_a_connection_test_finds_each_way_that_is_open_and_no_other(
    place: Hospital, open_ports: list[str]
) -> None:
    place.lets_out(*open_ports)
    token = await probe_token(place.database)
    found = json.loads(await place.run(PROBING, place.ws_url, token, "3", within=90))
    ways = {f"{one['port']}/{'udp' if 'udp' in one['name'] else 'tcp'}": one for one in found}
    assert set(ways) == {"10000/udp", "3478/udp", "3478/tcp", "19302/udp", "19302/tcp", "5349/tcp"}
    assert [way for way, one in ways.items() if "error" not in one] == open_ports, found
    for way in open_ports:
        assert abs(ways[way]["picture"] - GREY) < 20
        assert ways[way]["loudness"] > 6000
        assert ways[way]["figures"]["packets_down"] > 20
