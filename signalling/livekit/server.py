"""The shell: HTTP and WebSocket in front of the calls; it alone reads the clocks and owns the timer."""

import asyncio
import logging
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from aiohttp import WSMessage, WSMsgType, web
from aiohttp.http_websocket import WebSocketError
from livekit.protocol.models import DisconnectReason
from livekit.protocol.rtc import JoinRequest, LeaveRequest
from prometheus_client.registry import Collector

from rooms import Admission, Gate, JoinRefused, LegObserver, RoomEvent
from sfu import PeerError
from signalling.background import Alarm, Background
from signalling.collector import CountsCollector
from signalling.livekit.call import Call, leave
from signalling.livekit.connection import Connection
from signalling.livekit.entrance import Refusal, check_origin, end_of, read_join_request, token_of
from signalling.livekit.hub import Hub, Seat
from signalling.livekit.lifecycle import Event
from signalling.livekit.live import LiveSide
from signalling.livekit.management import Management
from signalling.livekit.media import Clocks
from signalling.livekit.messages import decode_request
from signalling.livekit.outbox import Outgoing
from signalling.livekit.participant import Participant
from signalling.livekit.settings import LiveKitSettings
from signalling.livekit.throttle import RefusalThrottle
from signalling.livekit.timers import Timer, TimerTable

log = logging.getLogger(__name__)

_PATH = "/rtc/v1"
_TOO_LARGE = 1009  # RFC 6455, 7.4.1
_INVALID = 1007
_POLICY = 1008
_JOIN_FAILED = 4010
_NO_SUCH_SEAT = 4007
_PLACED_AGAIN_SECONDS = 1.0


class LiveKitServer:
    """Serves the LiveKit client protocol v1.

    To be made and used on the running event loop. `rooms` says who may come in, `sfu` carries the media.
    """

    def __init__(
        self,
        sfu: LiveSide,
        rooms: Gate,
        settings: LiveKitSettings | None = None,
        *,
        legs: LegObserver,
        address_of: Callable[[web.Request], str | None] = lambda request: request.remote,
    ) -> None:
        """Connect the parts; hear of durable changes from now on.

        `legs` is told who comes and goes; `address_of` tells who asks, where a proxy stands between.
        """
        self._rooms = rooms
        self._settings = settings or LiveKitSettings()
        self._loop = asyncio.get_running_loop()
        self._background = Background()
        self._alarm = Alarm(self._wake)
        self._timers: TimerTable[Timer] = TimerTable(self._alarm.set)
        self._clocks = Clocks(now=self._loop.time, wall=time.time)
        self._hub = Hub(
            sfu,
            self._settings,
            self._clocks,
            self._timers,
            legs=legs,
            want_token=lambda call, person: self._background.start(self._send_token(call, person)),
            want_place=lambda person: self._background.start(self._place(person)),
        )
        self.management = Management(self._hub, rooms, self._clocks, self._settings.limits)
        """What an application may do to people in calls."""
        self._connections: set[Connection] = set()
        self._writers: set[asyncio.Task[None]] = set()
        self._draining = False
        self._stopping = False
        self._address_of = address_of
        self._throttle = RefusalThrottle(self._settings.limits.refusals_per_minute_per_address)
        rooms.observe(self._hub)

    def event_written(self, event: RoomEvent) -> None:
        """Hear of a durable event (`rooms.EventLog.follow`): people who are placed in groups are moved."""
        self._hub.event_written(event)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the public listener.

        A join carries a description in its URL: the listener must allow request lines of 32 KiB, and its
        access log must leave out the query, which holds a token.
        """
        return [web.get(_PATH, self._serve), web.get(f"{_PATH}/validate", self._validate)]

    def drain(self, on: bool) -> None:
        """Turn those away whose room has no call here, or take them again."""
        self._draining = on

    @property
    def people(self) -> int:
        """How many people are in calls here."""
        return self._hub.census()["participants"]

    async def close(self) -> None:
        """Turn newcomers away, have everybody in a call join again soon, and close every connection."""
        self._stopping = True
        self._hub.end_all(Event.SHUTDOWN, now=self._loop.time())
        if self._writers:
            await asyncio.wait(self._writers, timeout=self._settings.times.close_within)
        for writer in self._writers:
            writer.cancel()
        await asyncio.gather(self._background.close(), *self._writers, return_exceptions=True)
        self._alarm.cancel()

    def debug_state(self) -> dict[str, Any]:
        """Return the state of every call as JSON values."""
        waiting = sum(connection.waiting_bytes for connection in self._connections)
        return {
            **self._hub.debug_state(),
            "connections": len(self._connections),
            "waiting_bytes": waiting,
            "refused_addresses": len(self._throttle),
        }

    def collector(self) -> Collector:
        """Return a collector for a Prometheus registry."""
        return CountsCollector(
            self._hub.counters.totals,
            lambda: {**self._hub.census(), "connections": len(self._connections)},
            name="colloque_signal_objects",
            text="Living objects of signalling.",
        )

    # --- the door ---

    async def _validate(self, request: web.Request) -> web.Response:
        """Say what an upgrade with the same request would meet."""
        try:
            await self._admit(request)
        except Refusal as refusal:
            return self._refused(request, refusal)
        return web.Response(text="success", headers=self._headers(request))

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        """Check, upgrade, and serve one connection until it ends."""
        try:
            changes = self._hub.changes
            admission, join_request = await self._admit(request)
        except Refusal as refusal:
            return self._refused(request, refusal)
        times, limits = self._settings.times, self._settings.limits
        # No compression: it would let a small frame cost much memory.
        socket = web.WebSocketResponse(
            compress=False, max_msg_size=limits.frame_bytes, timeout=times.close_within, decode_text=True
        )
        if not socket.can_prepare(request):
            return self._refused(request, Refusal(426, "expected a WebSocket", code="no-websocket"))
        await socket.prepare(request)
        connection = Connection(
            socket,
            request.transport,
            max_queue_bytes=limits.queue_bytes,
            close_within=times.close_within,
        )
        self._connections.add(connection)
        writer = asyncio.create_task(connection.run())
        self._writers.add(writer)
        try:
            while self._hub.changes != changes:
                # Something is not what it was when this person, on the way into the call, was checked.
                changes = self._hub.changes
                admission, join_request = await self._admit(request)
            await self._sit(admission, join_request, socket, connection)
        except Refusal as refusal:
            removed = refusal.status == HTTPStatus.UNAUTHORIZED
            _turn_out(
                connection,
                DisconnectReason.PARTICIPANT_REMOVED if removed else DisconnectReason.JOIN_FAILURE,
            )
        finally:
            connection.close(1000, "")
            await asyncio.wait([writer])
            self._writers.discard(writer)
            self._connections.discard(connection)
            if connection.close_code not in {None, 1000}:
                self._hub.counters.closed[str(connection.close_code)] += 1
        return socket

    async def _admit(self, request: web.Request) -> tuple[Admission, JoinRequest]:
        """Return who comes and what the client says; raise Refusal."""
        if self._stopping:
            raise Refusal(503, "draining", retry_after=5)
        check_origin(request.headers, self._settings.allowed_origins)
        try:
            admission = await self._rooms.verify_join(
                token_of(request.query, request.headers), now=time.time()
            )
        except JoinRefused as refused:
            log.debug("join_refused", extra={"code": refused.code, "detail": refused.detail})
            if refused.http_status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
                self._slow_down(self._address_of(request) or "")
            retry_after = 5 if refused.http_status in {429, 503} else None
            raise Refusal(
                refused.http_status, refused.text, code=refused.code, retry_after=retry_after
            ) from refused
        if self._draining and not self._hub.calls_of(admission.room_id):
            raise Refusal(503, "draining", retry_after=5)
        limit = self._settings.limits.join_request_bytes
        join_request = read_join_request(request.query, max_bytes=limit)
        if not join_request.reconnect and self._hub.full(admission):
            raise Refusal(403, "full")
        return admission, join_request

    def _slow_down(self, address: str) -> None:
        """Count a refusal; raise Refusal when there were too many, and the next has to wait.

        Only for those who are turned down anyway: a whole site may share the address of one who guesses.
        """
        now = self._loop.time()
        wait = self._throttle.wait(address, now=now)
        if wait is not None:
            raise Refusal(429, "rate-limited", retry_after=wait)
        self._throttle.refused(address, now=now)

    def _refused(self, request: web.Request, refusal: Refusal) -> web.Response:
        self._hub.counters.joins[refusal.code] += 1
        headers = self._headers(request)
        if refusal.retry_after is not None:
            headers["Retry-After"] = str(refusal.retry_after)
        if refusal.status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
        return web.Response(status=refusal.status, text=refusal.text, headers=headers)

    def _headers(self, request: web.Request) -> dict[str, str]:
        """Return headers that let pages of other origins read why they were turned down."""
        headers = {"Cache-Control": "no-store", "Vary": "Origin"}
        origin = request.headers.get("Origin")
        allowed = self._settings.allowed_origins
        if origin is not None and (allowed is None or origin in allowed):
            headers["Access-Control-Allow-Origin"] = "*" if allowed is None else origin
        return headers

    # --- one connection ---

    async def _sit(
        self,
        admission: Admission,
        request: JoinRequest,
        socket: web.WebSocketResponse,
        connection: Connection,
    ) -> None:
        """Give the client its place in the call, then do what it says until it is gone."""
        now = self._loop.time()
        if request.reconnect:
            seat = self._hub.resume(admission, request, connection, now=now)
            if seat is None:
                connection.send(Outgoing(leave(DisconnectReason.STATE_MISMATCH, LeaveRequest.RECONNECT)))
                connection.close(_NO_SUCH_SEAT, "nothing to resume")
                return
        else:
            try:
                seat = self._hub.join(admission, request, connection, now=now)
            except PeerError as error:
                self._hub.counters.joins[error.code] += 1
                _turn_out(connection, DisconnectReason.JOIN_FAILURE)
                return
        log.info("signal_connected", extra={"room": admission.room_id, "resumed": request.reconnect})
        try:
            async for message in socket:
                self._receive(message, seat, connection)
                if not seat.open:
                    break
                await asyncio.sleep(0)  # many frames may have come at once: others have their turn between
        finally:
            if socket.close_code in {_TOO_LARGE, _INVALID} and connection.close_code is None:
                connection.close_code = socket.close_code
                reason = "frame-too-large" if socket.close_code == _TOO_LARGE else "malformed-frame"
                seat.abuse(reason, socket.close_code, now=self._loop.time())
            seat.lost(now=self._loop.time())

    def _receive(self, message: WSMessage, seat: Seat, connection: Connection) -> None:
        now = self._loop.time()
        if message.type is WSMsgType.TEXT:
            connection.text = True
        elif message.type is WSMsgType.BINARY:
            connection.text = False
        else:
            error = message.data
            if isinstance(error, WebSocketError):
                too_large = error.code == _TOO_LARGE
                seat.abuse("frame-too-large" if too_large else "malformed-frame", error.code, now=now)
            return
        try:
            request = decode_request(message.data)
        except PeerError as error:
            seat.abuse(error.code, _INVALID, now=now)
            return
        seat.handle(request, now=now)

    # --- what takes time ---

    async def _send_token(self, call: Call, person: Participant) -> None:
        """Give a client in the call a fresh token, so that it can come back hours later."""
        try:
            token = await self._rooms.refresh_token(person.admission, now=time.time())
        except JoinRefused as refused:
            log.info("token_not_refreshed", extra={"room": call.key, "code": refused.code})
            return
        expires_at = end_of(token) or person.admission.expires_at
        self._hub.new_token(person, token, expires_at=expires_at, now=self._loop.time())

    async def _place(self, person: Participant) -> None:
        """Have somebody be in the call where they belong by now."""
        while True:
            changes = self._hub.changes
            try:
                admission, token = await self._rooms.place(person.admission, now=time.time())
            except JoinRefused as refused:
                if refused.code == "busy":
                    await asyncio.sleep(_PLACED_AGAIN_SECONDS)
                    continue
                log.info("not_placed", extra={"room": person.admission.room_id, "code": refused.code})
                return
            if self._hub.changes == changes:
                break  # else where they belong may have changed meanwhile
        self._hub.place(person, admission, token, now=self._loop.time())

    def _wake(self) -> float | None:
        self._hub.wake(now=self._loop.time())
        return self._timers.next()


def _turn_out(connection: Connection, reason: DisconnectReason) -> None:
    """Tell a client whose upgrade is done already that it cannot stay."""
    connection.send(Outgoing(leave(reason, LeaveRequest.DISCONNECT)))
    connection.close(_JOIN_FAILED, "join failed")
