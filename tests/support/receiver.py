"""Somebody who is told of events: a real HTTP server on loopback that does what a test says."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import web
from standardwebhooks import Webhook

Answering = Callable[["Delivery"], Awaitable[web.StreamResponse] | web.StreamResponse | int]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request as it came."""

    headers: Mapping[str, str]
    body: str

    @property
    def event(self) -> Any:
        """What was told."""
        return json.loads(self.body)

    def verify(self, secret: str) -> None:
        """Raise if the signature is not of this secret."""
        Webhook(secret).verify(self.body, dict(self.headers))


class Receiver:
    """Notes every delivery in the order of arrival. Use as an async context manager."""

    def __init__(self, answering: Answering | None = None, *, port: int = 0) -> None:
        """Answer 204, or what `answering` says: a status, or a whole response."""
        self.answering = answering or (lambda _: 204)
        self.deliveries: list[Delivery] = []
        self._port = port
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        """Begin to listen."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def url(self) -> str:
        """The address to be told at."""
        return f"http://127.0.0.1:{self._port}/events?key=hidden-word"

    def told(self, room: str) -> list[int]:
        """The numbers of a room's events in the order in which they came, repetitions included."""
        return [one.event["seq"] for one in self.deliveries if one.event.get("room") == room]

    async def _take(self, request: web.Request) -> web.StreamResponse:
        delivery = Delivery(dict(request.headers), await request.text())
        self.deliveries.append(delivery)
        answer = self.answering(delivery)
        if isinstance(answer, int):
            return web.Response(status=answer)
        return answer if isinstance(answer, web.StreamResponse) else await answer


async def never(_: Delivery) -> web.StreamResponse:
    """Leave the caller waiting."""
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")
