"""What each fact that was seen of a leg does to the stored truth.

`connection.opened` is always followed by a `connection.closed`: when the leg ends, when its room is deleted,
or at the next start of the server. Between them, `connection.degraded` and `connection.recovered` alternate,
beginning with the former.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from rooms.call_rows import CallRows
from rooms.errors import Elsewhere
from rooms.events import append_event, know_head
from rooms.leg_facts import (
    Fact,
    Happened,
    LegBack,
    LegClosed,
    LegDegraded,
    LegFact,
    LegLost,
    LegMediaReady,
    LegOpened,
    LegPathChanged,
    LegRecovered,
)
from rooms.life import follow_attendance, follows_attendance, move_participant
from rooms.open_connections import OpenConnection, OpenConnections
from rooms.presence import ASKING_OF_OTHERS, PresenceAct
from rooms.tables import ConnectionRow, EventRow, RoomRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Session

    from rooms.context import Context
    from rooms.events import EventType
    from rooms.life import LivingRoom

LEFT_OPEN_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of those whom facts are about, read at once: questions one by one cost a join dear."""

    rows: CallRows = field(default_factory=CallRows)
    connections: OpenConnections = field(default_factory=OpenConnections)

    async def write(self, session: AsyncSession) -> None:
        """Write what was done since the last time."""
        await session.run_sync(lambda within: self._write(within.connection()))

    async def write_connections(self, session: AsyncSession) -> None:
        """Write that much of it, for those who ask who else is there."""
        await session.run_sync(lambda within: self.connections.write(within.connection()))

    def _write(self, connection: Connection) -> None:
        self.connections.write(connection)
        self.rows.write(connection)


async def write_facts(context: Context, session: AsyncSession, facts: Sequence[Fact], *, again: bool) -> None:
    """Do what facts mean, unless their room is gone; with `again`, also unless it may be done already."""
    known = await session.run_sync(_known, facts, again=again)
    for fact in facts:
        room = known.rows.room(fact.room_uid)
        if room is not None and not (again and await _is_told(session, fact)):
            await write_fact(context, session, room, known, fact)
    await known.write(session)


async def write_fact(
    context: Context, session: AsyncSession, room: LivingRoom, known: Known, fact: Fact
) -> None:
    """Do what a fact of a room means, and keep `known` up to it, which is still to be written."""
    if isinstance(fact, LegOpened):
        await _opened(session, room, known, fact)
    elif isinstance(fact, Happened):
        await append_event(session, room, fact.type, fact.data, now=fact.at, event_id=fact.event_id)
    elif isinstance(fact, LegFact):
        leg = known.connections.find(fact.leg)
        if leg is None or leg.room_uid != room.uid:
            return
        await _went_on(session, room, leg, known, fact)
    if isinstance(fact, LegOpened | LegClosed) and follows_attendance(room, now=fact.at):
        watched = await known.rows.watch(session, room.uid)
        await known.write(session)
        # It ends only where nobody is there or waits, so what is known of its people stays true.
        await follow_attendance(session, watched, overrun=context.settings.overrun_seconds, now=fact.at)


async def close_connections(session: AsyncSession, room: RoomRow, reason: str, *, now: float) -> None:
    """Tell of every open connection of a room that it is closed."""
    known = await session.run_sync(_all_open, ConnectionRow.room_uid == room.uid)
    for leg in known.connections:
        await _close(session, room, leg, known, reason, now=now)
    await known.write(session)


async def close_left_open(context: Context, *, node: str, now: float) -> int:
    """Close what an earlier run of this server left open, a part at a time; say how many were closed.

    To be called until it gives 0, before anybody joins.
    """
    async with context.change() as session:
        known = await session.run_sync(_all_open, ConnectionRow.node == node, limit=LEFT_OPEN_AT_ONCE)
        legs = list(known.connections)
        uids = {leg.room_uid for leg in legs}
        rooms = {row.uid: row for row in await session.scalars(select(RoomRow).where(RoomRow.uid.in_(uids)))}
        for leg in legs:
            await _close(session, rooms[leg.room_uid], leg, known, "server_restart", now=now)
        await known.write(session)
        for room in rooms.values():
            await follow_attendance(session, room, overrun=context.settings.overrun_seconds, now=now)
    return len(legs)


def _known(session: Session, facts: Sequence[Fact], *, again: bool) -> Known:
    known, connection = Known(), session.connection()
    rooms = {fact.room_uid for fact in facts}
    newest = known.rows.read(connection, rooms, {one.identity for one in facts if isinstance(one, LegOpened)})
    if newest is not None:
        know_head(session, newest)
    first = {fact.leg: fact for fact in reversed(facts) if isinstance(fact, LegFact)}
    # What begins here is not stored; whoever is moved goes on under the name that is closed here.
    legs = [leg for leg, fact in first.items() if again or not isinstance(fact, LegOpened)]
    if legs:
        for person in known.connections.read_named(connection, legs):
            known.rows.know(person)
    return known


def _all_open(session: Session, which: ColumnElement[bool], *, limit: int | None = None) -> Known:
    known, connection = Known(), session.connection()
    known.connections.read(connection, which, limit=limit)
    known.rows.read_people(connection, {(leg.room_uid, leg.identity) for leg in known.connections})
    return known


async def _opened(session: AsyncSession, room: LivingRoom, known: Known, fact: LegOpened) -> None:
    leg = OpenConnection(
        id=fact.leg,
        room_uid=room.uid,
        identity=fact.identity,
        role=fact.role,
        opened_at=fact.at,
        lost_at=None,
        had_media=False,
        node=fact.node,
        degraded_at=None,
    )
    known.connections.add(leg)
    data = {"connection": fact.leg, "identity": fact.identity, "role": fact.role}
    await append_event(session, room, "connection.opened", data, now=fact.at, event_id=fact.event_id)
    await _move(session, room, leg, known, PresenceAct.ENTER, now=fact.at)


async def _went_on(
    session: AsyncSession, room: LivingRoom, leg: OpenConnection, known: Known, fact: LegFact
) -> None:
    """Do what a fact of a connection that is open means."""
    change = known.connections.change
    match fact:
        case LegMediaReady(path=path, family=family) if not leg.had_media:
            change(leg, had_media=True)
            await _tell(session, room, leg, "connection.media_ready", fact, path=path, family=family)
        case LegLost(at=at):
            change(leg, lost_at=at)
            await _move(session, room, leg, known, PresenceAct.LOSE, now=at)
        case LegBack(at=at):
            change(leg, lost_at=None)
            await _move(session, room, leg, known, PresenceAct.RETURN, now=at)
        case LegDegraded(reason=reason, score=score) if leg.degraded_at is None:
            change(leg, degraded_at=fact.at)
            await _tell(session, room, leg, "connection.degraded", fact, reason=reason, score=score)
        case LegRecovered(at=at) if leg.degraded_at is not None:
            seconds = round(max(0.0, at - leg.degraded_at), 3)
            change(leg, degraded_at=None)
            await _tell(session, room, leg, "connection.recovered", fact, seconds=seconds)
        case LegPathChanged(path=path, family=family):
            await _tell(session, room, leg, "connection.path_changed", fact, path=path, family=family)
        case LegClosed(reason=reason, at=at, event_id=event_id):
            await _close(session, room, leg, known, reason, now=at, event_id=event_id)


async def _tell(
    session: AsyncSession, room: LivingRoom, leg: OpenConnection, type_: EventType, fact: LegFact, **more: Any
) -> None:
    data = {"connection": leg.id, "identity": leg.identity, **more}
    await append_event(session, room, type_, data, now=fact.at, event_id=fact.event_id)


async def _close(
    session: AsyncSession,
    room: LivingRoom,
    leg: OpenConnection,
    known: Known,
    reason: str,
    *,
    now: float,
    event_id: str | None = None,
) -> None:
    known.connections.remove(leg)
    data = {
        "connection": leg.id,
        "identity": leg.identity,
        "role": leg.role,
        "reason": reason,
        "had_media": leg.had_media,
        "seconds": round(max(0.0, now - leg.opened_at), 3),
    }
    await append_event(session, room, "connection.closed", data, now=now, event_id=event_id)
    if not await _move(session, room, leg, known, PresenceAct.LEAVE, now=now):
        # With another connection left, the person goes on as that one does.
        await _move(session, room, leg, known, PresenceAct.LOSE, now=now)


async def _move(
    session: AsyncSession,
    room: LivingRoom,
    leg: OpenConnection,
    known: Known,
    act: PresenceAct,
    *,
    now: float,
) -> bool:
    # Whoever came with a token of LiveKit's SDK may not be stored: then only the connection tells of them.
    row = known.rows.person(room.uid, leg.identity)
    if row is None or row.forgotten:
        return False
    if act in ASKING_OF_OTHERS:
        await known.write_connections(session)
    if not await move_participant(session, room, row, act, "media", now=now, connection=leg.id):
        return False
    known.rows.moved(row)
    return True


async def _is_told(session: AsyncSession, fact: Fact) -> bool:
    told = select(EventRow.position).where(EventRow.id == fact.event_id)
    return await session.scalar(told) is not None


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
