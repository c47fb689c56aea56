"""Connections that are opened and then say nothing, or a byte at a time: closed, within a bound of them.

The HTTP library bounds how long a connection may rest between two requests, but not how long the first may
take.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client import Counter, Gauge

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware
    from aiohttp.web_protocol import RequestHandler
    from prometheus_client import CollectorRegistry

FIRST_REQUEST_WITHIN_SECONDS = 10.0
LOOK_EVERY_SECONDS = 1.0


class Silence:
    """Watches the connections of one listener, from `start` to `stop` on the running loop."""

    def __init__(self, registry: CollectorRegistry, *, max_connections: int) -> None:
        """Make the figures; `max_connections` bounds all connections together."""
        self._max = max_connections
        self._waiting_since: dict[RequestHandler, float] = {}
        self._spoke: set[RequestHandler] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._open = Gauge("colloque_http_connections", "Open connections.", registry=registry)
        self._closed = Counter(
            "colloque_http_closed",
            "Connections closed before a request came, by reason.",
            labelnames=("reason",),
            registry=registry,
        )

    def middleware(self) -> Middleware:
        """Give what hears of each request."""

        @web.middleware
        async def hear(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._spoke.add(request.protocol)
            return await handler(request)

        return hear

    def start(self, server: web.Server) -> None:
        """Begin to watch."""
        loop = asyncio.get_running_loop()
        self.look(server, now=loop.time())
        self._timer = loop.call_later(LOOK_EVERY_SECONDS, self.start, server)

    def stop(self) -> None:
        """Stop watching."""
        if self._timer is not None:
            self._timer.cancel()

    def look(self, server: web.Server, *, now: float) -> None:
        """Close what is silent for too long, and the newest silent ones where there are too many."""
        connections = server.connections
        silent = [one for one in connections if one not in self._spoke]
        self._spoke &= set(connections)
        self._waiting_since = {one: self._waiting_since.get(one, now) for one in silent}
        spare = self._max - (len(connections) - len(silent))
        for place, (one, since) in enumerate(sorted(self._waiting_since.items(), key=lambda item: item[1])):
            if now - since >= FIRST_REQUEST_WITHIN_SECONDS:
                self._close(one, "silent")
            elif place >= spare:
                self._close(one, "too_many")
        self._open.set(len(connections))

    def _close(self, connection: RequestHandler, reason: str) -> None:
        connection.force_close()
        self._closed.labels(reason).inc()
