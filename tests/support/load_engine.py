"""A load engine without packets: it gives back the figures that a test wants, and can be stopped."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from loadtest.plan import RunPlan
from loadtest.results import EngineResult, FaithfulViewer, Histogram, JoinResult, Progress, Second

BOUNDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


def join(identity: str = "a", *, at: float = 10.0, **fields: Any) -> JoinResult:
    """Give a join whose stages were done at this time in ms, then twice, three times, ... as late."""
    done = JoinResult(identity, True, None, at, 2 * at, 3 * at, 4 * at, 5 * at)
    return replace(done, **fields)


def second(at: float, **fields: Any) -> Second:
    """Give one second of a quiet run."""
    return replace(Second(at, 100, 1000, 1000, 0, 100_000, 0.4, 1.5), **fields)


def viewer(identity: str = "faithful-1", **fields: Any) -> FaithfulViewer:
    """Give what a viewer who decodes sees in a good run, but for these fields."""
    good = FaithfulViewer(identity, None, 30.0, 0, 0.0, 300, 1.0, 40.0, 50.0)
    return replace(good, **fields)


def result(**fields: Any) -> EngineResult:
    """Give what a good run measures, but for these fields."""
    good = EngineResult(
        joins=tuple(join(f"p{n}", at=10.0 + n) for n in range(10)),
        latency=Histogram(BOUNDS, (10, 500, 400, 80, 8, 2, 0, 0)),
        seconds=tuple(second(float(at)) for at in range(1, 11)),
        packets_sent=1000,
        packets_expected=10_000,
        packets_received=10_000,
        packets_lost=0,
        duplicates=0,
        payload_errors=0,
        payloads_checked=100,
        layer_seconds={"1280x720": 90.0, "320x180": 10.0},
        tool_busy=0.3,
        aborted=False,
        error=None,
    )
    return replace(good, **fields)


class FakeEngine:
    """Runs a plan in no time, or until it is stopped when `endless`; keeps the plans it was given."""

    def __init__(self, *results: EngineResult, endless: bool = False, deaf: bool = False) -> None:
        """Give these results, one for each run, the last one again and again."""
        self.plans: list[RunPlan] = []
        self.started = asyncio.Event()
        self.cancelled = False
        self._results = list(results) or [result()]
        self._endless = endless
        self._deaf = deaf

    async def __call__(
        self,
        plan: RunPlan,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        stop: asyncio.Event | None = None,
    ) -> EngineResult:
        """Do as the engine's `run` does."""
        self.plans.append(plan)
        self.started.set()
        if on_progress is not None:
            total = plan.warm_up_seconds + plan.seconds
            on_progress(Progress(total / 2, total, len(plan.people), len(plan.people), 1000.0))
        given = self._results[min(len(self.plans), len(self._results)) - 1]
        try:
            if self._deaf:
                await asyncio.Event().wait()
            if self._endless and stop is not None:
                await stop.wait()
                return replace(given, aborted=True)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return given
