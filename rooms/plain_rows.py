"""Rows to be read and not changed: plain values with the names of a table's attributes.

SQLAlchemy watches the objects it makes of rows, so that it can write what was changed of them. That is most
of what reading one costs, which the door does for everybody who comes.
"""

from __future__ import annotations

from collections import namedtuple
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Column, Table

    from rooms.tables import Base

R = TypeVar("R", bound="Base")


class PlainRows(Generic[R]):
    """How the rows of one table are asked for and read as plain values."""

    def __init__(self, mapped: type[R]) -> None:
        """Read rows of the table of `mapped`, whose attributes are its columns."""
        self.table = table = cast("Table", mapped.__table__)
        """To be used in a question in place of `mapped`, with which SQLAlchemy would make objects ready."""
        names = {one.columns[0].key: one.key for one in mapped.__mapper__.column_attrs}
        self.columns: list[Column[Any]] = list(table.c)
        """What to select, in this order and together."""
        self._identity = self.columns.index(next(iter(table.primary_key)))
        plain = namedtuple(mapped.__name__, [names[column.key] for column in self.columns])  # type: ignore[misc]  # noqa: PYI024
        self._make = plain._make

    def read(self, values: Sequence[Any]) -> R | None:
        """Give what `columns` had, to be read as an `R`; `None` if an outer join found no row."""
        return None if values[self._identity] is None else cast("R", self._make(values))
