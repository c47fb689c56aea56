"""An event loop whose time goes on only when there is nothing left to do, so that nothing is ever waited for.

SQLite, which has threads of its own otherwise, answers in the same thread a few turns of the loop later: what
else happens between a question and its answer is chosen by a seed, and is the same each time.
"""

import asyncio
import random
import selectors
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any
from unittest import mock

import aiosqlite

sleep = asyncio.sleep
"""The real one; tests below tests/integration are kept from using it, since their loops wait."""
_MOST_TURNS = 3
"""Turns of the loop that an answer of the database takes at most."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Does everything that is to be done by now, then goes on to when something is due."""

    def __init__(self, seed: int) -> None:
        self.elapsed = 1000.0
        self.chance = random.Random(seed)
        self.databases: list[sqlite3.Connection] = []
        """Every connection that was opened."""
        super().__init__(_Selector(self))

    def time(self) -> float:
        """Return virtual seconds."""
        return self.elapsed

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make everything that sleeps or asks a database use this loop and this thread."""
        with (
            mock.patch.object(asyncio, "sleep", sleep),
            mock.patch.object(aiosqlite.core, "SimpleQueue", partial(_SameThread, self)),
            mock.patch.object(aiosqlite.core, "Thread", mock.Mock()),
        ):
            yield

    def end_of_a_process(self) -> None:
        """Let nothing be due any more, and undo what was begun in databases, as when a process is gone."""
        for database in self.databases:
            with suppress(sqlite3.ProgrammingError):  # closed already
                database.rollback()
        for handle in self._scheduled:  # type: ignore[attr-defined]
            handle.cancel()

    def in_turns(self, turns: int, what: Callable[..., None], *args: Any) -> None:
        """Call back after so many turns of the loop."""
        if self.is_closed():
            return  # a connection that a crash left behind is cleared away
        if turns > 0:
            self.call_soon(self.in_turns, turns - 1, what, *args)
        else:
            what(*args)


class _SameThread:
    """Stands in for the queue to the thread of a connection."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def put_nowait(self, order: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        future, function = order
        turns = self._loop.chance.randint(1, _MOST_TURNS)
        method = getattr(function, "func", None)
        database = getattr(method, "__self__", None)
        if isinstance(database, sqlite3.Connection) and getattr(method, "__name__", "") == "close":
            with suppress(sqlite3.ProgrammingError):
                database.rollback()  # one that is closed within a query would keep its lock
        try:
            result = function()
        except Exception as error:
            if future is not None:
                self._loop.in_turns(turns, aiosqlite.core.set_exception, future, error)
        else:
            if isinstance(result, sqlite3.Connection):
                self._loop.databases.append(result)
            if future is not None:
                self._loop.in_turns(turns, aiosqlite.core.set_result, future, result)


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(0)
        if not found and timeout != 0:
            assert timeout is not None, "nothing will ever happen"
            self._loop.elapsed += timeout
        return found
