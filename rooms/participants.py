"""Participants of a room: put, read, forget, remove, and the tokens that let them in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from sqlalchemy import delete, func, select

from rooms import rows
from rooms.context import log, room_row
from rooms.errors import Full, InvalidValue, NotFound, Removed, StaleVersion
from rooms.events import append_event
from rooms.groups import groups_of
from rooms.ids import is_usable_id
from rooms.life import follow_attendance, has_to_wait, move_participant
from rooms.model import Participant, ParticipantDraft, Role, Room, Warrant
from rooms.presence import PresenceAct
from rooms.rights import in_force
from rooms.tables import ConnectionTestRow, ParticipantRow, RoomRow
from rooms.tokens import clean_name, mint_join_token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.context import Context
    from rooms.keys import ApiKey
    from rooms.transitions import Cause


@dataclass(frozen=True, slots=True)
class Ticket:
    """A join token and whom it lets in."""

    token: str
    room: Room
    identity: str
    name: str
    role: Role
    expires_at: float
    must_wait: bool
    """The person is to be admitted first: until then the token opens the waiting room only."""


class Participants:
    """The people of a tenant's rooms."""

    def __init__(self, context: Context) -> None:
        """Work on the shared store."""
        self._context = context

    async def put(
        self,
        tenant: str,
        room_id: str,
        identity: str,
        draft: ParticipantDraft,
        *,
        now: float,
        if_version: int | None = None,
        put_back: bool = True,
    ) -> tuple[Participant, bool]:
        """Make or replace a participant; say whether it was made.

        One who was removed is let in again, unless `put_back` is false.
        """
        if not is_usable_id(identity):
            raise InvalidValue("identity", "must be 1 to 128 printable characters without a slash")
        async with self._context.change() as session:
            room = await room_row(session, tenant, room_id)
            row = await session.get(ParticipantRow, (room.uid, identity))
            made = row is None or row.forgotten
            before = {} if row is None else row.attributes
            known = None if row is None or made else rows.draft_of(row)
            if if_version is not None and (row is None or made or row.version != if_version):
                raise StaleVersion("participant")
            if row is None:
                row = await add_participant(self._context, session, room, identity, now=now)
                rows.write_participant(row, draft)
            else:
                _rewrite(row, draft, now=now)
                if put_back:
                    await move_participant(session, room, row, PresenceAct.PUT_BACK, "api", now=now)
                if known is not None and rows.draft_of(row) != known:
                    data = {"identity": identity, "role": row.role, "cause": "api"}
                    await append_event(session, room, "participant.updated", data, now=now)
            (participant,) = await participants_of(session, room, [row])
        stored = rows.grants_of(row)
        name, attributes = participant.name or "", {**dict.fromkeys(before, ""), **participant.attributes}
        self._context.tell(lambda one: one.participant_changed(room.uid, identity, stored, name, attributes))
        return participant, made

    async def get(self, tenant: str, room_id: str, identity: str) -> Participant:
        """Give one participant."""
        async with self._context.store.read() as session:
            room = await room_row(session, tenant, room_id)
            (participant,) = await participants_of(session, room, [await _known(session, room, identity)])
            return participant

    async def list(
        self, tenant: str, room_id: str, *, after: str | None = None, limit: int = 100
    ) -> list[Participant]:
        """Give up to `limit` participants in order of identity, those after `after`."""
        async with self._context.store.read() as session:
            room = await room_row(session, tenant, room_id)
            query = select(ParticipantRow).where(
                ParticipantRow.room_uid == room.uid, ParticipantRow.forgotten.is_(False)
            )
            if after is not None:
                query = query.where(ParticipantRow.identity > after)
            found = await session.scalars(query.order_by(ParticipantRow.identity).limit(limit))
            return await participants_of(session, room, list(found))

    async def forget(self, tenant: str, room_id: str, identity: str, *, now: float) -> None:
        """Delete a participant: what was stored about the person is gone and every earlier token is dead.

        One who was removed or denied stays out until put back.
        """
        async with self._context.change() as session:
            room = await room_row(session, tenant, room_id)
            row = await _known(session, room, identity)
            await move_participant(session, room, row, PresenceAct.GIVE_UP, "api", now=now)
            rows.write_participant(row, ParticipantDraft())
            row.restraints = None
            own = (ConnectionTestRow.room_uid == room.uid, ConnectionTestRow.identity == identity)
            await session.execute(delete(ConnectionTestRow).where(*own))
            if row.state not in {"removed", "denied"}:
                row.state = "expected"  # whoever comes under this id later is somebody new
            row.forgotten, row.admitted_at = True, None
            _end_tokens(row, now=now)
            await self._follow(session, room, now=now)
        self._context.tell(lambda one: one.participant_removed(room.uid, identity))

    async def remove(
        self, tenant: str, room_id: str, identity: str, *, now: float, cause: Cause = "api"
    ) -> Participant:
        """Throw a person out, known or not: earlier tokens are dead, none is given until put back."""
        async with self._context.change() as session:
            room = await room_row(session, tenant, room_id)
            row = await remove_person(self._context, session, room, identity, cause, now=now)
            (participant,) = await participants_of(session, room, [row])
        log.info("participant_removed", extra={"room": room.uid})
        self._context.tell(lambda one: one.participant_removed(room.uid, identity))
        return participant

    async def end_tokens(
        self, tenant: str, room_id: str, identity: str, *, now: float, cause: Cause = "api"
    ) -> None:
        """Throw somebody out without keeping them out: tokens made so far are dead, later ones are not."""
        if not is_usable_id(identity):
            raise NotFound("participant")
        async with self._context.change() as session:
            room = await room_row(session, tenant, room_id)
            row = await session.get(ParticipantRow, (room.uid, identity))
            if row is None:
                row = await add_participant(self._context, session, room, identity, now=now)
                row.forgotten = True
            _end_tokens(row, now=now)
            data = {"identity": identity, "role": row.role, "cause": cause}
            await append_event(session, room, "participant.removed", data, now=now)
        log.info("participant_removed", extra={"room": room.uid})
        self._context.tell(lambda one: one.participant_removed(room.uid, identity))

    async def mint_token(
        self,
        key: ApiKey,
        room_id: str,
        identity: str,
        *,
        now: float,
        ttl_seconds: float | None = None,
        name: str | None = None,
    ) -> Ticket:
        """Sign a join token for a stored participant; `name` is used where none is stored."""
        async with self._context.store.read() as session:
            room = await room_row(session, key.tenant, room_id)
            row = await _known(session, room, identity)
        if row.state == "removed":
            raise Removed
        return issue(self._context, key, room, row, now=now, ttl_seconds=ttl_seconds, name=name)

    async def _follow(self, session: AsyncSession, room: RoomRow, *, now: float) -> None:
        overrun = self._context.settings.overrun_seconds
        await follow_attendance(session, room, overrun=overrun, now=now)


async def participants_of(
    session: AsyncSession, room: RoomRow, found: Sequence[ParticipantRow]
) -> list[Participant]:
    """Give the participants that these rows of a room hold, each with the group where the person belongs."""
    groups = await groups_of(session, room, [row.identity for row in found])
    return [rows.participant_of(row, group=groups.get(row.identity)) for row in found]


async def remove_person(
    context: Context,
    session: AsyncSession,
    room: RoomRow,
    identity: str,
    cause: Cause,
    *,
    by: str | None = None,
    now: float,
) -> ParticipantRow:
    """Throw a person out, known or not, in the transaction of `session`; `by` is who did it, in the room."""
    row = await session.get(ParticipantRow, (room.uid, identity))
    if row is None:
        if not is_usable_id(identity):
            raise NotFound("participant")
        row = await add_participant(context, session, room, identity, now=now)
    await move_participant(session, room, row, PresenceAct.REMOVE, cause, by=by, now=now)
    row.forgotten = False
    _end_tokens(row, now=now)
    await follow_attendance(session, room, overrun=context.settings.overrun_seconds, now=now)
    return row


async def add_participant(
    context: Context, session: AsyncSession, room: RoomRow, identity: str, *, now: float
) -> ParticipantRow:
    """Add an empty row within the room's cap."""
    count = select(func.count()).select_from(ParticipantRow).where(ParticipantRow.room_uid == room.uid)
    if (await session.scalar(count) or 0) >= context.settings.max_participants_per_room:
        raise Full("participants")
    row = rows.new_participant(room.uid, identity, now=now)
    session.add(row)
    return row


def issue(
    context: Context,
    key: ApiKey,
    room: RoomRow,
    row: ParticipantRow,
    *,
    now: float,
    ttl_seconds: float | None = None,
    name: str | None = None,
) -> Ticket:
    """Sign a join token; rights and attributes are read from the store when the person comes."""
    ttl = context.settings.token_ttl_seconds if ttl_seconds is None else ttl_seconds
    shown = row.name or clean_name(name or "")
    token = mint_join_token(
        key.key,
        key.secret,
        room=room.id,
        identity=row.identity,
        grants=in_force(
            Warrant(rows.grants_of(row), None), rows.features_of(room), bandwidth=rows.bandwidth_of(room)
        ),
        repeats_stored=True,
        now=now,
        ttl_seconds=ttl,
        name=shown,
        role=cast("Role", row.role),
        room_uid=room.uid,
        epoch=row.epoch,
    )
    return Ticket(
        token=token,
        room=rows.room_of(room),
        identity=row.identity,
        name=shown,
        role=cast("Role", row.role),
        expires_at=now + ttl,
        must_wait=has_to_wait(room, row.role, row),
    )


async def _known(session: AsyncSession, room: RoomRow, identity: str) -> ParticipantRow:
    row = await session.get(ParticipantRow, (room.uid, identity))
    if row is None or row.forgotten:
        raise NotFound("participant")
    return row


def _rewrite(row: ParticipantRow, draft: ParticipantDraft, *, now: float) -> None:
    if row.forgotten:
        row.created_at = now
    rows.write_participant(row, draft)
    row.forgotten = False
    row.version += 1


def _end_tokens(row: ParticipantRow, *, now: float) -> None:
    row.epoch += 1
    row.revoked_at = now
    row.version += 1
