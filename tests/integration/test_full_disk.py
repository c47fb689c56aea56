"""A disk without space (ENOSPC): the interface says that it is busy, calls go on, nothing is half there."""

import base64
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path

import aiohttp
import pytest

from tests.support.eventually import eventually, until
from tests.support.ledger import Api, Busy, Story
from tests.support.management import Management
from tests.support.receiver import Receiver
from tests.support.server import Server
from tests.support.small_disk import SmallDisk
from tests.support.tone_call import tone_call

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not SmallDisk.can_be(), reason="this machine lets nobody mount a disk of their own"),
]


@pytest.fixture
def unstarted(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "server")
    running.data_dir.mkdir()
    yield running
    running.stop()


async def test_a_disk_without_space_is_busy_and_passes(unstarted: Server) -> None:
    server, disk = unstarted, SmallDisk(unstarted, megabytes=4)
    server.start(around=disk.around)
    async with Api(server) as api, Receiver() as receiver, Management(server) as management:
        await management.ask("POST", "/v1/webhooks", {"url": receiver.url})
        kept, cut = Story("kept", chooses_id=True, is_deleted=False), Story("cut", True, False)
        while kept.done < kept.steps:
            await kept.go_on(api)
        await cut.go_on(api)
        async with tone_call(server) as call:
            await call.goes_on()
            disk.fill()
            made = await _rooms_until_busy(api)
            await _go_on_until_busy(cut, api)
            await _check_refusal(server)
            await call.goes_on()
            assert await kept.check(api) == kept.done
            assert await cut.check(api) == cut.done  # of what was refused nothing is there
            disk.make_room()
            await eventually(_takes_writes(api))
            await call.goes_on()
        while cut.done < cut.steps:
            await cut.go_on(api)
        for story in (kept, cut):
            await story.check_repetitions(api, story.done)
        for room in (kept.room, cut.room, *made):
            await _all_told(management, receiver, room)
    log = server.read_log()
    assert "store_unavailable" in log
    assert "store_available" in log
    assert "Traceback" not in log


async def _go_on_until_busy(story: Story, api: Api) -> None:
    try:
        while story.done < story.steps:
            await story.go_on(api)
    except Busy:
        return
    raise AssertionError("the disk took everything")


async def _rooms_until_busy(api: Api) -> list[str]:
    """Make rooms until there is no space, and give those that were made."""
    made: list[str] = []
    for number in count():
        room = f"full-{number}"
        told = await api.ask("POST", "/v1/rooms", {"id": room, "metadata": {"a": "x" * 400}})
        if told.status == 503:
            return made
        assert told.status == 201, told
        made.append(room)
    raise AssertionError


async def _check_refusal(server: Server) -> None:
    credentials = base64.b64encode(f"{server.key}:{server.secret}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.post(f"{server.url}/v1/rooms", json={"metadata": {"a": "x" * 400}}) as answer,
    ):
        assert answer.status == 503
        assert answer.content_type == "application/problem+json"
        assert int(answer.headers["Retry-After"]) > 0
        assert (await answer.json())["code"] == "busy"


def _takes_writes(api: Api) -> Callable[[], Awaitable[bool]]:
    async def taken() -> bool:
        return (await api.ask("PUT", "/v1/rooms/kept/participants/late", {"role": "guest"})).status == 201

    return taken


async def _all_told(management: Management, receiver: Receiver, room: str) -> None:
    events = (await management.ask("GET", f"/v1/events?room={room}&limit=200"))["items"]
    numbers = list(range(1, len(events) + 1))
    assert [one["seq"] for one in events] == numbers
    await until(lambda: set(receiver.told(room)) >= set(numbers))
    assert list(dict.fromkeys(receiver.told(room))) == numbers
    ids = {
        (one.event["seq"], one.event["id"]) for one in receiver.deliveries if one.event.get("room") == room
    }
    assert ids == {(one["seq"], one["id"]) for one in events}
