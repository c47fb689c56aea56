"""The disk under an SQLite database: fit for one, writable, quick enough, with room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from colloque.doctor.finding import Finding, fail, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

NETWORK_FILE_SYSTEMS = frozenset(
    {
        "9p", "afs", "beegfs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "gfs2", "lustre", "ncpfs",
        "nfs", "nfs4", "ocfs2", "smb2", "smb3", "smbfs",
    }
)  # fmt: skip
"""Where the write-ahead log does not work (sqlite.org/wal.html: all processes must be on one host)."""

VOLATILE_FILE_SYSTEMS = frozenset({"ramfs", "tmpfs"})

FEW_MIB, NO_MIB = 1024, 100
FEW_INODES = 1000
SLOW_SYNC_MS, VERY_SLOW_SYNC_MS = 50.0, 500.0
"""Every write waits for one: at 50 ms a room can change 20 times a second, all rooms together."""
LARGE_LOG_MIB = 64
"""SQLite keeps it at 4 MiB; a long reader, like a backup that hangs, holds it open."""


@dataclass(frozen=True, slots=True)
class DiskFacts:
    """What the folder of the database is like."""

    folder: str
    """The one that is there, if the database's own is yet to be made."""
    file_system: str
    """Its kind, like `ext4`; empty where it could not be found out."""
    is_there: bool
    can_write: bool
    is_file_writable: bool
    """Whether the file of the database, if there is one, may be written."""
    free_mib: int
    free_inodes: int | None
    """None where the file system does not count them."""
    sync_ms: float | None
    """How long it takes until 4 KiB are on the disk, the median of several; None where not measured."""
    log_mib: int
    """The write-ahead log."""


def judge(facts: DiskFacts) -> Iterator[Finding]:
    """Say whether a database can live there."""
    if not facts.is_there:
        yield MISSING(folder=facts.folder)
        return
    named = {"folder": facts.folder, "kind": facts.file_system}
    if facts.file_system in NETWORK_FILE_SYSTEMS:
        yield NETWORK(**named)
    elif facts.file_system in VOLATILE_FILE_SYSTEMS:
        yield VOLATILE(**named)
    yield (WRITABLE if facts.can_write and facts.is_file_writable else READ_ONLY)(**named)
    if facts.free_mib < NO_MIB:
        yield FULL(**named, mib=facts.free_mib)
    else:
        yield (LITTLE_ROOM if facts.free_mib < FEW_MIB else ROOM)(**named, mib=facts.free_mib)
    if facts.free_inodes is not None and facts.free_inodes < FEW_INODES:
        yield FEW_FILES(**named, inodes=facts.free_inodes)
    if facts.sync_ms is not None:
        yield _sync(facts.sync_ms)
    if facts.log_mib > LARGE_LOG_MIB:
        yield LARGE_LOG(mib=facts.log_mib)


def _sync(milliseconds: float) -> Finding:
    told = f"{milliseconds:.1f}"
    if milliseconds >= VERY_SLOW_SYNC_MS:
        return VERY_SLOW(milliseconds=told)
    return (SLOW if milliseconds >= SLOW_SYNC_MS else QUICK)(milliseconds=told)


MISSING = warn("disk.missing")
NETWORK = fail("disk.network")
VOLATILE = warn("disk.volatile")
WRITABLE = ok("disk.writable")
READ_ONLY = fail("disk.read_only")
ROOM = ok("disk.room")
LITTLE_ROOM = warn("disk.little_room")
FULL = fail("disk.full")
FEW_FILES = warn("disk.few_inodes")
QUICK = ok("disk.quick")
SLOW = warn("disk.slow")
VERY_SLOW = fail("disk.very_slow")
LARGE_LOG = warn("disk.large_log")
