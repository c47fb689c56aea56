"""Limits of this user and of this container."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import TYPE_CHECKING

from colloque.doctor.limits import LimitFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from colloque.settings import Settings

_CGROUPS = Path("/sys/fs/cgroup")


def look(settings: Settings) -> LimitFacts:
    """Read the limits."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    own = own_group(Path("/proc/self/cgroup").read_text())
    free = [available_mib(Path("/proc/meminfo").read_text())]
    quotas = []
    for group in _upwards(_CGROUPS / own.lstrip("/")):
        free += _free_in(group)
        quotas += quota(_text(group / "cpu.max"))
    return LimitFacts(
        files_hard=None if hard == resource.RLIM_INFINITY else hard,
        connections=settings.limits.http_connections,
        memory_mib=min(free),
        quota_processors=min(quotas, default=None),
        workers=settings.media.workers,
    )


def own_group(text: str) -> str:
    """Read the group of version 2 out of /proc/self/cgroup (cgroups(7)); the root where there is none."""
    return next((line.removeprefix("0::") for line in text.splitlines() if line.startswith("0::")), "/")


def available_mib(meminfo: str) -> int:
    """Read how much memory a new program could have out of /proc/meminfo (proc(5))."""
    line = next(
        (line for line in meminfo.splitlines() if line.startswith("MemAvailable:")), "MemAvailable: 0"
    )
    return int(line.split()[1]) // 1024


def quota(text: str) -> list[float]:
    """Read how many processors `cpu.max` gives, `MAX PERIOD` in microseconds; none for no limit."""
    most, _, period = text.strip().partition(" ")
    return [int(most) / int(period)] if most.isdigit() and period.isdigit() and int(period) else []


def _free_in(group: Path) -> list[int]:
    most, used = _text(group / "memory.max").strip(), _text(group / "memory.current").strip()
    return [max(int(most) - int(used), 0) // 2**20] if most.isdigit() and used.isdigit() else []


def _upwards(group: Path) -> Iterator[Path]:
    # Each group above has limits for all below it.
    yield group
    while group != _CGROUPS and group.is_relative_to(_CGROUPS):
        group = group.parent
        yield group


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
