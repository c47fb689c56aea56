"""The timer behind what other servers on the same database do to rooms whose calls are here."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from rooms import StoreUnavailable

if TYPE_CHECKING:
    from rooms import Rooms

log = logging.getLogger("colloque.hearing")

EVERY_SECONDS = 0.4
"""A removal by another server holds within a second, the look and the end of the leg included."""


async def listen(rooms: Rooms) -> None:
    """Go on until cancelled; what cannot be read now is read when the database answers again."""
    while True:
        more = await _hear(rooms)
        await asyncio.sleep(0 if more else EVERY_SECONDS)


async def _hear(rooms: Rooms) -> bool:
    try:
        return await rooms.neighbours.hear()
    except StoreUnavailable:
        return False  # others tell of it
    except Exception:
        log.exception("hearing_failed")
        return False
