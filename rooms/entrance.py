"""The door: whether the bearer of a join token may come in now, and with which rights.

Theory of operation. A token is signed, so what it says was true when it was made; the store says what is true
now. The store wins: a removed participant stays out, a token of an earlier epoch is dead, stored rights bound
the token's. A token that LiveKit's SDK made carries no epoch; the time at which it was made stands in for it.
Only the bearer of a valid token for a room learns more than "no" about that room.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import and_, bindparam, select

from rooms import rows
from rooms.context import find_room_row, log
from rooms.errors import JoinRefused, StoreUnavailable
from rooms.ids import new_room_uid
from rooms.life import begin, has_to_wait
from rooms.model import Admission, Features, GroupPlace, Restraints, Role, RoomDraft, RoomState, Warrant
from rooms.plain_rows import PlainRows
from rooms.presence import locked_out
from rooms.rights import in_force
from rooms.states import next_deadline
from rooms.tables import ConnectionRow, GroupMemberRow, GroupRow, ParticipantRow, RoomRow
from rooms.tokens import (
    InvalidTokenError,
    JoinClaims,
    OversizeTokenError,
    ProbeTokenError,
    mint_join_token,
    read_join_token,
)
from rooms.window import outside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Row, Select, Table

    from rooms.context import Context, RoomsSettings
    from rooms.keys import ApiKey

    _Found = tuple[RoomRow, ParticipantRow | None, GroupRow | None]
    """A room, and of the person what is stored and the group it is placed in."""

_ROOMS, _PEOPLE, _GROUPS = PlainRows(RoomRow), PlainRows(ParticipantRow), PlainRows(GroupRow)
_PERSON_AT, _GROUP_AT = len(_ROOMS.columns), len(_ROOMS.columns) + len(_PEOPLE.columns)


def _whom_a_token_names() -> Select[Any]:
    room, person, group = _ROOMS.table, _PEOPLE.table, _GROUPS.table
    member = cast("Table", GroupMemberRow.__table__)
    identity = bindparam("identity", type_=person.c.identity.type)
    found = (
        room.outerjoin(person, and_(person.c.room_uid == room.c.uid, person.c.identity == identity))
        .outerjoin(member, and_(member.c.room_uid == room.c.uid, member.c.identity == identity))
        .outerjoin(group, group.c.id == member.c.group_id)
    )
    return (
        select(*_ROOMS.columns, *_PEOPLE.columns, *_GROUPS.columns)
        .select_from(found)
        .where(room.c.tenant == bindparam("tenant"), room.c.id == bindparam("room"))
    )


# One question for all, put together once: each by itself costs a join a third of a millisecond.
_WHOM_A_TOKEN_NAMES = _whom_a_token_names()


async def verify_join(context: Context, token: str, *, now: float, waits: bool = False) -> Admission:
    """Check a join token against the store; raise `JoinRefused`.

    Whoever has to wait and was not admitted is let pass with `waits` only, for the waiting room.
    """
    try:
        claims = read_join_token(token, context.keys, now=now)
    except ProbeTokenError as error:
        raise JoinRefused("test-only", str(error)) from error
    except InvalidTokenError as error:
        raise JoinRefused("unauthenticated", str(error)) from error
    try:
        room, participant, group = await _find_or_make(context, claims, now=now)
    except StoreUnavailable as error:
        raise JoinRefused("busy", str(error)) from error
    if claims.room_uid not in {None, room.uid}:
        raise JoinRefused("revoked", "made for an earlier room of this id")
    _check_participant(claims, participant)
    if (reason := outside(room, now=now)) is not None:
        raise JoinRefused(reason)
    admission = _admission(claims, room, participant, group)
    if room.locked_at is not None and await is_locked_out(context, room, claims.identity, admission.role):
        raise JoinRefused("locked")
    if not waits and admission.must_wait:
        raise JoinRefused("not-admitted")
    return admission


async def refresh_token(context: Context, admission: Admission, *, now: float) -> str:
    """Sign a new token for somebody in the call, which allows what the one before did; raise `JoinRefused`.

    Metadata and attributes that do not fit into a token are left out: who comes back with it finds them kept
    in the call.
    """
    try:
        async with context.store.read() as session:
            room = await session.get(RoomRow, admission.room_id)
            participant = await session.get(ParticipantRow, (admission.room_id, admission.identity))
    except StoreUnavailable as error:
        raise JoinRefused("busy", str(error)) from error
    if room is None:
        raise JoinRefused("not-found")
    if participant is not None and _is_dead(participant, admission.epoch):
        raise JoinRefused("revoked")
    key = context.keys.signing_for(room.tenant)
    if key is None:
        raise JoinRefused("unauthenticated", "the tenant has no key any more")
    stored = {} if participant is None else participant.attributes
    own = {name: value for name, value in admission.attributes.items() if name not in stored}
    for metadata, attributes in ((admission.metadata, own), ("", own), (admission.metadata, {})):
        with suppress(OversizeTokenError):
            return _renewed(context, key, room, admission, metadata, attributes, now=now)
    return _renewed(context, key, room, admission, "", {}, now=now)


async def place(context: Context, admission: Admission, *, now: float) -> tuple[Admission, str]:
    """Say where in its room somebody in the call belongs now, with a fresh token; raise `JoinRefused`."""
    token = await refresh_token(context, admission, now=now)
    query = (
        select(GroupRow)
        .join(GroupMemberRow)
        .where(GroupMemberRow.room_uid == admission.room_id, GroupMemberRow.identity == admission.identity)
    )
    try:
        async with context.store.read() as session:
            group = await session.scalar(query)
    except StoreUnavailable as error:
        raise JoinRefused("busy", str(error)) from error
    return replace(admission, group=_place_in(group)), token


async def transfer(
    context: Context, admission: Admission, room_id: str, *, now: float
) -> tuple[Admission, str]:
    """Let somebody in a call into another room of the same tenant; raise `JoinRefused`.

    A token for it is made first and checked like any other, so that no rule of the door is passed by.
    """
    try:
        async with context.store.read() as session:
            home = await session.get(RoomRow, admission.room_id)
            room = None if home is None else await find_room_row(session, home.tenant, room_id)
    except StoreUnavailable as error:
        raise JoinRefused("busy", str(error)) from error
    if room is None:
        raise JoinRefused("not-found")
    key = context.keys.signing_for(room.tenant)
    if key is None:
        raise JoinRefused("unauthenticated", "the tenant has no key any more")
    token = mint_join_token(
        key.key,
        key.secret,
        room=room.id,
        identity=admission.identity,
        # What the room left behind switches off or takes away stays there.
        grants=in_force(replace(admission.warrant, restraints=Restraints()), Features()),
        now=now,
        ttl_seconds=context.settings.token_ttl_seconds,
        name=admission.name,
        role=cast("Role", admission.role),
        room_uid=room.uid,
    )
    found = await verify_join(context, token, now=now)
    there = replace(
        found, metadata=admission.metadata, attributes={**admission.attributes, **found.attributes}
    )
    return there, await refresh_token(context, there, now=now)


def _renewed(
    context: Context,
    key: ApiKey,
    room: RoomRow,
    admission: Admission,
    metadata: str,
    attributes: Mapping[str, str],
    *,
    now: float,
) -> str:
    return mint_join_token(
        key.key,
        key.secret,
        room=room.id,
        identity=admission.identity,
        grants=admission.warrant.token or admission.grants,
        repeats_stored=admission.warrant.token is None,
        now=now,
        ttl_seconds=context.settings.token_ttl_seconds,
        name=admission.name,
        metadata=metadata,
        attributes=attributes,
        role=cast("Role", admission.role),
        room_uid=room.uid,
        epoch=admission.epoch,
    )


def new_room_row(tenant: str, room_id: str, draft: RoomDraft, settings: RoomsSettings, now: float) -> RoomRow:
    """Make the row of a room; what the caller left open is taken from the settings, for good."""
    row = RoomRow(
        uid=new_room_uid(),
        tenant=tenant,
        id=room_id,
        created_at=now,
        version=1,
        state="planned",
        started_at=None,
        ended_at=None,
        last_seq=0,
        shared_metadata=draft.shared_metadata,
    )
    write_draft(row, draft, settings)
    return row


def write_draft(row: RoomRow, draft: RoomDraft, settings: RoomsSettings) -> None:
    """Put a draft into a row, with the settings' opening hours where it names none."""
    before, after = draft.open_before_minutes, draft.close_after_minutes
    rows.write_room(
        row,
        draft,
        open_before_minutes=settings.open_before_minutes if before is None else before,
        close_after_minutes=settings.close_after_minutes if after is None else after,
    )
    state = cast("RoomState", row.state)
    row.due_at = next_deadline(state, row.closes_at, overrun_seconds=settings.overrun_seconds)


async def is_locked_out(context: Context, room: RoomRow, identity: str, role: str) -> bool:
    """Whether the lock of a room keeps this person out; raise `JoinRefused` if that cannot be found out."""
    try:
        async with context.store.read() as session:
            row = await session.get(ParticipantRow, (room.uid, identity))
            connected = select(ConnectionRow.id).where(
                ConnectionRow.room_uid == room.uid, ConnectionRow.identity == identity
            )
            known = (
                identity in (room.locked_in or ())
                or (row is not None and (row.admitted_at is not None or row.state == "waiting"))
                or await session.scalar(connected.limit(1)) is not None
            )
    except StoreUnavailable as error:
        raise JoinRefused("busy", str(error)) from error
    return locked_out(cast("Role", role), locked=True, known=known)


async def _find_or_make(context: Context, claims: JoinClaims, *, now: float) -> _Found:
    whom = {"tenant": claims.tenant, "room": claims.room, "identity": claims.identity}
    found = await context.store.ask(_WHOM_A_TOKEN_NAMES, whom)
    if found is not None:
        return _read(found)
    # A token that was made for a stored room must not bring it back after it was deleted.
    if claims.room_uid is not None or not context.settings.create_on_join:
        raise JoinRefused("not-found")
    async with context.change() as session:
        found = (await session.execute(_WHOM_A_TOKEN_NAMES, whom)).one_or_none()
        if found is None:
            room = new_room_row(claims.tenant, claims.room, RoomDraft(kind="group"), context.settings, now)
            await begin(session, room, "media", now=now)
            log.info("room_created", extra={"room": room.uid, "reason": "joined"})
            return room, None, None
        return _read(found)


def _read(found: Row[Any]) -> _Found:
    room = _ROOMS.read(found[:_PERSON_AT])
    assert room is not None  # noqa: S101 - the question is for one
    return room, _PEOPLE.read(found[_PERSON_AT:_GROUP_AT]), _GROUPS.read(found[_GROUP_AT:])


def _place_in(group: GroupRow | None) -> GroupPlace | None:
    return None if group is None else GroupPlace(group.id, group.name, group.closes_at)


def _check_participant(claims: JoinClaims, participant: ParticipantRow | None) -> None:
    if participant is None:
        if claims.epoch:
            raise JoinRefused("revoked", "the participant is gone")
        return
    if participant.state == "removed":
        raise JoinRefused("revoked", "removed")
    if claims.epoch is not None:
        if _is_dead(participant, claims.epoch):
            raise JoinRefused("revoked", "earlier epoch")
    elif participant.revoked_at is not None and (claims.issued_at or 0.0) <= participant.revoked_at:
        raise JoinRefused("revoked", "made before the participant was removed")


def _is_dead(participant: ParticipantRow, epoch: int) -> bool:
    return participant.state == "removed" or epoch < participant.epoch


def _admission(
    claims: JoinClaims, room: RoomRow, participant: ParticipantRow | None, group: GroupRow | None
) -> Admission:
    rules = rows.rules_of(room)
    if participant is None or participant.forgotten:
        role: str = claims.role or ("host" if claims.grants.room_admin else "guest")
        taken = Restraints() if participant is None else rows.restraints_of(participant)
        warrant, name, attributes = Warrant(None, claims.grants, taken), claims.name, claims.attributes
    else:
        role = participant.role
        warrant = Warrant(
            rows.grants_of(participant),
            None if claims.repeats_stored else claims.grants,
            rows.restraints_of(participant),
        )
        name = participant.name or claims.name
        attributes = {**claims.attributes, **participant.attributes}
    return Admission(
        room_id=room.uid,
        room_name=room.id,
        identity=claims.identity,
        name=name,
        role=role,
        grants=in_force(warrant, rules.features, rules.restraints, bandwidth=rules.bandwidth),
        warrant=warrant,
        metadata=claims.metadata,
        attributes=attributes,
        epoch=0 if participant is None else participant.epoch,
        expires_at=claims.expires_at,
        rules=rules,
        group=_place_in(group),
        must_wait=has_to_wait(room, role, participant),
    )
