"""Connections that say nothing."""

from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from colloque.silence import FIRST_REQUEST_WITHIN_SECONDS, Silence


class Connection:
    """As much of a connection as is watched."""

    def __init__(self, server: "Listener") -> None:
        self._server = server

    def force_close(self) -> None:
        self._server.connections.remove(self)


class Listener:
    def __init__(self) -> None:
        self.connections: list[Connection] = []

    def connect(self, count: int = 1) -> list[Connection]:
        made = [Connection(self) for _ in range(count)]
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


async def speak(watch: Watch, connection: Connection) -> None:
    class Request:
        protocol = connection

    async def handler(_request: object) -> None:
        return None

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


async def test_what_is_gone_is_forgotten(watch: Watch) -> None:
    (connection,) = watch.listener.connect()
    await speak(watch, connection)
    watch.look(0.0)
    watch.listener.connections.clear()
    watch.look(1.0)
    assert not watch.silence._spoke
    assert not watch.silence._waiting_since
