"""The shell of the waiting room's channel: sockets in front of the hub, the store behind it, the clocks."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, cast

from aiohttp import web
from prometheus_client.registry import Collector

from rooms import Admission, JoinRefused, NotFound, Role, Rooms, RoomsError, StoreUnavailable
from sfu import PeerError
from signalling.background import Alarm, Background
from signalling.channel import Bounds, Channel
from signalling.collector import CountsCollector
from signalling.livekit.connection import Connection
from signalling.livekit.throttle import RefusalThrottle
from signalling.livekit.timers import TimerTable
from signalling.present import InCall, nobody
from signalling.waiting.ears import Ears
from signalling.waiting.host_verbs import HOST_VERBS
from signalling.waiting.hub import Hub
from signalling.waiting.lifecycle import Event, State
from signalling.waiting.seats import Seat
from signalling.waiting.settings import WaitingSettings
from signalling.waiting.timer import Timer
from signalling.waiting.verbs import HOSTS, Deed, Verb
from signalling.waiting.wishes import Check, GiveUp, Knock, LetIn, Look, Order, Renew, Wish

log = logging.getLogger(__name__)

PATH = "/waiting"
_FOLLOW_EVERY = 1.0  # seconds
_EVENTS_AT_ONCE = 500
_BUSY_AGAIN = 5  # seconds
_GUESSES = frozenset({"unauthenticated", "revoked", "not-found"})
_DETAILS = {
    "not-found": "nobody and no group of that identity is here",
    "busy": "the database does not answer; try again",
}


class WaitingServer:
    """Serves the waiting room's channel. To be made and used on the running event loop.

    `verbs` is what hosts may ask for. `node` tells this server from others that share the database.
    """

    def __init__(
        self,
        rooms: Rooms,
        settings: WaitingSettings | None = None,
        *,
        verbs: Mapping[str, Verb] = HOST_VERBS,
        node: str | None = None,
        address_of: Callable[[web.Request], str | None] = lambda request: request.remote,
        in_call: InCall = nobody,
    ) -> None:
        """Hear of durable changes from now on.

        `address_of` tells who asks, where a proxy stands between; `in_call` who is in the call of a room.
        """
        self._rooms = rooms
        self._settings = settings or WaitingSettings()
        self._node = node
        self._in_call = in_call
        self._address_of = address_of
        self._loop = asyncio.get_running_loop()
        self._background = Background()
        self._alarm = Alarm(self._wake)
        self._timers: TimerTable[Timer] = TimerTable(self._alarm.set)
        self._hub = Hub(
            self._settings,
            self._timers,
            verbs,
            wish=self._grant,
            clock=self._loop.time,
            wall=time.time,
            in_call=in_call,
        )
        limits = self._settings.limits
        bounds = Bounds(
            frame_bytes=limits.frame_bytes,
            queue_bytes=limits.queue_bytes,
            close_within=self._settings.times.close_within,
            busy_retry_after=_BUSY_AGAIN,
            allowed_origins=self._settings.allowed_origins,
        )
        self._channel = Channel(self, bounds, self._hub.counters)
        self._throttle = RefusalThrottle(limits.refusals_per_minute_per_address)
        self._draining = False
        ears = Ears(self._hub.touch)
        rooms.observe(ears)
        rooms.events.follow(ears.follow)

    async def start(self) -> None:
        """Keep the places that were kept when the server stopped, and hear of other servers' doings."""
        kept = await self._rooms.waiting_room.everybody(node=self._node)
        self._hub.restored(kept, now=self._loop.time())
        self._background.start(self._follow_others())

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the public listener."""
        return [web.get(PATH, self._channel.serve)]

    def call_changed(self, room: str) -> None:
        """Have the hosts of a room (its uid) told that somebody came into its call or left it."""
        self._hub.call_changed(room)

    def drain(self, on: bool) -> None:
        """Turn newcomers away whose room has no call here, or take them again; who waits goes on waiting."""
        self._draining = on

    async def close(self) -> None:
        """Send everybody away until the server is back; places are kept."""
        self._channel.shut = True
        self._hub.end_all(Event.SHUTDOWN, now=self._loop.time(), retry_after=2)
        await self._channel.deliver_last_words()
        await asyncio.gather(self._background.close(), return_exceptions=True)
        self._alarm.cancel()

    def debug_state(self) -> dict[str, Any]:
        """Return how many objects live, as JSON values."""
        return dict(self._census())

    def collector(self) -> Collector:
        """Return a collector for a Prometheus registry."""
        return CountsCollector(
            self._hub.counters.totals,
            self._census,
            name="colloque_waiting_objects",
            text="Living objects of the waiting rooms.",
        )

    def _census(self) -> Mapping[str, int]:
        return {
            **self._hub.census(),
            **self._channel.census(),
            "tasks": len(self._background),
            "refused_addresses": len(self._throttle),
        }

    # --- what stands behind the channel ---

    def open(self, connection: Connection, request: web.Request) -> Seat:
        """Take a client in that has not said yet who it is."""
        return self._hub.open(connection, self._address_of(request) or "", now=self._loop.time())

    async def hear(self, seat: Seat, data: str | bytes) -> bool:
        """Do what a client says."""
        match self._hub.receive(seat, data, now=self._loop.time()):
            case Check(token):
                await self._check_in(seat, token)
            case Order() as order:
                await self._carry_out(seat, order)
        return seat.state is not State.ENDED

    def abuse(self, seat: Seat, reason: str) -> None:
        """Send a client away that sends what is no message."""
        self._hub.abuse(seat, reason, now=self._loop.time())

    def closed(self, seat: Seat) -> None:
        """Keep the place of a person whose connection is gone, for a while."""
        self._hub.closed(seat, now=self._loop.time())

    # --- what needs the store ---

    async def _check_in(self, seat: Seat, token: str) -> None:
        """Give somebody the place that their token stands for."""
        try:
            admission = await self._rooms.verify_knock(token, now=time.time())
            if self._draining and not self._in_call(admission.room_id):
                self._hub.turn_away(seat, "draining", now=self._loop.time(), retry_after=5)
                return
            if admission.role not in HOSTS:
                self._hub.expect(seat, admission)
                if admission.must_wait:
                    await self._rooms.waiting_room.knock(admission, now=time.time(), node=self._node)
        except JoinRefused as refused:
            log.debug("knock_refused", extra={"code": refused.code, "detail": refused.detail})
            self._refuse(seat, refused)
        except (NotFound, StoreUnavailable) as error:
            self._hub.turn_away(
                seat, error.code, now=self._loop.time(), retry_after=2 if error.code == "busy" else None
            )
        except RoomsError as error:
            self._hub.turn_away(seat, error.code, now=self._loop.time())
        else:
            self._hub.seat(seat, admission, now=self._loop.time())

    def _refuse(self, seat: Seat, refused: JoinRefused) -> None:
        now = self._loop.time()
        if refused.code in _GUESSES:
            wait = self._throttle.wait(seat.address, now=now)
            if wait is not None:
                self._hub.turn_away(seat, "rate-limited", now=now, retry_after=wait)
                return
            self._throttle.refused(seat.address, now=now)
        self._hub.turn_away(
            seat, refused.code, now=now, retry_after=2 if refused.http_status == 503 else None
        )

    async def _carry_out(self, seat: Seat, order: Order) -> None:
        """Run a verb for a host and say how it went."""
        admission, scene = seat.admission, None
        code, detail = "busy", _DETAILS["busy"]
        try:
            assert admission is not None, "who orders was seated"  # noqa: S101
            scene = await self._rooms.waiting_room.scene(admission.room_id, (), now=time.time())
            if scene is None:
                code, detail = "not-found", "the room is gone"
            else:
                deed = Deed(
                    rooms=self._rooms,
                    tenant=scene.room.tenant,
                    room_id=scene.room.id,
                    room_uid=scene.room.uid,
                    by=admission.identity,
                    role=cast("Role", admission.role),
                    admission=admission,
                    body=order.body,
                    now=time.time(),
                    write_to=lambda identity, text: self._hub.write_to(
                        admission.room_id, identity, text, now=self._loop.time(), wall=time.time()
                    ),
                )
                self._hub.done(seat, order, await order.verb.run(deed))
                return
        except PeerError as error:
            code, detail = error.code, error.text
        except RoomsError as error:
            code, detail = error.code, _DETAILS.get(error.code, str(error))
        except Exception:
            log.exception("verb_failed", extra={"verb": order.name})
            code, detail = "failed", "something went wrong on the server"
        self._hub.failed(seat, order.name, order.id, code, detail)

    # --- what the hub wishes for ---

    def _grant(self, wish: Wish) -> None:
        work: Coroutine[Any, Any, None]
        match wish:
            case Look():
                work = self._look(wish)
            case LetIn(seat, admission):
                work = self._let_in(seat, admission)
            case Renew(seat, admission):
                work = self._renew(seat, admission)
            case Knock(admission):
                work = self._knock(admission)
            case GiveUp():
                work = self._give_up(wish)
        self._background.start(work)

    async def _look(self, wish: Look) -> None:
        try:
            scene = await self._rooms.waiting_room.scene(wish.key, wish.identities, now=time.time())
        except Exception as error:
            if not isinstance(error, StoreUnavailable):
                log.exception("look_failed")
            self._hub.look_failed(wish.key, now=self._loop.time())
            return
        self._hub.show(wish.key, scene, now=self._loop.time())

    async def _let_in(self, seat: Seat, admission: Admission) -> None:
        try:
            token = await self._rooms.refresh_token(admission, now=time.time())
        except JoinRefused as refused:
            if refused.http_status == 503:
                self._hub.let_in_later(seat, now=self._loop.time())
            else:
                self._hub.turn_away(seat, refused.code, now=self._loop.time())
            return
        self._hub.let_in(seat, token, now=self._loop.time())

    async def _renew(self, seat: Seat, admission: Admission) -> None:
        try:
            token = await self._rooms.refresh_token(admission, now=time.time())
        except JoinRefused as refused:
            log.info("token_not_refreshed", extra={"room": admission.room_id, "code": refused.code})
            return
        self._hub.new_token(seat, token)

    async def _knock(self, admission: Admission) -> None:
        try:
            await self._rooms.waiting_room.knock(admission, now=time.time(), node=self._node)
        except RoomsError as error:
            log.info("knock_failed", extra={"room": admission.room_id, "code": error.code})
        self._hub.touch(admission.room_id)

    async def _give_up(self, wish: GiveUp) -> None:
        if self._hub.here(wish.key, wish.identity):
            return
        try:
            await self._rooms.waiting_room.give_up(wish.key, wish.identity, now=time.time(), node=self._node)
        except StoreUnavailable:
            self._hub.keep_absent(wish.key, wish.identity, now=self._loop.time())
        self._hub.touch(wish.key)

    async def _follow_others(self) -> None:
        """Hear what other servers on the same database write: one question a second while anybody waits."""
        position: int | None = None
        while True:
            await asyncio.sleep(_FOLLOW_EVERY)
            if self._hub.idle:
                position = None
                continue
            try:
                if position is None:
                    position = await self._rooms.events.newest()
                    self._hub.touch_all()
                page = await self._rooms.events.read(after=position, limit=_EVENTS_AT_ONCE)
            except StoreUnavailable:
                continue
            position = page.last
            for room in {event.room_uid for event in page.items}:
                self._hub.touch(room)
            if page.missed:
                self._hub.touch_all()

    def _wake(self) -> float | None:
        self._hub.wake(now=self._loop.time())
        return self._timers.next()
