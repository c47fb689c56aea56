"""Reading the tables of an SQLite file without leaving a trace beside it."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING
from urllib.parse import quote

from colloque.doctor.database import TableFacts

if TYPE_CHECKING:
    from pathlib import Path

_BUSY_SECONDS = 3.0


def look(file: Path) -> TableFacts:
    """Read which schema the file has."""
    if not file.exists() or not file.stat().st_size:
        return TableFacts(str(file), "", has_tables=False, schema=None)
    log = file.with_name(file.name + "-wal")
    # Without its log nobody has it open, so it can be read as `immutable`, which makes no files beside it.
    mode = "mode=ro" if log.exists() else "mode=ro&immutable=1"
    url = f"file:{quote(str(file.absolute()))}?{mode}"
    try:
        with contextlib.closing(sqlite3.connect(url, uri=True, timeout=_BUSY_SECONDS)) as connection:
            tables = {
                name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
            }
            row = None
            if "alembic_version" in tables:
                row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        return TableFacts(str(file), str(error), has_tables=False, schema=None)
    return TableFacts(str(file), "", has_tables=bool(tables), schema=row[0] if row else None)
