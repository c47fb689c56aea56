"""The shell of connection tests' live part: sockets in front of the hub, the clocks."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from aiohttp import web
from prometheus_client.registry import Collector

from rooms import JoinRefused, ProbeAdmission, RoomsError
from signalling.background import Alarm
from signalling.channel import Bounds, Channel
from signalling.collector import CountsCollector
from signalling.livekit.connection import Connection
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
        limits, times = self._settings.limits, self._settings.times
        bounds = Bounds(
            frame_bytes=limits.frame_bytes,
            queue_bytes=limits.queue_bytes,
            close_within=times.close_within,
            busy_retry_after=times.busy_retry_after,
            allowed_origins=self._settings.allowed_origins,
        )
        self._channel = Channel(self, bounds, self._hub.counters)
        self._throttle = RefusalThrottle(limits.refusals_per_minute_per_address)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the public listener."""
        return [web.get(PATH, self._channel.serve)]

    def drain(self, on: bool) -> None:
        """Begin no test any more, or begin them again; those that run end by themselves."""
        self._channel.shut = on

    async def close(self) -> None:
        """End every test with a word that the server stops."""
        self._channel.shut = True
        self._hub.end_all(retry_after=_RESTART_AGAIN)
        await self._channel.deliver_last_words()
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
            **self._channel.census(),
            "refused_addresses": len(self._throttle),
        }

    # --- what stands behind the channel ---

    def open(self, connection: Connection, request: web.Request) -> Session:
        """Take a client in that has not said yet which test it is for."""
        return self._hub.open(connection, self._seen(request), now=self._loop.time())

    async def hear(self, session: Session, data: str | bytes) -> bool:
        """Do what a client says; a token is checked before the next word is looked at."""
        token = self._hub.receive(session, data, now=self._loop.time())
        if token is not None:
            await self._check_token(session, token)
        return session.state is not State.ENDED

    def abuse(self, session: Session, reason: str) -> None:
        """End a test whose client sends what is no message."""
        self._hub.abuse(session, reason)

    def closed(self, session: Session) -> None:
        """End a test whose connection is gone."""
        self._hub.closed(session)

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
