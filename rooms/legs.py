"""What each fact that was seen of a leg does to the stored truth.

`connection.opened` is always followed by a `connection.closed`: when the leg ends, when its room is deleted,
or at the next start of the server. Between them, `connection.degraded` and `connection.recovered` alternate,
beginning with the former.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, select, true

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
from rooms.life import follow_attendance, move_participant
from rooms.presence import PresenceAct
from rooms.tables import ConnectionRow, EventHeadRow, EventRow, ParticipantRow, RoomRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.context import Context
    from rooms.events import EventType

LEFT_OPEN_AT_ONCE = 100
# Put together once: that costs as much as to ask.
_ROOMS = (
    select(RoomRow, EventHeadRow)
    .join(EventHeadRow, true())
    .where(RoomRow.uid.in_(bindparam("rooms", expanding=True)))
)
_CONNECTIONS = (
    select(ConnectionRow, ParticipantRow)
    .outerjoin(
        ParticipantRow,
        and_(
            ParticipantRow.room_uid == ConnectionRow.room_uid,
            ParticipantRow.identity == ConnectionRow.identity,
        ),
    )
    .where(ConnectionRow.id.in_(bindparam("legs", expanding=True)))
)
_PEOPLE = select(ParticipantRow).where(
    ParticipantRow.room_uid.in_(bindparam("rooms", expanding=True)),
    ParticipantRow.identity.in_(bindparam("identities", expanding=True)),
)


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of those whom facts are about, read at once: questions one by one cost a join dear."""

    connections: dict[str, ConnectionRow]
    """Open connections by their id."""
    people: dict[tuple[str, str], ParticipantRow]
    """Stored participants by the `uid` of their room and their identity."""


async def write_facts(context: Context, session: AsyncSession, facts: Sequence[Fact], *, again: bool) -> None:
    """Do what facts mean, unless their room is gone; with `again`, also unless it may be done already."""
    about = {"rooms": list({fact.room_uid for fact in facts})}
    rooms: dict[str, RoomRow] = {}
    for found, head in await session.execute(_ROOMS, about):
        rooms[found.uid] = found
        know_head(session, head)
    known = await _known(session, facts, again=again)
    for fact in facts:
        room = rooms.get(fact.room_uid)
        if room is not None and not (again and await _is_told(session, fact)):
            await write_fact(context, session, room, known, fact)


async def write_fact(
    context: Context, session: AsyncSession, room: RoomRow, known: Known, fact: Fact
) -> None:
    """Do what a fact of a room means, and keep `known` up to it."""
    if isinstance(fact, LegOpened):
        await _opened(session, room, known, fact)
    elif isinstance(fact, Happened):
        await append_event(session, room, fact.type, fact.data, now=fact.at, event_id=fact.event_id)
    elif isinstance(fact, LegFact):
        row = known.connections.get(fact.leg)
        if row is None or row.room_uid != room.uid:
            return
        await _went_on(session, room, row, known, fact)
    if isinstance(fact, LegOpened | LegClosed):
        await follow_attendance(session, room, overrun=context.settings.overrun_seconds, now=fact.at)


async def close_connections(session: AsyncSession, room: RoomRow, reason: str, *, now: float) -> None:
    """Tell of every open connection of a room that it is closed."""
    found = await session.scalars(select(ConnectionRow).where(ConnectionRow.room_uid == room.uid))
    open_ones = {row.id: row for row in found}
    known = Known(open_ones, await _people(session, open_ones.values()))
    for row in list(open_ones.values()):
        await _close(session, room, row, known, reason, now=now)


async def close_left_open(context: Context, *, node: str, now: float) -> int:
    """Close what an earlier run of this server left open, a part at a time; say how many were closed.

    To be called until it gives 0, before anybody joins.
    """
    async with context.change() as session:
        left = select(ConnectionRow, RoomRow).join(RoomRow).where(ConnectionRow.node == node)
        query = left.limit(LEFT_OPEN_AT_ONCE)
        found = [(row, room) for row, room in await session.execute(query)]
        open_ones = {row.id: row for row, _ in found}
        known = Known(open_ones, await _people(session, open_ones.values()))
        for row, room in found:
            await _close(session, room, row, known, "server_restart", now=now)
        for room in {room.uid: room for _, room in found}.values():
            await follow_attendance(session, room, overrun=context.settings.overrun_seconds, now=now)
    return len(found)


async def _known(session: AsyncSession, facts: Sequence[Fact], *, again: bool) -> Known:
    opened = [fact for fact in facts if isinstance(fact, LegOpened)]
    first = {fact.leg: fact for fact in reversed(facts) if isinstance(fact, LegFact)}
    known = Known({}, await _people(session, opened))
    # What begins here is not stored; whoever is moved goes on under the name that is closed here.
    legs = [leg for leg, fact in first.items() if again or not isinstance(fact, LegOpened)]
    if legs:
        for row, person in await session.execute(_CONNECTIONS, {"legs": legs}):
            known.connections[row.id] = row
            if person is not None:
                known.people[person.room_uid, person.identity] = person
    return known


async def _people(
    session: AsyncSession, whose: Iterable[ConnectionRow | LegOpened]
) -> dict[tuple[str, str], ParticipantRow]:
    wanted = {(one.room_uid, one.identity) for one in whose}
    if not wanted:
        return {}
    rooms, identities = (list(set(values)) for values in zip(*wanted, strict=True))
    found = await session.scalars(_PEOPLE, {"rooms": rooms, "identities": identities})
    return {(row.room_uid, row.identity): row for row in found}


async def _opened(session: AsyncSession, room: RoomRow, known: Known, fact: LegOpened) -> None:
    row = known.connections[fact.leg] = ConnectionRow(
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
    session.add(row)
    data = {"connection": fact.leg, "identity": fact.identity, "role": fact.role}
    await append_event(session, room, "connection.opened", data, now=fact.at, event_id=fact.event_id)
    await _move(session, room, row, known, PresenceAct.ENTER, now=fact.at)


async def _went_on(
    session: AsyncSession, room: RoomRow, row: ConnectionRow, known: Known, fact: LegFact
) -> None:
    """Do what a fact of a connection that is open means."""
    match fact:
        case LegMediaReady(path=path, family=family) if not row.had_media:
            row.had_media = True
            await _tell(session, room, row, "connection.media_ready", fact, path=path, family=family)
        case LegLost(at=at):
            row.lost_at = at
            await _move(session, room, row, known, PresenceAct.LOSE, now=at)
        case LegBack(at=at):
            row.lost_at = None
            await _move(session, room, row, known, PresenceAct.RETURN, now=at)
        case LegDegraded(reason=reason, score=score) if row.degraded_at is None:
            row.degraded_at = fact.at
            await _tell(session, room, row, "connection.degraded", fact, reason=reason, score=score)
        case LegRecovered(at=at) if row.degraded_at is not None:
            seconds = round(max(0.0, at - row.degraded_at), 3)
            row.degraded_at = None
            await _tell(session, room, row, "connection.recovered", fact, seconds=seconds)
        case LegPathChanged(path=path, family=family):
            await _tell(session, room, row, "connection.path_changed", fact, path=path, family=family)
        case LegClosed(reason=reason, at=at, event_id=event_id):
            await _close(session, room, row, known, reason, now=at, event_id=event_id)


async def _tell(
    session: AsyncSession, room: RoomRow, row: ConnectionRow, type_: EventType, fact: LegFact, **more: Any
) -> None:
    data = {"connection": row.id, "identity": row.identity, **more}
    await append_event(session, room, type_, data, now=fact.at, event_id=fact.event_id)


async def _close(
    session: AsyncSession,
    room: RoomRow,
    row: ConnectionRow,
    known: Known,
    reason: str,
    *,
    now: float,
    event_id: str | None = None,
) -> None:
    del known.connections[row.id]
    if row in session.new:  # opened in this transaction too
        session.expunge(row)
    else:
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
    if not await _move(session, room, row, known, PresenceAct.LEAVE, now=now):
        # With another connection left, the person goes on as that one does.
        await _move(session, room, row, known, PresenceAct.LOSE, now=now)


async def _move(
    session: AsyncSession, room: RoomRow, leg: ConnectionRow, known: Known, act: PresenceAct, *, now: float
) -> bool:
    # Whoever came with a token of LiveKit's SDK may not be stored: then only the connection tells of them.
    row = known.people.get((room.uid, leg.identity))
    if row is None or row.forgotten:
        return False
    return await move_participant(session, room, row, act, "media", now=now, connection=leg.id)


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
