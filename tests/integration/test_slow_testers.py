"""A client of a connection test that does not read, over a real socket.

The server is in this process, so that the buffers of the kernel can be small.
"""

import base64
import json
import secrets
import socket
from collections.abc import AsyncIterator, Mapping

import aiohttp
import pytest
from aiohttp import web

from rooms import ProbeAdmission
from sfu import CallKey
from signalling.probe import ProbeLimits, ProbeServer, ProbeSettings
from tests.support.eventually import until
from tests.support.live_side import FakeSfu

pytestmark = pytest.mark.integration

SMALLEST = 4096  # bytes; the kernel takes what is less for its least
QUEUE_BYTES = 64 * 1024
LONG = "x" * 60_000
LEG = {"type": "offer", "leg": "a", "sdp": LONG, "audio": "0"}


class Door:
    """Takes every token for that of the test which it names."""

    async def admitted(self, token: str, *, now: float) -> ProbeAdmission:
        return ProbeAdmission(token, "default", now + 900)


class Stage:
    """A server of connection tests, whose answers are as long as the offers."""

    def __init__(self) -> None:
        self.sfu = FakeSfu()
        limits = ProbeLimits(queue_bytes=QUEUE_BYTES, offer_bytes_burst=12 * len(LONG))
        self.server = ProbeServer(self.sfu, Door(), ProbeSettings(limits=limits), paths=list)
        self.port = 0

    def census(self, what: str) -> int:
        return int(self.server._census()[what])


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = Stage()
    app = web.Application()
    app.add_routes(made.server.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALLEST)
    await web.SockSite(runner, listening).start()
    made.port = listening.getsockname()[1]
    yield made
    await made.server.close()
    await runner.cleanup()


async def test_who_does_not_read_is_cut_off_and_nobody_else_waits(stage: Stage) -> None:
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"ws://127.0.0.1:{stage.port}/probe") as good,
    ):
        await good.send_json({"type": "hello", "v": 1, "token": "CT_good"})
        assert (await good.receive_json())["type"] == "ready"
        with _deaf(stage.port) as deaf:
            _say(deaf, {"type": "hello", "v": 1, "token": "CT_deaf"})
            for number in range(12):
                _say(deaf, LEG)
                await good.send_json({"type": "ping", "id": number})
                assert await good.receive_json(timeout=2) == {"type": "pong", "id": number}
            await until(lambda: stage.census("connections") == 1)
        assert stage.server._hub.counters.dropped == {"slow-reader": 1}
        (leg,) = stage.sfu.call(CallKey("probe:CT_deaf")).legs.values()
        assert leg.closed is not None
        await good.send_json({"type": "ping", "id": 99})
        assert (await good.receive_json(timeout=2))["id"] == 99


def _deaf(port: int) -> socket.socket:
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALLEST)
    line.connect(("127.0.0.1", port))
    line.settimeout(5)
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    line.sendall(
        b"GET /probe HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key.encode() + b"\r\n\r\n"
    )
    return line


def _say(line: socket.socket, message: Mapping[str, object]) -> None:
    """Send a text frame (RFC 6455, 5.2), masked with nothing but zeros; a line that is cut takes none."""
    data = json.dumps(message).encode()
    length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
    try:
        line.sendall(b"\x81" + length + bytes(4) + data)
    except (ConnectionError, TimeoutError):
        return
