"""A page of rooms as a table, for spreadsheets."""

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
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for room in rooms:
        values = room.model_dump(mode="json", include=set(COLUMNS))
        writer.writerow([_cell(values[column]) for column in COLUMNS])
    return text.getvalue()


def wants_csv(accept: str) -> bool:
    """Whether a table is asked for by name."""
    return any(one.partition(";")[0].strip().lower() == "text/csv" for one in accept.split(","))


def _cell(value: object) -> object:
    # Spreadsheets run a cell that looks like a formula; a leading quote makes it text.
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
