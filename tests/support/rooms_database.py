"""Room databases for unit tests: the tables are made once, each test gets a copy."""

import asyncio
import shutil
from pathlib import Path

from rooms import KeyRing, Rooms


def empty_database(file: Path, template: Path) -> str:
    """Put an empty database at `file`, made once at `template`, and give its URL."""
    if not template.exists():
        asyncio.run(_make(template))
    shutil.copy(template, file)
    return f"sqlite:///{file}"


async def _make(template: Path) -> None:
    await (await Rooms.open(f"sqlite:///{template}", keys=KeyRing([]))).close()
