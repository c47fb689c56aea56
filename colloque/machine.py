"""What this machine is, and how busy others keep it: what a benchmark's figures are worth nothing without."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path

# What encryption and copying gain from; the other hundred flags tell nothing about our figures.
_TELLING_FLAGS = frozenset({"aes", "avx2", "avx512f", "pclmulqdq", "sha_ni", "vaes", "vpclmulqdq"})


@dataclass(frozen=True, slots=True)
class Machine:
    """The facts that figures depend on; no name or address of the host."""

    processor: str
    cores: int
    memory_gib: float
    kernel: str
    flags: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """Give the facts as JSON values."""
        return asdict(self)


def describe(cpuinfo: str, meminfo: str) -> Machine:
    """Read the facts out of /proc/cpuinfo and /proc/meminfo."""
    first = dict(_fields(cpuinfo.split("\n\n", 1)[0]))
    memory_kib = dict(_fields(meminfo)).get("MemTotal", "0 kB").split()[0]
    flags = first.get("flags", first.get("Features", "")).split()
    return Machine(
        processor=first.get("model name", platform.machine()),
        cores=cpuinfo.count("processor\t"),
        memory_gib=round(int(memory_kib) / 2**20, 1),
        kernel=platform.release(),
        flags=tuple(sorted(_TELLING_FLAGS.intersection(flags))),
    )


def this_machine() -> Machine:
    """Describe the machine that this runs on."""
    return describe(Path("/proc/cpuinfo").read_text(), Path("/proc/meminfo").read_text())


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor seconds used so far: by everybody, and by this process."""

    at: float
    everybody: float
    own: float


def usage() -> Usage:
    """Read the processor time used so far."""
    return parse_usage(Path("/proc/stat").read_text(), now=time.monotonic(), own=time.process_time())


def parse_usage(stat: str, *, now: float, own: float) -> Usage:
    """Read everybody's processor time out of /proc/stat (proc(5)): all but idle and waiting for disks."""
    user, nice, system, _idle, _iowait, irq, softirq, steal, *_ = map(int, stat.split("\n", 1)[0].split()[1:])
    ticks = user + nice + system + irq + softirq + steal
    return Usage(now, ticks / os.sysconf("SC_CLK_TCK"), own)


def others_load(before: Usage, after: Usage) -> float:
    """Give how many cores others used between two readings, on average."""
    seconds = max(after.at - before.at, 1e-9)
    return max(0.0, (after.everybody - before.everybody) - (after.own - before.own)) / seconds


def _fields(text: str) -> list[tuple[str, str]]:
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return [(name.strip(), value.strip()) for name, value in pairs]
