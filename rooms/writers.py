"""The queue of those who write: one at a time, several to one commit.

Theory of operation. What a writer has read must hold until it is on disk, so writers take turns. A commit
costs a visit to the disk however much is in it, so those who wait when a turn ends have theirs in the same
transaction, each within a savepoint: who fails undoes what is its own and nothing else. A turn ends for its
writer when the commit is done, so nobody is answered before. If the commit fails it fails for the whole
group, and those who were refused hear that too: what they were refused for may never have been.

One task (`_work`) holds the connection and alone says BEGIN, SAVEPOINT, ROLLBACK and COMMIT.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.util import greenlet_spawn

from rooms.errors import StoreUnavailable
from rooms.events import EventSession

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncTransaction

    from rooms.database import Database

log = logging.getLogger("rooms")

GROUP_SECONDS = 0.02
"""A group takes nobody in any more after so long: its first has waited for its answer since."""
GROUP_MOST = 64
WAITING_MOST = 5000
"""Longer queues are refused at once; at a few hundred writes a second the last would wait too long."""


@dataclass(slots=True)
class WriterCounters:
    """What happened in the queue."""

    writes: int = 0
    """Turns whose change is on disk."""
    commits: int = 0
    """Transactions in which they were written."""


@dataclass(slots=True, eq=False)
class _Turn:
    """One writer's time at the connection."""

    given: asyncio.Future[AsyncConnection]
    ended: asyncio.Future[BaseException | None]  # `None` once all of it is in the transaction
    """With what went wrong in it."""
    written: asyncio.Future[None]
    """Done when the commit is, or with why there was none."""


@dataclass(slots=True)
class _Group:
    """Writers of one transaction."""

    written: list[_Turn] = field(default_factory=list)
    refused: list[_Turn] = field(default_factory=list)


class _NotTakenError(Exception):
    """Nobody waited for the turn any more."""


class _BrokenError(Exception):
    """The transaction of the group cannot go on, for this reason."""

    def __init__(self, cause: BaseException, *, stuck: bool) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.stuck = stuck
        """A statement may be under way still."""


class Writers:
    """Gives turns to write on one database."""

    def __init__(self, database: Database) -> None:
        """Nothing is connected before the first turn."""
        self._database = database
        self._writing = database.engine.sync_engine.execution_options(**database.writer)
        self._queue: deque[_Turn] = deque()
        self._task: asyncio.Task[None] | None = None
        self.counters = WriterCounters()

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._queue)

    async def close(self) -> None:
        """Wait for the turns that were asked for."""
        if self._task is not None:
            await self._task

    @asynccontextmanager
    async def turn(self, *, within: float) -> AsyncIterator[AsyncSession]:
        """Give a session that is committed when the block has ended, and undone if it raises.

        Raise `TimeoutError` if the turn does not come `within` so many seconds, `StoreUnavailable` if too
        many wait, or what the database said.
        """
        turn = self._ask()
        try:
            async with asyncio.timeout(within):
                connection = await turn.given
        except BaseException:
            turn.ended.set_result(_NotTakenError())  # it may have been given at this very moment
            raise
        try:
            async with _session(connection) as session:
                yield session
                await session.commit()
        except Exception as refused:
            turn.ended.set_result(refused)
            await asyncio.shield(turn.written)
            raise
        except BaseException as error:
            turn.ended.set_result(error)
            raise
        turn.ended.set_result(None)
        await asyncio.shield(turn.written)

    def _ask(self) -> _Turn:
        if len(self._queue) >= WAITING_MOST:
            raise StoreUnavailable("too many wait for the database")
        loop = asyncio.get_running_loop()
        turn = _Turn(loop.create_future(), loop.create_future(), loop.create_future())
        self._queue.append(turn)
        if self._task is None:
            self._task = loop.create_task(self._work())
        return turn

    async def _work(self) -> None:
        try:
            while (first := self._next()) is not None:
                await self._write_group(first)
        finally:
            self._task = None  # whatever ended it, the next writer begins another

    def _next(self) -> _Turn | None:
        while self._queue:
            turn = self._queue.popleft()
            if not turn.given.done():  # else its writer did not wait any longer
                return turn
        return None

    async def _write_group(self, first: _Turn) -> None:
        group = _Group()
        try:
            connection = await self._begin()
        except Exception as error:
            _refuse(first, error)
            return
        why: BaseException | None = None
        try:
            await self._give_turns(group, connection, first)
            await self._commit(connection)
        except _BrokenError as broken:
            why = broken.cause
            await self._leave(connection, stuck=broken.stuck)
        except Exception as error:
            why = error
            await self._leave(connection, stuck=isinstance(error, TimeoutError))
        else:
            self.counters.commits += bool(group.written)
            self.counters.writes += len(group.written)
        _tell(group, why)

    async def _begin(self) -> AsyncConnection:
        taken: list[AsyncConnection] = []

        def begin() -> None:
            connection = self._writing.connect()
            taken.append(AsyncConnection(self._database.engine, connection))
            connection.begin()

        # By way of `AsyncConnection` each step would be a greenlet of its own, here and in `_commit`.
        async with asyncio.timeout(self._database.transaction_seconds):
            try:
                await greenlet_spawn(begin)
            except BaseException as error:
                for connection in taken:
                    await self._leave(connection, stuck=isinstance(error, asyncio.CancelledError))
                raise
        return taken[0]

    async def _commit(self, connection: AsyncConnection) -> None:
        """Commit and give the connection back."""
        committed = False

        def commit(within: Connection) -> None:
            nonlocal committed
            within.commit()
            committed = True
            within.close()

        try:
            async with asyncio.timeout(self._database.transaction_seconds):
                await connection.run_sync(commit)
        except Exception as error:
            if not committed:
                raise
            _log_lost(error)

    async def _give_turns(self, group: _Group, connection: AsyncConnection, first: _Turn) -> None:
        clock = asyncio.get_running_loop().time
        closes_at, turn = clock() + GROUP_SECONDS, first
        while True:
            await self._give_turn(group, connection, turn)
            if len(group.written) + len(group.refused) >= GROUP_MOST or clock() >= closes_at:
                return
            following = self._next()
            if following is None:
                return
            turn = following

    async def _give_turn(self, group: _Group, connection: AsyncConnection, turn: _Turn) -> None:
        try:
            # The first has the transaction to itself: to undo it is to undo all there is.
            within = await connection.begin_nested() if group.written else await _transaction(connection)
        except Exception as error:
            _refuse(turn, error)
            raise _BrokenError(error, stuck=False) from error
        failed = await _outcome(turn, connection)
        (group.written if failed is None else group.refused).append(turn)
        if isinstance(failed, DBAPIError) and self._database.is_passing(failed):
            raise _BrokenError(failed, stuck=False)
        if failed is not None and not isinstance(failed, Exception):
            raise _BrokenError(StoreUnavailable("a change of the same commit was broken off"), stuck=True)
        try:
            if failed is None:
                if within is not connection.get_transaction():
                    await within.commit()
            elif within.is_active:  # a statement that failed may have undone it already
                await within.rollback()
        except Exception as failure:
            raise _BrokenError(failure, stuck=False) from failure

    async def _leave(self, connection: AsyncConnection, *, stuck: bool) -> None:
        """Give the connection back, or drop it if it may not answer; what was not committed is undone."""
        try:
            async with asyncio.timeout(self._database.transaction_seconds):
                if stuck:
                    await connection.invalidate()
                await connection.close()
        except Exception as error:
            _log_lost(error)


@asynccontextmanager
async def _session(connection: AsyncConnection) -> AsyncIterator[AsyncSession]:
    session = AsyncSession(
        connection,
        sync_session_class=EventSession,
        expire_on_commit=False,
        join_transaction_mode="rollback_only",  # what it begins and ends is ours to begin and end
    )
    try:
        yield session
    finally:
        # It owns neither connection nor transaction: this asks nothing of the database, and needs no task.
        session.sync_session.close()


async def _outcome(turn: _Turn, connection: AsyncConnection) -> BaseException | None:
    if turn.given.done():
        return _NotTakenError()
    turn.given.set_result(connection)
    return await asyncio.shield(turn.ended)  # the writer's to settle, also when this task is broken off


async def _transaction(connection: AsyncConnection) -> AsyncTransaction:
    return connection.get_transaction() or await connection.begin()


def _tell(group: _Group, why: BaseException | None) -> None:
    for turn in (*group.written, *group.refused):
        if why is None:
            turn.written.set_result(None)
        else:
            turn.written.set_exception(why)
            turn.written.exception()  # its writer may be gone, which is no news


def _log_lost(error: Exception) -> None:
    log.debug("store_connection_lost", extra={"reason": type(error).__name__})


def _refuse(turn: _Turn, error: BaseException) -> None:
    if not turn.given.done():
        turn.given.set_exception(error)
