"""What signalling saw of the legs of calls, as facts, and what each does to the stored truth.

A fact has the id of the event it becomes, so it can be written again when nobody knows whether the first time
reached the disk: what is in the log already is not done twice. `connection.opened` is always followed by a
`connection.closed`: when the leg ends, when its room is deleted, or at the next start of the server. Between
them, `connection.degraded` and `connection.recovered` alternate, beginning with the former.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from rooms.errors import Elsewhere
from rooms.events import append_event
from rooms.ids import new_event_id
from rooms.life import follow_attendance, move_participant
from rooms.presence import PresenceAct
from rooms.tables import ConnectionRow, EventRow, ParticipantRow, RoomRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.context import Context
    from rooms.events import EventType
    from rooms.model import DegradedReason, IpFamily

LEFT_OPEN_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that was seen of a room's call, at a time."""

    room_uid: str
    at: float
    event_id: str = field(default_factory=new_event_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegOpened(Fact):
    """A person has come into the call."""

    leg: str
    identity: str
    role: str
    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegMediaReady(Fact):
    """Media flows for the first time, by this kind of path."""

    leg: str
    path: str
    family: IpFamily


@dataclass(frozen=True, slots=True, kw_only=True)
class LegLost(Fact):
    """The connection is lost; its place is kept."""

    leg: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegBack(Fact):
    """The connection is there again."""

    leg: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegDegraded(Fact):
    """The connection has become bad."""

    leg: str
    reason: DegradedReason
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRecovered(Fact):
    """The connection is good again."""

    leg: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegPathChanged(Fact):
    """Media takes another path."""

    leg: str
    path: str
    family: IpFamily


@dataclass(frozen=True, slots=True, kw_only=True)
class LegClosed(Fact):
    """The person has left the call, for this reason."""

    leg: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened(Fact):
    """Something that events tell of and that changes no stored state."""

    type: EventType
    data: Mapping[str, Any]


async def write_facts(context: Context, session: AsyncSession, facts: Sequence[Fact], *, again: bool) -> None:
    """Do what facts mean, unless their room is gone; with `again`, also unless it may be done already."""
    about = select(RoomRow).where(RoomRow.uid.in_({fact.room_uid for fact in facts}))
    rooms = {room.uid: room for room in await session.scalars(about)}
    for fact in facts:
        room = rooms.get(fact.room_uid)
        if room is not None and not (again and await _is_told(session, fact)):
            await write_fact(context, session, room, fact)


async def write_fact(context: Context, session: AsyncSession, room: RoomRow, fact: Fact) -> None:
    """Do what a fact of a room means."""
    overrun = context.settings.overrun_seconds
    match fact:
        case LegOpened():
            await _opened(session, room, fact)
            await follow_attendance(session, room, overrun=overrun, now=fact.at)
        case LegMediaReady():
            await _media_ready(session, room, fact)
        case LegLost(leg=leg, at=at):
            await _line_changed(session, room, leg, PresenceAct.LOSE, lost_at=at, now=at)
        case LegBack(leg=leg, at=at):
            await _line_changed(session, room, leg, PresenceAct.RETURN, lost_at=None, now=at)
        case LegDegraded():
            await _degraded(session, room, fact)
        case LegRecovered():
            await _recovered(session, room, fact)
        case LegPathChanged():
            await _path_changed(session, room, fact)
        case LegClosed(leg=leg, reason=reason):
            row = await _connection(session, room, leg)
            if row is not None:
                await _close(session, room, row, reason, now=fact.at, event_id=fact.event_id)
                await follow_attendance(session, room, overrun=overrun, now=fact.at)
        case Happened():
            await append_event(session, room, fact.type, fact.data, now=fact.at, event_id=fact.event_id)


async def close_connections(session: AsyncSession, room: RoomRow, reason: str, *, now: float) -> None:
    """Tell of every open connection of a room that it is closed."""
    for row in await session.scalars(select(ConnectionRow).where(ConnectionRow.room_uid == room.uid)):
        await _close(session, room, row, reason, now=now)


async def close_left_open(context: Context, *, node: str, now: float) -> int:
    """Close what an earlier run of this server left open, a part at a time; say how many were closed.

    To be called until it gives 0, before anybody joins.
    """
    async with context.change() as session:
        left = select(ConnectionRow, RoomRow).join(RoomRow).where(ConnectionRow.node == node)
        query = left.limit(LEFT_OPEN_AT_ONCE)
        found = list(await session.execute(query))
        for row, room in found:
            await _close(session, room, row, "server_restart", now=now)
        for room in {room.uid: room for _, room in found}.values():
            await follow_attendance(session, room, overrun=context.settings.overrun_seconds, now=now)
    return len(found)


async def _opened(session: AsyncSession, room: RoomRow, fact: LegOpened) -> None:
    session.add(
        ConnectionRow(
            id=fact.leg,
            room_uid=room.uid,
            identity=fact.identity,
            role=fact.role,
            opened_at=fact.at,
            lost_at=None,
            degraded_at=None,
            had_media=False,
            node=fact.node,
        )
    )
    data = {"connection": fact.leg, "identity": fact.identity, "role": fact.role}
    await append_event(session, room, "connection.opened", data, now=fact.at, event_id=fact.event_id)
    await _move(session, room, fact.identity, PresenceAct.ENTER, fact.leg, now=fact.at)


async def _media_ready(session: AsyncSession, room: RoomRow, fact: LegMediaReady) -> None:
    row = await _connection(session, room, fact.leg)
    if row is None or row.had_media:
        return
    row.had_media = True
    data = {"connection": row.id, "identity": row.identity, "path": fact.path, "family": fact.family}
    await append_event(session, room, "connection.media_ready", data, now=fact.at, event_id=fact.event_id)


async def _degraded(session: AsyncSession, room: RoomRow, fact: LegDegraded) -> None:
    row = await _connection(session, room, fact.leg)
    if row is None or row.degraded_at is not None:
        return
    row.degraded_at = fact.at
    data = {"connection": row.id, "identity": row.identity, "reason": fact.reason, "score": fact.score}
    await append_event(session, room, "connection.degraded", data, now=fact.at, event_id=fact.event_id)


async def _recovered(session: AsyncSession, room: RoomRow, fact: LegRecovered) -> None:
    row = await _connection(session, room, fact.leg)
    if row is None or row.degraded_at is None:
        return
    seconds = round(max(0.0, fact.at - row.degraded_at), 3)
    row.degraded_at = None
    data = {"connection": row.id, "identity": row.identity, "seconds": seconds}
    await append_event(session, room, "connection.recovered", data, now=fact.at, event_id=fact.event_id)


async def _path_changed(session: AsyncSession, room: RoomRow, fact: LegPathChanged) -> None:
    row = await _connection(session, room, fact.leg)
    if row is None:
        return
    data = {"connection": row.id, "identity": row.identity, "path": fact.path, "family": fact.family}
    await append_event(session, room, "connection.path_changed", data, now=fact.at, event_id=fact.event_id)


async def _line_changed(
    session: AsyncSession, room: RoomRow, leg: str, act: PresenceAct, *, lost_at: float | None, now: float
) -> None:
    row = await _connection(session, room, leg)
    if row is not None:
        row.lost_at = lost_at
        await _move(session, room, row.identity, act, leg, now=now)


async def _close(
    session: AsyncSession,
    room: RoomRow,
    row: ConnectionRow,
    reason: str,
    *,
    now: float,
    event_id: str | None = None,
) -> None:
    await session.delete(row)
    data = {
        "connection": row.id,
        "identity": row.identity,
        "role": row.role,
        "reason": reason,
        "had_media": row.had_media,
        "seconds": round(max(0.0, now - row.opened_at), 3),
    }
    await append_event(session, room, "connection.closed", data, now=now, event_id=event_id)
    if not await _move(session, room, row.identity, PresenceAct.LEAVE, row.id, now=now):
        # With another connection left, the person goes on as that one does.
        await _move(session, room, row.identity, PresenceAct.LOSE, row.id, now=now)


async def _move(
    session: AsyncSession, room: RoomRow, identity: str, act: PresenceAct, leg: str, *, now: float
) -> bool:
    # Whoever came with a token of LiveKit's SDK may not be stored: then only the connection tells of them.
    row = await session.get(ParticipantRow, (room.uid, identity))
    if row is None or row.forgotten:
        return False
    return await move_participant(session, room, row, act, "media", now=now, connection=leg)


async def _is_told(session: AsyncSession, fact: Fact) -> bool:
    told = select(EventRow.position).where(EventRow.id == fact.event_id)
    return await session.scalar(told) is not None


async def _connection(session: AsyncSession, room: RoomRow, leg: str) -> ConnectionRow | None:
    row = await session.get(ConnectionRow, leg)
    return row if row is not None and row.room_uid == room.uid else None


async def is_elsewhere(context: Context, session: AsyncSession, room_uid: str) -> bool:
    """Whether another server on the same database carries the call of a room."""
    if not context.store.is_shared:
        return False
    there = select(ConnectionRow.id).where(
        ConnectionRow.room_uid == room_uid, ConnectionRow.node != (context.node or "")
    )
    return await session.scalar(there.limit(1)) is not None


async def check_here(context: Context, session: AsyncSession, room_uid: str) -> None:
    """Raise `Elsewhere` if another server on the same database carries the call of a room."""
    if await is_elsewhere(context, session, room_uid):
        raise Elsewhere("another server carries this call; ask there")
