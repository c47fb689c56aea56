"""The database: opening it, bringing it up to date, and transactions that are on disk when they return."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.util import greenlet_spawn

from rooms import postgresql, sqlite
from rooms.errors import InvalidValue, StoreUnavailable
from rooms.schema import bring_up_to_date, is_up_to_date
from rooms.writers import Writers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from sqlalchemy import Executable, Row
    from sqlalchemy.engine import URL

    from rooms.database import Database

QUIET_SECONDS = 10.0  # a database that fails now and then is told of no more often
QUEUE_TIMEOUT_SECONDS = 5.0  # longer in the queue of writers or for a connection is an answer too late


log = logging.getLogger("rooms")


class Store:
    """Transactions on one database; a write has reached the disk when its block ends."""

    def __init__(self, database: Database) -> None:
        """Take a database whose schema is up to date; use `Store.open`."""
        self._database = database
        self._engine = database.engine
        self._asking = database.engine.sync_engine.execution_options(**database.asker)
        # One writes at a time: waiting here is free, waiting in the driver holds a thread or a connection.
        self.writers = Writers(database)
        self.writes = 0
        """Goes up after each write of this process: as long as it stays, no deadline was changed here."""
        self._failing = False
        self._quiet_until = 0.0

    @classmethod
    async def open(cls, url: str) -> Store:
        """Open `url` (`sqlite:///FILE` or `postgresql://…`), making or upgrading its tables.

        Raise `StoreUnavailable` with a sentence that holds no password.
        """
        parsed = _parsed(url)
        try:
            database = _database(url, parsed)
            try:
                await _prepare(database)
            except BaseException:
                await database.engine.dispose()
                raise
        except (StoreUnavailable, SQLAlchemyError, OSError) as error:
            raise StoreUnavailable(f"{_shown(parsed)}: {_reason(error)}") from error
        return cls(database)

    @property
    def is_shared(self) -> bool:
        """Whether other servers may write to the same database."""
        return self._engine.dialect.name != "sqlite"

    async def close(self) -> None:
        """Close every connection, once the writers who wait had their turn."""
        await self.writers.close()
        await self._engine.dispose()

    async def ping(self) -> None:
        """Ask the database for anything; raise `StoreUnavailable` if it does not answer."""
        async with self.read() as session:
            await session.execute(text("SELECT 1"))

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Give a session that sees one state of the database and changes nothing."""
        async with (
            self._mapped_errors(),
            asyncio.timeout(self._database.transaction_seconds),
            AsyncSession(self._engine, expire_on_commit=False) as session,
        ):
            yield session

    async def ask(self, question: Executable, about: Mapping[str, Any]) -> Row[Any] | None:
        """Give the one row that a statement finds, as plain values; the cheapest way to read."""

        def at_once() -> Row[Any] | None:
            with self._asking.connect() as connection:
                return connection.execute(question, about).one_or_none()

        # Of an `AsyncConnection` taking, asking and giving back would each be a greenlet of its own, and the
        # last a task too.
        async with self._mapped_errors(), asyncio.timeout(self._database.transaction_seconds):
            return await greenlet_spawn(at_once)

    @asynccontextmanager
    async def write(
        self, *, counts: Callable[[AsyncSession], bool] | None = None
    ) -> AsyncIterator[AsyncSession]:
        """Give a session that is committed when the block has ended, and undone if it raises.

        `counts` says in the end whether it may have changed a deadline.
        """
        may_have = True
        try:
            async with (
                self._mapped_errors(),
                asyncio.timeout(self._database.transaction_seconds),
                self.writers.turn(within=QUEUE_TIMEOUT_SECONDS) as session,
            ):
                yield session
                may_have = counts is None or counts(session)
        finally:
            # Not before the commit: who reads the count and then the rows must miss nothing.
            self.writes += may_have

    @asynccontextmanager
    async def _mapped_errors(self) -> AsyncIterator[None]:
        try:
            yield
        except DBAPIError as error:
            if self._database.is_unstorable(error):
                raise InvalidValue("text", "must not have the character U+0000") from error
            if not self._database.is_passing(error):
                raise
            raise self._unavailable(_reason(error)) from error
        except (StoreUnavailable, PoolTimeoutError, OSError) as error:  # no connection, or it broke
            raise self._unavailable(_reason(error)) from error
        if self._failing:
            self._failing = False
            log.info("store_available")

    def _unavailable(self, reason: str) -> StoreUnavailable:
        now = asyncio.get_running_loop().time()
        if not self._failing and now >= self._quiet_until:
            log.warning("store_unavailable", extra={"reason": reason})
            self._failing, self._quiet_until = True, now + QUIET_SECONDS
        return StoreUnavailable(reason)


async def _prepare(database: Database) -> None:
    async with asyncio.timeout(database.transaction_seconds), database.engine.connect() as connection:
        await connection.run_sync(database.check)
        if await connection.run_sync(is_up_to_date):
            return
    # Of several nodes that start together the first makes the tables, and the others find them made.
    options = {**database.writer, "upgrades": True}
    async with database.engine.connect() as connection:
        await connection.execution_options(**options)
        await connection.run_sync(bring_up_to_date)
        await connection.commit()


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError) as error:
        raise StoreUnavailable("not a database address") from error


def _database(url: str, parsed: URL) -> Database:
    match parsed.drivername:
        case "sqlite":
            return sqlite.database(parsed, pool_seconds=QUEUE_TIMEOUT_SECONDS)
        case "postgresql":
            return postgresql.database(url, pool_seconds=QUEUE_TIMEOUT_SECONDS)
    raise StoreUnavailable("not of the form sqlite:///FILE or postgresql://USER@HOST/NAME")


def _shown(url: URL) -> str:
    return url.set(query={}).render_as_string(hide_password=True)


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError | PoolTimeoutError):
        return "too many wait for the database, or it does not answer"
    # The driver's own sentence, without the statement and its values.
    said = str(error.orig if isinstance(error, DBAPIError) else error)
    return said.splitlines()[0] if said else type(error).__name__
