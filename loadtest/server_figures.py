"""What the server took: CPU seconds and memory, read from the text of /proc or of /metrics."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from collections.abc import Sequence

_MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class ServerSample:
    """The server's totals at one time, in seconds after the start of the run."""

    at: float
    cpu_seconds: float | None
    memory_bytes: float | None


@dataclass(frozen=True, slots=True)
class ServerSecond:
    """The server's use of the machine up to one time."""

    at: float
    cpu_cores: float | None
    memory_mb: float | None


@dataclass(frozen=True, slots=True)
class ServerUse:
    """The server's use of the machine in the measured part; nothing where it was not looked at."""

    cpu_cores: float | None
    """Mean of the measured part."""
    memory_mb: float | None
    """The highest of the whole run."""


@dataclass(frozen=True, slots=True)
class ProcessTimes:
    """What /proc/PID/stat says."""

    cpu_seconds: float
    started: int
    """Tells a process from a later one with the same number."""


def read_stat(text: str, *, ticks_per_second: int) -> ProcessTimes:
    """Read /proc/PID/stat; the name in it may hold spaces and brackets."""
    fields = text.rpartition(")")[2].split()
    return ProcessTimes((int(fields[11]) + int(fields[12])) / ticks_per_second, int(fields[19]))


def read_statm(text: str, *, page_bytes: int) -> int:
    """Read resident memory in bytes from /proc/PID/statm."""
    return int(text.split()[1]) * page_bytes


def read_metrics(text: str, at: float) -> ServerSample:
    """Read CPU time and memory from a Prometheus page; raise `ValueError` if it is none."""
    found = {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.labels
    }
    return ServerSample(
        at, found.get("process_cpu_seconds_total"), found.get("process_resident_memory_bytes")
    )


def read_version(text: str) -> str | None:
    """Read which version a Prometheus page is of, if it says: a series like `colloque_build_info`."""
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name.endswith("_build_info") and "version" in sample.labels:
                return f"{sample.name.removesuffix('_build_info')} {sample.labels['version']}"
    return None


def by_second(samples: Sequence[ServerSample]) -> tuple[ServerSecond, ...]:
    """Give the use between each sample and the one before it."""
    return tuple(
        ServerSecond(now.at, _cores(before, now), _megabytes(now)) for before, now in pairwise(samples)
    )


def use_of(samples: Sequence[ServerSample], *, since: float) -> ServerUse:
    """Give the mean CPU since this time (seconds after the start) and the highest memory of all."""
    measured = [one for one in samples if one.at >= since]
    memory = [one for one in map(_megabytes, samples) if one is not None]
    return ServerUse(
        _cores(measured[0], measured[-1]) if len(measured) > 1 else None, max(memory) if memory else None
    )


def _cores(before: ServerSample, now: ServerSample) -> float | None:
    if before.cpu_seconds is None or now.cpu_seconds is None or now.at <= before.at:
        return None
    return max(0.0, now.cpu_seconds - before.cpu_seconds) / (now.at - before.at)


def _megabytes(sample: ServerSample) -> float | None:
    return None if sample.memory_bytes is None else sample.memory_bytes / _MEGABYTE
