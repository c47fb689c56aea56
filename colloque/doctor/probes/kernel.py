"""Options of sockets, really tried, and limits of the kernel."""

from __future__ import annotations

import os
import platform
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from colloque.doctor.kernel import BUFFER_BYTES, KernelFacts

if TYPE_CHECKING:
    from colloque.settings import Settings

# linux/udp.h and asm-generic/socket.h; Python has names for none of them in 3.11.
_UDP_SEGMENT, _UDP_GRO, _SO_TIMESTAMPNS, _SO_RCVBUFFORCE = 103, 104, 35, 33
_SOL_UDP = 17
_EF = 46 << 2
_SEGMENTS, _SEGMENT_BYTES = 4, 1200
_BURST_SECONDS = 1.0

_OPTIONS = (
    ("UDP_SEGMENT", _SOL_UDP, _UDP_SEGMENT, 1200),
    ("UDP_GRO", _SOL_UDP, _UDP_GRO, 1),
    ("SO_REUSEPORT", socket.SOL_SOCKET, socket.SO_REUSEPORT, 1),
    ("SO_TIMESTAMPNS", socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1),
)


def look(settings: Settings) -> KernelFacts:
    """Try on a socket what the core asks for, and read the kernel's limits."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        missing = tuple(name for name, *option in _OPTIONS if not _takes(probe, *option)) or _broken()
        marks = _takes(probe, socket.IPPROTO_IP, socket.IP_TOS, _EF)
        may_force = _takes(probe, socket.SOL_SOCKET, _SO_RCVBUFFORCE, BUFFER_BYTES)
    return KernelFacts(
        release=platform.release(),
        missing=missing,
        marks=marks,
        wants_marks=settings.media.dscp == "rfc8837",
        may_force_buffers=may_force,
        receive_max=_figure("/proc/sys/net/core/rmem_max") or 0,
        send_max=_figure("/proc/sys/net/core/wmem_max") or 0,
        conntrack=_conntrack(),
        processors=len(os.sched_getaffinity(0)),
        workers=settings.media.workers,
    )


def _broken() -> tuple[str, ...]:
    """Send a burst to ourselves as the core does, and name the options that were taken but do nothing."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(_BURST_SECONDS)
        receiver.setsockopt(_SOL_UDP, _UDP_GRO, 1)
        receiver.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        sender.setsockopt(_SOL_UDP, _UDP_SEGMENT, _SEGMENT_BYTES)
        try:
            sender.sendto(bytes(_SEGMENTS * _SEGMENT_BYTES), receiver.getsockname())
            data, control, *_ = receiver.recvmsg(2 * _SEGMENTS * _SEGMENT_BYTES, 256)
        except OSError:
            return ("UDP_SEGMENT",)
    told = {(level, kind) for level, kind, _ in control}
    return tuple(
        name
        for name, works in (
            ("UDP_SEGMENT", len(data) == _SEGMENT_BYTES or (_SOL_UDP, _UDP_GRO) in told),
            ("UDP_GRO", (_SOL_UDP, _UDP_GRO) in told),
            ("SO_TIMESTAMPNS", (socket.SOL_SOCKET, _SO_TIMESTAMPNS) in told),
        )
        if not works
    )


def _takes(probe: socket.socket, level: int, option: int, value: int) -> bool:
    try:
        probe.setsockopt(level, option, value)
    except OSError:
        return False
    return True


def _conntrack() -> tuple[int, int] | None:
    followed = _figure("/proc/sys/net/netfilter/nf_conntrack_count")
    most = _figure("/proc/sys/net/netfilter/nf_conntrack_max")
    return (followed, most) if followed is not None and most else None


def _figure(path: str) -> int | None:
    try:
        return int(Path(path).read_text())
    except (OSError, ValueError):
        return None
