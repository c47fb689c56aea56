"""Where the command begins: a server starts once more in its own place, to have its memory in large pages.

A media thread that wakes up for a few packets finds little in the processor's caches, not even where memory
lies: in pages of 2 MB that is one entry where it would be hundreds. The C library asks the kernel for them if
it is told to before it starts (glibc 2.35, `glibc.malloc.hugetlb`); a kernel that has none gives none.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SERVERS = ("serve", "demo")
_TUNABLES, _LARGE_PAGES = "GLIBC_TUNABLES", "glibc.malloc.hugetlb"
_AGAIN = "_COLLOQUE_STARTED_AGAIN"
"""Set the second time: a program with capabilities loses its tunables, and would start again for ever."""


def main() -> None:
    """Run the command."""
    if sys.platform == "linux" and sys.argv[1:2] and sys.argv[1] in _SERVERS:
        environment = with_large_pages(os.environ)
        if environment is not None:
            # By its own file, so that it keeps its name among the processes; with Python's options by Python.
            own = len(sys.orig_argv) == len(sys.argv) + 1 and os.access(sys.argv[0], os.X_OK)
            program, arguments = (sys.argv[0], sys.argv) if own else (sys.executable, sys.orig_argv)
            os.execve(program, arguments, environment)  # noqa: S606 - ourselves, without a shell
    # Here, since a server would load it twice.
    from colloque.cli import main as command

    command()


def with_large_pages(environment: Mapping[str, str]) -> dict[str, str] | None:
    """Return the environment that asks for large pages; nothing if that was done or decided already."""
    tunables = environment.get(_TUNABLES, "")
    if _LARGE_PAGES in tunables or _AGAIN in environment:
        return None
    ours = f"{_LARGE_PAGES}=1"
    return {**environment, _TUNABLES: f"{tunables}:{ours}" if tunables else ours, _AGAIN: "1"}
