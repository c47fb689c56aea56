"""The queue of writers on both databases: several to a commit, each undone alone, none answered before."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import event, text

from rooms import Once, Room, RoomDraft, RoomFilter, Rooms, StoreUnavailable, writers
from rooms.answers import Answer
from rooms.errors import NotFound, Taken
from tests.unit.rooms.conftest import NOW

CROWD = 20


async def make(rooms: Rooms, room_id: str, once: Once | None = None) -> Room | Answer:
    return await rooms.create_room("default", RoomDraft(id=room_id), now=NOW, once=once)


async def queued(rooms: Rooms, many: int) -> None:
    """Go on once so many wait for their turn."""
    while rooms._context.store.writers.waiting < many:  # noqa: ASYNC110
        await asyncio.sleep(0)


async def with_others(rooms: Rooms, *work: Callable[[], Awaitable[object]]) -> list[object]:
    """Let all this wait while somebody writes, so that it shares the commit that follows."""
    async with rooms._context.store.write():
        asked = [asyncio.ensure_future(one()) for one in work]
        await queued(rooms, len(work))
    return await asyncio.gather(*asked, return_exceptions=True)


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "GROUP_SECONDS", 5.0)


async def test_those_who_wait_share_a_commit(rooms: Rooms) -> None:
    counters = rooms._context.store.writers.counters
    before = counters.commits
    made = await with_others(rooms, *(lambda name=f"r{n}": make(rooms, name) for n in range(CROWD)))
    assert [one.id for one in made if isinstance(one, Room)] == [f"r{n}" for n in range(CROWD)]
    assert (counters.commits - before, counters.writes) == (1, CROWD + 1)
    found, _ = await rooms.list_rooms("default", RoomFilter(), limit=CROWD + 1)
    assert len(found) == CROWD
    page = await rooms.events.read(after=0, limit=CROWD + 1)
    assert [one.position for one in page.items] == list(range(1, CROWD + 1))


async def test_a_group_has_an_end_so_that_its_first_is_answered(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "GROUP_MOST", 5)
    counters = rooms._context.store.writers.counters
    before = counters.commits
    await with_others(rooms, *(lambda name=f"r{n}": make(rooms, name) for n in range(9)))
    assert counters.commits - before == 2
    monkeypatch.setattr(writers, "GROUP_SECONDS", 0.0)
    await with_others(rooms, *(lambda name=f"s{n}": make(rooms, name) for n in range(9)))
    assert counters.commits - before == 2 + 10


async def test_who_fails_undoes_only_what_is_its_own(rooms: Rooms) -> None:
    async def broken() -> None:
        async with rooms._context.change() as session:
            await session.execute(text("DELETE FROM rooms"))
            raise ZeroDivisionError

    async def refused() -> None:
        await rooms.participants.remove("default", "nowhere", "p", now=NOW)

    first, wrong, twice, absent, last = await with_others(
        rooms, lambda: make(rooms, "a"), broken, lambda: make(rooms, "a"), refused, lambda: make(rooms, "b")
    )
    assert isinstance(wrong, ZeroDivisionError)
    assert isinstance(twice, Taken)
    assert isinstance(absent, NotFound)
    for room in (first, last):
        assert isinstance(room, Room)
        assert await rooms.get_room("default", room.id) == room


async def test_the_first_of_a_group_that_fails_is_undone_as_well(rooms: Rooms) -> None:
    async def broken() -> None:
        async with rooms._context.store.write() as session:
            await session.execute(text("UPDATE event_heads SET position = 7"))
            asked.append(asyncio.ensure_future(make(rooms, "a")))
            await queued(rooms, 1)
            raise ZeroDivisionError

    asked: list[asyncio.Future[Room | Answer]] = []
    with pytest.raises(ZeroDivisionError):
        await broken()
    await asked[0]
    assert await rooms.events.newest() == 1


async def test_nobody_is_answered_before_the_commit_and_a_repetition_waits_for_it_too(rooms: Rooms) -> None:
    once = Once("key", "what", lambda _: Answer(201, {}, "made"))
    answered: list[str] = []
    committing: list[list[str]] = []

    async def asking(name: str) -> None:
        await make(rooms, "a", once)
        answered.append(name)

    @event.listens_for(rooms._context.store._engine.sync_engine, "commit")
    def _before(_connection: object) -> None:
        committing.append(list(answered))

    await with_others(rooms, lambda: asking("first"), lambda: asking("again"))
    assert (committing, answered) == ([[]], ["first", "again"])


async def test_a_commit_that_fails_fails_for_all_and_is_no_refusal(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make(rooms, "before")

    def refuse(_: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("sqlalchemy.Connection.commit", refuse)
        first, twice = [asyncio.ensure_future(one) for one in (make(rooms, "a"), make(rooms, "a"))]
        told = await asyncio.gather(first, twice, return_exceptions=True)
    # The second was refused for what the first wrote, and that is not there.
    assert [type(one) for one in told] == [StoreUnavailable, StoreUnavailable]
    with pytest.raises(NotFound):
        await rooms.get_room("default", "a")
    await make(rooms, "a")
    assert await rooms.events.newest() == 2


async def test_who_is_broken_off_takes_the_group_along_and_the_queue_goes_on(rooms: Rooms) -> None:
    started = asyncio.Event()

    async def endless() -> None:
        async with rooms._context.store.write() as session:
            await session.execute(text("DELETE FROM rooms"))
            started.set()
            await asyncio.Event().wait()

    first = asyncio.ensure_future(make(rooms, "a"))
    stuck = asyncio.ensure_future(endless())
    await started.wait()
    late = asyncio.ensure_future(make(rooms, "b"))
    await queued(rooms, 1)
    stuck.cancel()
    told = await asyncio.gather(first, late, return_exceptions=True)
    assert isinstance(told[0], StoreUnavailable)
    assert isinstance(told[1], Room)
    with pytest.raises(NotFound):
        await rooms.get_room("default", "a")


async def test_who_waits_no_longer_costs_the_others_nothing(rooms: Rooms) -> None:
    async with rooms._context.store.write():
        asked = [asyncio.ensure_future(make(rooms, name)) for name in ("a", "b", "c")]
        await queued(rooms, 3)
        asked[1].cancel()
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(one) for one in told] == [Room, asyncio.CancelledError, Room]


async def test_a_queue_that_is_too_long_is_refused_at_once(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "WAITING_MOST", 1)
    async with rooms._context.store.write():
        waiting = asyncio.ensure_future(make(rooms, "a"))
        await queued(rooms, 1)
        with pytest.raises(StoreUnavailable):
            await make(rooms, "b")
    await waiting
