"""What the waiting room's channel shows, read at once: the room, its door, what was said, its sub-groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from sqlalchemy import or_, select

from rooms import rows
from rooms.groups import open_groups
from rooms.life import has_to_wait
from rooms.tables import EventRow, ParticipantRow, RoomRow
from rooms.window import outside

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Literal

    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.groups import Group
    from rooms.model import ParticipantState, Restraints, Role, Room


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one person stands with the door of a room."""

    identity: str
    role: Role
    name: str | None
    """Pseudonym, where one is stored."""
    state: ParticipantState
    since: float | None
    """Set while the person stands in the waiting room; it orders the queue."""
    epoch: int
    must_wait: bool
    """The person would be refused in the call now."""


@dataclass(frozen=True, slots=True)
class LateNotice:
    """The host said how late they are."""

    minutes: int
    at: float
    """When they said so."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One state of a waiting room."""

    room: Room
    outside: Literal["too-early", "too-late"] | None
    """Why nobody may enter now; `None` while the room is open."""
    people: Mapping[str, Standing]
    """Those who stand in the waiting room and those asked for, as far as they are stored."""
    late: LateNotice | None
    restrained: Mapping[str, Restraints] = field(default_factory=dict)
    """People from whom a moderator took something away."""
    groups: Sequence[Group] = ()
    """The open sub-groups, in the order in which they were opened."""


async def read_scene(
    session: AsyncSession, room_uid: str, identities: Collection[str], *, now: float
) -> Scene | None:
    """Read one state of the database; `None` if the room is gone."""
    room = await session.get(RoomRow, room_uid)
    if room is None:
        return None
    query = select(ParticipantRow).where(
        ParticipantRow.room_uid == room_uid,
        or_(
            ParticipantRow.waiting_since.is_not(None),
            ParticipantRow.identity.in_(sorted(identities)),
            ParticipantRow.restraints.is_not(None),
        ),
    )
    found = list(await session.scalars(query))
    people = {
        row.identity: _standing(room, row)
        for row in found
        if row.waiting_since is not None or row.identity in identities
    }
    restrained = {row.identity: rows.restraints_of(row) for row in found if row.restraints is not None}
    late = await _late(session, room_uid)
    groups = await open_groups(session, room)
    return Scene(rows.room_of(room), outside(room, now=now), people, late, restrained, groups)


def _standing(room: RoomRow, row: ParticipantRow) -> Standing:
    return Standing(
        identity=row.identity,
        role=cast("Role", row.role),
        name=row.name,
        state=cast("ParticipantState", row.state),
        since=row.waiting_since,
        epoch=row.epoch,
        must_wait=has_to_wait(room, row.role, row),
    )


async def _late(session: AsyncSession, room_uid: str) -> LateNotice | None:
    """Find the last late notice where it was written down: in the room's events."""
    query = (
        select(EventRow)
        .where(EventRow.room_uid == room_uid, EventRow.type == "waiting_room.late_notice")
        .order_by(EventRow.seq.desc())
        .limit(1)
    )
    row = (await session.scalars(query)).one_or_none()
    if row is None or not row.data["minutes"]:
        return None
    return LateNotice(int(row.data["minutes"]), row.occurred_at)
