"""Connections that are opened and then say nothing, or a byte at a time, and those that are too many: closed.

The HTTP library bounds how long a connection may rest between two requests, but not how long the first may
take, nor how many connections there are.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client import Counter, Gauge

from colloque.surplus import Standing, surplus

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
        self._busy: set[RequestHandler] = set()
        self._upgraded: set[RequestHandler] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._open = Gauge("colloque_http_connections", "Open connections.", registry=registry)
        self._closed = Counter(
            "colloque_http_closed",
            "Connections closed because they were silent or too many.",
            labelnames=("reason",),
            registry=registry,
        )

    def middleware(self) -> Middleware:
        """Give what hears of each request."""

        @web.middleware
        async def hear(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._spoke.add(request.protocol)
            self._busy.add(request.protocol)
            try:
                return await handler(request)
            finally:
                self._busy.discard(request.protocol)

        return hear

    async def answering(self, request: web.Request, response: web.StreamResponse) -> None:
        """Hear of each answer that begins; an application's signal `on_response_prepare` calls it."""
        if isinstance(response, web.WebSocketResponse):
            self._upgraded.add(request.protocol)

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
        """Close what is silent for too long, and where there are too many, those of whoever has the most."""
        connections = server.connections
        present = set(connections)
        self._spoke &= present
        self._busy &= present
        self._upgraded &= present
        silent = [one for one in connections if one not in self._spoke]
        self._waiting_since = {one: self._waiting_since.get(one, now) for one in silent}
        late = {one for one in silent if now - self._waiting_since[one] >= FIRST_REQUEST_WITHIN_SECONDS}
        for one in late:
            self._close(one, "silent")
        left = [one for one in connections if one not in late]
        if len(left) > self._max:
            standings = [(_address(one), self._standing(one)) for one in left]
            for index in surplus(standings, most=self._max):
                self._close(left[index], "too_many")
        self._open.set(len(connections))

    def _standing(self, connection: RequestHandler) -> Standing:
        if connection in self._upgraded:
            return Standing.UPGRADED
        if connection in self._busy:
            return Standing.BUSY
        return Standing.IDLE if connection in self._spoke else Standing.SILENT

    def _close(self, connection: RequestHandler, reason: str) -> None:
        transport = connection.transport
        connection.force_close()
        if transport is not None:
            transport.abort()  # under TLS the peer would have time for a goodbye
        self._closed.labels(reason).inc()


def _address(connection: RequestHandler) -> str:
    peer = None if connection.transport is None else connection.transport.get_extra_info("peername")
    return str(peer[0]) if peer else ""
