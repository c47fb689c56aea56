"""Facts about the machine and the programs, without which figures cannot be compared."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PROGRAMS = ("colloque", "aiohttp", "livekit-protocol", "aiortc", "av")


def machine_facts(*, proc: Path = Path("/proc")) -> dict[str, str]:
    """Read processor, memory, kernel, load and versions; what a machine does not tell is left out."""
    facts = {
        "processor": _field(proc / "cpuinfo", "model name") or platform.machine(),
        "cores": str(os.cpu_count() or 0),
        "memory": _memory(_field(proc / "meminfo", "MemTotal")),
        "kernel": f"{platform.system()} {platform.release()}",
        "load before the run": _load(proc / "loadavg"),
        "Python": platform.python_version(),
    }
    return {name: value for name, value in (facts | dict(map(_program, _PROGRAMS))).items() if value}


def _program(name: str) -> tuple[str, str]:
    try:
        return name, version(name)
    except PackageNotFoundError:
        return name, "run from the sources" if name == "colloque" else ""


def _field(file: Path, name: str) -> str:
    for line in _text(file).splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def _memory(text: str) -> str:
    kilobytes = text.removesuffix("kB").strip()
    return f"{int(kilobytes) * 1024 / 1e9:.1f} GB" if kilobytes.isdigit() else ""


def _load(file: Path) -> str:
    return " ".join(_text(file).split()[:3])


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
