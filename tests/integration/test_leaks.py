"""People come and go all day; the server stays the size it was."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from aiortc.mediastreams import AudioStreamTrack

from tests.support.eventually import eventually
from tests.support.management import Management
from tests.support.rtc_peer import RtcPeer
from tests.support.server import Server

WARM_UP = 20  # cycles in which caches, pools and the allocator find their size
CYCLES = 200
AT_ONCE = 4
COUNTED = (
    "call",
    "leg",
    "track",
    "subscription",
    "transport",
    "core_track",
    "core_subscription",
    "encoding",
    "path",
    "srtp_context",
    "data_channel",
)
SPARE_TASKS = 2  # connections of the one who asks may be one more or one less at a look
_OBJECTS = re.compile(r'^colloque_(signal_)?objects\{kind="(\w+)"\} (\S+)$', re.MULTILINE)
_TASKS = re.compile(r"^colloque_event_loop_tasks (\S+)$", re.MULTILINE)
MOST_GROWTH = 4 * 2**20  # bytes of resident memory; 20 kB left behind by each leg would be seen


@pytest.mark.slow
async def test_two_hundred_joins_and_leaves_leave_nothing_behind(own_server: Server) -> None:
    async with Management(own_server) as management:
        room = await management.room()
        await _every_kind_is_counted(management, room)
        await _cycles(management, room, WARM_UP)
        await eventually(lambda: _empty(management), within=20, what="every leg of the warm-up is gone")
        before, memory = await _census(management), _resident(own_server.pid)
        tasks = await _tasks(management)

        await _cycles(management, room, CYCLES)
        await eventually(lambda: _empty(management), within=20, what="every leg is gone")
        assert await _census(management) == before
        assert await _tasks(management) <= tasks + SPARE_TASKS
        assert _resident(own_server.pid) - memory < MOST_GROWTH


async def _every_kind_is_counted(management: Management, room: str) -> None:
    """See that what must come back to zero leaves it first: a gauge that stands still would hide a leak."""
    ws_url = management.server.ws_url
    async with RtcPeer() as alice, RtcPeer() as bob:
        for peer, identity in ((alice, "alice"), (bob, "bob")):
            await peer.join(ws_url, management.foreign_token(room, identity))
        await alice.publish(AudioStreamTrack())
        await bob.received(1)

        async def counted() -> bool:
            census = await _census(management)
            return all(census[kind] > 0 for kind in COUNTED)

        await eventually(counted, within=5, what=f"each of {COUNTED} is counted")
        for peer in (alice, bob):
            await peer.leave()


async def _cycles(management: Management, room: str, count: int) -> None:
    for first in range(0, count, AT_ONCE):
        await asyncio.gather(*(_come_and_go(management, room, f"p{first + n}") for n in range(AT_ONCE)))


async def _come_and_go(management: Management, room: str, identity: str) -> None:
    token = management.foreign_token(room, identity)
    async with RtcPeer() as peer:
        await peer.join(management.server.ws_url, token)
        await peer.publish(AudioStreamTrack())
        await peer.connected()
        assert not await _empty(management)
        await peer.leave()


async def _empty(management: Management) -> bool:
    census = await _census(management)
    assert {"transport", "core_track", "core_subscription"} <= set(census)
    return not any(census.values())


async def _census(management: Management) -> dict[str, Any]:
    """Give the number of objects of each kind, of media and of signalling, as `/metrics` counts them."""
    text = await management.metrics()
    counts = {side + kind: float(count) for side, kind, count in _OBJECTS.findall(text)}
    assert counts, "no census of objects in /metrics"
    return counts


async def _tasks(management: Management) -> float:
    found = _TASKS.search(await management.metrics())
    assert found is not None
    return float(found[1])


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")
