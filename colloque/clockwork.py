"""The timer behind what is due by the clock: deadlines of rooms and groups, the age of events and tests."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from rooms import StoreUnavailable
from rooms.deadlines import AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from rooms import Rooms

log = logging.getLogger("colloque.clockwork")

EVERY_SECONDS = 1.0
"""How late a deadline may be met. Asked anew each time, so a step of the clock needs no care."""
PRUNE_EVERY_SECONDS = 600.0


class Clockwork:
    """Looks every second for what is due; a database that is gone is asked again, and told of once."""

    def __init__(self, rooms: Rooms, *, wall: Callable[[], float] = time.time) -> None:
        """Drive these rooms by this clock."""
        self._rooms = rooms
        self._wall = wall
        self._unavailable = False
        self._pruned_at = float("-inf")

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            more = await self.tick()
            await asyncio.sleep(0 if more else EVERY_SECONDS)

    async def tick(self) -> bool:
        """Do what is due; say whether more may be due at once. Never raises."""
        now = self._wall()
        try:
            more = False
            if await self._rooms.deadlines.may_be_due(now=now):
                more = await self._rooms.deadlines.meet(now=now) >= AT_ONCE
                more = await self._rooms.groups.meet(now=now) > 0 or more
            if not more and abs(now - self._pruned_at) >= PRUNE_EVERY_SECONDS:
                more = await self._rooms.events.prune(now=now)
                more = await self._rooms.connection_tests.prune(now=now) or more
                if not more:
                    self._pruned_at = now
        except StoreUnavailable as error:
            if not self._unavailable:
                log.warning("deadlines_wait_for_the_database", extra={"reason": str(error)})
            self._unavailable = True
            return False
        except Exception:
            log.exception("clockwork_failed")
            return False
        self._unavailable = False
        return more
