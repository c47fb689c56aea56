"""Reading the event log, following it as it grows, and deleting what is too old."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from rooms.events import PRUNED_AT_ONCE, EventPage, newest_position, prune_events, read_events
from rooms.tables import EventHeadRow, WebhookLetterRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from rooms.context import Context
    from rooms.events import RoomEvent

_DAY = 86400.0


class EventLog:
    """What happened in the rooms, in order."""

    def __init__(self, context: Context) -> None:
        """Read from the shared store."""
        self._context = context

    async def read(
        self, *, after: int, tenant: str | None = None, room_id: str | None = None, limit: int = 100
    ) -> EventPage:
        """Give up to `limit` events after a position; without a tenant, those of all tenants."""
        async with self._context.store.read() as session:
            return await read_events(session, after=after, tenant=tenant, room_id=room_id, limit=limit)

    async def newest(self) -> int:
        """Give the position of the newest event, 0 if there was none yet."""
        async with self._context.store.read() as session:
            return await newest_position(session)

    def follow(self, follower: Callable[[RoomEvent], None]) -> None:
        """Tell `follower` of every later event of this server, on the event loop, once it is on disk.

        A hint to read on, not a delivery: what another server writes, or what is written before a crash, is
        only found by reading.
        """
        self._context.followers.append(follower)

    async def prune(self, *, now: float) -> bool:
        """Delete some of what is older than the settings say; say whether there may be more."""
        before = now - self._context.settings.events_kept_days * _DAY
        async with self._context.store.write() as session:
            pruned = await prune_events(session, before=before)
            if pruned:
                head = select(EventHeadRow.pruned).scalar_subquery()
                await session.execute(delete(WebhookLetterRow).where(WebhookLetterRow.position <= head))
            return pruned == PRUNED_AT_ONCE
