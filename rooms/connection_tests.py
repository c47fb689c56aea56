"""Connection tests: whether a person's network, browser and devices can do a call with this very server.

Theory of operation. A test is a row that waits for a result. Whoever holds its secret, or a link to the
appointment, gets a token for it: that opens the channel over which the page measures, and takes the result.
A result may come again until the test expires, since people try again; the newest one counts. Nothing about
people is stored: a test belongs to a room and an identity, or to nobody.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import and_, delete, func, select

from rooms.answers import earlier_answer, keep_answer
from rooms.context import room_row
from rooms.errors import IdempotencyMismatch, InvalidValue, JoinRefused, NotFound, StoreUnavailable, TooOften
from rooms.ids import new_connection_test_id, new_link_secret, secret_hash
from rooms.links import bearer_of, opened
from rooms.probe_tokens import mint_probe_token, read_probe_token
from rooms.tables import ConnectionTestRow, ParticipantRow, RoomRow
from rooms.tokens import InvalidTokenError
from rooms.window import outside

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.answers import Answer
    from rooms.context import Context
    from rooms.retold import Retold

TestState = Literal["open", "finished", "expired"]

TOKEN_TTL_SECONDS = 900.0
"""A test takes less than a minute; devices and second thoughts take longer."""
VALID_MINUTES = 1440
MOST_A_DAY = 20
"""Tests of one person of a room; more than anybody needs, and a bound on what a link can fill."""
MOST_A_DAY_OF_GUESTS = 200
"""The same for all guests of a room together, who are not told apart."""
MOST_OF_TENANT = 50_000
"""A bound on the table whatever its age: about a hundred megabytes."""
_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class ConnectionTest:
    """A connection test and what came of it."""

    id: str
    room_id: str | None
    """The id of the room it is tied to, as the calling application chose it."""
    identity: str | None
    state: TestState
    created_at: float
    expires_at: float
    finished_at: float | None
    """When the newest result came."""


@dataclass(frozen=True, slots=True)
class ProbeTicket:
    """A fresh token of a connection test."""

    test_id: str
    token: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class ProbeAdmission:
    """A test that may be done now: the outcome of checking its token."""

    test_id: str
    tenant: str
    expires_at: float
    """When the token that was checked ends."""


class ConnectionTests:
    """The connection tests of a tenant, and the doors to them for people."""

    def __init__(self, context: Context) -> None:
        """Work on the shared store."""
        self._context = context

    async def create(
        self,
        tenant: str,
        *,
        now: float,
        room_id: str | None = None,
        identity: str | None = None,
        valid_minutes: int = VALID_MINUTES,
        retold: Retold | None = None,
    ) -> tuple[ConnectionTest, str]:
        """Make a test; the second value is its secret, never shown again.

        Raise `NotFound` for an unknown room or participant, `TooOften`. With `retold`, a repeated request
        makes nothing and gets the same test.
        """
        if identity is not None and room_id is None:
            raise InvalidValue("identity", "needs the room")
        async with self._context.store.write() as session:
            if (earlier := await _earlier(session, tenant, retold, now=now)) is not None:
                return earlier
            room = None if room_id is None else await room_row(session, tenant, room_id)
            if room is not None and identity is not None:
                person = await session.get(ParticipantRow, (room.uid, identity))
                if person is None or person.forgotten:
                    raise NotFound("participant")
            row = await _add(session, tenant, room, identity, now=now, minutes=valid_minutes)
            secret = new_link_secret() if retold is None else retold.secret_of(row.id)
            row.secret_hash = secret_hash(secret)
            test = _test_of(row, room_id, now=now)
            keep_answer(session, tenant, None if retold is None else retold.once, test, now=now)
            return test, secret

    async def open(self, secret: str, *, now: float) -> ProbeTicket:
        """Exchange the secret of a test for a token; raise `JoinRefused` (`too-late`: it has expired)."""
        async with self._context.store.read() as session:
            query = select(ConnectionTestRow).where(ConnectionTestRow.secret_hash == secret_hash(secret))
            row = await session.scalar(query)
        return self._ticket(row, now=now)

    async def open_by_link(self, secret: str, *, now: float) -> ProbeTicket:
        """Make a test for the holder of a link, who may be early but not late.

        Raise `JoinRefused`, or `TooOften` when a day's tests of this person have all had a result.
        """
        async with self._context.store.write() as session:
            link, room = await opened(session, secret, now=now)
            if outside(room, now=now) == "too-late":
                raise JoinRefused("too-late")
            if link.identity is not None:
                await bearer_of(session, link, link.identity)
            row = await _add(session, room.tenant, room, link.identity, now=now, minutes=VALID_MINUTES)
        return self._ticket(row, now=now)

    async def admitted(self, token: str, *, now: float) -> ProbeAdmission:
        """Check the token of a test.

        Raise `JoinRefused`: `unauthenticated`, `not-found` (deleted since), `too-late` (expired) or `busy`.
        """
        try:
            claims = read_probe_token(token, self._context.keys, now=now)
        except InvalidTokenError as error:
            raise JoinRefused("unauthenticated", str(error)) from error
        try:
            async with self._context.store.read() as session:
                row = await session.get(ConnectionTestRow, claims.test_id)
        except StoreUnavailable as error:
            raise JoinRefused("busy", str(error)) from error
        _check(row, claims.tenant, now=now)
        return ProbeAdmission(claims.test_id, claims.tenant, claims.expires_at)

    def _ticket(self, row: ConnectionTestRow | None, *, now: float) -> ProbeTicket:
        row = _check(row, None, now=now)
        key = self._context.keys.signing_for(row.tenant)
        if key is None:
            raise JoinRefused("not-found", "the tenant has no key any more")
        expires_at = min(now + TOKEN_TTL_SECONDS, row.expires_at)
        return ProbeTicket(row.id, mint_probe_token(key, row.id, now=now, expires_at=expires_at), expires_at)


def _check(row: ConnectionTestRow | None, tenant: str | None, *, now: float) -> ConnectionTestRow:
    if row is None or tenant not in {None, row.tenant}:
        raise JoinRefused("not-found", "no such connection test")
    if row.expires_at <= now:
        raise JoinRefused("too-late", "the connection test has expired")
    return row


async def _earlier(
    session: AsyncSession, tenant: str, retold: Retold | None, *, now: float
) -> tuple[ConnectionTest, str] | None:
    answer = await earlier_answer(session, tenant, None if retold is None else retold.once, now=now)
    if answer is None or retold is None:
        return None
    test = _test_from(answer)
    secret = retold.secret_of(test.id)
    row = await session.get(ConnectionTestRow, test.id)
    if row is not None and row.secret_hash != secret_hash(secret):
        raise IdempotencyMismatch("the test was made with another API key, or its secret has changed since")
    return test, secret


async def _add(
    session: AsyncSession,
    tenant: str,
    room: RoomRow | None,
    identity: str | None,
    *,
    now: float,
    minutes: int,
) -> ConnectionTestRow:
    if room is not None:
        of_person = and_(
            ConnectionTestRow.room_uid == room.uid,
            ConnectionTestRow.identity.is_not_distinct_from(identity),
            ConnectionTestRow.created_at > now - _DAY,
        )
        await _make_place(session, of_person, MOST_A_DAY_OF_GUESTS if identity is None else MOST_A_DAY, now)
    await _keep_within(session, ConnectionTestRow.tenant == tenant, MOST_OF_TENANT)
    row = ConnectionTestRow(
        id=new_connection_test_id(),
        tenant=tenant,
        secret_hash=None,
        room_uid=None if room is None else room.uid,
        identity=identity,
        created_at=now,
        expires_at=now + minutes * 60.0,
        finished_at=None,
        results=0,
    )
    session.add(row)
    return row


async def _make_place(session: AsyncSession, which: ColumnElement[bool], most: int, now: float) -> None:
    """Let the oldest test without a result go if a day's are used up; raise `TooOften` if all have one."""
    tests = (await session.scalars(select(ConnectionTestRow).where(which))).all()
    if len(tests) < most:
        return
    unfinished = [one for one in tests if one.finished_at is None]
    if not unfinished:
        raise TooOften(min(one.created_at for one in tests) + _DAY - now)
    await session.delete(min(unfinished, key=lambda one: one.created_at))
    await session.flush()


async def _keep_within(session: AsyncSession, which: ColumnElement[bool], most: int) -> None:
    if (await session.scalar(select(func.count()).select_from(ConnectionTestRow).where(which)) or 0) < most:
        return
    age = (ConnectionTestRow.finished_at.is_not(None), ConnectionTestRow.created_at)
    oldest = select(ConnectionTestRow.id).where(which).order_by(*age).limit(1).scalar_subquery()
    await session.execute(delete(ConnectionTestRow).where(ConnectionTestRow.id == oldest))


def _test_of(row: ConnectionTestRow, room_id: str | None, *, now: float) -> ConnectionTest:
    waiting: TestState = "open" if now < row.expires_at else "expired"
    return ConnectionTest(
        id=row.id,
        room_id=room_id,
        identity=row.identity,
        state=waiting if row.finished_at is None else "finished",
        created_at=row.created_at,
        expires_at=row.expires_at,
        finished_at=row.finished_at,
    )


def _test_from(answer: Answer) -> ConnectionTest:
    return ConnectionTest(**json.loads(answer.body))
