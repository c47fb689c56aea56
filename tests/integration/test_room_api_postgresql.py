"""The real server on PostgreSQL: several nodes, and a database that crashes or freezes during a call."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import aiohttp
import pytest

from tests.support.eventually import eventually
from tests.support.management import Management, Refused
from tests.support.postgresql import PASSWORD, WRITTEN_PASSWORD, Cluster
from tests.support.sdk_person import Person
from tests.support.server import Ports, Server, command, environment
from tests.support.tone_call import ToneCall, tone_call

pytestmark = pytest.mark.integration

ANSWERED_WITHIN = 8.0  # seconds, whatever the database does
BACK_WITHIN = 5.0
_names = count()


@pytest.fixture
def database(postgresql: Cluster) -> str:
    """The URL of an empty database, over TCP and with a password."""
    name = f"node{next(_names)}"
    postgresql.make(name)
    return postgresql.loopback_url(name)


@pytest.fixture
def node(tmp_path: Path, database: str) -> Iterator[Server]:
    running = Server(tmp_path / "node", database=database)
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def call(node: Server) -> AsyncIterator[ToneCall]:
    async with tone_call(node) as going_on:
        yield going_on


async def test_what_was_answered_outlives_the_process_and_the_password_is_shown_nowhere(node: Server) -> None:
    async with Management(node) as client:
        room = await client.room(metadata={"agenda": "7"})
        await client.token(room, "p")
        await client.remove(room, "p")
        state = str(await client.debug_state())
    node.kill()
    node.start()
    async with Management(node) as client:
        (found,) = (await client.ask("GET", "/v1/rooms?metadata.agenda=7"))["items"]
        assert found["id"] == room
        assert (await client.ask("GET", f"/v1/rooms/{room}/participants/p"))["state"] == "removed"
    shown = await asyncio.to_thread(shown_settings, node)
    assert "postgresql://colloque:********@127.0.0.1" in shown
    for text in (node.read_log(), state, shown):
        assert PASSWORD not in text
        assert WRITTEN_PASSWORD not in text


@pytest.mark.parametrize("wrong", ["password", "database", "port"])
def test_a_database_that_cannot_be_opened_is_told_in_one_line(
    tmp_path: Path, postgresql: Cluster, wrong: str
) -> None:
    url = postgresql.loopback_url("absent", *(["hunter2"] if wrong == "password" else []))
    if wrong == "port":
        url = url.replace(f":{postgresql.port}/", f":{Ports.free().http}/")
    with pytest.raises(RuntimeError) as caught:
        Server(tmp_path, database=url).start()
    said, line = str(caught.value).strip().split(":\n", 1)
    assert said == "the server ended with 1"
    assert line.startswith("colloque: store.url: postgresql://colloque:***@127.0.0.1")
    assert line.count("\n") == 0
    assert "hunter2" not in line
    assert WRITTEN_PASSWORD not in line


async def test_nodes_that_start_together_share_one_truth(tmp_path: Path, database: str) -> None:
    nodes = [Server(tmp_path / str(number), database=database) for number in range(2)]
    try:
        await asyncio.gather(*(asyncio.to_thread(one.start) for one in nodes))
        async with Management(nodes[0]) as here, Management(nodes[1]) as there:
            room = await here.room()
            await there.token(room, "p")
            await here.remove(room, "p")
            with pytest.raises(Refused) as caught:
                await there.ask("POST", f"/v1/rooms/{room}/participants/p/token")
            assert caught.value.status == 409
    finally:
        for one in nodes:
            one.stop()


async def test_what_one_server_is_told_a_call_at_the_other_does_within_a_second(
    tmp_path: Path, database: str
) -> None:
    carries, told = (Server(tmp_path / name, database=database) for name in ("carries", "told"))
    ada, bob = Person("ada"), Person("bob")
    try:
        await asyncio.gather(*(asyncio.to_thread(one.start) for one in (carries, told)))
        async with Management(told) as api:
            room = await api.room()
            for person in (ada, bob):
                await person.room.connect(carries.ws_url, await api.token(room, person.identity, role="host"))
            await ada.speaks()
            await bob.hears("ada")

            await api.ask("PATCH", f"/v1/rooms/{room}", {"name": "Follow-up"})
            await bob.happened("room_metadata_changed", lambda *_: "Follow-up" in bob.room.metadata)
            path = f"/v1/rooms/{room}/participants/ada"
            await api.ask("PATCH", path, {"can_publish": ["camera"]})
            await bob.happened("track_unsubscribed")
            asked = time.monotonic()
            await api.remove(room, "ada")
            gone, _ = await ada.happened("disconnected")
            assert gone - asked < 1.5
            opened, closed = await _connections_of(api, room, "ada")
            assert (opened, closed["reason"]) == (1, "removed")
    finally:
        for person in (ada, bob):
            await person.leaves()
        for one in (carries, told):
            one.stop()


async def _connections_of(api: Management, room: str, identity: str) -> tuple[int, dict[str, object]]:
    """How often somebody came, and how the last stay ended."""

    async def closed() -> list[dict[str, object]]:
        events = (await api.ask("GET", f"/v1/events?room={room}&limit=200"))["items"]
        found = [one for one in events if one["data"].get("identity") == identity]
        opened.append(sum(one["type"] == "connection.opened" for one in found))
        return [one["data"] for one in found if one["type"] == "connection.closed"]

    opened: list[int] = []
    (last,) = await eventually(closed, within=5, what="the end of the connection in the log")
    return opened[-1], last


async def test_a_database_that_stops_answering_is_busy_while_the_call_goes_on(
    call: ToneCall, postgresql: Cluster
) -> None:
    with postgresql.frozen():
        asking = asyncio.create_task(busy_for(call, requests=15))
        await call.goes_on(packets=200)
        await asking
        assert await ready(call.server) == 503
        await call.goes_on()
    await back(call)


async def test_a_database_that_crashes_is_busy_while_the_call_goes_on(
    call: ToneCall, postgresql: Cluster
) -> None:
    postgresql.stop()
    try:
        await busy_for(call, requests=15)
        await call.goes_on()
        assert await ready(call.server) == 503
    finally:
        postgresql.start()
    await back(call)


def shown_settings(node: Server) -> str:
    show = [*command(), "config", "show", "--config", str(node.data_dir / "colloque.toml")]
    ended = subprocess.run(show, env=environment(), capture_output=True, text=True, check=True)
    return ended.stdout + ended.stderr


async def busy_for(call: ToneCall, *, requests: int) -> None:
    """See that requests made at once, more than there are connections, are all told in time to come back."""
    key = aiohttp.encode_basic_auth(call.server.key, call.server.secret)

    async def ask(number: int) -> None:
        started = time.monotonic()
        verb, body = ("POST", {"id": f"busy-{number}"}) if number % 2 else ("GET", None)
        async with http.request(verb, "/v1/rooms", json=body) as answer:
            assert (answer.status, (await answer.json())["code"]) == (503, "busy")
            assert int(answer.headers["Retry-After"]) > 0
        assert time.monotonic() - started < ANSWERED_WITHIN

    async with aiohttp.ClientSession(call.server.url, headers={"Authorization": key}) as http:
        await asyncio.gather(*(ask(number) for number in range(requests)))


async def back(call: ToneCall) -> None:
    """See that everything works again, without a restart, and that nothing refused was done."""

    async def answers() -> bool:
        return await ready(call.server) == 200

    await eventually(answers, within=BACK_WITHIN)
    pid = call.server.pid
    assert await call.management.room()
    assert call.server.pid == pid
    await call.goes_on()
    assert [event in call.server.read_log() for event in ("store_unavailable", "store_available")] == [
        True
    ] * 2


async def ready(server: Server) -> int:
    async with aiohttp.ClientSession() as http, http.get(f"{server.admin_url}/readyz") as answer:
        return answer.status
