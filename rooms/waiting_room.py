"""The waiting room: who stands before the door, and who lets them in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from sqlalchemy import select

from rooms.authority import ModerationAct, may_act
from rooms.context import room_row
from rooms.errors import Forbidden, InvalidTransition, NotFound
from rooms.events import append_event
from rooms.life import follow_attendance, move_participant
from rooms.moderators import Moderator, moderating_role
from rooms.participants import add_participant, participants_of
from rooms.presence import PresenceAct
from rooms.scene import read_scene
from rooms.tables import ParticipantRow, RoomRow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.context import Context
    from rooms.model import Admission, Participant, ParticipantState, Role
    from rooms.scene import Scene
    from rooms.transitions import Cause

_DECISIONS: Mapping[ModerationAct, tuple[PresenceAct, ParticipantState]] = {
    ModerationAct.ADMIT: (PresenceAct.ADMIT, "admitted"),
    ModerationAct.DENY: (PresenceAct.DENY, "denied"),
}
"""What each decision does to a person, and the state in which it was done already."""


@dataclass(frozen=True, slots=True)
class Waiter:
    """Somebody who stands in the waiting room."""

    identity: str
    role: Role
    name: str | None
    """Pseudonym, where one is stored."""
    state: ParticipantState
    """`waiting`, or `admitted` until the person has gone through the door."""
    since: float


class WaitingRoom:
    """The waiting rooms of all rooms; admissions are durable, and so is everybody's place."""

    def __init__(self, context: Context) -> None:
        """Work on the shared store."""
        self._context = context

    async def knock(self, admission: Admission, *, now: float, node: str | None = None) -> ParticipantState:
        """Let a person who has to wait (`Rooms.verify_knock`) take a place, or find the one kept for them.

        `node` is the server at which they wait now, which may give the place up.

        Gives the state: `waiting`, or `admitted` (go in), `denied`, or another where there is nothing to
        wait for. A repeated knock changes no state. Raise `NotFound` if the room is gone.
        """
        async with self._context.change() as session:
            room = await self._room(session, admission.room_id)
            row = await session.get(ParticipantRow, (room.uid, admission.identity))
            if row is None:
                row = await add_participant(self._context, session, room, admission.identity, now=now)
                row.role = admission.role
            row.forgotten = False
            if await move_participant(session, room, row, PresenceAct.KNOCK, "media", now=now):
                await self._follow(session, room, now=now)
            elif row.state == "admitted" and row.waiting_since is None:
                row.waiting_since = now
            row.waiting_node = node
            return cast("ParticipantState", row.state)

    async def give_up(self, room_uid: str, identity: str, *, now: float, node: str | None = None) -> None:
        """Take somebody out of the waiting room who went away for good; an admission still holds.

        Whoever has knocked at another server than `node` since then waits there.
        """
        async with self._context.change() as session:
            room = await session.get(RoomRow, room_uid)
            row = await session.get(ParticipantRow, (room_uid, identity))
            if room is None or row is None or row.waiting_since is None or row.waiting_node != node:
                return
            if await move_participant(session, room, row, PresenceAct.GIVE_UP, "media", now=now):
                await self._follow(session, room, now=now)

    async def waiters(self, room_uid: str) -> list[Waiter]:
        """Give those who stand in the waiting room, in the order in which they came."""
        query = select(ParticipantRow).where(
            ParticipantRow.room_uid == room_uid, ParticipantRow.waiting_since.is_not(None)
        )
        async with self._context.store.read() as session:
            ordered = query.order_by(ParticipantRow.waiting_since, ParticipantRow.identity)
            return [
                Waiter(
                    row.identity,
                    cast("Role", row.role),
                    row.name,
                    cast("ParticipantState", row.state),
                    row.waiting_since or 0.0,
                )
                for row in await session.scalars(ordered)
            ]

    async def scene(self, room_uid: str, identities: Collection[str], *, now: float) -> Scene | None:
        """Give what the waiting room's channel shows, `None` if the room is gone.

        In it are those who stand in the waiting room, and of others those whose `identities` are given.
        """
        async with self._context.store.read() as session:
            return await read_scene(session, room_uid, identities, now=now)

    async def everybody(self, *, node: str | None = None) -> list[tuple[str, str]]:
        """Give the room (`uid`) and the identity of all who stand in any waiting room of a server."""
        query = select(ParticipantRow.room_uid, ParticipantRow.identity)
        standing = query.where(
            ParticipantRow.waiting_since.is_not(None), ParticipantRow.waiting_node.is_not_distinct_from(node)
        )
        async with self._context.store.read() as session:
            return [(row.room_uid, row.identity) for row in await session.execute(standing)]

    async def admit(
        self,
        tenant: str,
        room_id: str,
        identity: str,
        *,
        now: float,
        who: Moderator | None = None,
    ) -> Participant:
        """Let a person in who waits or will come; again is no error. `who` decides, or the application.

        Raise `NotFound`, `Forbidden`, or `InvalidTransition` for one who is in the call or was removed.
        """
        return await self._decide(tenant, room_id, identity, ModerationAct.ADMIT, who, now=now)

    async def deny(
        self,
        tenant: str,
        room_id: str,
        identity: str,
        *,
        now: float,
        who: Moderator | None = None,
    ) -> Participant:
        """Turn a person away until admitted or put again; again is no error. Raise as `admit` does."""
        return await self._decide(tenant, room_id, identity, ModerationAct.DENY, who, now=now)

    async def admit_all(
        self, tenant: str, room_id: str, *, now: float, who: Moderator | None = None
    ) -> list[Participant]:
        """Let everybody in who waits now, in the order in which they came; raise as `admit` does."""
        async with self._context.change() as session:
            room = await room_row(session, tenant, room_id)
            cause, by, _ = await _whose(session, room, who, ModerationAct.ADMIT)
            query = select(ParticipantRow).where(
                ParticipantRow.room_uid == room.uid, ParticipantRow.state == "waiting"
            )
            found = list(await session.scalars(query.order_by(ParticipantRow.waiting_since)))
            for row in found:
                await move_participant(session, room, row, PresenceAct.ADMIT, cause, now=now, by=by)
            return await participants_of(session, room, found)

    async def write_message(
        self, tenant: str, room_id: str, identity: str | None, *, who: Moderator, now: float
    ) -> None:
        """Write down that a host wrote to somebody who waits, or to all (`None`); the words are not kept.

        Raise `Forbidden`, or `NotFound` if that person does not wait.
        """
        async with self._context.change() as session:
            room = await room_row(session, tenant, room_id)
            cause, by, _ = await _whose(session, room, who, ModerationAct.WRITE)
            if identity is not None:
                row = await session.get(ParticipantRow, (room.uid, identity))
                if row is None or row.waiting_since is None:
                    raise NotFound("participant")
            data = {"identity": identity, "cause": cause, "by": by}
            await append_event(session, room, "waiting_room.message", data, now=now)

    async def write_late_notice(
        self, tenant: str, room_id: str, minutes: int, *, who: Moderator, now: float
    ) -> None:
        """Write down that the host is so late; 0 takes the notice back. Raise `Forbidden`."""
        async with self._context.change() as session:
            room = await room_row(session, tenant, room_id)
            cause, by, _ = await _whose(session, room, who, ModerationAct.WRITE)
            data = {"minutes": minutes, "cause": cause, "by": by}
            await append_event(session, room, "waiting_room.late_notice", data, now=now)

    async def _decide(
        self,
        tenant: str,
        room_id: str,
        identity: str,
        act: ModerationAct,
        who: Moderator | None,
        *,
        now: float,
    ) -> Participant:
        move, decided = _DECISIONS[act]
        async with self._context.change() as session:
            room = await room_row(session, tenant, room_id)
            cause, by, role = await _whose(session, room, who, act)
            row = await session.get(ParticipantRow, (room.uid, identity))
            if row is None or row.forgotten:
                raise NotFound("participant")
            if role is not None and not may_act(act, role, cast("Role", row.role)):
                raise Forbidden("a delegate takes nothing away from a host")
            if await move_participant(session, room, row, move, cause, now=now, by=by):
                await self._follow(session, room, now=now)
            elif row.state != decided:
                raise InvalidTransition(row.state, f"a participant who is {row.state} cannot be {decided}")
            (participant,) = await participants_of(session, room, [row])
            return participant

    async def _room(self, session: AsyncSession, room_uid: str) -> RoomRow:
        room = await session.get(RoomRow, room_uid)
        if room is None:
            raise NotFound("room")
        return room

    async def _follow(self, session: AsyncSession, room: RoomRow, *, now: float) -> None:
        overrun = self._context.settings.overrun_seconds
        await follow_attendance(session, room, overrun=overrun, now=now)


async def _whose(
    session: AsyncSession, room: RoomRow, who: Moderator | None, act: ModerationAct
) -> tuple[Cause, str | None, Role | None]:
    """Give the cause of an act, by whom it is and in which role; raise `Forbidden`, or `NotFound`."""
    if who is None:
        return "api", None, None
    if who.admission.room_id != room.uid:
        raise NotFound("room")
    role = await moderating_role(session, room, who, act)
    return "host", who.admission.identity, role
