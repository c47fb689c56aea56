"""SQLite's driver with one visit to its thread for each statement, where SQLAlchemy's adapter makes four.

aiosqlite gives every connection a thread, and each call waits there and back: making a cursor, running it,
fetching and closing. What a thread switch costs is more than what SQLite does with a small statement. So
BEGIN goes along with the first statement (where readers get their snapshot anyway), and nothing is rolled
back where no transaction is open.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_cursor

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy.engine import Connection
    from sqlalchemy.ext.asyncio import AsyncEngine


def visit_once(engine: AsyncEngine) -> None:
    """Let every connection of `engine` run its statements so."""

    @event.listens_for(engine.sync_engine, "do_connect")
    def _connect(dialect: Any, _record: object, args: Any, options: Any) -> _Connection:
        plain = dialect.connect(*args, **options)
        return _Connection(plain.dbapi, plain.driver_connection)


def begin_with_next(connection: Connection, begin: str) -> None:
    """Let a transaction begin, by the words `begin`, with its first statement; without one there is none."""
    adapted: Any = connection.connection.dbapi_connection
    adapted.begins_next = begin


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    """A statement and all it found; nothing of it stays in the driver."""

    __slots__ = ("_columns", "_last_row", "_rows_changed")

    def __init__(self, connection: AsyncAdapt_aiosqlite_connection) -> None:
        self._adapt_connection = connection
        self._connection = connection.driver_connection
        self._rows: deque[Any] = deque()
        self._columns: Any = None
        self._rows_changed = -1
        self._last_row: int | None = None

    @property
    def description(self) -> Any:
        return self._columns

    @property
    def rowcount(self) -> int:
        return self._rows_changed

    @property
    def arraysize(self) -> int:
        return 1

    @arraysize.setter
    def arraysize(self, value: int) -> None:
        """All rows are here already."""

    @property
    def lastrowid(self) -> Any:
        return self._last_row

    def close(self) -> None:
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """Nothing is open."""

    async def _execute_async(self, operation: Any, parameters: Any) -> Any:
        return await self._run(lambda cursor: cursor.execute(operation, parameters or ()))

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> Any:
        return await self._run(lambda cursor: cursor.executemany(operation, seq_of_parameters))

    async def _run(self, statement: Callable[[sqlite3.Cursor], object]) -> _Cursor:
        driver: Any = self._connection
        connection: Any = self._adapt_connection

        def visit() -> Sequence[Any]:
            cursor: sqlite3.Cursor = driver._conn.cursor()  # noqa: SLF001 - as the adapter does
            try:
                if connection.begins_next is not None:
                    cursor.execute(connection.begins_next)
                    connection.begins_next = None  # not where the lock was refused: the next one asks again
                statement(cursor)
                rows: Iterable[Any] = cursor.fetchall() if cursor.description else ()
                return cursor.description, rows, cursor.rowcount, cursor.lastrowid
            finally:
                cursor.close()

        async with self._adapt_connection._execute_mutex:  # noqa: SLF001
            found = await driver._execute(visit)  # noqa: SLF001
        self._columns, rows, self._rows_changed, self._last_row = found
        self._rows = deque(rows)
        return self


class _Connection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ("begins_next",)
    _cursor_cls: type[AsyncAdapt_aiosqlite_cursor] = _Cursor

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.begins_next: str | None = None

    def rollback(self) -> None:
        if self._ends():
            super().rollback()

    def commit(self) -> None:
        if self._ends():
            super().commit()

    def _ends(self) -> bool:
        """Whether a transaction is open."""
        # One that is left in the midst of a statement does not come here: SQLAlchemy drops it.
        self.begins_next = None
        driver: Any = self._connection
        return driver._connection is not None and driver.in_transaction  # noqa: SLF001
