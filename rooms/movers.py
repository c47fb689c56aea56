"""Who does something in a room: the calling application or a person, and whether they may.

Acts and roles: `rooms.authority`; a person's role is the one of now (`rooms.moderators`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from sqlalchemy import select

from rooms.authority import ModerationAct, may_act
from rooms.context import room_row
from rooms.errors import Forbidden, NotFound
from rooms.moderators import Moderator, moderating_role
from rooms.tables import ConnectionRow, ParticipantRow, RoomRow

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.model import Role
    from rooms.transitions import Cause


@dataclass(frozen=True, slots=True)
class Application:
    """The calling application, on a room of its tenant."""

    tenant: str
    room_id: str


Mover = Application | Moderator
"""Who does it, and in which room."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The room of an act, and who does it."""

    room: RoomRow
    cause: Cause
    by: str | None
    """Identity of a person who acts; `None` for the application."""
    role: Role | None
    """Of a person who acts; `None` for the application."""


async def enter(session: AsyncSession, who: Mover, act: ModerationAct, identity: str | None = None) -> Stage:
    """Find the room, and refuse who may not do this (to that person).

    Raise `NotFound` for a room or person that does not exist for the caller, and `Forbidden`.
    """
    if isinstance(who, Application):
        stage = Stage(await room_row(session, who.tenant, who.room_id), "api", None, None)
        target = None if identity is None else await _role_of(session, stage.room, identity)
    else:
        room = await session.get(RoomRow, who.admission.room_id)
        if room is None:
            raise NotFound("room")
        role = await moderating_role(session, room, who, act)
        stage = Stage(room, "host", who.admission.identity, role)
        target = None if identity is None else await _role_of(session, room, identity)
        if not may_act(act, role, target):
            raise Forbidden("a delegate takes nothing away from a host")
    if identity is not None and target is None:
        raise NotFound("participant")
    return stage


async def _role_of(session: AsyncSession, room: RoomRow, identity: str) -> Role | None:
    """Give the role of somebody who is expected or in the call; `None` if there is nobody of that id."""
    row = await session.get(ParticipantRow, (room.uid, identity))
    if row is not None and not row.forgotten:
        return cast("Role", row.role)
    query = select(ConnectionRow.role).where(
        ConnectionRow.room_uid == room.uid, ConnectionRow.identity == identity
    )
    return cast("Role | None", await session.scalar(query.limit(1)))
