"""The open connections that facts are about: read at once, changed here, and written together.

They are plain values and not objects that SQLAlchemy watches: people come and go all the time, and watching
would cost as much as all else that is written of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from sqlalchemy import and_, bindparam, delete, insert, select, update

from rooms.call_rows import PEOPLE, PERSON_COLUMNS, CallPerson
from rooms.tables import ConnectionRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import ColumnElement, Connection, Table


@dataclass(slots=True)
class OpenConnection:
    """One leg as `rooms.tables.ConnectionRow` holds it."""

    id: str
    room_uid: str
    identity: str
    role: str
    opened_at: float
    lost_at: float | None
    had_media: bool
    node: str
    degraded_at: float | None


_CHANGING = ("lost_at", "had_media", "degraded_at")
_TABLE = cast("Table", ConnectionRow.__table__)
_COLUMNS = [_TABLE.c[name] for name in OpenConnection.__slots__]
# Put together once: that costs as much as to ask.
_NAMED = (
    select(*_COLUMNS, *PERSON_COLUMNS)
    .select_from(_TABLE)
    .outerjoin(PEOPLE, and_(PEOPLE.c.room_uid == _TABLE.c.room_uid, PEOPLE.c.identity == _TABLE.c.identity))
    .where(_TABLE.c.id.in_(bindparam("legs", expanding=True)))
)
_INSERT = insert(_TABLE)
_UPDATE = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("leg"))
    .values({name: bindparam(f"to_{name}") for name in _CHANGING})
)
_DELETE = delete(_TABLE).where(_TABLE.c.id.in_(bindparam("legs", expanding=True)))


@dataclass(slots=True)
class OpenConnections:
    """Some of the open connections; what was done to them is in the database after `write`."""

    _open: dict[str, OpenConnection] = field(default_factory=dict)
    _new: dict[str, OpenConnection] = field(default_factory=dict)
    _changed: dict[str, OpenConnection] = field(default_factory=dict)
    _gone: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[OpenConnection]:
        """Yield all of them, also while they are removed."""
        return iter(list(self._open.values()))

    def find(self, leg: str) -> OpenConnection | None:
        """Give the one of that leg."""
        return self._open.get(leg)

    def read_named(self, connection: Connection, legs: Iterable[str]) -> list[CallPerson]:
        """Take in those of these legs; give the stored people whose they are."""
        people = []
        for values in connection.execute(_NAMED, {"legs": list(legs)}):
            self._know(OpenConnection(*values[: len(_COLUMNS)]))
            whose = values[len(_COLUMNS) :]
            if whose[0] is not None:
                people.append(CallPerson(*whose))
        return people

    def read(self, connection: Connection, which: ColumnElement[bool], *, limit: int | None = None) -> None:
        """Take in those for which `which` is true of `ConnectionRow`."""
        for values in connection.execute(select(*_COLUMNS).where(which).limit(limit)):
            self._know(OpenConnection(*values))

    def add(self, connection: OpenConnection) -> None:
        """Take in one that begins."""
        self._know(connection)
        self._new[connection.id] = connection

    def change(self, connection: OpenConnection, **values: object) -> None:
        """Change `lost_at`, `had_media` or `degraded_at` of one."""
        for name, value in values.items():
            setattr(connection, name, value)
        if connection.id not in self._new:
            self._changed[connection.id] = connection

    def remove(self, connection: OpenConnection) -> None:
        """Let one end."""
        del self._open[connection.id]
        self._changed.pop(connection.id, None)
        if self._new.pop(connection.id, None) is None:
            self._gone.append(connection.id)

    def write(self, connection: Connection) -> None:
        """Write what was done since the last time; to be called before anything is asked of the table."""
        if self._new:
            connection.execute(_INSERT, [_row(one) for one in self._new.values()])
            self._new.clear()
        if self._changed:
            connection.execute(_UPDATE, [_changes(one) for one in self._changed.values()])
            self._changed.clear()
        if self._gone:
            connection.execute(_DELETE, {"legs": self._gone})
            self._gone.clear()

    def _know(self, connection: OpenConnection) -> None:
        self._open[connection.id] = connection


def _row(one: OpenConnection) -> dict[str, object]:
    return {name: getattr(one, name) for name in OpenConnection.__slots__}


def _changes(one: OpenConnection) -> dict[str, object]:
    return {"leg": one.id} | {f"to_{name}": getattr(one, name) for name in _CHANGING}
