"""The life of a room on a real server: who is in the call is true, whatever becomes of the database."""

import asyncio
import sqlite3
import time
from collections import Counter
from typing import Any

import aiohttp
import pytest

from tests.support.eventually import eventually
from tests.support.management import Management
from tests.support.sdk import SdkParticipant
from tests.support.server import Server

pytestmark = pytest.mark.integration


async def events(client: Management, room: str) -> list[dict[str, Any]]:
    return list((await client.ask("GET", f"/v1/events?room={room}&limit=200"))["items"])


async def states(client: Management, room: str) -> tuple[str, dict[str, str]]:
    people = (await client.ask("GET", f"/v1/rooms/{room}/participants"))["items"]
    found = await client.ask("GET", f"/v1/rooms/{room}")
    return found["state"], {one["identity"]: one["state"] for one in people}


async def test_a_call_moves_its_room_and_its_people_and_leaves_pairs(own_server: Server) -> None:
    async with Management(own_server) as client:
        room = await client.room()
        tokens = [await client.token(room, name) for name in ("alice", "bob")]
        async with SdkParticipant() as alice:
            await alice.join(own_server.ws_url, tokens[0])
            await _becomes(client, room, "waiting", {"alice": "connected", "bob": "expected"})
            async with SdkParticipant() as bob:
                await bob.join(own_server.ws_url, tokens[1])
                await _becomes(client, room, "in_progress", {"alice": "connected", "bob": "connected"})
            await _becomes(client, room, "in_progress", {"alice": "connected", "bob": "left"})
            await client.ask("POST", f"/v1/rooms/{room}/finish")
            await _becomes(client, room, "finished", {"alice": "left", "bob": "left"})
        told = await events(client, room)
        assert [one["seq"] for one in told] == list(range(1, len(told) + 1))
        counts = Counter(one["type"] for one in told)
        assert counts["connection.opened"] == counts["connection.media_ready"] == 2
        for one in told:
            if one["type"] == "connection.media_ready":
                assert (one["data"]["path"], one["data"]["family"]) == ("udp", "ipv4")
        closed = {one["data"]["identity"]: one["data"] for one in told if one["type"] == "connection.closed"}
        assert {name: data["reason"] for name, data in closed.items()} == {
            "alice": "room_closed",
            "bob": "left",
        }
        assert all(data["had_media"] and data["seconds"] > 0 for data in closed.values())


async def test_nobody_is_in_the_call_before_being_admitted(own_server: Server) -> None:
    async with Management(own_server) as client:
        room = await client.room(waiting_room=True)
        token = await client.token(room, "pat", role="patient")
        async with aiohttp.ClientSession() as http:
            query = {"access_token": token}
            async with http.get(f"{own_server.url}/rtc/v1/validate", params=query) as answer:
                assert (answer.status, await answer.text()) == (403, "not-admitted")
        await client.ask("POST", f"/v1/rooms/{room}/participants/pat/admit")
        async with SdkParticipant() as pat:
            await pat.join(own_server.ws_url, token)
            await _becomes(client, room, "waiting", {"pat": "connected"})


async def test_what_a_crash_left_open_is_closed_at_the_next_start(own_server: Server) -> None:
    async with Management(own_server) as client:
        room = await client.room()
        token = await client.token(room, "alice", role="host")
        async with SdkParticipant() as alice:
            await alice.join(own_server.ws_url, token)
            await _becomes(client, room, "in_progress", {"alice": "connected"})
            own_server.kill()
        await asyncio.to_thread(own_server.start)
        told = [one for one in await events(client, room) if one["type"].startswith("connection.")]
        closed = [one["data"]["reason"] for one in told if one["type"] == "connection.closed"]
        assert closed == ["server_restart"]
        assert await states(client, room) == ("in_progress", {"alice": "left"})


async def test_a_stop_writes_who_was_there_before_it_ends(own_server: Server) -> None:
    async with Management(own_server) as client:
        room = await client.room()
        token = await client.token(room, "alice", role="host")
        async with SdkParticipant() as alice:
            await alice.join(own_server.ws_url, token)
            await _becomes(client, room, "in_progress", {"alice": "connected"})
            assert await asyncio.to_thread(own_server.stop) == 0
    database = sqlite3.connect(own_server.data_dir / "colloque.sqlite3")
    (last,) = database.execute(
        "SELECT data FROM events WHERE type = 'connection.closed' ORDER BY position DESC LIMIT 1"
    ).fetchone()
    assert '"shutdown"' in last
    assert database.execute("SELECT count(*) FROM connections").fetchone() == (0,)
    database.close()


async def test_people_come_and_go_while_the_database_is_locked_and_it_is_written_later(
    own_server: Server,
) -> None:
    async with Management(own_server) as client:
        room = await client.room()
        tokens = [await client.token(room, name) for name in ("alice", "bob")]
        holder = sqlite3.connect(own_server.data_dir / "colloque.sqlite3", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        async with SdkParticipant() as alice, SdkParticipant() as bob:
            await alice.join(own_server.ws_url, tokens[0])
            await bob.join(own_server.ws_url, tokens[1])
            await alice.publish()
            assert time.monotonic() - began < 5
            assert await states(client, room) == ("planned", {"alice": "expected", "bob": "expected"})
            metrics = await client.metrics()
            assert "colloque_leg_facts_waiting 0.0" not in metrics
        holder.execute("ROLLBACK")
        holder.close()
        await _becomes(client, room, "in_progress", {"alice": "left", "bob": "left"}, within=15)
        counts = Counter(one["type"] for one in await events(client, room))
        assert counts["connection.opened"] == counts["connection.closed"] == 2
        assert "colloque_leg_facts_waiting 0.0" in await client.metrics()


async def test_deadlines_are_met_by_themselves(own_server: Server) -> None:
    async with Management(own_server) as client:
        room = await client.room(ends_at="2020-05-06T09:00:00Z")
        await _becomes(client, room, "not_held", {})


async def _becomes(
    client: Management, room: str, state: str, people: dict[str, str], *, within: float = 5
) -> None:
    async def so() -> bool:
        return await states(client, room) == (state, people)

    await eventually(so, within=within, what=f"{state}, {people}")
