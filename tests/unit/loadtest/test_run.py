"""A run is carried out from start to end, and ends cleanly whatever happens in between."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from loadtest.errors import RunError
from loadtest.results import Progress
from loadtest.run import RunRecord, Surroundings, run
from loadtest.scenario_file import parse_scenario
from loadtest.server_figures import ServerSample
from loadtest.watch import NoSource, ServerGone
from rooms import ApiKey, KeyRing
from rooms.tokens import read_join_token
from tests.support.load_engine import FakeEngine, result

KEY, SECRET = "portal", "a-secret-of-the-tests-that-is-long-enough"
NOW = 1_800_000_000.0
PAIRS = 'kind = "consultations"\ntitle = "x"\npairs = 2\n[objectives]\nloss_ratio = 0.01\n'
RAMP = 'kind = "ramp"\nof = "consultations"\ntitle = "x"\nstart = 2\nstep = 2\nmost = 8\n'
LOSSY = result(packets_lost=500)


@dataclass
class FakeTarget:
    """A server that does as it is told."""

    url: str = "ws://host"
    refuses: str | None = None
    leaves_after: int | None = None
    """How often it is there when somebody looks."""
    rooms: list[str] = field(default_factory=list)
    removed: int = 0
    admitted: list[str] = field(default_factory=list)

    async def check(self) -> None:
        if self.refuses == "check":
            raise RunError("--url: cannot be reached")

    async def is_there(self) -> bool:
        await asyncio.sleep(0)
        if self.leaves_after is None:
            return True
        self.leaves_after -= 1
        return self.leaves_after >= 0

    async def make_rooms(self, count: int) -> list[str]:
        if self.refuses == "rooms" or (self.refuses == "more rooms" and self.rooms):
            raise RunError("--key: not accepted")
        self.rooms += (made := [f"r{len(self.rooms) + n}" for n in range(count)])
        return made

    async def remove_rooms(self) -> None:
        self.removed = len(self.rooms)

    async def admit(self, token: str) -> None:
        if self.refuses == "token":
            raise RunError("--secret: not accepted")
        self.admitted.append(token)


class Clock:
    """A clock that goes on whenever somebody pauses, and stops a run at some time."""

    def __init__(self, stops: asyncio.Event | None = None, at: float = 0.0) -> None:
        self.now = 0.0
        self._stops = stops
        self._at = at

    def __call__(self) -> float:
        return self.now

    async def pause(self, seconds: float) -> None:
        self.now += seconds
        if self._stops is not None and self.now >= self._at:
            self._stops.set()
        await asyncio.sleep(0)


class Working:
    """A server process that uses half a core, and ends after so many looks."""

    def __init__(self, looks: int = 1_000_000) -> None:
        self.looks = looks

    async def read(self, at: float) -> ServerSample | None:
        self.looks -= 1
        if self.looks < 0:
            raise ServerGone("process 7 has ended")
        return ServerSample(at, at / 2, 50e6)


def world(engine: FakeEngine, target: FakeTarget | None = None, **fields: Any) -> Surroundings:
    clock = Clock()
    plain = Surroundings(
        engine=engine,
        target=target or FakeTarget(),
        source=NoSource(),
        key=KEY,
        secret=SECRET,
        now=lambda: NOW,
        clock=clock,
        pause=clock.pause,
    )
    return replace(plain, **fields)


async def do(text: str, surroundings: Surroundings, stop: asyncio.Event | None = None) -> RunRecord:
    return await run(parse_scenario(text, "s.toml"), 5, surroundings, stop or asyncio.Event())


async def test_people_get_rooms_of_the_server_and_tokens_that_it_accepts() -> None:
    engine, target = FakeEngine(), FakeTarget()
    record = await do(PAIRS, world(engine, target))
    (sent,) = engine.plans
    assert (record.outcome, sent.url, sent.seed) == ("met", "ws://host", 5)
    assert [one.room for one in sent.people] == ["r0", "r0", "r1", "r1"]
    for one in sent.people:
        claims = read_join_token(one.token, KeyRing([ApiKey(KEY, SECRET)]), now=NOW)
        assert (claims.room, claims.identity) == (one.room, one.identity)
        assert (claims.grants.can_publish, claims.grants.can_subscribe) == (True, True)
        assert claims.expires_at > NOW + sent.warm_up_seconds + sent.seconds
    assert target.admitted == [sent.people[0].token]
    assert target.removed == 2


async def test_no_token_is_kept_with_what_was_measured() -> None:
    record = await do(PAIRS, world(FakeEngine()))
    assert {one.token for one in record.stages[0].plan.people} == {""}


async def test_progress_is_passed_on() -> None:
    told: list[tuple[str, Progress]] = []
    await do(PAIRS, world(FakeEngine(), on_progress=lambda *what: told.append(what)))
    assert [(label, one.connected) for label, one in told] == [("", 4)]


async def test_a_missed_objective_is_the_outcome() -> None:
    record = await do(PAIRS, world(FakeEngine(LOSSY)))
    assert (record.outcome, record.failure) == ("missed", None)


async def test_stopping_gives_what_was_measured_so_far() -> None:
    engine, target, stop = FakeEngine(endless=True), FakeTarget(), asyncio.Event()
    running = asyncio.ensure_future(do(PAIRS, world(engine, target), stop))
    await engine.started.wait()
    stop.set()
    record = await running
    assert (record.outcome, record.stages[0].result.aborted) == ("aborted", True)
    assert target.removed == 2


async def test_an_engine_that_does_not_stop_is_cancelled() -> None:
    engine, target, stop = FakeEngine(deaf=True), FakeTarget(), asyncio.Event()
    stop.set()
    with pytest.raises(RunError, match="did not stop within 0 s"):
        await do(PAIRS, world(engine, target, stop_seconds=0), stop)
    assert engine.cancelled
    assert target.removed == 2


async def test_a_server_process_that_ends_ends_the_run_with_its_reason() -> None:
    record = await do(PAIRS, world(FakeEngine(endless=True), source=Working(looks=3)))
    assert (record.outcome, record.failure) == ("failed", "the server has gone: process 7 has ended")
    assert [one.at for one in record.stages[0].samples] == [0, 1, 2]


async def test_a_server_where_nobody_listens_any_more_ends_the_run() -> None:
    record = await do(PAIRS, world(FakeEngine(endless=True), FakeTarget(leaves_after=2)))
    assert record.outcome == "failed"
    assert record.failure == "the server has gone: nobody listens at its address any more"


async def test_when_the_engine_sees_it_first_that_the_server_has_gone_it_is_said_too() -> None:
    lost = FakeEngine(result(error="all connections lost"))
    record = await do(PAIRS, world(lost, FakeTarget(leaves_after=0)))
    assert record.failure == "the server has gone: nobody listens at its address any more"


async def test_an_error_of_the_engine_itself_fails_the_run() -> None:
    record = await do(PAIRS, world(FakeEngine(result(error="no sockets left"))))
    assert (record.outcome, record.failure) == ("failed", "no sockets left")


@pytest.mark.parametrize("refuses", ["check", "rooms", "token"])
async def test_without_a_server_that_lets_people_in_nothing_is_run(refuses: str) -> None:
    engine, target = FakeEngine(), FakeTarget(refuses=refuses)
    with pytest.raises(RunError):
        await do(PAIRS, world(engine, target))
    assert engine.plans == []
    assert target.removed == len(target.rooms)


async def test_the_servers_figures_are_of_the_measured_part() -> None:
    text = PAIRS + "server_cpu_cores = 0.5\nserver_memory_mb = 49\n"
    stop = asyncio.Event()
    clock = Clock(stops=stop, at=20.0)
    surroundings = world(FakeEngine(endless=True), source=Working(), clock=clock, pause=clock.pause)
    record = await do(text, surroundings, stop)
    judged = {one.name: one for one in record.stages[0].verdicts}
    assert judged["server_cpu_cores"].figure == pytest.approx(0.5)
    assert judged["server_memory_mb"].judgement == "missed"


async def test_a_ramp_adds_people_until_an_objective_breaks() -> None:
    engine, target = FakeEngine(result(), result(), result(payload_errors=1)), FakeTarget()
    record = await do(RAMP, world(engine, target))
    assert [len(one.people) for one in engine.plans] == [4, 8, 12]
    assert [one.outcome for one in record.stages] == ["met", "met", "missed"]
    assert (record.outcome, record.most_met) == ("met", 4)
    assert target.removed == 2 + 4 + 6


async def test_a_ramp_that_is_stopped_goes_no_further_even_if_its_stage_came_to_its_end() -> None:
    stop = asyncio.Event()
    stop.set()
    record = await do(RAMP, world(FakeEngine()), stop)
    assert (record.outcome, len(record.stages)) == ("aborted", 1)


async def test_a_ramp_that_breaks_at_once_is_missed() -> None:
    record = await do(RAMP, world(FakeEngine(result(payload_errors=1))))
    assert (record.outcome, record.most_met, len(record.stages)) == ("missed", None, 1)


async def test_a_ramp_that_the_tool_ends_says_so() -> None:
    record = await do(RAMP, world(FakeEngine(result(), result(tool_busy=0.9))))
    assert (record.outcome, record.most_met) == ("tool was the limit", 2)


async def test_a_ramp_ends_where_it_is_told_to() -> None:
    record = await do(RAMP, world(FakeEngine()))
    assert (record.outcome, record.most_met, len(record.stages)) == ("met", 8, 4)


async def test_a_ramp_that_cannot_go_on_reports_the_stages_it_had() -> None:
    record = await do(RAMP, world(FakeEngine(), FakeTarget(refuses="more rooms")))
    assert (record.outcome, record.failure, record.most_met) == ("failed", "--key: not accepted", 2)
