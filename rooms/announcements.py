"""Announcements: one sentence to everybody in the call of a room and in all its sub-groups, at once.

The words go to those who are there and are kept nowhere, neither here nor in the event log; the log says that
there was an announcement, and by whom. From it also follows how many there were of late: no counter to keep,
and none that a restart or a second server would forget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from rooms.authority import ModerationAct
from rooms.errors import InvalidTransition, InvalidValue, TooOften
from rooms.events import append_event
from rooms.legs import check_here
from rooms.model import Announcement
from rooms.moderators import Moderator
from rooms.movers import enter
from rooms.states import OVER
from rooms.tables import EventRow

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.context import Context
    from rooms.movers import Mover
    from rooms.tables import RoomRow

LONGEST_ANNOUNCEMENT = 500
"""In characters."""
AT_MOST = 10
"""In one room within `WITHIN`: what comes faster is not read any more."""
WITHIN = 60.0  # seconds
_LOOKED_AT = 1000
"""Newest events of the room that are looked at: a room may have had a hundred thousand."""


class Announcements:
    """What is said to everybody in a room."""

    def __init__(self, context: Context) -> None:
        """Work on the shared store."""
        self._context = context

    async def make(self, who: Mover, text: str, *, now: float) -> Announcement:
        """Tell everybody who is in the call or in a group of it now.

        Raise `NotFound`, `Forbidden`, `InvalidValue`, `TooOften`, `InvalidTransition` in a room that is
        over, or `Elsewhere` if another server carries the call.
        """
        text = text.strip()
        if not 0 < len(text) <= LONGEST_ANNOUNCEMENT:
            raise InvalidValue("text", f"must have 1 to {LONGEST_ANNOUNCEMENT} characters that are not blank")
        async with self._context.change() as session:
            stage = await enter(session, who, ModerationAct.ANNOUNCE)
            room = stage.room
            if room.state in OVER:
                raise InvalidTransition(room.state, f"there is nobody to tell while the room is {room.state}")
            await check_here(self._context, session, room.uid)
            await _check_rate(session, room, now=now)
            data = {"cause": stage.cause, "by": stage.by}
            await append_event(session, room, "room.announced", data, now=now)
        name = who.admission.name if isinstance(who, Moderator) else ""
        announcement = Announcement(text, stage.by, name, now)
        self._context.tell(lambda one: one.announced(room.uid, announcement))
        return announcement


async def _check_rate(session: AsyncSession, room: RoomRow, *, now: float) -> None:
    # Up to now only: a clock that was set back must not silence a room for as long as it went back.
    of_late = select(func.min(EventRow.occurred_at), func.count()).where(
        EventRow.room_uid == room.uid,
        EventRow.seq > room.last_seq - _LOOKED_AT,
        EventRow.type == "room.announced",
        EventRow.occurred_at > now - WITHIN,
        EventRow.occurred_at <= now,
    )
    first, count = (await session.execute(of_late)).one()
    if count >= AT_MOST:
        raise TooOften(first + WITHIN - now)
