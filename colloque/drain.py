"""Empties a server without ending a call: nobody new comes, and those who talk go on talking."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from prometheus_client import CollectorRegistry, Gauge

from rooms import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rooms import Rooms

log = logging.getLogger("colloque.drain")


class Door(Protocol):
    """A way in that can be closed to those whose call is not here."""

    def drain(self, on: bool) -> None:
        """Turn newcomers away, or take them again."""


class Drain:
    """Whether this server is being emptied, and how far it is."""

    def __init__(
        self,
        rooms: Rooms,
        doors: Sequence[Door],
        registry: CollectorRegistry,
        *,
        legs: Callable[[], int],
        wall: Callable[[], float],
    ) -> None:
        """Close and open these doors; `legs` counts who is in calls here."""
        self.on = False
        self._rooms = rooms
        self._doors = doors
        self._legs = legs
        self._wall = wall
        Gauge(
            "colloque_drain_remaining_legs",
            "Connections in calls that have still to end before the server is empty; 0 unless it drains.",
            registry=registry,
        ).set_function(lambda: self.remaining_legs)

    @property
    def remaining_legs(self) -> int:
        """How many people are in calls here while it drains."""
        return self._legs() if self.on else 0

    async def begin(self) -> None:
        """Take nobody new; those in calls stay and may come back into them. Once more does nothing."""
        if self.on:
            return
        self._set(on=True)
        log.info("drain_begun", extra={"legs": self.remaining_legs})
        try:
            await self._rooms.announce_draining(now=self._wall())
        except StoreUnavailable as error:
            log.warning("drain_not_in_the_log", extra={"reason": str(error)})

    def end(self) -> None:
        """Take newcomers again."""
        if self.on:
            self._set(on=False)
            log.info("drain_taken_back")

    def _set(self, *, on: bool) -> None:
        self.on = on
        for door in self._doors:
            door.drain(on)
