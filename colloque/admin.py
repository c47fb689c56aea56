"""The admin listener: metrics, health, state and the firewall sheet, apart from the public one."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Literal

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from colloque.firewall_page import FirewallPage
from rooms import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from colloque.drain import Drain
    from rooms import Rooms
    from turn_config import Deployment

READY_TIMEOUT_SECONDS = 2.0


class Admin:
    """Answers monitoring and operators."""

    def __init__(
        self,
        *,
        rooms: Rooms,
        registry: CollectorRegistry,
        debug_state: Callable[[], Awaitable[dict[str, Any]]],
        deployment: Callable[[], Deployment],
        drain: Drain,
    ) -> None:
        """Report on these."""
        self._drain = drain
        self._rooms = rooms
        self._registry = registry
        self._debug_state = debug_state
        self._firewall_page = FirewallPage(deployment)
        self.state: Literal["starting", "ready", "stopping"] = "starting"
        self._room_gauge = Gauge(
            "colloque_rooms", "Stored rooms by state.", labelnames=("state",), registry=registry
        )
        Gauge(
            "colloque_event_loop_tasks", "Tasks of the event loop that are not done.", registry=registry
        ).set_function(lambda: len(asyncio.all_tasks()))

    def app(self) -> web.Application:
        """Give the application of the admin listener."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/metrics", self._metrics),
                web.get("/livez", self._live),
                web.get("/readyz", self._ready),
                web.get("/debug/state", self._state),
                web.post("/admin/drain", self._begin_drain),
                web.delete("/admin/drain", self._end_drain),
                *self._firewall_page.routes(),
            ]
        )
        return app

    async def _metrics(self, _request: web.Request) -> web.Response:
        try:
            for state, count in (await self._rooms.count_by_state()).items():
                self._room_gauge.labels(state).set(count)
        except StoreUnavailable:
            self._room_gauge.clear()  # no figure rather than an old one
        return web.Response(
            body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    async def _live(self, _request: web.Request) -> web.Response:
        return web.Response(text="live\n")

    async def _ready(self, _request: web.Request) -> web.Response:
        if self.state != "ready":
            return web.Response(status=503, text=f"{self.state}\n")
        if self._drain.on:
            return web.Response(status=503, text="draining\n")
        try:
            async with asyncio.timeout(READY_TIMEOUT_SECONDS):
                await self._rooms.ping()
        except (StoreUnavailable, TimeoutError):
            return web.Response(status=503, text="database\n")
        return web.Response(text="ready\n")

    async def _state(self, _request: web.Request) -> web.Response:
        state = await self._debug_state()
        return web.Response(text=json.dumps(state, default=str), content_type="application/json")

    async def _begin_drain(self, request: web.Request) -> web.Response:
        if "Origin" in request.headers:  # a page in the browser of somebody who reaches this listener
            return web.Response(status=403, text="not for pages\n")
        await self._drain.begin()
        return self._drained()

    async def _end_drain(self, _request: web.Request) -> web.Response:
        self._drain.end()
        return self._drained()

    def _drained(self) -> web.Response:
        said = {"draining": self._drain.on, "remaining_legs": self._drain.remaining_legs}
        return web.json_response(said)
