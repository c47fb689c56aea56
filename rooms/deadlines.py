"""Meets the deadlines of rooms: what is due by the stored times is done, also long after it was due."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sqlalchemy import func, select

from rooms.life import move_room
from rooms.states import due, next_deadline
from rooms.tables import GroupRow, RoomRow

if TYPE_CHECKING:
    from rooms.context import Context
    from rooms.model import RoomState

AT_ONCE = 50
"""Rooms in one transaction: enough to catch up fast after a long stop, few enough to let others write."""


LOOK_AGAIN_SECONDS = 30.0
"""Also a database that is not shared may be written by hand, by `colloque link` or a restored copy."""


class Deadlines:
    """What the time does to rooms."""

    def __init__(self, context: Context) -> None:
        """Work on the shared store."""
        self._context = context
        self._looked_at = float("-inf")
        self._writes = -1
        self._next_at = float("-inf")

    async def may_be_due(self, *, now: float) -> bool:
        """Say whether a room or a sub-group may have something due; often known without asking the database.

        Where nothing was written since the last look, what comes next is known. That keeps a quiet server
        quiet: two questions a second cost a tenth of the processor time of a call of a hundred.
        """
        store = self._context.store
        fresh = 0 <= now - self._looked_at < LOOK_AGAIN_SECONDS and self._writes == store.writes
        if store.is_shared or not fresh:
            writes = store.writes
            rooms = select(func.min(RoomRow.due_at))
            groups = select(func.min(GroupRow.closes_at)).where(GroupRow.closed_at.is_(None))
            async with store.read() as session:
                found = (
                    await session.execute(select(rooms.scalar_subquery(), groups.scalar_subquery()))
                ).one()
            self._next_at = min((at for at in found if at is not None), default=float("inf"))
            self._looked_at, self._writes = now, writes
        return now >= self._next_at

    async def meet(self, *, now: float) -> int:
        """Meet some of the deadlines that are due and say how many: `AT_ONCE` if there may be more."""
        late = select(RoomRow.uid).where(RoomRow.due_at <= now).order_by(RoomRow.due_at).limit(AT_ONCE)
        async with self._context.store.read() as session:
            if (await session.scalars(late.limit(1))).first() is None:
                return 0
        overrun = self._context.settings.overrun_seconds
        async with self._context.change() as session:
            uids = sorted(await session.scalars(late))
            for room in await session.scalars(select(RoomRow).where(RoomRow.uid.in_(uids))):
                act = due(room.due_at, room.closes_at, now=now)
                if act is not None and not await move_room(
                    session, room, act, "deadline", overrun=overrun, now=now
                ):
                    # The call goes on; what is due next is its end.
                    state = cast("RoomState", room.state)
                    room.due_at = next_deadline(
                        state, room.closes_at, overrun_seconds=overrun, closing_met=True
                    )
        return len(uids)
