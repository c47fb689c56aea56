"""The store on both databases: durable, one writer at a time, busy instead of broken."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import delete, func, select

from rooms import (
    ApiKey,
    Features,
    KeyRing,
    Room,
    RoomDraft,
    Rooms,
    StoreUnavailable,
    postgresql,
    sqlite,
    store,
)
from rooms.plain_rows import PlainRows
from rooms.rows import room_of
from rooms.tables import RoomRow
from tests.unit.rooms.conftest import NOW, SECRET

ONLY_SQLITE = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
async def neighbour(url: str, rooms: Rooms) -> AsyncIterator[Rooms]:
    """Another process on the same database."""
    service = await Rooms.open(url, keys=KeyRing([]))
    yield service
    await service.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 1)
    monkeypatch.setattr(postgresql, "LOCK_MS", 1)


@asynccontextmanager
async def writing(rooms: Rooms) -> AsyncIterator[None]:
    """Be in the midst of a change: on SQLite the lock is taken with its first statement."""
    async with rooms._context.store.write() as session:
        await session.execute(select(1))
        yield


async def make(rooms: Rooms, room_id: str | None = None) -> Room:
    made = await rooms.create_room("default", RoomDraft(id=room_id), now=NOW)
    assert isinstance(made, Room)
    return made


@ONLY_SQLITE
async def test_a_commit_survives_a_power_cut(rooms: Rooms) -> None:
    async with rooms._context.store.write() as session:
        connection = await session.connection()
        found = [
            (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert found == ["wal", 2, 1, 5000]


async def test_a_reader_sees_one_state_from_the_first_question_to_the_last(
    rooms: Rooms, neighbour: Rooms
) -> None:
    count = select(func.count()).select_from(RoomRow)
    await ask_for_one(rooms)  # on the same connection, without a transaction
    async with rooms._context.store.read() as session:
        before = await session.scalar(count)
        await make(neighbour)
        assert await session.scalar(count) == before == 0
    async with rooms._context.store.read() as session:
        assert await session.scalar(count) == 1


async def read_all(rooms: Rooms) -> None:
    async with rooms._context.store.read() as session:
        await session.execute(select(RoomRow))


async def ask_for_one(rooms: Rooms) -> None:
    await rooms._context.store.ask(select(RoomRow.__table__), {})


@ONLY_SQLITE
@pytest.mark.parametrize("ask", [read_all, ask_for_one])
@pytest.mark.parametrize("turns", range(1, 40))
async def test_a_reader_who_is_broken_off_leaves_no_old_state_behind(
    rooms: Rooms, turns: int, ask: Callable[[Rooms], Coroutine[None, None, None]]
) -> None:
    asking = asyncio.create_task(ask(rooms))
    for _ in range(turns):  # the statement is not asked for yet, under way, or answered
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    room = await make(rooms)
    for _ in range(6):  # each connection there is
        assert await rooms.get_room("default", room.id) == room


async def test_one_question_is_answered_as_things_are_now(rooms: Rooms, neighbour: Rooms) -> None:
    ask, count = rooms._context.store.ask, select(func.count()).select_from(RoomRow)
    for made in range(4):
        answer = await ask(count, {})
        assert answer is not None
        assert answer[0] == made
        await make(neighbour)


async def test_an_answer_says_the_same_as_the_watched_object(rooms: Rooms) -> None:
    draft = RoomDraft(id="rdv", metadata={"ward": "B"}, features=Features(chat=False), waiting_room=True)
    assert isinstance(await rooms.create_room("default", draft, now=NOW), Room)
    plain = PlainRows(RoomRow)
    found = await rooms._context.store.ask(select(*plain.columns), {})
    assert found is not None
    row = plain.read(found)
    async with rooms._context.store.read() as session:
        watched = (await session.scalars(select(RoomRow))).one()
    assert row is not None
    for name in RoomRow.__mapper__.column_attrs.keys():  # noqa: SIM118 - it is no dictionary
        assert getattr(row, name) == getattr(watched, name), name
    assert room_of(row) == room_of(watched)


def test_where_an_outer_join_found_nothing_there_is_no_row() -> None:
    plain = PlainRows(RoomRow)
    assert plain.read([None] * len(plain.columns)) is None


async def test_opening_twice_changes_nothing(rooms: Rooms, url: str) -> None:
    room = await make(rooms)
    again = await Rooms.open(url, keys=KeyRing([]))
    assert await again.get_room("default", room.id) == room
    await again.close()


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////proc/nowhere/x.db", "sqlite://", "sqlite:////dev/null", "no address",
        "mysql://u:hunter2@h/d", "postgresql+psycopg://u:hunter2@h/d", "postgresql://u:hunter2@h:12b/d",
        "postgresql://u:hunter2@/d?host=/nowhere", "postgresql://u:hunter2@/d?host=/nowhere&port=hunter2",
        "postgresql://u@/d?host=/nowhere&password=hunter2", "postgresql://u:hunter2@/d?sslmode=perhaps",
        "postgresql://u:hun#ter2@/d?host=/nowhere",
    ],
)  # fmt: skip
async def test_a_database_that_cannot_be_opened_is_named_without_its_password(url: str) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        await Rooms.open(url, keys=KeyRing([ApiKey("k", SECRET)]))
    assert "hunter2" not in str(caught.value)
    assert "ter2" not in str(caught.value)
    assert str(caught.value)
    assert "\n" not in str(caught.value)


async def test_who_was_here_before_comes_back_while_the_database_takes_no_writes(
    rooms: Rooms, neighbour: Rooms
) -> None:
    await make(rooms, "rdv")
    _, secret = await rooms.links.create_for_guests("default", "rdv", now=NOW)
    before = await rooms.links.join(secret, now=NOW, guest_key="k" * 16)
    async with writing(neighbour):
        again = await rooms.links.join(secret, now=NOW, guest_key="k" * 16)
        assert again.identity == before.identity
        await rooms.verify_join(again.token, now=NOW)


async def test_writers_wait_for_their_turn_no_longer_than_they_should(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "QUEUE_TIMEOUT_SECONDS", 0.05)
    async with rooms._context.store.write():
        with pytest.raises(StoreUnavailable):
            await make(rooms)
    await make(rooms)


async def test_a_locked_database_is_busy_and_recovers_without_a_restart(
    impatient: None, rooms: Rooms, neighbour: Rooms, caplog: pytest.LogCaptureFixture
) -> None:
    async with writing(neighbour):
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await make(rooms)
    with caplog.at_level("INFO", "rooms"):
        await make(rooms)
    assert [one.message for one in caplog.records if one.message.startswith("store_")] == [
        "store_unavailable",
        "store_available",
    ]


async def test_a_locked_database_is_read(impatient: None, rooms: Rooms, neighbour: Rooms) -> None:
    await make(rooms, "rdv")
    async with writing(neighbour):
        await rooms.get_room("default", "rdv")


async def test_what_a_block_wrote_before_it_failed_is_gone(rooms: Rooms) -> None:
    await make(rooms, "rdv")

    async def failing() -> None:
        async with rooms._context.store.write() as session:
            await session.execute(delete(RoomRow))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await failing()
    await rooms.get_room("default", "rdv")


async def test_a_reader_sees_one_state_whatever_is_written_meanwhile(rooms: Rooms, neighbour: Rooms) -> None:
    count = select(func.count()).select_from(RoomRow)
    async with rooms._context.store.read() as session:
        before = await session.scalar(count)
        await make(neighbour)
        assert await session.scalar(count) == before
    async with rooms._context.store.read() as session:
        assert await session.scalar(count) == (before or 0) + 1


@ONLY_SQLITE
def test_the_driver_of_the_other_database_is_not_loaded(url: str) -> None:
    program = f"""
import asyncio, sys
from rooms import KeyRing, Rooms
async def main():
    await (await Rooms.open({url!r}, keys=KeyRing([]))).close()
    asked = {{"asyncpg", "alembic", "aiosqlite", "sqlalchemy.dialects.postgresql"}}
    print(sorted(sys.modules.keys() & asked))
asyncio.run(main())
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said == "['aiosqlite']\n"
