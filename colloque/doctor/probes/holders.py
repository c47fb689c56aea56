"""Which program holds a port, as far as this user may see."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

_LISTENING = "0A"  # of TCP's states in /proc/net/tcp; sockets of UDP are listed while they are open


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a port open."""

    pid: int
    name: str

    def __str__(self) -> str:
        """Give both as a person looks for them."""
        return f"{self.name}, pid {self.pid}"


@dataclass(frozen=True, slots=True)
class OpenPort:
    """A line of /proc/net/tcp and the like."""

    address: IPv4Address | IPv6Address
    port: int
    inode: int


def holder_of(protocol: Literal["tcp", "udp"], address: str, port: int) -> Holder | None:
    """Find the program on this port at this address or at all addresses; None where we may not see it."""
    inodes = set()
    for name in (protocol, f"{protocol}6"):
        try:
            text = Path(f"/proc/net/{name}").read_text()
        except OSError:
            continue
        inodes |= {one.inode for one in open_ports(text, name) if one.port == port and _meets(one, address)}
    return next((found for inode in sorted(inodes) if (found := _holder(inode)) is not None), None)


def open_ports(text: str, name: str) -> Iterator[OpenPort]:
    """Read what /proc/net/tcp, tcp6, udp or udp6 lists (proc(5)): those that wait for anybody."""
    for line in text.splitlines()[1:]:
        fields = line.split()
        address, _, port = fields[1].partition(":")
        if not name.startswith("tcp") or fields[3] == _LISTENING:
            yield OpenPort(_address(address), int(port, 16), int(fields[9]))


def _address(text: str) -> IPv4Address | IPv6Address:
    # Words of 32 bits, each in the order of this machine.
    words = [int(text[start : start + 8], 16) for start in range(0, len(text), 8)]
    packed = b"".join(word.to_bytes(4, "little") for word in words)
    found = ip_address(packed)
    return getattr(found, "ipv4_mapped", None) or found


def _meets(one: OpenPort, address: str) -> bool:
    wanted = ip_address(address)
    return one.address.is_unspecified or wanted.is_unspecified or one.address == wanted


def _holder(inode: int) -> Holder | None:
    link = f"socket:[{inode}]"
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            if any(str(file.readlink()) == link for file in (process / "fd").iterdir()):
                return Holder(int(process.name), (process / "comm").read_text().strip())
        except OSError:  # gone meanwhile, or another user's
            continue
    return None
