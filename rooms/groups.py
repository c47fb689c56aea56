"""Sub-groups: rooms within a room, into which people are placed and from which they return when it closes.

Theory of operation. Where a person belongs is stored: in at most one open group of the room, or in the room
itself. The door reads it, so who loses the line comes back to the same place; signalling hears of each move
and has the person go on there without joining again. A group closes by hand, by its timer, or with its room;
then everybody in it belongs to the room again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from sqlalchemy import delete, func, select

from rooms.answers import earlier_answer, keep_answer
from rooms.context import room_row
from rooms.errors import Full, InvalidTransition, InvalidValue, NotFound
from rooms.events import append_event
from rooms.ids import is_usable_id, new_group_id
from rooms.states import OVER
from rooms.tables import GroupMemberRow, GroupRow, RoomRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.answers import Answer, Once
    from rooms.context import Context
    from rooms.transitions import Cause

OPEN_AT_ONCE = 50
MEMBERS_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class Group:
    """A sub-room that is or was open."""

    id: str
    name: str | None
    """A title for people."""
    members: tuple[str, ...]
    """Identities of those who belong there, in order; nobody once it is closed."""
    opened_at: float
    closes_at: float | None
    """When it closes by itself."""
    closed_at: float | None


class Groups:
    """The sub-groups of a tenant's rooms; moves are durable and reach the calls at once."""

    def __init__(self, context: Context) -> None:
        """Work on the shared store."""
        self._context = context

    @overload
    async def open(
        self,
        tenant: str,
        room_id: str,
        *,
        name: str | None = None,
        members: Sequence[str] = (),
        closes_at: float | None = None,
        now: float,
        cause: Cause = "api",
    ) -> Group: ...

    @overload
    async def open(
        self,
        tenant: str,
        room_id: str,
        *,
        name: str | None = None,
        members: Sequence[str] = (),
        closes_at: float | None = None,
        now: float,
        cause: Cause = "api",
        once: Once | None,
    ) -> Group | Answer: ...

    async def open(
        self,
        tenant: str,
        room_id: str,
        *,
        name: str | None = None,
        members: Sequence[str] = (),
        closes_at: float | None = None,
        now: float,
        cause: Cause = "api",
        once: Once | None = None,
    ) -> Group | Answer:
        """Open a group and place people there, who need not be in the call yet.

        With `once`, a repeated request opens nothing and gets the earlier answer.

        Raise `NotFound`, `Full`, `InvalidValue`, or `InvalidTransition` in a room that is over.
        """
        if closes_at is not None and closes_at <= now:
            raise InvalidValue("closes_at", "is in the past")
        async with self._context.change() as session:
            if (earlier := await earlier_answer(session, tenant, once, now=now)) is not None:
                return earlier
            room = await room_row(session, tenant, room_id)
            if room.state in OVER:
                raise InvalidTransition(room.state, f"no group opens while the room is {room.state}")
            opened = select(func.count()).select_from(GroupRow).where(*_open_in(room))
            if (await session.scalar(opened) or 0) >= OPEN_AT_ONCE:
                raise Full("groups")
            group = GroupRow(
                id=new_group_id(), room_uid=room.uid, name=name, opened_at=now, closes_at=closes_at,
                closed_at=None,
            )  # fmt: skip
            session.add(group)
            await append_event(session, room, "group.opened", {"group": group.id, "cause": cause}, now=now)
            await _place(session, room, group, members, cause, now=now)
            opened_group = await _group(session, group)
            keep_answer(session, tenant, once, opened_group, now=now)
            return opened_group

    async def place(
        self,
        tenant: str,
        room_id: str,
        group_id: str,
        members: Sequence[str],
        *,
        now: float,
        cause: Cause = "api",
    ) -> Group:
        """Have exactly these people in the group: they leave where they are, all others return to the room.

        Raise `NotFound`, `Full`, `InvalidValue`, or `InvalidTransition` for a group that is closed.
        """
        async with self._context.change() as session:
            room = await room_row(session, tenant, room_id)
            group = await _known(session, room, group_id)
            if group.closed_at is not None:
                raise InvalidTransition("closed", "the group is closed; open another")
            await _place(session, room, group, members, cause, now=now)
            return await _group(session, group)

    async def close(
        self, tenant: str, room_id: str, group_id: str, *, now: float, cause: Cause = "api"
    ) -> Group:
        """Close a group: everybody in it returns to the room. Again is no error. Raise `NotFound`."""
        async with self._context.change() as session:
            room = await room_row(session, tenant, room_id)
            group = await _known(session, room, group_id)
            await _close(session, room, group, cause, now=now)
            return await _group(session, group)

    async def list(self, tenant: str, room_id: str) -> list[Group]:
        """Give the open groups in the order in which they were opened."""
        async with self._context.store.read() as session:
            room = await room_row(session, tenant, room_id)
            opened = select(GroupRow).where(*_open_in(room)).order_by(GroupRow.opened_at, GroupRow.id)
            return [await _group(session, group) for group in list(await session.scalars(opened))]

    async def meet(self, *, now: float) -> int:
        """Close some of the groups whose time is over, and say how many."""
        late = select(GroupRow.id).where(GroupRow.closed_at.is_(None), GroupRow.closes_at <= now)
        async with self._context.store.read() as session:
            if (await session.scalars(late.limit(1))).first() is None:
                return 0
        async with self._context.change() as session:
            query = select(GroupRow, RoomRow).join(RoomRow).where(GroupRow.id.in_(late))
            found = list(await session.execute(query.order_by(GroupRow.id).limit(OPEN_AT_ONCE)))
            for group, room in found:
                await _close(session, room, group, "deadline", now=now)
        return len(found)


async def close_groups(session: AsyncSession, room: RoomRow, cause: Cause, *, now: float) -> None:
    """Close every open group of a room."""
    for group in list(await session.scalars(select(GroupRow).where(*_open_in(room)))):
        await _close(session, room, group, cause, now=now)


async def groups_of(session: AsyncSession, room: RoomRow, identities: Sequence[str]) -> dict[str, str]:
    """Say of these people in which open group each belongs; who belongs to the room itself is left out."""
    query = select(GroupMemberRow).where(
        GroupMemberRow.room_uid == room.uid, GroupMemberRow.identity.in_(identities)
    )
    return {row.identity: row.group_id for row in await session.scalars(query)}


async def _place(
    session: AsyncSession,
    room: RoomRow,
    group: GroupRow,
    members: Sequence[str],
    cause: Cause,
    *,
    now: float,
) -> None:
    wanted = dict.fromkeys(members)
    if len(wanted) > MEMBERS_AT_MOST:
        raise Full("members")
    if not all(map(is_usable_id, wanted)):
        raise InvalidValue("members", "each must be 1 to 128 printable characters without a slash")
    await session.flush()
    query = select(GroupMemberRow).where(GroupMemberRow.room_uid == room.uid)
    there = {row.identity: row for row in await session.scalars(query)}
    gone = [name for name, row in there.items() if row.group_id == group.id and name not in wanted]
    for identity in gone:
        await session.delete(there[identity])
        await _tell(session, room, identity, group.id, None, cause, now=now)
    for identity in wanted:
        row = there.get(identity)
        before = None if row is None else row.group_id
        if before == group.id:
            continue
        if row is None:
            session.add(GroupMemberRow(room_uid=room.uid, identity=identity, group_id=group.id))
        else:
            row.group_id = group.id
        await _tell(session, room, identity, before, group.id, cause, now=now)


async def _close(session: AsyncSession, room: RoomRow, group: GroupRow, cause: Cause, *, now: float) -> None:
    if group.closed_at is not None:
        return
    group.closed_at = now
    members = await _members(session, group)
    await session.execute(delete(GroupMemberRow).where(GroupMemberRow.group_id == group.id))
    await append_event(session, room, "group.closed", {"group": group.id, "cause": cause}, now=now)
    for identity in members:
        await _tell(session, room, identity, group.id, None, cause, now=now)


async def _tell(
    session: AsyncSession,
    room: RoomRow,
    identity: str,
    before: str | None,
    after: str | None,
    cause: Cause,
    *,
    now: float,
) -> None:
    data = {
        "identity": identity,
        "from_group": before,
        "to_group": after,
        "to_room": None,
        "cause": cause,
    }
    await append_event(session, room, "participant.moved", data, now=now)


async def _known(session: AsyncSession, room: RoomRow, group_id: str) -> GroupRow:
    group = await session.get(GroupRow, group_id)
    if group is None or group.room_uid != room.uid:
        raise NotFound("group")
    return group


async def _members(session: AsyncSession, group: GroupRow) -> Iterable[str]:
    query = select(GroupMemberRow.identity).where(GroupMemberRow.group_id == group.id)
    return list(await session.scalars(query.order_by(GroupMemberRow.identity)))


async def _group(session: AsyncSession, row: GroupRow) -> Group:
    members = tuple(await _members(session, row))
    return Group(row.id, row.name, members, row.opened_at, row.closes_at, row.closed_at)


def _open_in(room: RoomRow) -> tuple[ColumnElement[bool], ...]:
    return (GroupRow.room_uid == room.uid, GroupRow.closed_at.is_(None))
