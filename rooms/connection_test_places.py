"""How many connection tests there may be: of one person in a day, and of a tenant at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, func, select

from rooms.errors import TooOften
from rooms.ids import new_connection_test_id
from rooms.tables import ConnectionTestRow

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.tables import RoomRow

MOST_A_DAY = 20
"""Tests of one person of a room; more than anybody needs, and a bound on what a link can fill."""
MOST_A_DAY_OF_GUESTS = 200
"""The same for all guests of a room together, who are not told apart."""
MOST_OF_TENANT = 50_000
"""A bound on the table whatever its age: about a hundred megabytes."""
_DAY = 86400.0


async def add_test(
    session: AsyncSession,
    tenant: str,
    room: RoomRow | None,
    identity: str | None,
    *,
    now: float,
    minutes: int,
) -> ConnectionTestRow:
    """Add the row of a test that is valid for so many minutes; raise `TooOften` where it is one too many."""
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
