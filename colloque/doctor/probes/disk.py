"""The folder of an SQLite database. What is written there has no name, and is gone when it is closed."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

from colloque.doctor.disk import DiskFacts

_SYNCS = 9
_SYNCS_WITHIN_SECONDS = 3.0
_BLOCK = bytes(4096)


def look(database: Path) -> DiskFacts:
    """Find out what the folder of this file is like."""
    folder = database.parent
    there = _nearest(folder)
    can_write = os.access(there, os.W_OK | os.X_OK)
    space = os.statvfs(there)
    return DiskFacts(
        folder=str(folder),
        file_system=file_system(Path("/proc/self/mountinfo").read_text(), there.resolve()),
        # The server makes it at its start, if it may.
        is_there=folder == there or can_write,
        can_write=can_write,
        is_file_writable=not database.exists() or os.access(database, os.W_OK),
        free_mib=space.f_bavail * space.f_frsize // 2**20,
        free_inodes=space.f_favail if space.f_files else None,
        sync_ms=_sync_ms(there) if can_write else None,
        log_mib=_size(database.with_name(database.name + "-wal")) // 2**20,
    )


def file_system(mountinfo: str, path: Path) -> str:
    """Read the kind of file system that holds a path out of /proc/self/mountinfo (proc(5))."""
    found, kind = "", ""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        # Blanks in names are written as \040.
        place = before.split()[4].encode().decode("unicode_escape")
        # Of several on one place the last is the one seen.
        if path.is_relative_to(place) and len(place) >= len(found):
            found, kind = place, after.split()[0]
    return kind


def _nearest(folder: Path) -> Path:
    return next(one for one in (folder, *folder.parents) if one.is_dir())


def _sync_ms(folder: Path) -> float | None:
    try:
        file = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
    except OSError:  # not every file system knows files without a name
        return None
    try:
        taken: list[float] = []
        until = time.monotonic() + _SYNCS_WITHIN_SECONDS
        while len(taken) < _SYNCS and time.monotonic() < until:
            began = time.monotonic()
            os.write(file, _BLOCK)
            os.fsync(file)
            taken.append(time.monotonic() - began)
        return statistics.median(taken) * 1000
    except OSError:  # the disk is full, which another line says
        return None
    finally:
        os.close(file)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
