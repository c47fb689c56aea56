"""The event log: what happened in each room, in order, written in the transaction of the change itself.

Theory of operation. An event is committed with what it tells, or neither is. It has three numbers: `id` is
random and the same at every delivery, so a receiver knows what it has seen; `seq` counts 1, 2, 3 … within one
room; `position` counts all events of the server in the order of their commits, so whoever reads on after the
last position it saw misses nothing. Events outlive their room, which is gone by the time `room.deleted` is
read. `data` holds ids, states and numbers: never a name, an address or what somebody wrote.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast, get_args

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.event import listens_for
from sqlalchemy.orm import Session

from rooms.ids import new_event_id
from rooms.tables import EventHeadRow, EventRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Table
    from sqlalchemy.ext.asyncio import AsyncSession

EventType = Literal[
    "room.planned",
    "room.waiting",
    "room.in_progress",
    "room.finished",
    "room.cancelled",
    "room.not_held",
    "room.reopened",
    "room.deleted",
    "room.updated",
    "room.locked",
    "room.unlocked",
    "room.muted",
    "room.restrained",
    "room.announced",
    "participant.waiting",
    "participant.admitted",
    "participant.denied",
    "participant.removed",
    "participant.moved",
    "participant.updated",
    "participant.muted",
    "participant.restrained",
    "waiting_room.message",
    "waiting_room.late_notice",
    "connection.opened",
    "connection.media_ready",
    "connection.degraded",
    "connection.recovered",
    "connection.path_changed",
    "connection.closed",
    "audio_only.on",
    "audio_only.off",
    "hand.raised",
    "hand.lowered",
    "group.opened",
    "group.closed",
    "rating.created",
    "connection_test.finished",
    "node.draining",
]
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)

PRUNED_AT_ONCE = 1000
MOST_EVENTS = 5_000_000
"""A bound on the log whatever its age: about a gigabyte, months of a busy platform."""
# Kept with the session.
_WRITTEN, _UNWRITTEN, _HEAD = "events_written", "events_unwritten", "event_head"
_EVENTS, _HEADS = cast("Table", EventRow.__table__), cast("Table", EventHeadRow.__table__)
_COLUMNS = tuple(_EVENTS.columns.keys())
_NEWEST = select(_HEADS.c.position)
_INSERT = insert(_EVENTS)
_MOVE_HEAD = update(_HEADS).values(position=bindparam("newest"))


class CountedRoom(Protocol):
    """The row of a room, watched by SQLAlchemy or not, that counts the room's events."""

    uid: str
    tenant: str
    id: str
    last_seq: int


@dataclass(frozen=True, slots=True)
class RoomEvent:
    """Something that happened in a room, as webhooks and `GET /v1/events` tell it."""

    position: int
    """Rises over all rooms and tenants in the order of the commits; where a reader goes on."""
    id: str
    """`evt_` and 128 random bits: the same at every delivery (the `webhook-id`)."""
    tenant: str
    room_uid: str
    room_id: str
    """The id that the calling application chose."""
    seq: int
    """1, 2, 3 … within the room, without holes."""
    occurred_at: float
    type: EventType
    data: Mapping[str, Any]
    """JSON values; what is in it depends on the type (docs/room-life.md)."""


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events in the order of their positions."""

    items: list[RoomEvent]
    last: int
    """Where to go on; as given where there are no events."""
    missed: bool
    """Events after the position that was given are deleted already, for their age."""


async def append_event(
    session: AsyncSession,
    room: CountedRoom,
    type_: EventType,
    data: Mapping[str, Any],
    *,
    now: float,
    event_id: str | None = None,
) -> RoomEvent:
    """Write an event of a room into the transaction of `session`; who follows is told once it is on disk.

    `event_id` is for an event that may have to be written again and must have one id (`rooms.legs`).
    """
    # Writers take turns (`rooms.store`), so what was read in this transaction is the newest there is.
    head: int | None = session.info.get(_HEAD)
    if head is None:
        with session.no_autoflush:  # a new room is written once, with this event counted
            head = (await session.execute(_NEWEST)).scalar_one()
    know_head(session, head + 1)
    room.last_seq += 1
    event = RoomEvent(
        position=head + 1,
        id=event_id or new_event_id(),
        tenant=room.tenant,
        room_uid=room.uid,
        room_id=room.id,
        seq=room.last_seq,
        occurred_at=now,
        type=type_,
        data=dict(data),
    )
    session.info.setdefault(_WRITTEN, []).append(event)
    session.info.setdefault(_UNWRITTEN, []).append(event)
    return event


def know_head(session: AsyncSession | Session, position: int) -> None:
    """Spare `append_event` the question for the end of the log, which came along with something else."""
    session.info[_HEAD] = position


def written_events(session: AsyncSession) -> list[RoomEvent]:
    """Give the events that the transaction of `session` writes, in their order."""
    return list(session.info.get(_WRITTEN, ()))


class EventSession(Session):
    """A session whose events are in the database before anything is asked of it or it is committed."""


@listens_for(EventSession, "before_flush")
@listens_for(EventSession, "before_commit")
def _write_events(session: Session, *_: object) -> None:
    # As plain rows: objects that SQLAlchemy watches would cost every join several times as much.
    events: list[RoomEvent] = session.info.pop(_UNWRITTEN, [])
    if events:
        connection = session.connection()
        connection.execute(_INSERT, [{name: getattr(one, name) for name in _COLUMNS} for one in events])
        connection.execute(_MOVE_HEAD, {"newest": events[-1].position})


async def read_events(
    session: AsyncSession,
    *,
    after: int,
    tenant: str | None = None,
    room_id: str | None = None,
    limit: int = 100,
) -> EventPage:
    """Give up to `limit` events after a position: of one tenant or all, of one room (by its `id`) or all."""
    query = select(EventRow).where(EventRow.position > after)
    if tenant is not None:
        query = query.where(EventRow.tenant == tenant)
    if room_id is not None:
        query = query.where(EventRow.room_id == room_id)
    found = [event_of(row) for row in await session.scalars(query.order_by(EventRow.position).limit(limit))]
    pruned = (await session.scalars(select(EventHeadRow.pruned))).one()
    return EventPage(found, found[-1].position if found else after, missed=after < pruned)


async def newest_position(session: AsyncSession) -> int:
    """Give the position of the newest event, 0 if there was none yet."""
    return (await session.scalars(select(EventHeadRow.position))).one()


async def prune_events(session: AsyncSession, *, before: float, most: int = MOST_EVENTS) -> int:
    """Delete the oldest events, those that occurred before a time or are more than `most`; say how many.

    At most `PRUNED_AT_ONCE`, and only from the beginning of the log: an event stays as long as one before it.
    """
    too_many = await newest_position(session) - most
    oldest = select(EventRow.position, EventRow.occurred_at).order_by(EventRow.position).limit(PRUNED_AT_ONCE)
    found = await session.execute(oldest)
    old = list(takewhile(lambda one: one.occurred_at < before or one.position <= too_many, found))
    if old:
        await session.execute(delete(EventRow).where(EventRow.position <= old[-1].position))
        await session.execute(update(EventHeadRow).values(pruned=old[-1].position))
    return len(old)


def event_of(row: EventRow) -> RoomEvent:
    """Give the event that a row holds."""
    return RoomEvent(
        position=row.position,
        id=row.id,
        tenant=row.tenant,
        room_uid=row.room_uid,
        room_id=row.room_id,
        seq=row.seq,
        occurred_at=row.occurred_at,
        type=cast("EventType", row.type),
        data=row.data,
    )
