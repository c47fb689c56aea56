"""Connection tests as values, and how they are asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from sqlalchemy import and_, select

from rooms.tables import ConnectionTestRow, RoomRow
from rooms.verdict import Advice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import ColumnElement, Select

    from rooms.answers import Answer
    from rooms.verdict import Verdict, VerdictReason

ConnectionTestState = Literal["open", "finished", "expired"]


@dataclass(frozen=True, slots=True)
class ConnectionTest:
    """A connection test and what came of it."""

    id: str
    room_id: str | None
    """The id of the room it is tied to, as the calling application chose it."""
    identity: str | None
    state: ConnectionTestState
    created_at: float
    expires_at: float
    finished_at: float | None = None
    """When the newest result came; like all below `None` or empty before there is one."""
    verdict: Verdict | None = None
    reason: VerdictReason | None = None
    advice: tuple[Advice, ...] = ()
    result: Mapping[str, Any] | None = None
    """What was found, in the shape of `ProbeResult` as JSON."""


@dataclass(frozen=True, slots=True)
class ConnectionTestFilter:
    """Which tests are wanted; `None` leaves a question open."""

    room_id: str | None = None
    identity: str | None = None
    state: ConnectionTestState | None = None


def tests_and_rooms() -> Select[ConnectionTestRow, str]:
    """Ask for tests, each with the id of its room if it has one."""
    return select(ConnectionTestRow, RoomRow.id).outerjoin(RoomRow, RoomRow.uid == ConnectionTestRow.room_uid)


def conditions(tenant: str, wanted: ConnectionTestFilter, *, now: float) -> Iterator[ColumnElement[bool]]:
    """Give the conditions for those of a tenant that are wanted."""
    row = ConnectionTestRow
    if wanted.room_id is None:
        yield row.tenant == tenant
    else:  # alone, so that the index is taken that leads to the few tests of a room
        room = select(RoomRow.uid).where(RoomRow.tenant == tenant, RoomRow.id == wanted.room_id)
        yield row.room_uid == room.scalar_subquery()
    if wanted.identity is not None:
        yield row.identity == wanted.identity
    match wanted.state:
        case "finished":
            yield row.finished_at.is_not(None)
        case "open":
            yield and_(row.finished_at.is_(None), row.expires_at > now)
        case "expired":
            yield and_(row.finished_at.is_(None), row.expires_at <= now)


def test_of(row: ConnectionTestRow, room_id: str | None, *, now: float) -> ConnectionTest:
    """Give the test that a row holds."""
    waiting: ConnectionTestState = "open" if now < row.expires_at else "expired"
    return ConnectionTest(
        id=row.id,
        room_id=room_id,
        identity=row.identity,
        state=waiting if row.finished_at is None else "finished",
        created_at=row.created_at,
        expires_at=row.expires_at,
        finished_at=row.finished_at,
        verdict=cast("Verdict | None", row.verdict),
        reason=cast("VerdictReason | None", row.reason),
        advice=tuple(Advice(one["code"], tuple(one["ports"])) for one in row.advice or ()),
        result=row.result,
    )


def test_from(answer: Answer) -> ConnectionTest:
    """Read a test back that had no result when it was made."""
    said: dict[str, Any] = json.loads(answer.body)
    return ConnectionTest(**{**said, "advice": ()})
