"""The database: opening it, bringing it up to date, and transactions that are on disk when they return."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from rooms.errors import StoreUnavailable
from rooms.schema import bring_up_to_date

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.engine import URL, Connection
    from sqlalchemy.ext.asyncio import AsyncEngine

BUSY_TIMEOUT_MS = 5000  # another process (a backup, the command line) may hold the write lock for a moment
QUEUE_TIMEOUT_SECONDS = 5.0  # longer in the queue of writers or for a connection is an answer too late


class Store:
    """Transactions on one database; a write has reached the disk when its block ends."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Take an engine whose schema is up to date; use `Store.open`."""
        self._engine = engine
        # SQLite has one writer at a time: waiting here is free, waiting in the driver holds a thread.
        self._writer = asyncio.Lock()

    @classmethod
    async def open(cls, url: str) -> Store:
        """Open `url` (`sqlite:///path`), making or upgrading its tables; raise `StoreUnavailable`."""
        try:
            engine = create_async_engine(_driver_url(url), pool_timeout=QUEUE_TIMEOUT_SECONDS)
        except OSError as error:
            raise StoreUnavailable(f"{url}: {error.strerror}") from error
        _make_sqlite_durable(engine)
        try:
            async with engine.connect() as connection:
                await connection.run_sync(bring_up_to_date)
                await connection.commit()
        except (SQLAlchemyError, OSError) as error:
            await engine.dispose()
            raise StoreUnavailable(f"{_shown(url)}: {_reason(error)}") from error
        return cls(engine)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    async def ping(self) -> None:
        """Ask the database for anything; raise `StoreUnavailable` if it does not answer."""
        async with self.read() as session:
            await session.execute(text("SELECT 1"))

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Give a session that sees one state of the database and changes nothing."""
        async with _mapped_errors(), AsyncSession(self._engine, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """Give a session that is committed when the block ends, and undone if it raises."""
        async with (
            _mapped_errors(),
            self._turn(),
            AsyncSession(self._engine, expire_on_commit=False) as session,
        ):
            await session.connection(execution_options={"writes": True})
            yield session
            await session.commit()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        async with asyncio.timeout(QUEUE_TIMEOUT_SECONDS):
            await self._writer.acquire()
        try:
            yield
        finally:
            self._writer.release()


@asynccontextmanager
async def _mapped_errors() -> AsyncIterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise StoreUnavailable(_reason(error)) from error
    except (TimeoutError, PoolTimeoutError) as error:
        raise StoreUnavailable("too many wait for the database") from error


def _driver_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreUnavailable("not a database address") from error
    if parsed.drivername != "sqlite" or not parsed.database:
        raise StoreUnavailable("not of the form sqlite:///FILE")
    Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    return parsed.set(drivername="sqlite+aiosqlite")


def _make_sqlite_durable(engine: AsyncEngine) -> None:
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
        # A writer takes the lock at once: upgrading a read lock later fails under contention.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _shown(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)


def _reason(error: BaseException) -> str:
    # The driver's own sentence, without the statement and its values.
    return str(error.orig if isinstance(error, DBAPIError) else error).splitlines()[0]
