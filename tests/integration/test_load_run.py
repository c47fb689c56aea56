"""The load tester against a real server: rooms, tokens and figures are real, only the engine is not."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from loadtest.errors import RunError
from loadtest.run import RunRecord, Surroundings, run
from loadtest.scenario_file import parse_scenario
from loadtest.target import HttpTarget
from loadtest.watch import MetricsSource, NoSource, ProcessSource
from tests.support.load_engine import FakeEngine
from tests.support.management import Management, Refused
from tests.support.server import Ports, Server

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PAIRS = parse_scenario('kind = "consultations"\ntitle = "x"\npairs = 2\n', "s.toml")


@asynccontextmanager
async def world_of(
    server: Server, engine: FakeEngine, secret: str | None = None
) -> AsyncIterator[Surroundings]:
    async with HttpTarget(server.ws_url, server.key, secret or server.secret) as target:
        yield Surroundings(
            engine=engine,
            target=target,
            source=NoSource(),
            key=server.key,
            secret=secret or server.secret,
            now=time.time,
            clock=time.monotonic,
        )


async def do(world: Surroundings, stop: asyncio.Event | None = None) -> RunRecord:
    return await run(PAIRS, 1, world, stop or asyncio.Event())


async def test_rooms_are_made_on_the_server_and_deleted_after_the_run(
    server: Server, management: Management
) -> None:
    engine = FakeEngine(endless=True)
    async with world_of(server, engine) as world:
        stop = asyncio.Event()
        running = asyncio.ensure_future(do(world, stop))
        await engine.started.wait()
        rooms = {one.room for one in engine.plans[0].people}
        for room in rooms:
            assert (await management.ask("GET", f"/v1/rooms/{room}"))["name"] == "Load test"
        stop.set()
        assert (await running).outcome == "aborted"
    for room in rooms:
        with pytest.raises(Refused, match="404"):
            await management.ask("GET", f"/v1/rooms/{room}")


async def test_a_wrong_secret_is_said_in_one_line(server: Server) -> None:
    async with world_of(server, FakeEngine(), "another-secret-than-the-one-of-the-server") as world:
        with pytest.raises(RunError, match="--key, --secret: the server does not accept them"):
            await do(world)


async def test_a_server_that_is_not_there_is_said_in_one_line() -> None:
    async with HttpTarget(f"ws://127.0.0.1:{Ports.free().http}", "key", "secret") as target:
        with pytest.raises(RunError, match=r"--url .* cannot be reached: Connection refused"):
            await target.check()
        assert not await target.is_there()


async def test_a_server_that_dies_ends_the_run(own_server: Server) -> None:
    engine = FakeEngine(endless=True)
    async with world_of(own_server, engine) as world:
        running = asyncio.ensure_future(do(world))
        await engine.started.wait()
        own_server.kill()
        record = await running
    assert record.outcome == "failed"
    assert record.failure == "the server has gone: nobody listens at its address any more"


async def test_cpu_and_memory_are_read_from_the_process_and_from_metrics_alike(server: Server) -> None:
    async with aiohttp.ClientSession() as session:
        metrics = MetricsSource(session, server.admin_url)
        await metrics.check()
        told, seen = await metrics.read(0.0), await ProcessSource(server.pid).read(0.0)
    assert told is not None
    assert seen is not None
    assert told.cpu_seconds == pytest.approx(seen.cpu_seconds, abs=0.5)
    assert told.memory_bytes == pytest.approx(seen.memory_bytes, rel=0.1)


@pytest.mark.parametrize(
    ("path", "said"),
    [("/empty", "has no figures of the process"), ("/page", "is no page"), ("/no", "cannot be read: 404")],
)
async def test_an_admin_address_without_figures_is_said_before_the_run(path: str, said: str) -> None:
    app = web.Application()
    app.router.add_get("/empty/metrics", _answering(""))
    app.router.add_get("/page/metrics", _answering("<html>Not found</html>"))
    async with TestServer(app) as other, aiohttp.ClientSession() as session:
        with pytest.raises(RunError, match=said):
            await MetricsSource(session, str(other.make_url(path))).check()


async def test_on_another_server_rooms_are_those_that_joining_makes() -> None:
    async with _other_server(200) as url, HttpTarget(url, "k", "s") as target:
        rooms = await target.make_rooms(2)
        assert len(set(rooms)) == 2
        await target.admit("token")
        await target.remove_rooms()


async def test_another_server_that_refuses_the_token_ends_the_run_before_it_begins() -> None:
    async with _other_server(401) as url, HttpTarget(url, "k", "s") as target:
        await target.make_rooms(1)
        with pytest.raises(RunError, match="does not accept tokens signed with them"):
            await target.admit("token")


async def test_another_server_may_refuse_the_request_for_a_room_in_plain_text() -> None:
    """LiveKit answers so to whatever comes without a token, also where there is no such page."""

    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=401, text="invalid authorization header")

    app = web.Application()
    app.router.add_post("/v1/rooms", refuse)
    async with TestServer(app) as other, HttpTarget(str(other.make_url("")), "k", "s") as target:
        assert len(await target.make_rooms(2)) == 2


async def test_a_server_that_puts_requests_off_is_asked_again() -> None:
    answers = iter([429, 503, 201, 204])
    app = web.Application()

    async def answer(_request: web.Request) -> web.Response:
        status = next(answers)
        return web.json_response({"id": "r1"}, status=status, headers={"Retry-After": "0"})

    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as other, HttpTarget(str(other.make_url("")), "k", "s") as target:
        assert await target.make_rooms(1) == ["r1"]
        await target.remove_rooms()
    assert next(answers, None) is None


async def test_rooms_that_were_made_before_the_server_refused_are_deleted() -> None:
    deleted: list[str] = []
    numbers = count(1)
    app = web.Application()

    async def make(_request: web.Request) -> web.Response:
        number = next(numbers)
        return web.json_response({"id": f"r{number}"}, status=201 if number < 3 else 409)

    async def delete(request: web.Request) -> web.Response:
        deleted.append(request.match_info["room"])
        return web.Response(status=204)

    app.router.add_post("/v1/rooms", make)
    app.router.add_delete("/v1/rooms/{room}", delete)
    async with TestServer(app) as other, HttpTarget(str(other.make_url("")), "k", "s") as target:
        with pytest.raises(RunError, match="the server answered 409"):
            await target.make_rooms(5)
        await target.remove_rooms()
    assert sorted(deleted) == ["r1", "r2"]


@asynccontextmanager
async def _other_server(validates: int) -> AsyncIterator[str]:
    """Run what answers as LiveKit's server does: no REST interface, and `/rtc/validate` for tokens."""
    app = web.Application()
    app.router.add_get("/rtc/validate", _answering("said", validates))
    async with TestServer(app) as other:
        yield str(other.make_url(""))


def _answering(text: str, status: int = 200) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=text, status=status)

    return answer
