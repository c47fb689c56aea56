"""The shell of connection tests, behind pretended sockets: whom the door refuses, and what breaks."""

import json
from collections.abc import Iterator
from typing import Any, cast
from unittest import mock

import pytest
from aiohttp import web

from rooms import JoinRefused, ProbeAdmission, StoreUnavailable
from rooms.errors import RefusalCode
from signalling.probe import Path, ProbeLimits, ProbeServer, ProbeSettings, Seen
from tests.support.live_side import FakeSfu
from tests.support.pretended_socket import Frame, Line, PretendedSocket
from tests.support.virtual_time import VirtualLoop, sleep

REFUSALS_A_MINUTE = 3


class Door:
    """Admits by what a token says: `good`, the code of a refusal, or what goes wrong."""

    async def admitted(self, token: str, *, now: float) -> ProbeAdmission:
        await sleep(0)
        match token.split():
            case ["good", test]:
                return ProbeAdmission(test, "default", now + 900)
            case ["gone"]:
                raise StoreUnavailable("no database")
            case ["defect"]:
                raise RuntimeError("a defect")
        raise JoinRefused(cast("RefusalCode", token))


class Stage:
    """A server with its clients."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.loop = loop
        self.sfu = FakeSfu()
        limits = ProbeLimits(refusals_per_minute_per_address=REFUSALS_A_MINUTE, sockets_per_address=30)
        self.server: ProbeServer = self.run(self._make(ProbeSettings(("https://visio.example",), limits)))

    async def _make(self, settings: ProbeSettings) -> ProbeServer:
        def seen(request: web.Request) -> Seen:
            return Seen(request.remote or "")

        return ProbeServer(self.sfu, Door(), settings, paths=lambda: [Path("udp", 10000)], seen=seen)

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def wait(self, seconds: float = 0.01) -> None:
        self.run(sleep(seconds))

    def left(self) -> dict[str, int]:
        census = self.server._census()
        return {kind: count for kind, count in census.items() if count and kind != "refused_addresses"}


class Client:
    """A connection, and what it heard."""

    def __init__(self, stage: Stage, token: str | None = None, *, origin: str | None = None) -> None:
        self.heard: list[dict[str, Any]] = []
        self.line = Line(stage.loop, self._hear)

        async def serve(request: Any) -> web.StreamResponse:
            request.headers = {} if origin is None else {"Origin": origin}
            return await stage.server._channel.serve(request)

        self.line.dial(serve, {})
        if token is not None:
            self.say(type="hello", v=1, token=token)
        stage.wait()

    def say(self, **message: Any) -> None:
        self.line.say(json.dumps(message))

    def _hear(self, line: Line, frame: Frame) -> None:
        del line
        self.heard.append(json.loads(frame))


@pytest.fixture
def stage() -> Iterator[Stage]:
    loop = VirtualLoop(1)
    with loop.current(), mock.patch.object(web, "WebSocketResponse", PretendedSocket):
        made = Stage(loop)
        yield made
        made.run(made.server.close())
        loop.close()


def test_a_good_token_opens_a_test_and_all_is_gone_after_it(stage: Stage) -> None:
    client = Client(stage, "good CT_1")
    assert [one["type"] for one in client.heard] == ["ready"]
    client.say(type="offer", leg="a", sdp="x", audio="0")
    stage.wait()
    assert client.heard[-1]["type"] == "answer"
    client.line.drop()
    stage.wait()
    assert stage.left() == {}


def test_a_minute_is_over_by_the_clock_of_the_shell(stage: Stage) -> None:
    client = Client(stage, "good CT_1")
    stage.wait(59)
    assert client.line.open
    stage.wait(1.5)
    assert (client.heard[-1]["type"], client.line.close_code) == ("over", 4005)
    assert stage.left() == {}


@pytest.mark.parametrize(
    ("token", "refused"),
    [
        ("unauthenticated", {"code": "unauthenticated", "retry_after": None}),
        ("not-found", {"code": "not-found", "retry_after": None}),
        ("too-late", {"code": "too-late", "retry_after": None}),
        ("busy", {"code": "busy", "retry_after": 2}),
        ("gone", {"code": "busy", "retry_after": 2}),
    ],
)
def test_a_refusal_is_passed_on(stage: Stage, token: str, refused: dict[str, Any]) -> None:
    client = Client(stage, token)
    assert client.heard == [{"type": "refused", **refused}]
    assert client.line.close_code == 4010
    assert stage.left() == {}


def test_guessing_is_slow_and_keeps_nobody_else_out(stage: Stage) -> None:
    codes = [Client(stage, "unauthenticated").heard[0]["code"] for _ in range(REFUSALS_A_MINUTE + 1)]
    assert codes == ["unauthenticated"] * REFUSALS_A_MINUTE + ["rate-limited"]
    assert Client(stage, "good CT_1").heard[0]["type"] == "ready", "a good token is no guess"


def test_a_test_that_has_expired_is_no_guess(stage: Stage) -> None:
    codes = {Client(stage, "too-late").heard[0]["code"] for _ in range(REFUSALS_A_MINUTE + 2)}
    assert codes == {"too-late"}


def test_a_defect_of_the_door_ends_one_connection_alone(stage: Stage) -> None:
    other = Client(stage, "good CT_1")
    client = Client(stage, "defect")
    assert client.line._task is not None
    assert isinstance(client.line._task.exception(), RuntimeError)
    assert client.heard == []
    assert stage.left()["sockets"] == 1
    other.say(type="ping", id=1)
    stage.wait()
    assert other.heard[-1] == {"type": "pong", "id": 1}


def test_a_defect_behind_an_offer_leaves_no_leg(stage: Stage) -> None:
    client = Client(stage, "good CT_1")
    client.say(type="offer", leg="a", sdp="x", audio="0")
    stage.wait()
    (call,) = stage.sfu.calls.values()
    (leg,) = call.legs.values()
    with mock.patch.object(leg, "negotiate", side_effect=RuntimeError("a defect")):
        client.say(type="offer", leg="a", sdp="x", audio="0")
        stage.wait()
    assert client.line._task is not None
    assert isinstance(client.line._task.exception(), RuntimeError)
    assert leg.closed is not None
    assert stage.left() == {}


def test_a_page_of_another_origin_is_refused_before_the_upgrade(stage: Stage) -> None:
    client = Client(stage, origin="https://elsewhere.example")
    assert (client.line.refused, client.line.upgraded) == (403, False)
    assert Client(stage, "good CT_1", origin="https://visio.example").heard[0]["type"] == "ready"


def test_too_many_connections_of_an_address_are_refused_before_the_upgrade(stage: Stage) -> None:
    held = [Client(stage) for _ in range(30)]
    late = Client(stage)
    assert (late.line.refused, late.line.upgraded) == (503, False)
    stage.wait(6)  # those that say nothing are sent away
    assert {one.line.close_code for one in held} == {1008}
    assert Client(stage, "good CT_1").heard[0]["type"] == "ready"


def test_a_server_that_stops_takes_nobody_in(stage: Stage) -> None:
    client = Client(stage, "good CT_1")
    stage.run(stage.server.close())
    assert (client.heard[-1]["type"], client.line.close_code) == ("again", 1001)
    assert Client(stage).line.refused == 503
    assert stage.left() == {}
