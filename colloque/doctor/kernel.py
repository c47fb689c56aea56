"""The kernel: what makes sending cheap, room for bursts, marks, and processors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from colloque.doctor.finding import Finding, fail, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

BUFFER_BYTES = 4 * 1024 * 1024
"""What the core asks for each socket (`sfu/core/net/src/socket.rs`): 10 ms at 3 Gbit/s."""

CONNTRACK_FULL = 0.8
"""A table that fills drops new people's first packets."""

_NAMES = {
    "UDP_SEGMENT": "4.18",
    "UDP_GRO": "5.0",
    "SO_REUSEPORT": "3.9",
    "SO_TIMESTAMPNS": "2.6.22",
}
"""Each with the Linux version that brought it."""


@dataclass(frozen=True, slots=True)
class KernelFacts:
    """What was tried on a socket, and what the kernel says of itself."""

    release: str
    missing: tuple[str, ...]
    """Options of sockets that were refused."""
    marks: bool
    """Whether packets may be marked (IP_TOS)."""
    wants_marks: bool
    may_force_buffers: bool
    """Whether this user may pass over the limits of buffers (CAP_NET_ADMIN)."""
    receive_max: int
    send_max: int
    """The limits themselves: `net.core.rmem_max` and `wmem_max`, in bytes."""
    conntrack: tuple[int, int] | None
    """Connections that this host's firewall follows, and how many at most; None where it follows none."""
    processors: int
    """Those that this process may use."""
    workers: int


def judge(facts: KernelFacts) -> Iterator[Finding]:
    """Say what the kernel lacks."""
    for name in facts.missing:
        verdict = NO_REUSE_PORT if name == "SO_REUSEPORT" and facts.workers > 1 else NO_OPTION
        yield verdict(name=name, since=_NAMES.get(name, "?"), release=facts.release)
    if not facts.missing:
        yield OPTIONS(release=facts.release)
    yield from _buffers(facts)
    if facts.wants_marks:
        yield (MARKS if facts.marks else NO_MARKS)()
    if facts.conntrack is not None:
        followed, most = facts.conntrack
        verdict = TRACKING_FULL if followed >= CONNTRACK_FULL * most else TRACKING
        yield verdict(followed=followed, most=most, double=2 * most)
    verdict = FEW_PROCESSORS if facts.workers > facts.processors else PROCESSORS
    yield verdict(workers=facts.workers, processors=facts.processors)


def _buffers(facts: KernelFacts) -> Iterator[Finding]:
    if facts.may_force_buffers or min(facts.receive_max, facts.send_max) >= BUFFER_BYTES:
        yield BUFFERS(mib=BUFFER_BYTES // 2**20)
        return
    for name, most in (("rmem_max", facts.receive_max), ("wmem_max", facts.send_max)):
        if most < BUFFER_BYTES:
            yield SMALL_BUFFERS(name=name, kib=most // 1024, wanted=BUFFER_BYTES)


OPTIONS = ok("kernel.options")
NO_OPTION = warn("kernel.no_option")
NO_REUSE_PORT = fail("kernel.no_reuse_port")
BUFFERS = ok("kernel.buffers")
SMALL_BUFFERS = warn("kernel.small_buffers")
MARKS = ok("kernel.marks")
NO_MARKS = warn("kernel.no_marks")
TRACKING = ok("kernel.tracking")
TRACKING_FULL = warn("kernel.tracking_full")
PROCESSORS = ok("kernel.processors")
FEW_PROCESSORS = warn("kernel.few_processors")
