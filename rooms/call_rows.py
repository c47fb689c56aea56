"""Rooms in whose calls something happened, and their people: read at once, changed here, written together.

Plain values for the reason told in `rooms.open_connections`. Only a room that people move themselves, as do
those who come first or leave last, is watched by SQLAlchemy from then on: then much more of it may change.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, cast

from sqlalchemy import and_, bindparam, select, true, update

from rooms.tables import EventHeadRow, ParticipantRow, RoomRow

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection, Table
    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.life import LivingRoom


@dataclass(slots=True)
class CallRoom:
    """What a fact asks of the row of its room."""

    uid: str
    tenant: str
    id: str
    state: str
    closes_at: float | None
    waiting_room: bool
    last_seq: int


@dataclass(slots=True)
class CallPerson:
    """What a fact asks of the row of a stored participant, and changes."""

    room_uid: str
    identity: str
    role: str
    forgotten: bool
    state: str
    version: int
    waiting_since: float | None
    admitted_at: float | None


_CHANGING = ("state", "version", "waiting_since", "admitted_at")
_ROOMS, _HEADS = cast("Table", RoomRow.__table__), cast("Table", EventHeadRow.__table__)
_ROOM_COLUMNS = [_ROOMS.c[one.name] for one in fields(CallRoom)]
PEOPLE = cast("Table", ParticipantRow.__table__)
PERSON_COLUMNS = [PEOPLE.c[one.name] for one in fields(CallPerson)]
"""What a `CallPerson` is made of, in its order."""
# Put together once: that costs as much as to ask.
_FIND = (
    select(_HEADS.c.position, *_ROOM_COLUMNS, *PERSON_COLUMNS)
    .select_from(_ROOMS.join(_HEADS, true()))
    .outerjoin(
        PEOPLE,
        and_(
            PEOPLE.c.room_uid == _ROOMS.c.uid, PEOPLE.c.identity.in_(bindparam("identities", expanding=True))
        ),
    )
    .where(_ROOMS.c.uid.in_(bindparam("rooms", expanding=True)))
)
_FIND_PEOPLE = select(*PERSON_COLUMNS).where(
    PEOPLE.c.room_uid.in_(bindparam("rooms", expanding=True)),
    PEOPLE.c.identity.in_(bindparam("identities", expanding=True)),
)
_COUNT = update(_ROOMS).where(_ROOMS.c.uid == bindparam("room")).values(last_seq=bindparam("to_last_seq"))
_MOVE = (
    update(PEOPLE)
    .where(PEOPLE.c.room_uid == bindparam("room"), PEOPLE.c.identity == bindparam("person"))
    .values({name: bindparam(f"to_{name}") for name in _CHANGING})
)


@dataclass(slots=True)
class CallRows:
    """Some of the rooms and people; what was done to them is in the database after `write`."""

    _rooms: dict[str, CallRoom | RoomRow] = field(default_factory=dict)
    _counted: dict[str, int] = field(default_factory=dict)
    """How far the events of each room that is not watched were counted when it was read or written."""
    _people: dict[tuple[str, str], CallPerson] = field(default_factory=dict)
    _moved: dict[tuple[str, str], CallPerson] = field(default_factory=dict)

    def room(self, uid: str) -> LivingRoom | None:
        """Give a room of those that were read."""
        return self._rooms.get(uid)

    def person(self, room_uid: str, identity: str) -> CallPerson | None:
        """Give a participant of those that were read; `None` also for whoever is not stored."""
        return self._people.get((room_uid, identity))

    def read(self, connection: Connection, uids: Collection[str], identities: Collection[str]) -> int | None:
        """Take in these rooms, and who is stored in them of these people; give the end of the log of events.

        `None` if there are none of the rooms.
        """
        end = None
        about = {"rooms": list(uids), "identities": list(identities)}
        for newest, *values in connection.execute(_FIND, about):
            end, room, person = newest, values[: len(_ROOM_COLUMNS)], values[len(_ROOM_COLUMNS) :]
            if room[0] not in self._rooms:
                self._rooms[room[0]] = plain = CallRoom(*room)
                self._counted[plain.uid] = plain.last_seq
            if person[0] is not None:
                self.know(CallPerson(*person))
        return end

    def read_people(self, connection: Connection, whose: Collection[tuple[str, str]]) -> None:
        """Take in those who are stored of these, each by the `uid` of a room and an identity."""
        if whose:
            rooms, identities = (list(set(values)) for values in zip(*whose, strict=True))
            for values in connection.execute(_FIND_PEOPLE, {"rooms": rooms, "identities": identities}):
                self.know(CallPerson(*values))

    def know(self, person: CallPerson) -> None:
        """Take in a participant who came along with something else."""
        self._people[person.room_uid, person.identity] = person

    def moved(self, person: CallPerson) -> None:
        """Have it written that a participant was moved."""
        self._moved[person.room_uid, person.identity] = person

    async def watch(self, session: AsyncSession, uid: str) -> RoomRow:
        """Give the row of a room that may be moved; it stands in the place of the plain one from now on."""
        room = self._rooms[uid]
        if isinstance(room, RoomRow):
            return room
        row = await session.get_one(RoomRow, uid)
        row.last_seq = room.last_seq
        self._rooms[uid] = row
        del self._counted[uid]
        return row

    def write(self, connection: Connection) -> None:
        """Write what was done since the last time."""
        rooms = [self._rooms[uid] for uid in self._counted]
        counted = [one for one in rooms if one.last_seq != self._counted[one.uid]]
        if counted:
            connection.execute(_COUNT, [{"room": one.uid, "to_last_seq": one.last_seq} for one in counted])
            self._counted.update((one.uid, one.last_seq) for one in counted)
        if self._moved:
            connection.execute(_MOVE, [_changes(one) for one in self._moved.values()])
            self._moved.clear()


def _changes(one: CallPerson) -> dict[str, object]:
    whose = {"room": one.room_uid, "person": one.identity}
    return whose | {f"to_{name}": getattr(one, name) for name in _CHANGING}
