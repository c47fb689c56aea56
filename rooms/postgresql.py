"""PostgreSQL as the store: several nodes on one database, one of them writing at a time, as on SQLite."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import create_async_engine

from rooms.database import Database
from rooms.errors import StoreUnavailable

if TYPE_CHECKING:
    from asyncpg import Connection as DriverConnection
    from sqlalchemy.engine import Connection
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.ext.asyncio import AsyncEngine

CONNECT_SECONDS = 3.0
TRANSACTION_SECONDS = 4.0  # for a server that has stopped answering
LOCK_MS = 3000  # a writer waits for those of other nodes no longer
GIVES_UP_MS = 5000  # the server ends a statement that lasts longer, and the transaction of a node gone quiet
UPGRADE_MS = 60_000  # another node may be at the tables; longer is something that an operator must see
POOL_SIZE = 10
RECYCLE_SECONDS = 600  # firewalls forget connections; an old one is closed before that

_WRITER_LOCK = 0x636F6C6C6F717565  # "colloque": the name of the lock among all of the database's
_UTF8 = "UTF8"
_UNSTORABLE = ("22021", "22P05")  # U+0000, in text and in JSON
# SQLSTATE classes (PostgreSQL, appendix A) of what passes: connection lost, rolled back for another's sake,
# out of disk or memory, locked, shutting down or starting, input and output. 25006: a standby does not write.
_PASSING = ("08", "40", "53", "55", "57", "58", "25006")

log = logging.getLogger("rooms")


def database(dsn: str, *, pool_seconds: float) -> Database:
    """Give the database at `dsn`, a URL as libpq reads it; nothing is connected yet."""
    import asyncpg  # a server on SQLite does not need its memory

    async def connect() -> DriverConnection[Any]:
        try:
            connection = await asyncpg.connect(dsn, timeout=CONNECT_SECONDS)
            await connection.execute(_session())
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise StoreUnavailable(_why_not_connected(error)) from error
        except ValueError:  # its text may hold a piece of the password
            raise StoreUnavailable("not an address that can be read") from None
        return connection

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        # What a reader sees is one state, from its first statement to its last.
        isolation_level="REPEATABLE READ",
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=pool_seconds,
        pool_recycle=RECYCLE_SECONDS,
    )
    _let_one_write(engine)
    _replace_closed(engine)
    return Database(
        engine,
        writer={"writes": True, "isolation_level": "READ COMMITTED"},
        asker={"isolation_level": "AUTOCOMMIT"},
        check=_check_server,
        is_passing=_is_passing,
        is_unstorable=lambda error: _sqlstate(error) in _UNSTORABLE,
        transaction_seconds=TRANSACTION_SECONDS,
    )


def _is_passing(error: DBAPIError) -> bool:
    # The server is away, full or busy.
    return error.connection_invalidated or _sqlstate(error).startswith(_PASSING)


def _sqlstate(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _check_server(connection: Connection) -> None:
    # Raises `StoreUnavailable` for one that cannot hold every name; warns of one that may forget.
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
    if encoding != _UTF8:
        raise StoreUnavailable(
            f"the database is encoded in {encoding}; make it with TEMPLATE template0 ENCODING 'UTF8'"
        )
    if connection.exec_driver_sql("SHOW fsync").scalar() == "off":
        log.warning("store_forgets", extra={"reason": "the server runs with fsync = off"})


def _session() -> str:
    # Of the levels below "on", only "off" answers before it is on a disk; the others are the operator's.
    return f"""
        SET lock_timeout = {LOCK_MS};
        SET statement_timeout = {GIVES_UP_MS};
        SET idle_in_transaction_session_timeout = {GIVES_UP_MS};
        SELECT set_config('application_name', 'colloque', false)
            WHERE current_setting('application_name') = '';
        SELECT set_config('synchronous_commit', 'on', false)
            WHERE current_setting('synchronous_commit') = 'off';
    """


def _let_one_write(engine: AsyncEngine) -> None:
    # What a writer has read must hold until it commits: versions, epochs, caps, idempotency keys. So writers
    # of all nodes take turns, and see (READ COMMITTED: anew with each statement) what those before them did.
    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("upgrades", False):
            for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
                connection.exec_driver_sql(f"SET LOCAL {name} = {UPGRADE_MS}")
        if options.get("writes", False):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")


def _replace_closed(engine: AsyncEngine) -> None:
    # The driver knows at once that the server closed a connection; asking the server first would cost each
    # transaction three round trips.
    @event.listens_for(engine.sync_engine, "checkout")
    def _look(_connection: object, record: Any, _proxy: object) -> None:
        if record.driver_connection.is_closed():
            raise InvalidatePoolError


def _why_not_connected(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT_SECONDS:g} s"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).splitlines()[0]
