"""The live side as a whole: starts and stops the core, and owns every clock reading and timer of `sfu`."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client.registry import Collector

from sfu import bridge
from sfu.bridge import Bridge, CoreLike, Snapshot
from sfu.call import Call
from sfu.errors import UsageError
from sfu.metrics import Occurrences, SfuCollector
from sfu.model import CallKey, CallListener, CloseReason, SfuConfig
from sfu.observer import Observer
from sfu.policy.admission import check_room_for_call
from sfu.policy.placement import home_worker
from sfu.quality import Quality
from sfu.shell import Directory, Timer
from sfu.transport import TransportState

log = logging.getLogger(__name__)

# Short enough that no hold over 70 ms of a loop with work goes unseen: 50 are allowed. A loop that has almost
# nothing to do is looked at less often, since each look wakes it.
_LAG_PROBE_SECONDS = 0.02
_IDLE_LAG_PROBE_SECONDS = 0.1
_IDLE_SHARE = 0.05
# A change of one leg may concern every other leg of the call, which takes each a fraction of a millisecond.
_IN_ONE_TURN = 16
_QUALITY_SECONDS = 5.0
# Callers ask leg by leg; all of them together are served by one snapshot.
_SNAPSHOT_SECONDS = 0.1


class Sfu:
    """Forwards the media of calls; one for a process.

    All methods are to be called on the event loop that `start` ran on. `make_core` is for tests.
    """

    def __init__(
        self, config: SfuConfig, *, make_core: Callable[[SfuConfig], CoreLike] = bridge.make_core
    ) -> None:
        self.limits = config.limits
        self.core = make_core(config)
        self.directory = Directory()
        self.occurrences = Occurrences()
        self._workers = config.workers
        self._bridge = Bridge(self.core, Observer(self).receive)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._calls: dict[CallKey, Call] = {}
        self._in_turn: deque[Callable[[], None]] = deque()
        self._groups = 0
        self._quality = Quality(self.occurrences)
        self._snapshot: tuple[float, Snapshot] | None = None
        self._busy_before: tuple[float, tuple[int, ...]] = (0.0, ())

    async def start(self) -> None:
        """Open the media port and start the worker threads; OSError names an address that cannot be had."""
        if self._loop is not None:
            raise UsageError("the live side runs already")
        loop = asyncio.get_running_loop()
        self._bridge.start(loop)
        self._loop = loop
        self._probe_lag(since=self.now(), due=self.now(), worked=time.thread_time())
        self._observe_quality()
        log.info("sfu_started", extra={"workers": self._workers})

    async def close(self) -> None:
        """Close every leg with the reason `shutdown`, then stop the workers."""
        for call in list(self._calls.values()):
            for leg in list(call.legs.values()):
                leg.close(CloseReason.SHUTDOWN)
        self._calls.clear()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._in_turn.clear()
        if self._loop is not None:
            self._bridge.stop()
            self._loop = None
            log.info("sfu_stopped")

    def call(self, key: CallKey, listener: CallListener | None = None) -> Call:
        """Return the call of that key, made if there is none; `listener` replaces an earlier one.

        A call without legs is freed when the event loop next turns, so add the first leg at once. Raises
        PeerError `full` when there are too many calls.
        """
        call = self._calls.get(key)
        if call is None:
            check_room_for_call(self.limits, len(self._calls))
            self._groups += 1
            call = Call(self, key, self._groups)
            self._calls[key] = call
            self.directory.calls[call.group] = call
            self.soon(lambda: self.free(call))
        if listener is not None:
            call.listener = listener
        return call

    @property
    def candidates(self) -> Sequence[tuple[str, int]]:
        """Addresses and ports that clients are told to send media to; empty before `start`."""
        return self.core.candidates

    def metrics_collector(self) -> Collector:
        """Return a collector for a Prometheus registry, which takes one snapshot per scrape."""
        return SfuCollector(
            self.occurrences,
            lambda: self._bridge.snapshot() if self._loop is not None else None,
            self._paths,
            self._objects,
            self._busy_ratios,
        )

    async def debug_state(self) -> dict[str, Any]:
        """Return the state of every call, leg, track and subscription and of the core, as JSON values."""
        calls = [call.debug_state() for call in self._calls.values()]
        core = await self._bridge.debug_state() if self._loop is not None else None
        return {"calls": calls, "core": core}

    # --- what calls, legs and tracks need (shell.Shell) ---

    def now(self) -> float:
        """Return seconds on a clock that never goes back."""
        return self._running().time()

    def soon(self, callback: Callable[[], None]) -> None:
        """Call back when the event loop next turns."""
        self._running().call_soon(callback)

    def in_turn(self, callback: Callable[[], None]) -> None:
        """Call back when the event loop next turns, or a few turns later if many ask for it."""
        if not self._in_turn:
            self.soon(self._take_turn)
        self._in_turn.append(callback)

    def after(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call back after a time."""
        return self._running().call_later(seconds, callback)

    def snapshot(self) -> Snapshot:
        """Return the core's counters, at most a moment old."""
        now = self.now()
        if self._snapshot is None or now - self._snapshot[0] > _SNAPSHOT_SECONDS:
            self._snapshot = (now, self._bridge.snapshot())
        return self._snapshot[1]

    def place(self, call: Call) -> int:
        """Choose the worker of a new leg of a call."""
        legs, of_call = [0] * self._workers, [0] * self._workers
        for other in self._calls.values():
            for leg in other.legs.values():
                legs[leg.transport.worker] += 1
                of_call[leg.transport.worker] += other is call
        return home_worker(of_call, legs)

    def free(self, call: Call) -> None:
        """Forget a call that has no legs."""
        if not call.legs and self._calls.get(call.key) is call:
            del self._calls[call.key]
            self.directory.calls.pop(call.group, None)

    def _take_turn(self) -> None:
        """Call a few back; the loop sees to everything else before the next few."""
        turn = [self._in_turn.popleft() for _ in range(min(_IN_ONE_TURN, len(self._in_turn)))]
        if self._in_turn:
            self.soon(self._take_turn)
        for callback in turn:
            try:
                callback()
            except Exception:
                log.exception("turn_failed")

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise UsageError("the live side does not run")
        return self._loop

    # --- timers ---

    def _probe_lag(self, *, since: float, due: float, worked: float) -> None:
        now, work = self.now(), time.thread_time()
        late = max(0.0, now - due)
        self.occurrences.lag.observe(late)
        self.occurrences.held.observe(min(late, work - worked))
        idle = work - worked < _IDLE_SHARE * (now - since)
        wait = _IDLE_LAG_PROBE_SECONDS if idle else _LAG_PROBE_SECONDS
        self._timers["lag"] = self._running().call_at(
            now + wait, lambda: self._probe_lag(since=now, due=now + wait, worked=work)
        )

    def _observe_quality(self) -> None:
        self._quality.observe(self.snapshot())
        self._timers["quality"] = self._running().call_later(_QUALITY_SECONDS, self._observe_quality)

    # --- figures ---

    def _paths(self) -> Iterator[tuple[str, str]]:
        for leg in self.directory.legs.values():
            transport = leg.transport
            if transport.state in (TransportState.CONNECTED, TransportState.SILENT):
                yield transport.path, "ipv6" if transport.ipv6 else "ipv4"

    def _objects(self) -> Mapping[str, int]:
        return {
            "call": len(self._calls),
            "leg": sum(len(call.legs) for call in self._calls.values()),
            "track": sum(len(call.tracks()) for call in self._calls.values()),
            "subscription": len(self.directory.subscriptions),
        }

    def _busy_ratios(self, snapshot: Snapshot) -> Iterator[float]:
        """Compare with the last scrape."""
        now = self.now()
        before, counts = self._busy_before
        current = tuple(worker.cells["busy_micros"] for worker in snapshot.workers)
        self._busy_before = (now, current)
        seconds = max(now - before, 1e-9)
        for worker, busy in enumerate(current):
            earlier = counts[worker] if worker < len(counts) else busy
            yield min(1.0, (busy - earlier) / 1e6 / seconds)
