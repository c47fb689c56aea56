"""What the log of each room says when the server that has its call is about to be emptied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from rooms.events import append_event
from rooms.tables import ConnectionRow, RoomRow

if TYPE_CHECKING:
    from rooms.context import Context

AT_ONCE = 100
"""Rooms in one transaction."""


async def announce_draining(context: Context, *, now: float) -> int:
    """Write `node.draining` for each room whose call is at this server; say for how many."""
    node = context.node or ""
    await context.catch_up()
    async with context.store.read() as session:
        here = select(ConnectionRow.room_uid).where(ConnectionRow.node == node).distinct()
        uids = sorted(await session.scalars(here))
    for start in range(0, len(uids), AT_ONCE):
        async with context.change() as session:
            about = (
                select(RoomRow).where(RoomRow.uid.in_(uids[start : start + AT_ONCE])).order_by(RoomRow.uid)
            )
            for room in await session.scalars(about):
                await append_event(session, room, "node.draining", {"node": node}, now=now)
    return len(uids)
