"""Connections that say nothing, and those that are too many."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from colloque.silence import FIRST_REQUEST_WITHIN_SECONDS, Silence


class Connection:
    """As much of a connection as is watched."""

    def __init__(self, server: "Listener", address: str) -> None:
        self._server = server
        self._address = address
        self.transport = self

    def get_extra_info(self, _name: str) -> tuple[str, int]:
        return self._address, 1

    def force_close(self) -> None:
        """Say goodbye, which may take time."""

    def abort(self) -> None:
        self._server.connections.remove(self)


class Listener:
    def __init__(self) -> None:
        self.connections: list[Connection] = []

    def connect(self, count: int = 1, address: str = "192.0.2.1") -> list[Connection]:
        made = [Connection(self, address) for _ in range(count)]
        self.connections += made
        return made


class Watch:
    def __init__(self, max_connections: int = 100) -> None:
        self.registry = CollectorRegistry()
        self.silence = Silence(self.registry, max_connections=max_connections)
        self.listener = Listener()

    def look(self, now: float) -> None:
        # A copy, as the real listener gives one.
        view = Listener()
        view.connections = list(self.listener.connections)
        self.silence.look(cast("Any", view), now=now)

    def closed(self, reason: str) -> float:
        return self.registry.get_sample_value("colloque_http_closed_total", {"reason": reason}) or 0.0


@pytest.fixture
def watch() -> Watch:
    return Watch()


async def speak(
    watch: Watch,
    connection: Connection,
    answer: web.StreamResponse | None = None,
    meanwhile: Callable[[], None] = lambda: None,
) -> None:
    class Request:
        protocol = connection

    async def handler(request: object) -> None:
        await watch.silence.answering(cast("Any", request), answer or web.Response())
        meanwhile()

    await watch.silence.middleware()(cast("Any", Request()), cast("Any", handler))


async def test_a_connection_that_never_asks_is_closed_and_one_that_did_is_not(watch: Watch) -> None:
    silent, speaking = watch.listener.connect(2)
    watch.look(0.0)
    await speak(watch, speaking)
    watch.look(FIRST_REQUEST_WITHIN_SECONDS - 0.1)
    assert watch.listener.connections == [silent, speaking]
    watch.look(FIRST_REQUEST_WITHIN_SECONDS)
    assert watch.listener.connections == [speaking]
    watch.look(1e6)
    assert watch.listener.connections == [speaking]
    assert watch.closed("silent") == 1


async def test_of_too_many_the_newest_silent_ones_go(watch: Watch) -> None:
    watch = Watch(max_connections=3)
    speaking, old = watch.listener.connect(2)
    await speak(watch, speaking)
    watch.look(0.0)
    third, *_ = watch.listener.connect(3)
    watch.look(1.0)
    assert watch.listener.connections == [speaking, old, third]
    assert watch.closed("too_many") == 2


async def test_of_too_many_those_of_whoever_has_the_most_go_though_they_have_spoken() -> None:
    watch = Watch(max_connections=3)
    many = watch.listener.connect(3)
    for one in many:
        await speak(watch, one)
    (newcomer,) = watch.listener.connect(address="198.51.100.1")
    watch.look(0.0)
    assert watch.listener.connections == [*many[:2], newcomer]
    assert watch.closed("too_many") == 1


async def test_somebody_in_a_call_stays_whoever_floods() -> None:
    watch = Watch(max_connections=3)
    in_call = watch.listener.connect(3)
    for one in in_call:
        await speak(watch, one, web.WebSocketResponse())
    for number in range(4):
        watch.listener.connect(address=f"198.51.100.{number}")
    watch.look(0.0)
    assert watch.listener.connections == in_call


async def test_who_is_being_answered_goes_after_who_rests() -> None:
    watch = Watch(max_connections=1)
    resting, asking = watch.listener.connect(2)
    await speak(watch, resting)
    await speak(watch, asking, meanwhile=lambda: watch.look(0.0))
    assert watch.listener.connections == [asking]


async def test_what_is_gone_is_forgotten(watch: Watch) -> None:
    (connection,) = watch.listener.connect()
    await speak(watch, connection, web.WebSocketResponse())
    watch.look(0.0)
    watch.listener.connections.clear()
    watch.look(1.0)
    assert not watch.silence._spoke | watch.silence._upgraded
    assert not watch.silence._waiting_since
