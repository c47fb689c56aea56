"""The event log: in order, with the change or not at all, and for a limited time."""

from collections.abc import AsyncIterator

import pytest

from rooms.context import Context, RoomsSettings
from rooms.events import append_event, newest_position, prune_events, read_events
from rooms.ids import new_room_uid
from rooms.keys import KeyRing
from rooms.store import Store
from rooms.tables import RoomRow
from tests.unit.rooms.conftest import NOW


@pytest.fixture
async def context(url: str) -> AsyncIterator[Context]:
    store = await Store.open(url)
    yield Context(store, KeyRing([]), RoomsSettings())
    await store.close()


def room_row(room_id: str, tenant: str = "default") -> RoomRow:
    return RoomRow(
        uid=new_room_uid(), tenant=tenant, id=room_id, kind="group", open_before_minutes=0,
        close_after_minutes=0, agenda_at=NOW, features={}, labels={}, created_at=NOW, version=1,
        state="planned", waiting_room=False, last_seq=0,
    )  # fmt: skip


async def made(context: Context, *rooms: RoomRow) -> None:
    async with context.change() as session:
        session.add_all(rooms)
        for room in rooms:
            await append_event(session, room, "room.planned", {}, now=NOW)


async def happens(
    context: Context, room: RoomRow, *, now: float = NOW, times: int = 1, fails: bool = False
) -> None:
    for _ in range(times):
        async with context.change() as session:
            row = await session.get_one(RoomRow, room.uid)
            await append_event(session, row, "room.waiting", {"n": 1}, now=now)
            if fails:
                raise RuntimeError("not today")


async def test_events_are_numbered_by_their_room_and_all_together(context: Context) -> None:
    one, two = room_row("one"), room_row("two")
    await made(context, one, two)
    await happens(context, one)
    async with context.store.read() as session:
        page = await read_events(session, after=0)
        assert await newest_position(session) == page.last == 3
    assert [(event.position, event.room_id, event.seq) for event in page.items] == [
        (1, "one", 1),
        (2, "two", 1),
        (3, "one", 2),
    ]
    assert len({event.id for event in page.items}) == 3
    assert all(event.id.startswith("evt_") and len(event.id) == 30 for event in page.items)


async def test_an_event_of_a_change_that_fails_never_was_and_leaves_no_hole(context: Context) -> None:
    room = room_row("one")
    await made(context, room)
    heard: list[object] = []
    context.followers.append(heard.append)
    with pytest.raises(RuntimeError):
        await happens(context, room, fails=True)
    assert heard == []
    await happens(context, room)
    async with context.store.read() as session:
        page = await read_events(session, after=0)
    assert [(event.position, event.seq) for event in page.items] == [(1, 1), (2, 2)]
    assert heard == page.items[1:]


async def test_an_event_is_in_the_log_for_whoever_asks_in_the_same_change(context: Context) -> None:
    room = room_row("one")
    await made(context, room)
    async with context.change() as session:
        row = await session.get_one(RoomRow, room.uid)
        await append_event(session, row, "room.waiting", {}, now=NOW)
        page = await read_events(session, after=1)
        assert [(event.position, event.type) for event in page.items] == [(2, "room.waiting")]
        assert await newest_position(session) == 2
        await append_event(session, row, "room.in_progress", {}, now=NOW)
    async with context.store.read() as session:
        assert [event.seq for event in (await read_events(session, after=0)).items] == [1, 2, 3]


async def test_a_follower_that_fails_keeps_nothing_from_the_others(
    context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("not today")

    heard: list[object] = []
    context.followers += [broken, heard.append]
    await made(context, room_row("one"))
    assert len(heard) == 1
    assert "follower_failed" in caplog.messages


async def test_a_reader_goes_on_where_it_stopped_and_sees_only_its_tenant(context: Context) -> None:
    ours, other, theirs = room_row("one"), room_row("two"), room_row("one", tenant="elsewhere")
    await made(context, ours, other, theirs)
    await happens(context, ours, times=3)
    async with context.store.read() as session:
        first = await read_events(session, after=0, tenant="default", limit=2)
        then = await read_events(session, after=first.last, tenant="default", limit=2)
        last = await read_events(session, after=then.last, tenant="default")
        end = await read_events(session, after=last.last, tenant="default")
        room = await read_events(session, after=0, tenant="default", room_id="one")
    seen = [event.position for page in (first, then, last) for event in page.items]
    assert seen == [1, 2, 4, 5, 6]
    assert (end.items, end.last) == ([], 6)
    assert [event.position for event in room.items] == [1, 4, 5, 6]


async def test_events_outlive_their_room(context: Context) -> None:
    room = room_row("one")
    await made(context, room)
    async with context.change() as session:
        row = await session.get_one(RoomRow, room.uid)
        await append_event(session, row, "room.deleted", {}, now=NOW)
        await session.delete(row)
    async with context.store.read() as session:
        page = await read_events(session, after=0)
    assert [event.type for event in page.items] == ["room.planned", "room.deleted"]


async def test_old_events_are_deleted_from_the_beginning_and_whoever_missed_them_is_told(
    context: Context,
) -> None:
    room = room_row("one")
    await made(context, room)
    await happens(context, room, now=NOW + 100)
    await happens(context, room, now=NOW - 50)  # the clock was set back
    async with context.store.write() as session:
        assert await prune_events(session, before=NOW + 50) == 1
        assert await prune_events(session, before=NOW + 50) == 0
        page = await read_events(session, after=0)
        assert ([event.position for event in page.items], page.missed) == ([2, 3], True)
        assert not (await read_events(session, after=1)).missed
        assert await prune_events(session, before=NOW + 500) == 2
    await happens(context, room, times=3)
    async with context.store.write() as session:
        assert await prune_events(session, before=0, most=2) == 1
        page = await read_events(session, after=4)
    assert [(event.position, event.seq) for event in page.items] == [(5, 5), (6, 6)]
