"""Connection tests: whether a person's network, browser and devices can do a call with this very server.

Theory of operation. A test is a row that waits for a result. Whoever holds its secret, or a link to the
appointment, gets a token for it: that opens the channel over which the page measures, and takes the result.
A result may come again until the test expires, since people try again; the newest one counts. Nothing about
people is stored: a test belongs to a room and an identity, or to nobody.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import inf
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, tuple_

from rooms import rows
from rooms.answers import earlier_answer, keep_answer
from rooms.connection_test_places import add_test
from rooms.connection_test_rows import ConnectionTest, conditions, test_from, test_of, tests_and_rooms
from rooms.context import room_row
from rooms.errors import IdempotencyMismatch, InvalidValue, JoinRefused, NotFound, StoreUnavailable, TooOften
from rooms.events import append_event
from rooms.ids import new_link_secret, secret_hash
from rooms.links import bearer_of, opened
from rooms.probe_tokens import mint_probe_token, read_probe_token
from rooms.tables import ConnectionTestRow, ParticipantRow, RoomRow
from rooms.tokens import InvalidTokenError
from rooms.verdict import VERDICTS, judge
from rooms.window import outside

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.connection_test_rows import ConnectionTestFilter
    from rooms.context import Context
    from rooms.probe_result import ProbeResult
    from rooms.probe_tokens import ProbeClaims
    from rooms.retold import Retold
    from rooms.verdict import Judgement, Verdict

TOKEN_TTL_SECONDS = 900.0
"""A test takes less than a minute; devices and second thoughts take longer."""
VALID_MINUTES = 1440
MOST_RESULTS = 20
"""Of one test: people try again, and each result is an event."""
PRUNED_AT_ONCE = 1000
_DAY = 86400.0


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
    max_kbps: int | None = None
    """Most that a call takes of a line here, in one direction; `None` for no bound."""


class ConnectionTests:
    """The connection tests of a tenant, and the doors to them for people."""

    def __init__(self, context: Context) -> None:
        """Work on the shared store."""
        self._context = context
        self.verdicts: dict[Verdict, int] = dict.fromkeys(VERDICTS, 0)
        """Results that this server took, by verdict, for the metrics."""

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
            row = await add_test(session, tenant, room, identity, now=now, minutes=valid_minutes)
            secret = new_link_secret() if retold is None else retold.secret_of(row.id)
            row.secret_hash = secret_hash(secret)
            test = test_of(row, room_id, now=now)
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
            row = await add_test(session, room.tenant, room, link.identity, now=now, minutes=VALID_MINUTES)
        return self._ticket(row, now=now)

    async def admitted(self, token: str, *, now: float) -> ProbeAdmission:
        """Check the token of a test.

        Raise `JoinRefused`: `unauthenticated`, `not-found` (deleted since), `too-late` (expired) or `busy`.
        """
        claims = self._claims(token, now=now)
        try:
            async with self._context.store.read() as session:
                row = await session.get(ConnectionTestRow, claims.test_id)
                uid = None if row is None else row.room_uid
                room = None if uid is None else await session.get(RoomRow, uid)
        except StoreUnavailable as error:
            raise JoinRefused("busy", str(error)) from error
        _check(row, claims.tenant, now=now)
        return ProbeAdmission(claims.test_id, claims.tenant, claims.expires_at, self._most_kbps(room))

    async def finish(self, token: str, result: ProbeResult, *, now: float) -> Judgement:
        """Judge and keep the result of a test, with the event of its room; a newer one takes its place.

        Raise `JoinRefused` as `admitted` does, or `TooOften`.
        """
        claims = self._claims(token, now=now)
        async with self._context.change() as session:
            row = _check(await session.get(ConnectionTestRow, claims.test_id), claims.tenant, now=now)
            if row.results >= MOST_RESULTS:
                raise TooOften(row.expires_at - now)
            room = None if row.room_uid is None else await session.get(RoomRow, row.room_uid)
            judged = judge(result, most_kbps=self._most_kbps(room) or inf)
            row.results += 1
            row.finished_at = now
            row.verdict, row.reason = judged.verdict, judged.reason
            row.advice = [asdict(one) for one in judged.advice]
            row.result = asdict(result)
            if room is not None:
                told = {"id": row.id, "identity": row.identity}
                told |= {"verdict": judged.verdict, "reason": judged.reason}
                await append_event(session, room, "connection_test.finished", told, now=now)
        self.verdicts[judged.verdict] += 1
        return judged

    async def get(self, tenant: str, test_id: str, *, now: float) -> ConnectionTest:
        """Give one test; raise `NotFound`, also for another tenant's."""
        async with self._context.store.read() as session:
            query = tests_and_rooms().where(
                ConnectionTestRow.id == test_id, ConnectionTestRow.tenant == tenant
            )
            found = (await session.execute(query)).one_or_none()
        if found is None:
            raise NotFound("connection test")
        return test_of(found[0], found[1], now=now)

    async def list(
        self,
        tenant: str,
        wanted: ConnectionTestFilter,
        *,
        now: float,
        after: tuple[float, str] | None = None,
        limit: int = 50,
    ) -> tuple[list[ConnectionTest], tuple[float, str] | None]:
        """Give up to `limit` tests, the newest first, and the position to go on `after`, if any."""
        row = ConnectionTestRow
        query = tests_and_rooms().where(*conditions(tenant, wanted, now=now))
        if after is not None:
            query = query.where(tuple_(row.created_at, row.id) < tuple_(*after))
        query = query.order_by(row.created_at.desc(), row.id.desc()).limit(limit + 1)
        async with self._context.store.read() as session:
            found = (await session.execute(query)).all()
        tests = [test_of(one, room_id, now=now) for one, room_id in found[:limit]]
        return tests, (tests[-1].created_at, tests[-1].id) if len(found) > limit else None

    async def prune(self, *, now: float) -> bool:
        """Delete some of what is older than the settings say; say whether there may be more."""
        before = now - self._context.settings.connection_tests_kept_days * _DAY
        old = select(ConnectionTestRow.id).where(ConnectionTestRow.created_at < before)
        old = old.order_by(ConnectionTestRow.created_at).limit(PRUNED_AT_ONCE)
        async with self._context.store.write() as session:
            ids = list(await session.scalars(old))
            if ids:
                await session.execute(delete(ConnectionTestRow).where(ConnectionTestRow.id.in_(ids)))
        return len(ids) == PRUNED_AT_ONCE

    def _most_kbps(self, room: RoomRow | None) -> int | None:
        """Say what a call takes of a line at most, by what holds for the server and for the room."""
        bounds = [self._context.settings.max_kbps]
        if room is not None:
            bandwidth = rows.bandwidth_of(room)
            bounds += [bandwidth.max_kbps_up, bandwidth.max_kbps_down]
        return min((one for one in bounds if one is not None), default=None)

    def _claims(self, token: str, *, now: float) -> ProbeClaims:
        try:
            return read_probe_token(token, self._context.keys, now=now)
        except InvalidTokenError as error:
            raise JoinRefused("unauthenticated", str(error)) from error

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
    test = test_from(answer)
    secret = retold.secret_of(test.id)
    row = await session.get(ConnectionTestRow, test.id)
    if row is not None and row.secret_hash != secret_hash(secret):
        raise IdempotencyMismatch("the test was made with another API key, or its secret has changed since")
    return test, secret
