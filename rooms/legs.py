"""What each fact that was seen of a leg does to the stored truth.

`connection.opened` is always followed by a `connection.closed`: when the leg ends, when its room is deleted,
or at the next start of the server. Between them, `connection.degraded` and `connection.recovered` alternate,
beginning with the former.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, true

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
from rooms.tables import ConnectionRow, EventHeadRow, EventRow, ParticipantRow, RoomRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.context import Context
    from rooms.events import EventType

LEFT_OPEN_AT_ONCE = 100
# Put together once: that costs as much as to ask.
_ROOMS = (
    select(RoomRow, EventHeadRow.position)
    .join(EventHeadRow, true())
    .where(RoomRow.uid.in_(bindparam("rooms", expanding=True)))
)
_PEOPLE = select(ParticipantRow).where(
    ParticipantRow.room_uid.in_(bindparam("rooms", expanding=True)),
    ParticipantRow.identity.in_(bindparam("identities", expanding=True)),
)


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of those whom facts are about, read at once: questions one by one cost a join dear."""

    connections: OpenConnections
    people: dict[tuple[str, str], ParticipantRow]
    """Stored participants by the `uid` of their room and their identity."""


async def write_facts(context: Context, session: AsyncSession, facts: Sequence[Fact], *, again: bool) -> None:
    """Do what facts mean, unless their room is gone; with `again`, also unless it may be done already."""
    about = {"rooms": list({fact.room_uid for fact in facts})}
    rooms: dict[str, RoomRow] = {}
    for found, newest in await session.execute(_ROOMS, about):
        rooms[found.uid] = found
        know_head(session, newest)
    known = await _known(session, facts, again=again)
    for fact in facts:
        room = rooms.get(fact.room_uid)
        if room is not None and not (again and await _is_told(session, fact)):
            await write_fact(context, session, room, known, fact)
    await known.connections.write(session)


async def write_fact(
    context: Context, session: AsyncSession, room: RoomRow, known: Known, fact: Fact
) -> None:
    """Do what a fact of a room means, and keep `known` up to it; its connections are still to be written."""
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
        await known.connections.write(session)
        await follow_attendance(session, room, overrun=context.settings.overrun_seconds, now=fact.at)


async def close_connections(session: AsyncSession, room: RoomRow, reason: str, *, now: float) -> None:
    """Tell of every open connection of a room that it is closed."""
    open_ones = OpenConnections()
    await open_ones.read(session, ConnectionRow.room_uid == room.uid)
    known = Known(open_ones, await _people(session, open_ones))
    for leg in open_ones:
        await _close(session, room, leg, known, reason, now=now)
    await open_ones.write(session)


async def close_left_open(context: Context, *, node: str, now: float) -> int:
    """Close what an earlier run of this server left open, a part at a time; say how many were closed.

    To be called until it gives 0, before anybody joins.
    """
    async with context.change() as session:
        left = OpenConnections()
        await left.read(session, ConnectionRow.node == node, limit=LEFT_OPEN_AT_ONCE)
        uids = {leg.room_uid for leg in left}
        rooms = {row.uid: row for row in await session.scalars(select(RoomRow).where(RoomRow.uid.in_(uids)))}
        known = Known(left, await _people(session, left))
        legs = list(left)
        for leg in legs:
            await _close(session, rooms[leg.room_uid], leg, known, "server_restart", now=now)
        await left.write(session)
        for room in rooms.values():
            await follow_attendance(session, room, overrun=context.settings.overrun_seconds, now=now)
    return len(legs)


async def _known(session: AsyncSession, facts: Sequence[Fact], *, again: bool) -> Known:
    opened = [fact for fact in facts if isinstance(fact, LegOpened)]
    first = {fact.leg: fact for fact in reversed(facts) if isinstance(fact, LegFact)}
    known = Known(OpenConnections(), await _people(session, opened))
    # What begins here is not stored; whoever is moved goes on under the name that is closed here.
    legs = [leg for leg, fact in first.items() if again or not isinstance(fact, LegOpened)]
    if legs:
        for person in await known.connections.read_named(session, legs):
            known.people[person.room_uid, person.identity] = person
    return known


async def _people(
    session: AsyncSession, whose: Iterable[OpenConnection | LegOpened]
) -> dict[tuple[str, str], ParticipantRow]:
    wanted = {(one.room_uid, one.identity) for one in whose}
    if not wanted:
        return {}
    rooms, identities = (list(set(values)) for values in zip(*wanted, strict=True))
    found = await session.scalars(_PEOPLE, {"rooms": rooms, "identities": identities})
    return {(row.room_uid, row.identity): row for row in found}


async def _opened(session: AsyncSession, room: RoomRow, known: Known, fact: LegOpened) -> None:
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
    session: AsyncSession, room: RoomRow, leg: OpenConnection, known: Known, fact: LegFact
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
    session: AsyncSession, room: RoomRow, leg: OpenConnection, type_: EventType, fact: LegFact, **more: Any
) -> None:
    data = {"connection": leg.id, "identity": leg.identity, **more}
    await append_event(session, room, type_, data, now=fact.at, event_id=fact.event_id)


async def _close(
    session: AsyncSession,
    room: RoomRow,
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
    session: AsyncSession, room: RoomRow, leg: OpenConnection, known: Known, act: PresenceAct, *, now: float
) -> bool:
    # Whoever came with a token of LiveKit's SDK may not be stored: then only the connection tells of them.
    row = known.people.get((room.uid, leg.identity))
    if row is None or row.forgotten:
        return False
    if act in ASKING_OF_OTHERS:
        await known.connections.write(session)
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
