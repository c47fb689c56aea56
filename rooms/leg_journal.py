"""Keeps what signalling sees until it is on disk: never blocks, never fails, never grows beyond a bound.

Theory of operation. Facts are queued in their order and written in it, some at a time. A transaction costs
more than what is in it, and facts come in company (somebody comes, and media flows), so the first waits a
moment for others; whoever changes something in the meantime has them written before. While the database is
locked or gone they wait, and calls go on. If more wait than the bound allows, further ones are left out and
counted, whole connections first: of a connection whose beginning was left out nothing is written, and the end
of one whose beginning was taken is always taken, so what is opened is closed. So it is with times in which a
connection is degraded.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

from rooms.errors import StoreUnavailable
from rooms.leg_facts import (
    Fact,
    Happened,
    LegBack,
    LegClosed,
    LegDegraded,
    LegLost,
    LegMediaReady,
    LegOpened,
    LegPathChanged,
    LegRecovered,
)
from rooms.legs import close_left_open, write_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rooms.context import Context
    from rooms.events import EventType
    from rooms.model import DegradedReason, IpFamily

log = logging.getLogger("rooms")

MAX_WAITING = 20_000
AT_ONCE = 50
AGAIN_AFTER_SECONDS = 1.0
COMPANY_SECONDS = 0.5
"""So long a fact waits for others, unless enough for a transaction wait or somebody asks for it."""
HEARD_WITHIN_SECONDS = 1.0
"""A change waits no longer for facts to be written before it."""
BACKLOG = 10 * AT_ONCE
"""Where so many wait, changes do not wait for them: the database was away, or is too slow."""


class LegJournal:
    """Hears of legs (`rooms.LegObserver`) and writes down what it hears; `run` does the writing."""

    def __init__(
        self,
        context: Context,
        *,
        node: str,
        wall: Callable[[], float],
        max_waiting: int = MAX_WAITING,
        company_seconds: float = COMPANY_SECONDS,
    ) -> None:
        """Write to the shared store what happens on the server `node`; facts are dated by `wall`."""
        self._context = context
        self._node = node
        self._wall = wall
        self._max_waiting = max_waiting
        self._company_seconds = company_seconds
        self._waiting: deque[Fact] = deque()
        self._heard = self._written = 0
        self._open: set[str] = set()
        self._degraded: set[str] = set()
        self._arrived = asyncio.Event()
        self._wanted = asyncio.Event()
        self._tried = asyncio.Event()
        """Of the next time that something is written."""
        self._settled = asyncio.Event()
        self._settled.set()
        self._unavailable = False
        self._unsure = False
        self.dropped = 0
        """Facts that were left out, since the start."""
        self.call_changed: Callable[[str], None] = _unheard
        """Told of the room at once where somebody comes into a call or leaves it; events follow."""

    def __len__(self) -> int:
        """Count the facts that are not on disk yet."""
        return len(self._waiting)

    # --- hearing ---

    def leg_opened(self, room_id: str, leg: str, identity: str, role: str) -> None:
        """Note that somebody came into the call."""
        fact = LegOpened(
            room_uid=room_id, at=self._wall(), leg=leg, identity=identity, role=role, node=self._node
        )
        if self._take(fact):
            self._open.add(leg)
        self._tell_of_change(room_id)

    def leg_media_ready(self, room_id: str, leg: str, path: str, family: IpFamily) -> None:
        """Note that media flows for the first time."""
        if leg in self._open:
            self._take(LegMediaReady(room_uid=room_id, at=self._wall(), leg=leg, path=path, family=family))

    def leg_lost(self, room_id: str, leg: str) -> None:
        """Note that a connection was lost whose place is kept."""
        if leg in self._open:
            self._take(LegLost(room_uid=room_id, at=self._wall(), leg=leg))

    def leg_back(self, room_id: str, leg: str) -> None:
        """Note that it is there again."""
        if leg in self._open:
            self._take(LegBack(room_uid=room_id, at=self._wall(), leg=leg))

    def leg_degraded(self, room_id: str, leg: str, reason: DegradedReason, score: float) -> None:
        """Note that a connection has become bad."""
        if leg not in self._open or leg in self._degraded:
            return
        fact = LegDegraded(room_uid=room_id, at=self._wall(), leg=leg, reason=reason, score=score)
        if self._take(fact):
            self._degraded.add(leg)

    def leg_recovered(self, room_id: str, leg: str) -> None:
        """Note that it is good again."""
        if leg in self._degraded:
            self._degraded.remove(leg)
            self._take(LegRecovered(room_uid=room_id, at=self._wall(), leg=leg), always=True)

    def leg_path_changed(self, room_id: str, leg: str, path: str, family: IpFamily) -> None:
        """Note that media takes another path."""
        if leg in self._open:
            self._take(LegPathChanged(room_uid=room_id, at=self._wall(), leg=leg, path=path, family=family))

    def leg_closed(self, room_id: str, leg: str, reason: str) -> None:
        """Note that somebody left the call."""
        if leg in self._open:
            self._open.remove(leg)
            self._degraded.discard(leg)
            self._take(LegClosed(room_uid=room_id, at=self._wall(), leg=leg, reason=reason), always=True)
        self._tell_of_change(room_id)

    def happened(self, room_id: str, type_: EventType, data: Mapping[str, Any]) -> None:
        """Note what events tell of and what changes no stored state; `data` without names or addresses."""
        self._take(Happened(room_uid=room_id, at=self._wall(), type=type_, data=dict(data)))

    def _tell_of_change(self, room_id: str) -> None:
        try:
            self.call_changed(room_id)
        except Exception:  # somebody comes into a call or leaves it, which must go on
            log.exception("call_change_not_told", extra={"room": room_id})

    def _take(self, fact: Fact, *, always: bool = False) -> bool:
        if len(self._waiting) >= self._max_waiting and not always:
            self.dropped += 1
            return False
        self._waiting.append(fact)
        self._heard += 1
        self._arrived.set()
        self._settled.clear()
        if len(self._waiting) >= AT_ONCE:
            self._wanted.set()
        return True

    # --- writing ---

    async def close_left_open(self) -> None:
        """Close what an earlier run left open; raise `StoreUnavailable`. To be done before anybody joins."""
        while await close_left_open(self._context, node=self._node, now=self._wall()):
            pass

    async def run(self) -> None:
        """Write until cancelled; meanwhile whoever changes something has what was heard written before."""
        self._context.write_seen = self.write_heard
        try:
            while True:
                await self._arrived.wait()
                await self._wait_for_company()
                written = await self.write_some()
                self._tell_of_try()
                if not written:
                    await asyncio.sleep(AGAIN_AFTER_SECONDS)
        finally:
            self._context.write_seen = None
            self._tell_of_try()

    async def write_heard(self) -> None:
        """Have what was heard until now written; wait not long, and not for a database that takes nothing."""
        until = self._heard
        with suppress(TimeoutError):
            async with asyncio.timeout(HEARD_WITHIN_SECONDS):
                while self._context.write_seen is not None and self._is_close_behind(until):
                    self._wanted.set()
                    await self._tried.wait()

    def _is_close_behind(self, until: int) -> bool:
        return self._written < until and not self._unsure and len(self) < BACKLOG

    async def _wait_for_company(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._company_seconds):
                await self._wanted.wait()
        self._wanted.clear()

    def _tell_of_try(self) -> None:
        self._tried.set()
        self._tried = asyncio.Event()

    async def settle(self, *, within_seconds: float) -> None:
        """Wait until all is on disk, but not for long; what is left is closed at the next start."""
        try:
            async with asyncio.timeout(within_seconds):
                self._wanted.set()
                await self._settled.wait()
        except TimeoutError:
            log.warning("legs_not_written", extra={"count": len(self)})

    async def write_some(self) -> bool:
        """Write the oldest facts that wait; `False` if the database takes none just now."""
        facts = list(islice(self._waiting, AT_ONCE))
        try:
            await self._write(facts)
        except StoreUnavailable as error:
            if not self._unavailable:
                log.warning("legs_wait_for_the_database", extra={"reason": str(error)})
            self._unavailable = self._unsure = True
            return False
        except Exception:
            self._unsure = True
            if not await self._write_one_by_one(facts):
                return False
        self._unavailable = self._unsure = False
        self._done(len(facts))
        return True

    async def _write_one_by_one(self, facts: list[Fact]) -> bool:
        """Write all but those that cannot be written, each by itself: one defect costs one fact."""
        for fact in facts:
            try:
                await self._write([fact])
            except StoreUnavailable:
                return False
            except Exception:
                log.exception("leg_fact_failed", extra={"room": fact.room_uid})
                self.dropped += 1
        return True

    async def _write(self, facts: list[Fact]) -> None:
        async with self._context.note() as session:
            await write_facts(self._context, session, facts, again=self._unsure)

    def _done(self, count: int) -> None:
        for _ in range(count):
            self._waiting.popleft()
        self._written += count
        if len(self._waiting) >= AT_ONCE:
            self._wanted.set()
        if not self._waiting:
            self._arrived.clear()
            self._settled.set()


def _unheard(room_id: str) -> None:
    """Do nothing: nobody asked to be told."""
