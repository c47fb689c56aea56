"""Limits of the process: open files, memory, processor time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from colloque.doctor.finding import Finding, fail, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER_FILES = 256
"""Beside connections: media sockets, the database, webhooks, the page's files."""

SCARCE_MIB, LITTLE_MIB = 128, 512
"""An empty server takes about 100 MiB; a call of eight people about 5 more."""


@dataclass(frozen=True, slots=True)
class LimitFacts:
    """What this user and this container may have."""

    files_hard: int | None
    """Open files at most, which the server asks for at its start; None for no limit."""
    connections: int
    """`limits.http_connections`."""
    memory_mib: int
    """Memory that is free, of the host or of the container, whichever is less."""
    quota_processors: float | None
    """Processor time that the container may have, in processors; None for no limit."""
    workers: int


def judge(facts: LimitFacts) -> Iterator[Finding]:
    """Say what is too tight."""
    needed = facts.connections + OTHER_FILES
    if facts.files_hard is not None and facts.files_hard < needed:
        verdict = VERY_FEW_FILES if facts.files_hard <= OTHER_FILES else FEW_FILES
        yield verdict(most=facts.files_hard, needed=needed, connections=facts.connections)
    else:
        yield FILES(needed=needed)
    yield _memory(facts.memory_mib)
    if facts.quota_processors is not None:
        verdict = SMALL_QUOTA if facts.quota_processors < facts.workers else QUOTA
        yield verdict(quota=f"{facts.quota_processors:g}", workers=facts.workers)


def _memory(mib: int) -> Finding:
    if mib < SCARCE_MIB:
        return NO_MEMORY(mib=mib)
    return (LITTLE_MEMORY if mib < LITTLE_MIB else MEMORY)(mib=mib)


FILES = ok("limits.files")
FEW_FILES = warn("limits.few_files")
VERY_FEW_FILES = fail("limits.very_few_files")
MEMORY = ok("limits.memory")
LITTLE_MEMORY = warn("limits.little_memory")
NO_MEMORY = fail("limits.no_memory")
QUOTA = ok("limits.quota")
SMALL_QUOTA = warn("limits.small_quota")
