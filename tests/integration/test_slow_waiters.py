"""Clients of the waiting room that do not read, and some that are not there any more, over real sockets.

The server is in this process, so that its times and the buffers of the kernel can be small.
"""

import asyncio
import base64
import json
import secrets
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import aiohttp
import pytest
from aiohttp import web

from loadtest.tokens import join_token
from rooms import ApiKey, KeyRing, ParticipantDraft, Role, Room, RoomDraft, Rooms
from signalling.waiting import WaitingLimits, WaitingServer, WaitingSettings, WaitingTimes
from signalling.waiting.lifecycle import Event
from tests.support.eventually import until

pytestmark = pytest.mark.integration

KEY = ApiKey("testkey", "a-secret-that-only-the-tests-know-0123456789")
QUEUE_BYTES = 16 * 1024
PING_TIMEOUT = 2.0
SMALLEST = 4096  # bytes; the kernel takes what is less for its least
LONG = "x" * 8000  # longer than a host may write: a dozen fill the kernel's buffers
EVENT_LOOP_BYTES = 256 * 1024  # what is written before the writer has to wait
WORDS = 60
PROMPTLY = 1.0  # seconds; ten times the pause between two looks at a room


@dataclass
class Stage:
    """A waiting room that is open, and where its channel is."""

    rooms: Rooms
    server: WaitingServer
    port: int

    async def token(self, identity: str, role: Role) -> str:
        await self.rooms.participants.put(
            "default", "rdv", identity, ParticipantDraft(role=role), now=time.time()
        )
        return join_token(
            KEY.key, KEY.secret, room="rdv", identity=identity, now=time.time(), ttl_seconds=600
        )

    def census(self, what: str) -> int:
        return int(self.server.debug_state()[what])

    async def queue(self) -> list[tuple[str, float]]:
        room = await self.rooms.get_room("default", "rdv")
        return [(one.identity, one.since) for one in await self.rooms.waiting_room.waiters(room.uid)]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    rooms = await Rooms.open(f"sqlite:///{tmp_path / 'rooms.sqlite3'}", keys=KeyRing([KEY]))
    made = await rooms.create_room("default", RoomDraft(id="rdv", waiting_room=True), now=time.time())
    assert isinstance(made, Room)
    times = WaitingTimes(ping_interval=0.2, ping_timeout=PING_TIMEOUT, close_within=0.3)
    server = WaitingServer(rooms, WaitingSettings(limits=WaitingLimits(queue_bytes=QUEUE_BYTES), times=times))
    app = web.Application()
    app.add_routes(server.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALLEST)
    await web.SockSite(runner, listening).start()
    await server.start()
    yield Stage(rooms, server, listening.getsockname()[1])
    await server.close()
    await runner.cleanup()
    await rooms.close()


async def test_who_never_reads_costs_one_state_and_delays_nobody_until_they_are_given_up(
    stage: Stage,
) -> None:
    async with present(stage, "good", "patient") as good:
        with unread(stage, await stage.token("slow", "patient")) as slow:
            await until(lambda: stage.census("waiting") == 2)
            before = await stage.queue()
            most, held, late = 0, 0, 0.0
            for number in range(WORDS):
                said_at = time.monotonic()
                text = f"{number:02}{LONG[2:]}"
                await write(stage, text)
                await good.hears(lambda one, text=text: (one.get("message") or {}).get("text") == text)
                late = max(late, time.monotonic() - said_at)
                most = max(most, stage.census("waiting_bytes"))
                if number % 4 == 0:
                    slow.say(type="pong")  # it is there, it only does not read
                held = max(held, *unsent(stage))
            await until(lambda: stage.census("connections") == 1)
        assert EVENT_LOOP_BYTES / 2 < held < EVENT_LOOP_BYTES + 2 * len(LONG)  # it really did not read
        assert 0 < most < 2 * len(LONG)  # a newer state takes the place of an older one
        assert late < PROMPTLY
        assert ended(stage) == {Event.SILENT: 1}
        assert await stage.queue() == before
        async with present(stage, "slow", "patient") as again:
            state = await again.hears(lambda one: one["type"] == "waiting")
            assert state["position"] == [identity for identity, _ in before].index("slow") + 1


async def test_who_is_silent_is_told_4002_and_the_place_is_kept(stage: Stage) -> None:
    async with present(stage, "good", "patient", answers=False) as gone:
        await gone.hears(lambda one: one["type"] == "waiting")
        before = await stage.queue()
        assert await gone.ends() == 4002
    await until(lambda: stage.census("connections") == 0)
    assert await stage.queue() == before
    assert stage.census("absent") == 1


async def test_a_line_that_is_dead_at_the_other_end_is_given_up(stage: Stage) -> None:
    async with present(stage, "host", "host") as host:
        await until(lambda: stage.census("hosts") == 1)
        with unread(stage, await stage.token("gone", "patient")):
            await host.hears(lambda one: one["type"] == "people" and any(w["here"] for w in one["waiting"]))
            before = await stage.queue()
            # No word comes from there, and none arrives.
            await host.hears(lambda one: one["type"] == "people" and not one["waiting"][0]["here"])
            await until(lambda: stage.census("connections") == 1)
            assert await stage.queue() == before


async def write(stage: Stage, text: str) -> None:
    """Show a text to all, as a host does, who may not write so often."""
    room = await stage.rooms.get_room("default", "rdv")
    now = asyncio.get_running_loop().time()
    stage.server._hub.write_to(room.uid, None, text, now=now, wall=time.time())


def unsent(stage: Stage) -> list[int]:
    """Give what the event loop holds of each line."""
    lines = [one._transport for one in stage.server._channel._connections]
    return [line.get_write_buffer_size() for line in lines if isinstance(line, asyncio.WriteTransport)]


def ended(stage: Stage) -> dict[str, int]:
    return dict(stage.server._hub.counters.ended)


class Present:
    """A client as it should be: reads, and answers pings."""

    def __init__(self, line: aiohttp.ClientWebSocketResponse, *, answers: bool) -> None:
        self._line = line
        self._answers = answers
        self._heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reading = asyncio.create_task(self._read())

    async def say(self, **message: Any) -> None:
        await self._line.send_str(json.dumps(message))

    async def hears(self, wanted: Any) -> dict[str, Any]:
        async with asyncio.timeout(8):
            while True:
                message = await self._heard.get()
                if wanted(message):
                    return message

    async def ends(self) -> int:
        async with asyncio.timeout(8):
            await self.reading
        return self._line.close_code or 0

    async def _read(self) -> None:
        async for message in self._line:
            said = json.loads(message.data)
            if said["type"] == "ping" and self._answers:
                await self.say(type="pong")
            self._heard.put_nowait(said)


@asynccontextmanager
async def present(stage: Stage, identity: str, role: Role, *, answers: bool = True) -> AsyncIterator[Present]:
    token = await stage.token(identity, role)
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"ws://127.0.0.1:{stage.port}/waiting", max_msg_size=0) as line,
    ):
        client = Present(line, answers=answers)
        await client.say(type="hello", v=1, token=token)
        yield client
        await line.close()
        await client.reading


class unread:  # noqa: N801 - reads as a function at its uses
    """A client that says hello and never reads a byte, with the smallest buffer that the kernel gives."""

    def __init__(self, stage: Stage, token: str) -> None:
        self._line = socket.socket()
        self._line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALLEST)
        self._line.connect(("127.0.0.1", stage.port))
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        self._line.sendall(
            b"GET /waiting HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key.encode() + b"\r\n\r\n"
        )
        self.say(type="hello", v=1, token=token)

    def say(self, **message: Any) -> None:
        """Send a text frame (RFC 6455, 5.2), masked with nothing but zeros; a line that is cut takes none."""
        data = json.dumps(message).encode()
        length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
        try:
            self._line.sendall(b"\x81" + length + bytes(4) + data)
        except ConnectionError:
            return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()
