"""Moderation of a call: each act is checked, written with its event, and then told to the call.

Theory of operation. An act comes from the calling application or from a host or delegate in the room. Their
rights are read in the transaction of the act, so who was removed or lost the role a moment ago does nothing
more. What lasts (restraints, the lock, a removal, the end) is stored; what does not (muting, lowering a hand)
leaves its event only. The call hears of it once it is on disk (`RoomObserver`), as of any other change.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from sqlalchemy import select

from rooms import rows
from rooms.authority import ModerationAct
from rooms.context import log
from rooms.errors import InvalidTransition
from rooms.events import append_event
from rooms.legs import check_here
from rooms.life import move_room
from rooms.movers import enter
from rooms.participants import add_participant, participants_of, remove_person
from rooms.rights import forbidden_sources
from rooms.states import RoomAct
from rooms.tables import ConnectionRow, ParticipantRow, RoomRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.context import Context
    from rooms.events import EventType
    from rooms.model import Participant, Restraints, Room, Source
    from rooms.movers import Mover, Stage


class Moderation:
    """What hosts, delegates and applications do in calls.

    Every method raises `NotFound` for a room or person that does not exist for the caller, and `Forbidden`
    for somebody who may not do it.
    """

    def __init__(self, context: Context) -> None:
        """Work on the shared store."""
        self._context = context

    async def mute(self, who: Mover, identity: str | None, sources: Iterable[Source], *, now: float) -> None:
        """Mute what a person publishes of these sources; `None`: everybody who does not moderate."""
        muted = forbidden_sources(sources)
        async with self._context.change() as session:
            stage = await enter(session, who, ModerationAct.MUTE, identity)
            await _tell(session, stage, "muted", identity, {"sources": list(muted)}, now=now)
        self._context.tell(lambda one: one.tracks_muted(stage.room.uid, identity, muted))

    async def restrain(
        self,
        who: Mover,
        identity: str | None,
        *,
        forbidden: Iterable[Source] | None = None,
        may_unmute: bool | None = None,
        now: float,
    ) -> Restraints:
        """Say what is forbidden to a person, or (`None`) to everybody who does not moderate.

        What is not given stays. A source that is forbidden and published ends at once.
        """
        async with self._context.change() as session:
            stage = await enter(session, who, ModerationAct.RESTRAIN, identity)
            row: RoomRow | ParticipantRow = stage.room
            if identity is not None:
                row = await self._row(session, stage.room, identity, now=now)
            before = rows.restraints_of(row)
            after = replace(
                before,
                forbidden=before.forbidden if forbidden is None else forbidden_sources(forbidden),
                may_unmute=before.may_unmute if may_unmute is None else may_unmute,
            )
            if after != before:
                rows.write_restraints(row, after)
                row.version += 1
                said = {"forbidden": list(after.forbidden), "may_unmute": after.may_unmute}
                await _tell(session, stage, "restrained", identity, said, now=now)
            rules = rows.rules_of(stage.room)
        if identity is None:
            self._context.tell(lambda one: one.room_changed(stage.room.uid, rules))
        else:
            self._context.tell(lambda one: one.participant_restrained(stage.room.uid, identity, after))
        return after

    async def lower_hand(self, who: Mover, identity: str | None, *, now: float) -> None:  # noqa: ARG002
        """Lower a person's hand; `None`: everybody's. The call tells of it where a hand was up.

        Raise `Elsewhere` if another server carries the call.
        """
        await self._context.catch_up()
        async with self._context.store.read() as session:
            stage = await enter(session, who, ModerationAct.LOWER_HAND, identity)
            await check_here(self._context, session, stage.room.uid)
        self._context.tell(lambda one: one.hands_lowered(stage.room.uid, identity, stage.by))

    async def lock(self, who: Mover, *, now: float) -> Room:
        """Let nobody new in: who was in the call comes back, who waits already keeps the place."""
        async with self._context.change() as session:
            stage = await enter(session, who, ModerationAct.LOCK)
            room = stage.room
            if room.locked_at is None:
                inside = select(ConnectionRow.identity).where(ConnectionRow.room_uid == room.uid).distinct()
                room.locked_at, room.locked_in = now, sorted(await session.scalars(inside))
                room.version += 1
                await _tell(session, stage, "locked", None, {}, now=now)
        return self._changed(room)

    async def unlock(self, who: Mover, *, now: float) -> Room:
        """Let people in again as before the lock."""
        async with self._context.change() as session:
            stage = await enter(session, who, ModerationAct.UNLOCK)
            room = stage.room
            if room.locked_at is not None:
                room.locked_at = room.locked_in = None
                room.version += 1
                await _tell(session, stage, "unlocked", None, {}, now=now)
        return self._changed(room)

    async def remove(self, who: Mover, identity: str, *, now: float) -> Participant:
        """Throw a person out, who stays out until the application puts them again."""
        async with self._context.change() as session:
            stage = await enter(session, who, ModerationAct.REMOVE, identity)
            row = await remove_person(
                self._context, session, stage.room, identity, stage.cause, by=stage.by, now=now
            )
            (participant,) = await participants_of(session, stage.room, [row])
        log.info("participant_removed", extra={"room": stage.room.uid})
        self._context.tell(lambda one: one.participant_removed(stage.room.uid, identity))
        return participant

    async def end(self, who: Mover, *, now: float) -> Room:
        """End the call for everybody; raise `InvalidTransition` where there is none to end."""
        async with self._context.change() as session:
            stage = await enter(session, who, ModerationAct.END)
            overrun = self._context.settings.overrun_seconds
            if not await move_room(
                session, stage.room, RoomAct.FINISH, stage.cause, overrun=overrun, now=now
            ):
                state = stage.room.state
                raise InvalidTransition(state, f"there is no call to end while the room is {state}")
            return rows.room_of(stage.room)

    async def _row(
        self, session: AsyncSession, room: RoomRow, identity: str, *, now: float
    ) -> ParticipantRow:
        row = await session.get(ParticipantRow, (room.uid, identity))
        if row is None:  # in the call with a token of LiveKit's SDK alone
            row = await add_participant(self._context, session, room, identity, now=now)
            row.forgotten = True
        return row

    def _changed(self, row: RoomRow) -> Room:
        room, rules = rows.room_of(row), rows.rules_of(row)
        self._context.tell(lambda one: one.room_changed(room.uid, rules))
        return room


async def _tell(
    session: AsyncSession,
    stage: Stage,
    what: str,
    identity: str | None,
    said: dict[str, object],
    *,
    now: float,
) -> None:
    whom = {} if identity is None else {"identity": identity}
    type_ = cast("EventType", f"{'room' if identity is None else 'participant'}.{what}")
    data = {**whom, **said, "cause": stage.cause, "by": stage.by}
    await append_event(session, stage.room, type_, data, now=now)
