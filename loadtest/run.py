"""A run from start to end: rooms and tokens, the engine beside a watch on the server, and the verdict.

Nothing is left behind however it ends: the engine is stopped, the watch is cancelled, rooms are deleted.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from loadtest.errors import RunError
from loadtest.objectives import Figures, Outcome, Verdict, judge, outcome_of
from loadtest.planning import Stage, addressed, plan, room_labels, stages
from loadtest.scenario import Ramp
from loadtest.server_figures import use_of
from loadtest.tokens import join_token
from loadtest.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from loadtest.plan import RunPlan
    from loadtest.results import EngineResult, Progress
    from loadtest.scenario import Scenario
    from loadtest.server_figures import ServerSample
    from loadtest.watch import Source

STOP_SECONDS = 10.0
"""How long an engine that was told to stop may take."""
_TOKEN_SPARE_SECONDS = 600.0


class Engine(Protocol):
    """What carries out a plan."""

    async def __call__(
        self,
        plan: RunPlan,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        stop: asyncio.Event | None = None,
    ) -> EngineResult:
        """Run until the plan ends or `stop` is set, and give what was measured so far."""


class Target(Protocol):
    """The server under test."""

    @property
    def url(self) -> str:
        """Where clients connect, ws:// or wss://."""

    async def check(self) -> None:
        """See that somebody answers; raise `RunError`."""

    async def is_there(self) -> bool:
        """Say whether somebody listens."""

    async def make_rooms(self, count: int) -> list[str]:
        """Give the ids of rooms to join; raise `RunError`."""

    async def remove_rooms(self) -> None:
        """Delete those that were made."""

    async def admit(self, token: str) -> None:
        """See that a token would be let in; raise `RunError`."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a run uses of the world, so that a test can give it another one."""

    engine: Engine
    target: Target
    source: Source
    key: str
    secret: str
    now: Callable[[], float]
    """Seconds since 1970, for tokens."""
    clock: Callable[[], float]
    """Seconds of a clock that is never set."""
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep
    on_progress: Callable[[str, Progress], None] | None = None
    """Told the label of the stage, and how far it is."""
    stop_seconds: float = STOP_SECONDS


@dataclass(frozen=True, slots=True)
class StageRecord:
    """One run of the engine and what was seen of the server meanwhile."""

    stage: Stage
    plan: RunPlan
    result: EngineResult
    samples: tuple[ServerSample, ...]
    verdicts: tuple[Verdict, ...]
    outcome: Outcome
    failure: str | None
    """Why it could not be completed."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything about a run that is worth a report."""

    scenario: Scenario
    seed: int
    stages: tuple[StageRecord, ...]
    outcome: Outcome
    failure: str | None
    """Why it could not be completed."""
    most_met: int | None
    """In a ramp: how many people, pairs or viewers all objectives were met with."""


async def run(scenario: Scenario, seed: int, world: Surroundings, stop: asyncio.Event) -> RunRecord:
    """Run a scenario until its end, until an objective breaks in a ramp, or until `stop` is set.

    Raises `RunError` when there is nothing to report: no server, a wrong secret, no answer of the engine.
    """
    await world.target.check()
    records: list[StageRecord] = []
    failure = None
    for stage in stages(scenario):
        try:
            records.append(await _run_stage(stage, seed, world, stop))
        except RunError as error:
            if not records:
                raise
            failure = str(error)
            break
        if records[-1].outcome != "met":
            break
    return _record(scenario, seed, records, failure or records[-1].failure)


async def _run_stage(stage: Stage, seed: int, world: Surroundings, stop: asyncio.Event) -> StageRecord:
    planned = plan(stage.scenario, seed)
    try:
        rooms = await world.target.make_rooms(len(room_labels(planned)))
        sent = addressed(planned, world.target.url, rooms, _minting(planned, world))
        await world.target.admit(sent.people[0].token)
        watch = Watch(world.source, world.target.is_there, clock=world.clock, pause=world.pause)
        result, failure = await _run_engine(stage, sent, world, stop, watch)
    finally:
        await world.target.remove_rooms()
    use = use_of(watch.samples, since=planned.warm_up_seconds)
    verdicts = judge(stage.scenario.objectives, Figures(result, use))
    return StageRecord(
        stage=stage,
        plan=planned,
        result=result,
        samples=tuple(watch.samples),
        verdicts=verdicts,
        outcome=outcome_of(verdicts, result, failure),
        failure=failure,
    )


async def _run_engine(
    stage: Stage, sent: RunPlan, world: Surroundings, stop: asyncio.Event, watch: Watch
) -> tuple[EngineResult, str | None]:
    def tell(progress: Progress) -> None:
        if world.on_progress is not None:
            world.on_progress(stage.label, progress)

    halt = asyncio.Event()
    engine = asyncio.ensure_future(world.engine(sent, on_progress=tell, stop=halt))
    gone = asyncio.ensure_future(watch.until_gone())
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({engine, gone, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not engine.done():
            halt.set()
            await asyncio.wait({engine}, timeout=world.stop_seconds)
            if not engine.done():
                raise RunError(f"the load engine did not stop within {world.stop_seconds:g} s")
        result = engine.result()
        failure = await _failure(result, gone, world.target)
        return (replace(result, aborted=True) if stop.is_set() else result), failure
    finally:
        for task in (engine, gone, stopped):
            task.cancel()
        await asyncio.gather(engine, gone, stopped, return_exceptions=True)


async def _failure(result: EngineResult, gone: asyncio.Future[str], target: Target) -> str | None:
    if gone.done():
        return f"the server has gone: {gone.result()}"
    if result.error is not None and not await target.is_there():
        return "the server has gone: nobody listens at its address any more"
    return result.error


def _minting(planned: RunPlan, world: Surroundings) -> Callable[[str, str], str]:
    now = world.now()
    life = planned.warm_up_seconds + planned.seconds + _TOKEN_SPARE_SECONDS

    def mint(room: str, identity: str) -> str:
        return join_token(world.key, world.secret, room=room, identity=identity, now=now, ttl_seconds=life)

    return mint


def _record(scenario: Scenario, seed: int, records: Sequence[StageRecord], failure: str | None) -> RunRecord:
    outcome: Outcome = records[-1].outcome if failure is None else "failed"
    most = None
    if isinstance(scenario, Ramp):
        most = max((one.stage.people for one in records if one.outcome == "met"), default=None)
        # An objective that breaks at last is what a ramp looks for.
        if outcome == "missed" and most is not None:
            outcome = "met"
    return RunRecord(scenario, seed, tuple(records), outcome, failure, most)
