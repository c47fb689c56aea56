"""Answers as tables, for spreadsheets; those of rooms here."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from control_api.room_schemas import RoomBody

CONTENT_TYPE = "text/csv; charset=utf-8; header=present"
COLUMNS = (
    "id",
    "name",
    "kind",
    "state",
    "starts_at",
    "ends_at",
    "opens_at",
    "closes_at",
    "max_participants",
    "created_at",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def rooms_as_csv(rooms: Iterable[RoomBody]) -> str:
    """Write rooms as CSV (RFC 4180)."""
    shown = (room.model_dump(mode="json", include=set(COLUMNS)) for room in rooms)
    return as_csv(COLUMNS, ([values[column] for column in COLUMNS] for values in shown))


def as_csv(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Write values as CSV, with the names of the columns first."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def wants_csv(accept: str) -> bool:
    """Whether a table is asked for by name."""
    return any(one.partition(";")[0].strip().lower() == "text/csv" for one in accept.split(","))


def _cell(value: object) -> object:
    # Spreadsheets run a cell that looks like a formula; a leading quote makes it text.
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
