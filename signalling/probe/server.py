"""The shell of connection tests' live part: sockets in front of the hub, the clocks."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from aiohttp import WSMsgType, web
from aiohttp.http_websocket import WebSocketError
from prometheus_client.registry import Collector

from rooms import JoinRefused, ProbeAdmission, RoomsError
from sfu import PeerError
from signalling.background import Alarm
from signalling.collector import CountsCollector
from signalling.livekit.connection import DID_NOT_READ, Connection
from signalling.livekit.entrance import Refusal, check_origin
from signalling.livekit.live import LiveSide
from signalling.livekit.throttle import RefusalThrottle
from signalling.livekit.timers import TimerTable
from signalling.probe.hub import Hub
from signalling.probe.lifecycle import State
from signalling.probe.paths import Path
from signalling.probe.seen import Seen
from signalling.probe.session import Session
from signalling.probe.settings import ProbeSettings
from signalling.probe.timer import Timer

log = logging.getLogger(__name__)

PATH = "/probe"
_BUSY_AGAIN = 2  # seconds until the database may answer
_RESTART_AGAIN = 5
_GUESSES = frozenset({"unauthenticated", "revoked", "not-found"})


class Door(Protocol):
    """Who tells which connection test a token is for: `Rooms.connection_tests`."""

    async def admitted(self, token: str, *, now: float) -> ProbeAdmission:
        """Check the token of a test; raise JoinRefused."""


def _remote(request: web.Request) -> Seen:
    return Seen(request.remote or "", tls=request.secure)


class ProbeServer:
    """Serves the channel of connection tests. To be made and used on the running event loop."""

    def __init__(
        self,
        live: LiveSide,
        door: Door,
        settings: ProbeSettings | None = None,
        *,
        paths: Callable[[], Sequence[Path]],
        seen: Callable[[web.Request], Seen] = _remote,
    ) -> None:
        """Hear nothing yet.

        `paths` makes the ways that one client is to try, `seen` tells how a request came.
        """
        self._door = door
        self._settings = settings or ProbeSettings()
        self._seen = seen
        self._loop = asyncio.get_running_loop()
        self._alarm = Alarm(self._wake)
        self._timers: TimerTable[Timer] = TimerTable(self._alarm.set)
        self._hub = Hub(live, self._settings, self._timers, paths=paths)
        self._connections: set[Connection] = set()
        self._writers: set[asyncio.Task[None]] = set()
        self._throttle = RefusalThrottle(self._settings.limits.refusals_per_minute_per_address)
        self._draining = False

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the public listener."""
        return [web.get(PATH, self._serve)]

    def drain(self, on: bool) -> None:
        """Begin no test any more, or begin them again; those that run end by themselves."""
        self._draining = on

    async def close(self) -> None:
        """End every test with a word that the server stops."""
        self._draining = True
        self._hub.end_all(retry_after=_RESTART_AGAIN)
        if self._writers:
            await asyncio.wait(self._writers, timeout=self._settings.times.close_within)
        for writer in self._writers:
            writer.cancel()
        await asyncio.gather(*self._writers, return_exceptions=True)
        self._alarm.cancel()

    def debug_state(self) -> dict[str, Any]:
        """Return how many objects live and how each test stands, as JSON values."""
        return {**self._census(), "sessions": self._hub.debug_state()}

    def collector(self) -> Collector:
        """Return a collector for a Prometheus registry."""
        return CountsCollector(
            self._hub.counters.totals,
            self._census,
            name="colloque_probe_objects",
            text="Living objects of connection tests.",
        )

    def _census(self) -> Mapping[str, int]:
        return {
            **self._hub.census(),
            "connections": len(self._connections),
            "waiting_bytes": sum(one.waiting_bytes for one in self._connections),
            "refused_addresses": len(self._throttle),
        }

    # --- one connection ---

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        times, limits = self._settings.times, self._settings.limits
        # No compression: it would let a small frame cost much memory.
        socket = web.WebSocketResponse(
            compress=False, max_msg_size=limits.frame_bytes, timeout=times.close_within, decode_text=True
        )
        try:
            self._check(request, socket)
        except Refusal as refusal:
            return _refused(refusal.status, refusal.text, refusal.retry_after)
        connection = Connection(
            socket, request.transport, max_queue_bytes=limits.queue_bytes, close_within=times.close_within
        )
        try:
            session = self._hub.open(connection, self._seen(request), now=self._loop.time())
        except PeerError as error:
            self._hub.counters.hellos[error.code] += 1
            return _refused(503, error.code, times.busy_retry_after)
        writer: asyncio.Task[None] | None = None
        try:
            await socket.prepare(request)
            self._connections.add(connection)
            writer = asyncio.create_task(connection.run())
            self._writers.add(writer)
            await self._listen(socket, session)
        finally:
            self._hub.closed(session)
            if writer is not None:
                connection.close(1000, "")
                await asyncio.wait([writer])
                self._writers.discard(writer)
            if connection.close_code == DID_NOT_READ:
                self._hub.counters.dropped["slow-reader"] += 1
            self._connections.discard(connection)
        return socket

    def _check(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        if self._draining:
            raise Refusal(503, "draining", retry_after=_RESTART_AGAIN)
        check_origin(request.headers, self._settings.allowed_origins)
        if not socket.can_prepare(request):
            raise Refusal(426, "expected a WebSocket", code="no-websocket")

    async def _listen(self, socket: web.WebSocketResponse, session: Session) -> None:
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                error = message.data
                large = isinstance(error, WebSocketError) and error.code == 1009
                self._hub.abuse(session, "frame-too-large" if large else "malformed-frame")
                return
            # One message at a time: a token is checked before the next is looked at.
            token = self._hub.receive(session, message.data, now=self._loop.time())
            if token is not None:
                await self._check_token(session, token)
            if session.state is State.ENDED:
                return
            await asyncio.sleep(0)  # many frames may have come at once: others have their turn between

    async def _check_token(self, session: Session, token: str) -> None:
        try:
            admission = await self._door.admitted(token, now=time.time())
        except JoinRefused as refused:
            log.debug("probe_refused", extra={"code": refused.code, "detail": refused.detail})
            self._refuse(session, refused)
        except RoomsError as error:
            self._turn_away(session, error.code)
        else:
            self._hub.admit(session, admission.test_id, now=self._loop.time(), call_kbps=admission.max_kbps)

    def _refuse(self, session: Session, refused: JoinRefused) -> None:
        now = self._loop.time()
        if refused.code in _GUESSES:
            wait = self._throttle.wait(session.seen.address, now=now)
            if wait is not None:
                self._hub.turn_away(session, "rate-limited", retry_after=wait)
                return
            self._throttle.refused(session.seen.address, now=now)
        self._turn_away(session, refused.code)

    def _turn_away(self, session: Session, code: str) -> None:
        retry_after = _BUSY_AGAIN if code == "busy" else None
        self._hub.turn_away(session, code, retry_after=retry_after)

    def _wake(self) -> float | None:
        self._hub.wake(now=self._loop.time())
        return self._timers.next()


def _refused(status: int, text: str, retry_after: int | None) -> web.Response:
    headers = {"Cache-Control": "no-store"}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return web.Response(status=status, text=text, headers=headers)
