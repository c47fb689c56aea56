"""A new database, one that was upgraded step by step, and the tables that the code expects are the same."""

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from rooms import KeyRing, Rooms, StoreUnavailable, schema
from rooms.tables import Base

WAYS = [schema.bring_up_to_date, schema.upgrade_by_steps]
MIGRATIONS = Path(schema.__file__).with_name("migrations")


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes databases that have no tables yet."""
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path / secrets.token_hex(4)}"
    cluster = request.getfixturevalue("postgresql")

    def made() -> str:
        name = f"schema_{secrets.token_hex(4)}"
        cluster.make(name)
        return str(cluster.socket_url(name))

    return made


def made(url: str, *ways: Callable[[Connection], None]) -> dict[str, Any]:
    """Everything that the database says of its tables after going these ways."""
    return asyncio.run(_made(url, *ways))


async def _made(url: str, *ways: Callable[[Connection], None]) -> dict[str, Any]:
    on_sqlite = url.startswith("sqlite")
    engine = create_async_engine(url.replace(":", "+aiosqlite:" if on_sqlite else "+asyncpg:", 1))
    if on_sqlite:
        event.listen(engine.sync_engine, "connect", lambda one, _: one.execute("PRAGMA foreign_keys=ON"))
    async with engine.begin() as connection:
        found = await connection.run_sync(_described, *ways)
    await engine.dispose()
    return found


def _described(connection: Connection, *ways: Callable[[Connection], None]) -> dict[str, Any]:
    for way in ways:
        way(connection)
    assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    found = inspect(connection)
    tables = {
        name: (
            [{**column, "type": str(column["type"])} for column in found.get_columns(name)],
            found.get_pk_constraint(name),
            sorted(map(str, found.get_indexes(name))),
            sorted(map(str, found.get_foreign_keys(name))),
            sorted(map(str, found.get_unique_constraints(name))),
        )
        for name in found.get_table_names()
    }
    version = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return {**tables, "version": version}


def test_a_new_database_is_as_if_every_step_had_been_taken(new_url: Callable[[], str]) -> None:
    at_once, by_steps = (made(new_url(), way) for way in WAYS)
    assert at_once == by_steps
    assert at_once["version"] == schema.NEWEST


@pytest.mark.parametrize("first", WAYS)
@pytest.mark.parametrize("then", WAYS)
def test_a_second_time_changes_nothing(
    new_url: Callable[[], str], first: Callable[[Connection], None], then: Callable[[Connection], None]
) -> None:
    assert made(new_url(), first, then) == made(new_url(), first)


def test_a_database_from_before_the_first_step_was_noted_is_upgraded_and_not_taken_as_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[Connection] = []
    monkeypatch.setattr(schema, "upgrade_by_steps", taken.append)
    engine = create_engine(f"sqlite:///{tmp_path / 'old'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('0000')"))
        schema.bring_up_to_date(connection)
    engine.dispose()
    assert len(taken) == 1


def test_tables_of_a_newer_version_are_left_alone_and_told(new_url: Callable[[], str]) -> None:
    url = new_url()

    def upgrade_later(connection: Connection) -> None:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    made(url, schema.bring_up_to_date, upgrade_later)
    with pytest.raises(StoreUnavailable, match="are of a newer version"):
        asyncio.run(Rooms.open(url, keys=KeyRing([])))


def test_the_newest_step_is_known() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_heads() == [schema.NEWEST]


def test_rooms_of_the_first_schema_keep_the_state_that_was_told_of_them(
    new_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 5000.0)

    def upgrade(connection: Connection) -> None:
        schema.upgrade_by_steps(connection, to="0001")
        for uid, opens, closes in (("past", 1000, 2000), ("now", 4000, 6000), ("next", 8000, 9000)):
            connection.execute(text(ROOM), {"uid": uid, "opens": opens, "closes": closes})
        connection.execute(text(ROOM), {"uid": "open", "opens": None, "closes": None})
        connection.execute(text(PARTICIPANT))
        schema.bring_up_to_date(connection)
        assert connection.execute(text("SELECT uid, state, due_at FROM rooms ORDER BY uid")).all() == [
            ("next", "planned", 9000),
            ("now", "in_progress", 6000),
            ("open", "in_progress", None),
            ("past", "finished", None),
        ]
        kept = connection.execute(text("SELECT identity, state, admitted_at FROM participants")).all()
        assert kept == [("p1", "removed", None)]
        assert connection.execute(text("SELECT position, pruned FROM event_heads")).all() == [(0, 0)]

    made(new_url(), upgrade)


ROOM = """INSERT INTO rooms (uid, tenant, id, kind, open_before_minutes, close_after_minutes, agenda_at,
opens_at, closes_at, features, metadata, created_at, version)
VALUES (:uid, 'default', :uid, 'group', 0, 0, 0, :opens, :closes, '{}', '{}', 0, 1)"""
PARTICIPANT = """INSERT INTO participants (room_uid, identity, role, attributes, metadata, state, forgotten,
epoch, created_at, version) VALUES ('now', 'p1', 'guest', '{}', '{}', 'removed', false, 3, 0, 1)"""
