"""A network that only one test sees, with addresses and packet filter of its own."""

import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import pytest

_CLONE_NEWNET = 0x4000_0000
_HERE = Path("/proc/thread-self/ns/net")
_libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """A network namespace: what is opened or started while it is `entered` stays in it."""

    def __init__(self) -> None:
        """Make one with loopback alone; skip the test where the kernel refuses."""
        outside = os.open(_HERE, os.O_RDONLY)
        try:
            if _libc.unshare(_CLONE_NEWNET) != 0:
                number = ctypes.get_errno()
                pytest.skip(f"NO NETWORK NAMESPACE, so nothing of a relay is proved: {os.strerror(number)}")
            self._fd = os.open(_HERE, os.O_RDONLY)
            _enter(outside)
        finally:
            os.close(outside)
        self.run("ip", "link", "set", "lo", "up")

    @property
    def path(self) -> Path:
        """Give a name of it for other programs, as long as this process lives."""
        return Path(f"/proc/{os.getpid()}/fd/{self._fd}")

    def close(self) -> None:
        """Let go of it; the kernel removes it with the last socket and process in it."""
        os.close(self._fd)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be in it, in this thread: without awaiting anything meanwhile."""
        outside = os.open(_HERE, os.O_RDONLY)
        try:
            _enter(self._fd)
            try:
                yield
            finally:
                _enter(outside)
        finally:
            os.close(outside)

    def add_address(self, *addresses: str | IPv4Address | IPv6Address) -> None:
        """Give the host addresses, on loopback; one that it has already stays."""
        for one in addresses:
            prefix = ip_address(one).max_prefixlen
            nodad = ["nodad"] if prefix == 128 else []
            self.run("ip", "address", "replace", f"{one}/{prefix}", "dev", "lo", *nodad)

    def run(self, *command: str, text: str = "") -> None:
        """Run a command in it, with this text as its input."""
        with self.entered():
            done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"

    def udp(self, address: str, port: int = 0, *, timeout: float = 5.0) -> socket.socket:
        """Open a UDP socket in it."""
        with self.entered():
            opened = socket.socket(_family(address), socket.SOCK_DGRAM)
        opened.settimeout(timeout)
        opened.bind((address, port))
        return opened

    def tcp(self, source: str, target: str, port: int, *, timeout: float = 5.0) -> socket.socket:
        """Connect in it."""
        with self.entered():
            opened = socket.socket(_family(target), socket.SOCK_STREAM)
        opened.settimeout(timeout)
        try:
            opened.bind((source, 0))
            opened.connect((target, port))
        except OSError:
            opened.close()
            raise
        return opened


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _enter(fd: int) -> None:
    if _libc.setns(fd, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
