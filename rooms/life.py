"""Moves rooms and participants along their tables: the row and the event that tells of it, both or neither.

Every change of a stored state goes through here. The tables decide (`rooms.states`, `rooms.presence`); this
collects the facts that their guards ask for and writes down what follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from sqlalchemy import func, select

from rooms.events import CountedRoom, append_event
from rooms.groups import close_groups
from rooms.presence import ASKING_OF_OTHERS, PresenceAct, PresenceFacts, must_wait, participant_after
from rooms.states import (
    OVER,
    Attendance,
    RoomAct,
    RoomFacts,
    attended,
    moved_by_people,
    next_deadline,
    room_after,
)
from rooms.tables import ConnectionRow, ParticipantRow, RoomRow

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.events import EventType
    from rooms.model import ParticipantState, Role, RoomState
    from rooms.transitions import Cause

_TELLING: dict[ParticipantState, EventType] = {
    "waiting": "participant.waiting",
    "admitted": "participant.admitted",
    "denied": "participant.denied",
    "removed": "participant.removed",
}
"""The states of a participant that events tell of; connections have events of their own."""
_IN: frozenset[ParticipantState] = frozenset({"admitted", "connected"})
_OUT: frozenset[ParticipantState] = frozenset({"expected", "denied", "removed"})
_BY_CALLERS = frozenset({PresenceAct.ADMIT, PresenceAct.DENY, PresenceAct.REMOVE, PresenceAct.PUT_BACK})


class LivingRoom(CountedRoom, Protocol):
    """What the row of a room has to tell those who go in and out."""

    state: str
    closes_at: float | None
    waiting_room: bool


class Movable(Protocol):
    """The row of a participant, watched by SQLAlchemy or not, that is moved along the table."""

    identity: str
    role: str
    state: str
    version: int
    waiting_since: float | None
    admitted_at: float | None


async def begin(session: AsyncSession, room: RoomRow, cause: Cause, *, now: float) -> None:
    """Add a new room and tell of it."""
    session.add(room)
    data = {"before": None, "state": room.state, "cause": cause}
    await append_event(session, room, "room.planned", data, now=now)


async def move_room(
    session: AsyncSession,
    room: RoomRow,
    act: RoomAct,
    cause: Cause,
    *,
    overrun: float,
    now: float,
    attendance: Attendance | None = None,
) -> bool:
    """Do what the table says; `False` if the act changes nothing. `overrun` is in seconds."""
    attendance = attendance or await attendance_of(session, room)
    facts = RoomFacts(past_closing=_past_closing(room, now=now), people=attendance.people)
    before = cast("RoomState", room.state)
    after = room_after(before, act, cause, facts)
    if after is None:
        return False
    room.state = after
    room.version += 1
    room.ended_at = now if after in OVER else None
    if after in OVER:
        room.locked_at = room.locked_in = None
    if after == "in_progress" and room.started_at is None:
        room.started_at = now
    room.due_at = next_deadline(after, room.closes_at, overrun_seconds=overrun)
    type_ = cast("EventType", "room.reopened" if act is RoomAct.REOPEN else f"room.{after}")
    await append_event(session, room, type_, {"before": before, "state": after, "cause": cause}, now=now)
    if after in OVER:
        await close_groups(session, room, cause, now=now)
        await _send_home(session, room, cause, now=now)
    return True


async def move_participant(
    session: AsyncSession,
    room: LivingRoom,
    row: Movable,
    act: PresenceAct,
    cause: Cause,
    *,
    now: float,
    connection: str | None = None,
    by: str | None = None,
) -> bool:
    """Do what the table says; `False` if the act changes nothing.

    `connection` is the one that the act is about, where it is about one; `by` is the host who does it.
    """
    facts = await _facts(session, room, row, act, connection)
    after = participant_after(cast("ParticipantState", row.state), act, cause, facts)
    if after is None:
        return False
    row.state = after
    if act in _BY_CALLERS:
        row.version += 1
    if after == "waiting":
        row.waiting_since = now
    elif after != "admitted":  # who is admitted still stands in the waiting room, until the door is passed
        row.waiting_since = None
    if after in _IN:
        row.admitted_at = row.admitted_at or now
    elif after in _OUT:
        row.admitted_at = None
    if after in _TELLING:
        data = {"identity": row.identity, "role": row.role, "cause": cause}
        if by is not None:
            data["by"] = by
        await append_event(session, room, _TELLING[after], data, now=now)
    return True


def follows_attendance(room: LivingRoom, *, now: float) -> bool:
    """Whether people who come and go can move the room now."""
    return moved_by_people(cast("RoomState", room.state), past_closing=_past_closing(room, now=now))


async def follow_attendance(session: AsyncSession, room: RoomRow, *, overrun: float, now: float) -> None:
    """Move the room as those who are there now make it; to be called after people came or went."""
    if not follows_attendance(room, now=now):
        return
    attendance = await attendance_of(session, room)
    act = attended(attendance)
    await move_room(session, room, act, "media", overrun=overrun, now=now, attendance=attendance)


async def attendance_of(session: AsyncSession, room: RoomRow) -> Attendance:
    """Count who is in the call and who waits."""
    roles = select(ConnectionRow.role, func.count(ConnectionRow.identity.distinct()))
    found = await session.execute(
        roles.where(ConnectionRow.room_uid == room.uid).group_by(ConnectionRow.role)
    )
    counts = dict(found.all())
    hosts, observers = counts.pop("host", 0), counts.pop("observer", 0)
    waiting = select(func.count()).select_from(ParticipantRow).where(*_standing_before(room))
    return Attendance(hosts, sum(counts.values()), observers, await session.scalar(waiting) or 0)


def has_to_wait(room: LivingRoom, role: str, row: Movable | None) -> bool:
    """Whether a person needs an admission before entering now; one who was denied always does."""
    if row is not None and row.state == "denied":
        return True
    admitted = row is not None and row.admitted_at is not None
    return must_wait(cast("Role", role), waiting_room=room.waiting_room, admitted=admitted)


async def _facts(
    session: AsyncSession, room: LivingRoom, row: Movable, act: PresenceAct, connection: str | None
) -> PresenceFacts:
    waits = has_to_wait(room, row.role, row)
    if act not in ASKING_OF_OTHERS:
        return PresenceFacts(must_wait=waits, up=0, open=0)
    others = select(ConnectionRow.lost_at).where(
        ConnectionRow.room_uid == room.uid,
        ConnectionRow.identity == row.identity,
        ConnectionRow.id != (connection or ""),
    )
    lost = list(await session.scalars(others))
    return PresenceFacts(must_wait=waits, up=lost.count(None), open=len(lost))


def _past_closing(room: LivingRoom, *, now: float) -> bool:
    return room.closes_at is not None and now >= room.closes_at


async def _send_home(session: AsyncSession, room: RoomRow, cause: Cause, *, now: float) -> None:
    for row in await session.scalars(select(ParticipantRow).where(*_standing_before(room))):
        await move_participant(session, room, row, PresenceAct.GIVE_UP, cause, now=now)


def _standing_before(room: RoomRow) -> tuple[ColumnElement[bool], ...]:
    return (ParticipantRow.room_uid == room.uid, ParticipantRow.waiting_since.is_not(None))
