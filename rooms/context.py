"""What the parts of the service share: store, keys, settings and who is told of changes."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from rooms.errors import NotFound
from rooms.events import written_events
from rooms.tables import RoomRow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.events import RoomEvent
    from rooms.keys import KeyRing
    from rooms.model import RoomObserver
    from rooms.store import Store

log = logging.getLogger("rooms")

OWN_EVENTS_MOST = 10_000
"""More than are written between two looks at the log; beyond it a server hears of its own acts twice."""
_ENDINGS = frozenset({"room.finished", "room.cancelled", "room.not_held", "room.deleted"})


@dataclass(frozen=True, slots=True)
class RoomsSettings:
    """Choices of the operator; a room may override those that the REST API names."""

    open_before_minutes: int = 30
    close_after_minutes: int = 60
    create_on_join: bool = False
    """A valid token for a room that does not exist makes the room."""
    token_ttl_seconds: int = 900
    max_participants_per_room: int = 1000
    """Stored participants, guests of links included."""
    max_links_per_room: int = 1000
    overrun_minutes: int = 240
    """A call that goes on after the room has closed is ended so long after that."""
    events_kept_days: int = 30
    connection_tests_kept_days: int = 30
    """Counted from when they were made."""
    max_kbps: int | None = None
    """Most that a call takes of one person's line in one direction; `None` for no bound."""

    @property
    def overrun_seconds(self) -> float:
        """The same in seconds."""
        return self.overrun_minutes * 60.0


@dataclass(slots=True)
class Context:
    """Shared state; keys and settings are replaced as a whole when the settings are read again."""

    store: Store
    keys: KeyRing
    settings: RoomsSettings
    observers: list[RoomObserver] = field(default_factory=list)
    followers: list[Callable[[RoomEvent], None]] = field(default_factory=list)

    write_seen: Callable[[], Awaitable[None]] | None = None
    """Writes what was seen of calls and still waits; `rooms.leg_journal` sets it while it runs."""
    node: str | None = None
    """The server that this is, where it carries calls."""
    own_events: dict[str, None] = field(default_factory=dict)
    """Ids of events that this server wrote and has not met in the log yet, the oldest first."""

    @asynccontextmanager
    async def change(self) -> AsyncIterator[AsyncSession]:
        """Give a session like `Store.write`; once it is on disk, followers are told of its events.

        What was seen of calls until now is written before, so an act finds who is there, and the log is true.
        """
        await self.catch_up()
        async with self._told() as session:
            yield session

    async def catch_up(self) -> None:
        """Have what was seen of calls until now written, for an act that looks at who is there."""
        if self.write_seen is not None:
            await self.write_seen()

    @asynccontextmanager
    async def note(self) -> AsyncIterator[AsyncSession]:
        """Give a session like `change`, for what was seen of calls itself."""
        async with self._told(counts=_moves_a_room) as session:
            yield session

    @asynccontextmanager
    async def _told(
        self, *, counts: Callable[[AsyncSession], bool] | None = None
    ) -> AsyncIterator[AsyncSession]:
        async with self.store.write(counts=counts) as session:
            yield session
            if self.store.is_shared:  # before the commit, after which others' events are looked for
                self._note_own(written_events(session))
        for event in written_events(session):
            self.tell_event(event)

    def _note_own(self, events: list[RoomEvent]) -> None:
        self.own_events.update((event.id, None) for event in events)
        while len(self.own_events) > OWN_EVENTS_MOST:
            del self.own_events[next(iter(self.own_events))]

    def tell_event(self, event: RoomEvent) -> None:
        """Tell whoever follows of an event that is on disk, and observers if it ends a room."""
        if event.type in _ENDINGS:
            self.tell(lambda one: one.room_closed(event.room_uid, event.type.removeprefix("room.")))
        for follower in self.followers:
            try:
                follower(event)
            except Exception:
                log.exception("follower_failed")

    def tell(self, what: Callable[[RoomObserver], None]) -> None:
        """Tell every observer; the change is on disk already, so one that fails is only logged."""
        for observer in self.observers:
            try:
                what(observer)
            except Exception:
                log.exception("observer_failed")


def _moves_a_room(session: AsyncSession) -> bool:
    # People who come and go change a deadline only where they move the room, of which it tells.
    return any(event.type.startswith("room.") for event in written_events(session))


async def room_row(session: AsyncSession, tenant: str, room_id: str) -> RoomRow:
    """Give a tenant's room, or raise `NotFound`."""
    row = await find_room_row(session, tenant, room_id)
    if row is None:
        raise NotFound("room")
    return row


async def find_room_row(session: AsyncSession, tenant: str, room_id: str) -> RoomRow | None:
    """Give a tenant's room if there is one."""
    found = await session.scalars(select(RoomRow).where(RoomRow.tenant == tenant, RoomRow.id == room_id))
    return found.one_or_none()
