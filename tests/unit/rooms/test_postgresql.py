"""PostgreSQL: several nodes on one database, a server that goes away, settings that weaken promises."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import pytest
from sqlalchemy import text

from rooms import (
    Answer,
    ApiKey,
    Full,
    InvalidValue,
    KeyRing,
    Once,
    ParticipantDraft,
    Room,
    RoomDraft,
    RoomFilter,
    Rooms,
    RoomsSettings,
    StoreUnavailable,
    Taken,
    schema,
)
from tests.support.postgresql import Cluster, emptied
from tests.unit.rooms.conftest import NOW

_names = count()


@pytest.fixture
def url(postgresql: Cluster) -> str:
    return emptied(postgresql, "rooms")


@pytest.fixture
async def other_node(url: str, rooms: Rooms, key: ApiKey) -> AsyncIterator[Rooms]:
    service = await Rooms.open(url, keys=KeyRing([key]))
    yield service
    await service.close()


@pytest.fixture
def empty(postgresql: Cluster) -> str:
    """A database without tables."""
    name = f"empty{next(_names)}"
    postgresql.make(name)
    return postgresql.socket_url(name)


async def ask(rooms: Rooms, statement: str) -> object:
    async with rooms._context.store.read() as session:
        return await session.scalar(text(statement))


async def close_connections(postgresql: Cluster) -> None:
    ended = "count(pg_terminate_backend(pid, 5000))"  # milliseconds to wait until it is gone
    all_of_rooms = f"SELECT {ended} FROM pg_stat_activity WHERE datname = 'rooms'"
    assert await asyncio.to_thread(postgresql.execute, "postgres", all_of_rooms)


class TestNodes:
    async def test_those_that_start_together_make_the_tables_once(self, empty: str) -> None:
        nodes = await asyncio.gather(*(Rooms.open(empty, keys=KeyRing([])) for _ in range(5)))
        assert [await ask(node, "SELECT count(*) FROM alembic_version") for node in nodes] == [1] * 5
        for node in nodes:
            await node.close()

    async def test_those_that_start_together_take_the_steps_once(
        self, empty: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(schema, "_make", schema.upgrade_by_steps)
        nodes = await asyncio.gather(*(Rooms.open(empty, keys=KeyRing([])) for _ in range(3)))
        assert [await ask(node, "SELECT count(*) FROM alembic_version") for node in nodes] == [1] * 3
        for node in nodes:
            await node.close()

    async def test_no_change_of_one_is_lost_to_another(self, rooms: Rooms, other_node: Rooms) -> None:
        await rooms.create_room("default", RoomDraft(id="rdv"), now=NOW)
        await asyncio.gather(
            *(
                node.participants.remove("default", "rdv", "p", now=NOW)
                for _ in range(10)
                for node in (rooms, other_node)
            )
        )
        assert (await rooms.participants.get("default", "rdv", "p")).epoch == 20

    async def test_a_key_used_at_two_at_once_makes_one_room(self, rooms: Rooms, other_node: Rooms) -> None:
        once = Once("k", "f", lambda room: Answer(201, {}, room.id))
        made = await asyncio.gather(
            *(
                node.create_room("default", RoomDraft(), now=NOW, once=once)
                for _ in range(5)
                for node in (rooms, other_node)
            )
        )
        found, _ = await rooms.list_rooms("default", RoomFilter())
        assert len(found) == 1
        assert {one.id if isinstance(one, Room) else one.body for one in made} == {found[0].id}

    async def test_an_id_is_taken_once(self, rooms: Rooms, other_node: Rooms) -> None:
        made = await asyncio.gather(
            *(node.create_room("default", RoomDraft(id="rdv"), now=NOW) for node in (rooms, other_node)),
            return_exceptions=True,
        )
        assert sorted(type(one).__name__ for one in made) == [Room.__name__, Taken.__name__]

    async def test_a_cap_holds_for_all_together(self, rooms: Rooms, other_node: Rooms, key: ApiKey) -> None:
        for node in (rooms, other_node):
            node.reconfigure(keys=KeyRing([key]), settings=RoomsSettings(max_participants_per_room=3))
        await rooms.create_room("default", RoomDraft(id="rdv"), now=NOW)
        made = await asyncio.gather(
            *(
                node.participants.put("default", "rdv", f"p{number}", ParticipantDraft(), now=NOW)
                for number, node in enumerate([rooms, other_node] * 4)
            ),
            return_exceptions=True,
        )
        assert sum(isinstance(one, Full) for one in made) == 5


class TestServer:
    async def test_connections_that_it_closed_are_replaced_without_a_word(
        self, rooms: Rooms, postgresql: Cluster
    ) -> None:
        await asyncio.gather(*(rooms.count_by_state() for _ in range(5)))
        await close_connections(postgresql)
        assert await rooms.count_by_state()
        await rooms.create_room("default", RoomDraft(), now=NOW)

    async def test_a_transaction_that_it_breaks_off_is_busy_and_undone(
        self, rooms: Rooms, postgresql: Cluster
    ) -> None:
        async def broken_off() -> None:
            async with rooms._context.store.write() as session:
                await session.execute(text("DELETE FROM rooms"))
                await close_connections(postgresql)

        await rooms.create_room("default", RoomDraft(id="rdv"), now=NOW)
        with pytest.raises(StoreUnavailable):
            await broken_off()
        await rooms.get_room("default", "rdv")

    async def test_a_statement_of_our_own_that_is_wrong_is_not_called_busy(self, rooms: Rooms) -> None:
        with pytest.raises(Exception, match="nowhere") as caught:
            await ask(rooms, "SELECT 1 FROM nowhere")
        assert not isinstance(caught.value, StoreUnavailable)

    async def test_text_that_it_cannot_keep_is_the_callers_mistake(self, rooms: Rooms) -> None:
        for attempt in (
            rooms.get_room("default", "a\0"),
            rooms.create_room("default", RoomDraft(metadata={"a": "\0"}), now=NOW),
        ):
            with pytest.raises(InvalidValue, match=r"U\+0000"):
                await attempt

    async def test_more_ask_at_once_than_there_are_connections(self, rooms: Rooms) -> None:
        assert len(await asyncio.gather(*(rooms.count_by_state() for _ in range(50)))) == 50


class TestSettingsOfTheServer:
    async def test_it_gives_up_what_nobody_waits_for(self, rooms: Rooms) -> None:
        assert await ask(rooms, "SHOW lock_timeout") == "3s"
        assert await ask(rooms, "SHOW statement_timeout") == "5s"
        assert await ask(rooms, "SHOW idle_in_transaction_session_timeout") == "5s"
        assert await ask(rooms, "SHOW application_name") == "colloque"

    @pytest.mark.parametrize(("set_to", "used"), [("off", "on"), ("remote_apply", "remote_apply")])
    async def test_a_commit_is_answered_when_it_is_on_disk(
        self, empty: str, postgresql: Cluster, set_to: str, used: str
    ) -> None:
        name = empty.partition("@/")[2].partition("?")[0]
        statement = f"ALTER DATABASE {name} SET synchronous_commit = {set_to}"
        await asyncio.to_thread(postgresql.execute, "postgres", statement)
        node = await Rooms.open(empty, keys=KeyRing([]))
        assert await ask(node, "SHOW synchronous_commit") == used
        await node.close()

    def test_a_database_that_cannot_hold_every_name_is_refused(self, postgresql: Cluster) -> None:
        postgresql.make("latin", "TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
        with pytest.raises(StoreUnavailable, match="encoded in LATIN1; make it with"):
            asyncio.run(Rooms.open(postgresql.socket_url("latin"), keys=KeyRing([])))

    def test_a_database_that_does_not_exist_is_named(self, postgresql: Cluster) -> None:
        with pytest.raises(StoreUnavailable, match='/absent: database "absent" does not exist'):
            asyncio.run(Rooms.open(postgresql.socket_url("absent"), keys=KeyRing([])))
