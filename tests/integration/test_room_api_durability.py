"""What was answered is on disk: kill -9 at any moment loses nothing that a caller was told."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from tests.support.eventually import eventually
from tests.support.management import Management, Refused
from tests.support.sdk import SdkParticipant
from tests.support.server import Server

pytestmark = pytest.mark.integration


async def test_no_acknowledged_write_is_lost_when_the_process_is_killed(own_server: Server) -> None:
    acknowledged: list[str] = []

    async def keep_writing(worker: int) -> None:
        async with Management(own_server) as client:
            for number in range(10_000):
                room = await client.room(id=f"w{worker}-{number}")
                await client.ask("PUT", f"/v1/rooms/{room}/participants/p", {"role": "patient"})
                await client.remove(room, "p")
                acknowledged.append(room)

    writers = [asyncio.create_task(keep_writing(worker)) for worker in range(4)]
    await eventually(_true(lambda: len(acknowledged) >= 40), within=20)
    own_server.kill()
    await asyncio.gather(*writers, return_exceptions=True)
    own_server.start()
    async with Management(own_server) as client:
        for room in acknowledged:
            person = await client.ask("GET", f"/v1/rooms/{room}/participants/p")
            assert person["state"] == "removed"


async def test_tokens_links_and_bans_outlive_the_process(own_server: Server) -> None:
    async with Management(own_server) as client:
        room = await client.room()
        good, banned = await client.token(room, "good"), await client.token(room, "banned")
        await client.remove(room, "banned")
        link = await client.ask("POST", f"/v1/rooms/{room}/links")
    own_server.kill()
    own_server.start()
    async with aiohttp.ClientSession() as http:
        for token, status in ((good, 400), (banned, 401)):
            query = {"access_token": token}
            async with http.get(f"{own_server.url}/rtc/v1/validate", params=query) as answer:
                assert answer.status == status
        body = {"link": link["url"].rpartition("/")[2]}
        async with http.post(f"{own_server.url}/v1/join", json=body) as answer:
            assert answer.status == 200


@pytest.mark.parametrize("kill", [True, False], ids=["kill -9", "SIGTERM"])
async def test_a_call_is_whole_again_soon_after_the_process_starts_anew(
    own_server: Server, kill: bool
) -> None:
    async with Management(own_server) as client:
        room = await client.room()
        alice_token, bob_token = await client.token(room, "alice"), await client.token(room, "bob")
    async with SdkParticipant() as alice, SdkParticipant() as bob:
        await alice.join(own_server.ws_url, alice_token)
        await bob.join(own_server.ws_url, bob_token)
        await alice.publish()
        back = [_reconnected(one) for one in (alice, bob)]
        if kill:
            own_server.kill()
        else:
            await asyncio.to_thread(own_server.stop)
        await asyncio.to_thread(own_server.start)
        await asyncio.wait_for(asyncio.gather(*back), 15)
        await eventually(
            _true(
                lambda: [len(one.track_publications) for one in bob.room.remote_participants.values()] == [2]
            ),
            what="both tracks are back",
        )


async def test_the_printed_links_work_after_a_restart(own_server: Server) -> None:
    before = _printed_links(own_server)
    assert own_server.stop() == 0
    own_server.start()
    assert _printed_links(own_server) == before * 2


async def test_a_locked_database_is_busy_and_passes(own_server: Server) -> None:
    async with Management(own_server) as client:
        holder = sqlite3.connect(own_server.data_dir / "colloque.sqlite3", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(Refused) as caught:
            await client.room()
        assert (caught.value.status, caught.value.code) == (503, "busy")
        assert await client.ask("GET", "/v1/rooms")
        holder.execute("ROLLBACK")
        holder.close()
        assert await client.room()


async def test_a_hang_up_reloads_the_settings_and_serving_goes_on(own_server: Server) -> None:
    os.kill(own_server.pid, signal.SIGHUP)
    await eventually(_true(lambda: "settings_reloaded" in own_server.read_log()))
    async with Management(own_server) as client:
        assert await client.room()
    assert own_server.stop() == 0


def _reconnected(person: SdkParticipant) -> asyncio.Future[None]:
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def note() -> None:
        if not done.done():
            done.set_result(None)

    person.room.on("reconnected", note)
    return done


def _true(look: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def asked() -> bool:
        return look()

    return asked


def _printed_links(server: Server) -> list[str]:
    return [line.split()[1] for line in server.read_log().splitlines() if "/r/" in line]


def test_what_is_kept_is_only_for_its_owner(own_server: Server) -> None:
    for name in ("demo.json", "colloque.sqlite3", "colloque.sqlite3-wal"):
        assert (own_server.data_dir / name).stat().st_mode & 0o777 == 0o600
