"""SQLite as the store: one file, write-ahead log, on disk when a transaction ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import create_async_engine

from rooms.database import Database
from rooms.errors import StoreUnavailable
from rooms.sqlite_driver import begin_with_next, visit_once

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Connection
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.ext.asyncio import AsyncEngine

BUSY_TIMEOUT_MS = 5000  # another process (a backup, the command line) may hold the write lock for a moment


def database(url: URL, *, pool_seconds: float) -> Database:
    """Give the database in the file of `url`, making its folder; raise `StoreUnavailable`."""
    if not url.database:
        raise StoreUnavailable("not of the form sqlite:///FILE")
    try:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(str(error.strerror)) from error
    engine = create_async_engine(url.set(drivername="sqlite+aiosqlite"), pool_timeout=pool_seconds)
    visit_once(engine)
    _make_durable(engine)
    return Database(
        engine,
        writer={"writes": True},
        asker={"asks": True},
        check=lambda _connection: None,
        is_passing=_is_passing,
        is_unstorable=lambda _error: False,
        transaction_seconds=None,  # the file answers, or is busy for `BUSY_TIMEOUT_MS`
    )


def _is_passing(error: DBAPIError) -> bool:
    # Locked, or the disk is full.
    return isinstance(error, OperationalError | InterfaceError)


def _make_durable(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = (
            None  # transactions begin where `_begin` says, not where the driver guesses
        )
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",  # a commit that was answered survives a power cut
            "foreign_keys=ON",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer's first statement takes the lock: upgrading a read lock later fails under contention.
        options = connection.get_execution_options()
        if options.get("writes", False):
            begin_with_next(connection, "BEGIN IMMEDIATE")
        elif not options.get("asks", False):
            begin_with_next(connection, "BEGIN")
