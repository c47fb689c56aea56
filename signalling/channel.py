"""The shell of our own channels of text frames: their sockets, and what is the same whatever they speak."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from aiohttp import WSMsgType, web
from aiohttp.http_websocket import WebSocketError

from sfu import PeerError
from signalling.livekit.connection import DID_NOT_READ, Connection
from signalling.livekit.entrance import Refusal, check_origin

Seat = TypeVar("Seat")

_STOPPING_AGAIN = 5  # seconds until another server, or this one again, may take who is turned away


class Counters(Protocol):
    """Where it is counted who is turned away and who does not read."""

    hellos: Counter[str]
    dropped: Counter[str]


class Behind(Protocol[Seat]):
    """What stands behind a channel and speaks its words; a seat is what it keeps of one connection."""

    def open(self, connection: Connection, request: web.Request) -> Seat:
        """Take a new connection in; raise PeerError, and nothing is kept of it then."""

    async def hear(self, seat: Seat, data: str | bytes) -> bool:
        """Do what a frame asks for; False: nothing more is to be heard."""

    def abuse(self, seat: Seat, reason: str) -> None:
        """Hear of a frame that is none, or too large: the connection is over."""

    def closed(self, seat: Seat) -> None:
        """Forget a connection, however it ended."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds of the connections of one channel."""

    frame_bytes: int
    """A message from a client."""
    queue_bytes: int
    """What may wait for a client that reads slowly; more closes its connection."""
    close_within: float
    """Seconds that a closing connection may take to deliver its last words."""
    busy_retry_after: int
    """Seconds after which who found no place may come again."""
    allowed_origins: tuple[str, ...] | None
    """Origins from which pages may connect; None allows every one (see `LiveKitSettings`)."""


class Channel(Generic[Seat]):
    """The sockets of one channel. To be made and used on the running event loop."""

    def __init__(self, behind: Behind[Seat], bounds: Bounds, counters: Counters) -> None:
        """Serve what stands `behind`."""
        self.shut = False
        """Nobody is let in any more."""
        self._behind = behind
        self._bounds = bounds
        self._counters = counters
        self._connections: set[Connection] = set()
        self._writers: set[asyncio.Task[None]] = set()

    def census(self) -> Mapping[str, int]:
        """Count what lives, to see leaks."""
        return {
            "connections": len(self._connections),
            "waiting_bytes": sum(one.waiting_bytes for one in self._connections),
        }

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection for as long as it lives."""
        bounds = self._bounds
        # No compression: it would let a small frame cost much memory.
        socket = web.WebSocketResponse(
            compress=False, max_msg_size=bounds.frame_bytes, timeout=bounds.close_within, decode_text=True
        )
        try:
            self._check(request, socket)
        except Refusal as refusal:
            return _refused(refusal.status, refusal.text, refusal.retry_after)
        connection = Connection(
            socket, request.transport, max_queue_bytes=bounds.queue_bytes, close_within=bounds.close_within
        )
        try:
            seat = self._behind.open(connection, request)
        except PeerError as error:
            self._counters.hellos[error.code] += 1
            return _refused(503, error.code, bounds.busy_retry_after)
        writer: asyncio.Task[None] | None = None
        try:
            await socket.prepare(request)
            self._connections.add(connection)
            writer = asyncio.create_task(connection.run())
            self._writers.add(writer)
            await self._listen(socket, seat)
        finally:
            self._behind.closed(seat)
            if writer is not None:
                connection.close(1000, "")
                await asyncio.wait([writer])
                self._writers.discard(writer)
            if connection.close_code == DID_NOT_READ:
                self._counters.dropped["slow-reader"] += 1
            self._connections.discard(connection)
        return socket

    async def deliver_last_words(self) -> None:
        """Wait until what was said last has left, or too long; then close what is still open."""
        if self._writers:
            await asyncio.wait(self._writers, timeout=self._bounds.close_within)
        for writer in self._writers:
            writer.cancel()
        await asyncio.gather(*self._writers, return_exceptions=True)

    def _check(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        if self.shut:
            raise Refusal(503, "draining", retry_after=_STOPPING_AGAIN)
        check_origin(request.headers, self._bounds.allowed_origins)
        if not socket.can_prepare(request):
            raise Refusal(426, "expected a WebSocket", code="no-websocket")

    async def _listen(self, socket: web.WebSocketResponse, seat: Seat) -> None:
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                error = message.data
                large = isinstance(error, WebSocketError) and error.code == 1009
                self._behind.abuse(seat, "frame-too-large" if large else "malformed-frame")
                return
            # One message at a time: what a client asks for is done before its next is looked at.
            if not await self._behind.hear(seat, message.data):
                return
            await asyncio.sleep(0)  # many frames may have come at once: others have their turn between


def _refused(status: int, text: str, retry_after: int | None) -> web.Response:
    headers = {"Cache-Control": "no-store"}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return web.Response(status=status, text=text, headers=headers)
