"""Sub-groups: rooms within a room, into which people are placed and from which they return when it closes.

Theory of operation. Where a person belongs is stored: in at most one open group of the room, or in the room
itself. The door reads it, so who loses the line comes back to the same place; signalling hears of each move
and has the person go on there without joining again. Whatever an act concerns, it moves each person once at
most. A group closes by hand, by its timer, or with its room; then everybody in it belongs to the room again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from sqlalchemy import delete, func, select

from rooms.answers import earlier_answer, keep_answer
from rooms.authority import ModerationAct
from rooms.context import room_row
from rooms.errors import Full, InvalidTransition, InvalidValue, NotFound
from rooms.events import append_event
from rooms.ids import is_usable_id, new_group_id
from rooms.movers import Application, Stage, enter
from rooms.states import OVER
from rooms.tables import GroupMemberRow, GroupRow, RoomRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncSession

    from rooms.answers import Answer, Once
    from rooms.context import Context
    from rooms.movers import Mover
    from rooms.transitions import Cause

OPEN_AT_ONCE = 50
MEMBERS_AT_MOST = 200
_APART = 0.001
"""Seconds between groups that are opened together: by this time they are ordered."""


@dataclass(frozen=True, slots=True)
class GroupDraft:
    """A sub-group to be opened."""

    name: str | None = None
    """A title for people."""
    members: Sequence[str] = ()
    """Identities of those who are placed there, in the call or not yet."""


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
    """The sub-groups of rooms; moves are durable and reach the calls at once.

    What changes something raises `NotFound` for a room or group that does not exist for the caller, and
    `Forbidden` for somebody who may not do it.
    """

    def __init__(self, context: Context) -> None:
        """Work on the shared store."""
        self._context = context

    @overload
    async def open(
        self, who: Mover, drafts: Sequence[GroupDraft], *, closes_at: float | None = None, now: float
    ) -> list[Group]: ...

    @overload
    async def open(
        self,
        who: Application,
        drafts: Sequence[GroupDraft],
        *,
        closes_at: float | None = None,
        now: float,
        once: Once | None,
    ) -> list[Group] | Answer: ...

    async def open(
        self,
        who: Mover,
        drafts: Sequence[GroupDraft],
        *,
        closes_at: float | None = None,
        now: float,
        once: Once | None = None,
    ) -> list[Group] | Answer:
        """Open groups that close together, and place people in them, who need not be in the call yet.

        With `once`, a repeated request opens nothing and gets the earlier answer.

        Raise `Full`, `InvalidValue`, or `InvalidTransition` in a room that is over.
        """
        if closes_at is not None and closes_at <= now:
            raise InvalidValue("closes_at", "is in the past")
        async with self._context.change() as session:
            if isinstance(who, Application):
                earlier = await earlier_answer(session, who.tenant, once, now=now)
                if earlier is not None:
                    return earlier
            stage = await enter(session, who, ModerationAct.GROUP)
            room = stage.room
            if room.state in OVER:
                raise InvalidTransition(room.state, f"no group opens while the room is {room.state}")
            opened = select(func.count()).select_from(GroupRow).where(*_open_in(room))
            if (await session.scalar(opened) or 0) + len(drafts) > OPEN_AT_ONCE:
                raise Full("groups")
            groups, places = [], dict[str, str | None]()
            for number, draft in enumerate(drafts):
                group = GroupRow(
                    id=new_group_id(),
                    room_uid=room.uid,
                    name=draft.name,
                    opened_at=now + number * _APART,
                    closes_at=closes_at,
                    closed_at=None,
                )
                session.add(group)
                groups.append(group)
                places.update(dict.fromkeys(draft.members, group.id))
                data = {"group": group.id, "cause": stage.cause, "by": stage.by}
                await append_event(session, room, "group.opened", data, now=now)
            await session.flush()
            await _move(session, stage, places, now=now)
            made = [await _group(session, group) for group in groups]
            keep_answer(session, room.tenant, once, made, now=now)
            return made

    async def place(self, who: Mover, group_id: str, members: Sequence[str], *, now: float) -> Group:
        """Have exactly these people in the group: they leave where they are, all others return to the room.

        Raise `Full`, `InvalidValue`, or `InvalidTransition` for a group that is closed.
        """
        async with self._context.change() as session:
            stage = await enter(session, who, ModerationAct.GROUP)
            group = await _open_one(session, stage.room, group_id)
            back = {one: None for one in await _members(session, group) if one not in members}
            await _move(session, stage, back | dict.fromkeys(members, group.id), now=now)
            return await _group(session, group)

    async def arrange(self, who: Mover, places: Mapping[str, str | None], *, now: float) -> None:
        """Have each of these people be in the group of that id, or (`None`) in the room itself.

        Raise `Full`, `InvalidValue`, or `InvalidTransition` for a group that is closed; then nobody moves.
        """
        async with self._context.change() as session:
            stage = await enter(session, who, ModerationAct.GROUP)
            for group_id in sorted({one for one in places.values() if one is not None}):
                await _open_one(session, stage.room, group_id)
            await _move(session, stage, places, now=now)

    async def close(self, who: Mover, group_id: str, *, now: float) -> Group:
        """Close a group: everybody in it returns to the room. Again is no error."""
        async with self._context.change() as session:
            stage = await enter(session, who, ModerationAct.GROUP)
            group = await _known(session, stage.room, group_id)
            await _close(session, stage, group, now=now)
            return await _group(session, group)

    async def close_all(self, who: Mover, *, now: float) -> None:
        """Close every open group of the room: everybody is together again."""
        async with self._context.change() as session:
            stage = await enter(session, who, ModerationAct.GROUP)
            await _close_every(session, stage, now=now)

    async def list(self, tenant: str, room_id: str) -> list[Group]:
        """Give the open groups in the order in which they were opened."""
        async with self._context.store.read() as session:
            return await open_groups(session, await room_row(session, tenant, room_id))

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
                await _close(session, Stage(room, "deadline", None, None), group, now=now)
        return len(found)


async def open_groups(session: AsyncSession, room: RoomRow) -> list[Group]:
    """Give the open groups of a room in the order in which they were opened."""
    opened = select(GroupRow).where(*_open_in(room)).order_by(GroupRow.opened_at, GroupRow.id)
    groups = list(await session.scalars(opened))
    if not groups:
        return []
    members: dict[str, list[str]] = {group.id: [] for group in groups}
    query = select(GroupMemberRow).where(GroupMemberRow.room_uid == room.uid)
    for row in await session.scalars(query.order_by(GroupMemberRow.identity)):
        members[row.group_id].append(row.identity)
    return [_told(group, members[group.id]) for group in groups]


async def groups_of(session: AsyncSession, room: RoomRow, identities: Sequence[str]) -> dict[str, str]:
    """Say of these people in which open group each belongs; who belongs to the room itself is left out."""
    query = select(GroupMemberRow).where(
        GroupMemberRow.room_uid == room.uid, GroupMemberRow.identity.in_(identities)
    )
    return {row.identity: row.group_id for row in await session.scalars(query)}


async def close_groups(session: AsyncSession, room: RoomRow, cause: Cause, *, now: float) -> None:
    """Close every open group of a room that is over."""
    await _close_every(session, Stage(room, cause, None, None), now=now)


async def _move(session: AsyncSession, stage: Stage, places: Mapping[str, str | None], *, now: float) -> None:
    """Put people in open groups of the room, or back; who is there already stays and nothing is told."""
    if not all(map(is_usable_id, places)):
        raise InvalidValue("members", "each must be 1 to 128 printable characters without a slash")
    query = select(GroupMemberRow).where(GroupMemberRow.room_uid == stage.room.uid)
    there = {row.identity: row for row in await session.scalars(query)}
    after = {identity: row.group_id for identity, row in there.items()} | dict(places)
    if max(Counter(one for one in after.values() if one is not None).values(), default=0) > MEMBERS_AT_MOST:
        raise Full("members")
    for identity, wanted in places.items():
        row = there.get(identity)
        before = None if row is None else row.group_id
        if before == wanted:
            continue
        if row is None:
            session.add(GroupMemberRow(room_uid=stage.room.uid, identity=identity, group_id=wanted))
        elif wanted is None:
            await session.delete(row)
        else:
            row.group_id = wanted
        await _tell(session, stage, identity, before, wanted, now=now)


async def _close_every(session: AsyncSession, stage: Stage, *, now: float) -> None:
    opened = select(GroupRow).where(*_open_in(stage.room)).order_by(GroupRow.opened_at, GroupRow.id)
    for group in list(await session.scalars(opened)):
        await _close(session, stage, group, now=now)


async def _close(session: AsyncSession, stage: Stage, group: GroupRow, *, now: float) -> None:
    if group.closed_at is not None:
        return
    group.closed_at = now
    members = await _members(session, group)
    await session.execute(delete(GroupMemberRow).where(GroupMemberRow.group_id == group.id))
    data = {"group": group.id, "cause": stage.cause, "by": stage.by}
    await append_event(session, stage.room, "group.closed", data, now=now)
    for identity in members:
        await _tell(session, stage, identity, group.id, None, now=now)


async def _tell(
    session: AsyncSession, stage: Stage, identity: str, before: str | None, after: str | None, *, now: float
) -> None:
    data = {
        "identity": identity,
        "from_group": before,
        "to_group": after,
        "to_room": None,
        "cause": stage.cause,
        "by": stage.by,
    }
    await append_event(session, stage.room, "participant.moved", data, now=now)


async def _open_one(session: AsyncSession, room: RoomRow, group_id: str) -> GroupRow:
    group = await _known(session, room, group_id)
    if group.closed_at is not None:
        raise InvalidTransition("closed", "the group is closed; open another")
    return group


async def _known(session: AsyncSession, room: RoomRow, group_id: str) -> GroupRow:
    group = await session.get(GroupRow, group_id)
    if group is None or group.room_uid != room.uid:
        raise NotFound("group")
    return group


async def _members(session: AsyncSession, group: GroupRow) -> list[str]:
    query = select(GroupMemberRow.identity).where(GroupMemberRow.group_id == group.id)
    return list(await session.scalars(query.order_by(GroupMemberRow.identity)))


async def _group(session: AsyncSession, row: GroupRow) -> Group:
    return _told(row, await _members(session, row))


def _told(row: GroupRow, members: Sequence[str]) -> Group:
    return Group(row.id, row.name, tuple(members), row.opened_at, row.closes_at, row.closed_at)


def _open_in(room: RoomRow) -> tuple[ColumnElement[bool], ...]:
    return (GroupRow.room_uid == room.uid, GroupRow.closed_at.is_(None))
