"""Links to the web page: made once, shown once, opened by the person who holds them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from sqlalchemy import func, select

from rooms import rows
from rooms.answers import earlier_answer, keep_answer
from rooms.context import room_row
from rooms.entrance import is_locked_out
from rooms.errors import (
    Full,
    IdempotencyMismatch,
    InvalidValue,
    JoinRefused,
    NotFound,
    Removed,
    StoreUnavailable,
)
from rooms.ids import guest_identity, new_link_id, new_link_secret, secret_hash
from rooms.model import Link
from rooms.participants import Ticket, add_participant, issue
from rooms.ratings import rate
from rooms.tables import LinkRow, ParticipantRow, RoomRow
from rooms.window import outside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.answers import Answer
    from rooms.context import Context
    from rooms.model import Role, Room
    from rooms.ratings import Reason
    from rooms.retold import Retold


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the page may say before the person joins."""

    room: Room
    identity: str | None
    """Set when the link belongs to one participant."""
    name: str | None
    role: Role


class Links:
    """The ways into a tenant's rooms through the page."""

    def __init__(self, context: Context) -> None:
        """Work on the shared store."""
        self._context = context

    async def create_for_participant(
        self,
        tenant: str,
        room_id: str,
        identity: str,
        *,
        now: float,
        expires_at: float | None = None,
        retold: Retold | None = None,
    ) -> tuple[Link, str]:
        """Make a link bound to a stored participant; the second value is its secret, never shown again.

        With `retold`, a repeated request makes nothing and gets the same link.
        """
        async with self._context.store.write() as session:
            if (earlier := await _earlier(session, tenant, retold, now=now)) is not None:
                return earlier
            room = await room_row(session, tenant, room_id)
            row = await session.get(ParticipantRow, (room.uid, identity))
            if row is None or row.forgotten:
                raise NotFound("participant")
            if row.state == "removed":
                raise Removed
            role = cast("Role", row.role)
            return await self._add(session, room, identity, role, now, expires_at, retold)

    async def create_for_guests(
        self,
        tenant: str,
        room_id: str,
        *,
        role: Role = "guest",
        now: float,
        expires_at: float | None = None,
        retold: Retold | None = None,
    ) -> tuple[Link, str]:
        """Make a link by which anybody who holds it joins as a guest of `role`; `retold` as above."""
        async with self._context.store.write() as session:
            if (earlier := await _earlier(session, tenant, retold, now=now)) is not None:
                return earlier
            room = await room_row(session, tenant, room_id)
            return await self._add(session, room, None, role, now, expires_at, retold)

    async def delete(self, tenant: str, link_id: str) -> None:
        """End a link; tokens that it gave end by themselves."""
        async with self._context.store.write() as session:
            query = select(LinkRow).join(RoomRow).where(LinkRow.id == link_id, RoomRow.tenant == tenant)
            row = (await session.scalars(query)).one_or_none()
            if row is None:
                raise NotFound("link")
            await session.delete(row)

    async def preview(self, secret: str, *, now: float) -> Invitation:
        """Say where a link leads; raise `JoinRefused`, with a reason only for a link that exists."""
        try:
            async with self._context.store.read() as session:
                link, room = await opened(session, secret, now=now)
                participant = None
                if link.identity is not None:
                    participant = await bearer_of(session, link, link.identity)
        except StoreUnavailable as error:
            raise JoinRefused("busy", str(error)) from error
        if (reason := outside(room, now=now)) is not None:
            raise JoinRefused(reason)
        if participant is None:
            return Invitation(rows.room_of(room), None, None, cast("Role", link.role))
        return Invitation(
            rows.room_of(room), participant.identity, participant.name, cast("Role", participant.role)
        )

    async def room_of(self, secret: str, *, now: float) -> Room:
        """Give the room a link leads to, open or not, so that a page can say when to come back."""
        async with self._context.store.read() as session:
            _, room = await opened(session, secret, now=now)
            return rows.room_of(room)

    async def join(
        self, secret: str, *, now: float, name: str | None = None, guest_key: str | None = None
    ) -> Ticket:
        """Exchange a link for a join token; raise `JoinRefused`.

        On a guest link the same `guest_key`, a secret that the browser keeps, is the same person again.
        """
        try:
            async with self._context.store.read() as session:
                link, room = await opened(session, secret, now=now)
                if (reason := outside(room, now=now)) is not None:
                    raise JoinRefused(reason)
                identity = link.identity or guest_identity(link.id, guest_key)
                row = await bearer_of(session, link, identity)
            # Whoever was here before comes back without a write, so even while the database takes none.
            role = link.role if row is None else row.role
            if room.locked_at is not None and await is_locked_out(self._context, room, identity, role):
                raise JoinRefused("locked")
            if row is None:
                row = await self._add_guest(secret, identity, now=now)
        except StoreUnavailable as error:
            raise JoinRefused("busy", str(error)) from error
        key = self._context.keys.signing_for(room.tenant)
        if key is None:
            raise JoinRefused("not-found", "the tenant has no key any more")
        return issue(self._context, key, room, row, now=now, name=name)

    async def rate(
        self,
        secret: str,
        score: int,
        reasons: Sequence[Reason],
        *,
        now: float,
        guest_key: str | None = None,
    ) -> None:
        """Keep what the holder of a link thought of the call, also when the room is over already.

        Raise `JoinRefused` for one who never came: on a guest link only the `guest_key` of the join is known.
        """
        async with self._context.change() as session:
            link, room = await opened(session, secret, now=now)
            identity = link.identity or guest_identity(link.id, guest_key)
            row = await session.get(ParticipantRow, (room.uid, identity))
            if row is None or row.forgotten:
                raise JoinRefused("not-found", "nobody came by this link")
            await rate(self._context, session, room, identity, score, reasons, now=now)

    async def _add_guest(self, secret: str, identity: str, *, now: float) -> ParticipantRow:
        async with self._context.store.write() as session:
            link, room = await opened(session, secret, now=now)
            row = await session.get(ParticipantRow, (room.uid, identity))
            if row is None:
                row = await add_participant(self._context, session, room, identity, now=now)
            elif row.state == "removed":  # while we waited for our turn
                raise JoinRefused("revoked")
            row.forgotten, row.role = False, link.role
            return row

    async def _add(
        self,
        session: AsyncSession,
        room: RoomRow,
        identity: str | None,
        role: Role,
        now: float,
        expires_at: float | None,
        retold: Retold | None,
    ) -> tuple[Link, str]:
        if expires_at is not None and expires_at <= now:
            raise InvalidValue("expires_at", "is in the past")
        count = select(func.count()).select_from(LinkRow).where(LinkRow.room_uid == room.uid)
        if (await session.scalar(count) or 0) >= self._context.settings.max_links_per_room:
            raise Full("links")
        link_id = new_link_id()
        secret = new_link_secret() if retold is None else retold.secret_of(link_id)
        row = LinkRow(
            id=link_id,
            secret_hash=secret_hash(secret),
            room_uid=room.uid,
            identity=identity,
            role=role,
            created_at=now,
            expires_at=expires_at,
        )
        session.add(row)
        link = rows.link_of(row)
        keep_answer(session, room.tenant, None if retold is None else retold.once, link, now=now)
        return link, secret


async def _earlier(
    session: AsyncSession, tenant: str, retold: Retold | None, *, now: float
) -> tuple[Link, str] | None:
    answer = await earlier_answer(session, tenant, None if retold is None else retold.once, now=now)
    if answer is None or retold is None:
        return None
    link = _link_from(answer)
    secret = retold.secret_of(link.id)
    row = await session.get(LinkRow, link.id)
    if row is not None and row.secret_hash != secret_hash(secret):
        raise IdempotencyMismatch("the link was made with another API key, or its secret has changed since")
    return link, secret


async def opened(session: AsyncSession, secret: str, *, now: float) -> tuple[LinkRow, RoomRow]:
    """Give a link by its secret, and its room; raise `JoinRefused`."""
    query = select(LinkRow, RoomRow).join(RoomRow).where(LinkRow.secret_hash == secret_hash(secret))
    found = (await session.execute(query)).one_or_none()
    # Absent, deleted and expired look alike: the holder of a dead link learns nothing about the room.
    if found is None or (found[0].expires_at is not None and found[0].expires_at <= now):
        raise JoinRefused("not-found")
    return found[0], found[1]


async def bearer_of(session: AsyncSession, link: LinkRow, identity: str) -> ParticipantRow | None:
    """Give the person whom a link brings in, `None` for a guest who is new; raise `JoinRefused`."""
    row = await session.get(ParticipantRow, (link.room_uid, identity))
    if row is not None and row.state == "removed":
        raise JoinRefused("revoked")
    if row is not None and not row.forgotten:
        return row
    if link.identity is not None:
        raise JoinRefused("not-found", "the participant is gone")
    return None


def _link_from(answer: Answer) -> Link:
    return Link(**json.loads(answer.body))
