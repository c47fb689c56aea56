"""What other servers on the same database do to rooms, told here as if it had been done here.

Theory of operation. Every act that ends, mutes or holds somebody leaves its event in the transaction of the
act (`rooms.events`), so the event log is the bus: `hear` reads on where it stopped, leaves out what this
server wrote itself, and tells observers and followers what they would have been told. What lasts is read
again from where it is stored, so a late or doubled telling does no harm. On SQLite there is one server, and
nothing is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rooms import rows
from rooms.events import newest_position, read_events
from rooms.tables import ParticipantRow, RoomRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.context import Context
    from rooms.events import RoomEvent
    from rooms.model import RoomObserver

    _Act = Callable[[RoomObserver], None]

AT_ONCE = 500
_OF_ROOMS = frozenset({"room.updated", "room.restrained", "room.locked", "room.unlocked"})


class Neighbours:
    """Hears of other servers' acts."""

    def __init__(self, context: Context) -> None:
        """Begin with what happens after the first `hear`."""
        self._context = context
        self._position: int | None = None

    async def hear(self) -> bool:
        """Tell what happened elsewhere since the last time; say whether there is more at once."""
        context = self._context
        if not context.store.is_shared:
            return False
        async with context.store.read() as session:
            if self._position is None:
                self._position = await newest_position(session)
                return False
            page = await read_events(session, after=self._position, limit=AT_ONCE)
            foreign = [one for one in page.items if one.id not in context.own_events]
            told = [(one, await _act(session, one)) for one in foreign]
        self._position = page.last
        for event in page.items:
            context.own_events.pop(event.id, None)
        for event, act in told:
            if act is not None:
                context.tell(act)
            context.tell_event(event)
        return len(page.items) == AT_ONCE


async def _act(session: AsyncSession, event: RoomEvent) -> _Act | None:
    """Give what observers are told of an event beside the event itself."""
    uid: str = event.room_uid
    identity: Any = event.data.get("identity")
    match event.type:
        case "participant.removed":
            return lambda one: one.participant_removed(uid, identity)
        case "participant.muted" | "room.muted":
            sources = tuple(event.data["sources"])
            return lambda one: one.tracks_muted(uid, identity, sources)
        case "participant.restrained":
            person = await session.get(ParticipantRow, (uid, identity))
            if person is None:
                return None
            taken = rows.restraints_of(person)
            return lambda one: one.participant_restrained(uid, identity, taken)
        case "participant.updated":
            person = await session.get(ParticipantRow, (uid, identity))
            if person is None:
                return None
            stored, name, attributes = rows.grants_of(person), person.name or "", dict(person.attributes)
            return lambda one: one.participant_changed(uid, identity, stored, name, attributes)
        case type_ if type_ in _OF_ROOMS:
            room = await session.get(RoomRow, uid)
            if room is None:
                return None
            rules = rows.rules_of(room)
            return lambda one: one.room_changed(uid, rules)
    return None
