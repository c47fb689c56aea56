"""Finding rooms: lists in the order of the agenda, and counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, get_args

from sqlalchemy import and_, func, or_, select, tuple_

from rooms import rows
from rooms.model import RoomState
from rooms.states import OVER
from rooms.tables import RoomRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.model import Room


@dataclass(frozen=True, slots=True)
class RoomFilter:
    """Which rooms to list; times are compared with the planned start, or the making of a room without one."""

    state: RoomState | None = None
    starts_from: float | None = None
    starts_before: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    open_at: float | None = None
    """Only rooms that can be entered at this time, or in which a call goes on."""


async def find_rooms(
    session: AsyncSession, tenant: str, wanted: RoomFilter, *, after: tuple[float, str] | None, limit: int
) -> tuple[list[Room], tuple[float, str] | None]:
    """Give up to `limit` rooms in the order of the agenda, and the position to go on `after`, if any."""
    query = select(RoomRow).where(RoomRow.tenant == tenant, *_conditions(wanted))
    if after is not None:
        query = query.where(tuple_(RoomRow.agenda_at, RoomRow.uid) > after)
    query = query.order_by(RoomRow.agenda_at, RoomRow.uid).limit(limit + 1)
    found = list(await session.scalars(query))
    more = len(found) > limit
    position = (found[limit - 1].agenda_at, found[limit - 1].uid) if more else None
    return [rows.room_of(row) for row in found[:limit]], position


async def count_rooms(session: AsyncSession) -> dict[RoomState, int]:
    """Count all rooms by state; a state without rooms counts 0."""
    counts: dict[RoomState, int] = dict.fromkeys(get_args(RoomState), 0)
    found = await session.execute(select(RoomRow.state, func.count()).group_by(RoomRow.state))
    for state, count in found:
        if state in counts:
            counts[state] = count
    return counts


def _conditions(wanted: RoomFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.state is not None:
        conditions.append(RoomRow.state == wanted.state)
    if wanted.starts_from is not None:
        conditions.append(RoomRow.agenda_at >= wanted.starts_from)
    if wanted.starts_before is not None:
        conditions.append(RoomRow.agenda_at < wanted.starts_before)
    if wanted.open_at is not None:
        conditions.append(_open(wanted.open_at))
    conditions.extend(RoomRow.labels[name].as_string() == value for name, value in wanted.metadata.items())
    return conditions


def _open(now: float) -> ColumnElement[bool]:
    # The same question as `window.outside`, asked of the database.
    within = and_(
        RoomRow.state.not_in(OVER),
        or_(RoomRow.opens_at.is_(None), RoomRow.opens_at <= now),
        or_(RoomRow.closes_at.is_(None), RoomRow.closes_at > now),
    )
    return or_(RoomRow.state == "in_progress", within)
