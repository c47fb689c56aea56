"""A UDP relay between a media client and the server that notes when the kernel saw each packet."""

import contextlib
import itertools
import random
import selectors
import socket
import struct
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Self

_SO_TIMESTAMPNS = 35  # SOL_SOCKET option of Linux; the socket module has no name for it
_TIMESPEC = struct.Struct("@qq")
_ANCILLARY = socket.CMSG_SPACE(_TIMESPEC.size)
_LARGEST = 65_536
_POLL = 0.1  # seconds between looks at whether to stop


@dataclass(frozen=True, slots=True)
class Seen:
    """One packet of media: when (seconds, wall clock) and what SRTP leaves in the clear of its header."""

    at: float
    ssrc: int
    seq: int
    payload_type: int


@dataclass
class Faults:
    """What the relay does to packets from the server, in parts of one; `seed` repeats the choice."""

    loss: float = 0.0
    duplication: float = 0.0
    seed: int = 1
    choose: random.Random = field(init=False)

    def __post_init__(self) -> None:
        """Seed the choice of packets."""
        self.choose = random.Random(self.seed)


class Relay:
    """One client's way to the server's media port. Use as a context manager."""

    def __init__(self, server_port: int) -> None:
        """Lead to this UDP port on loopback."""
        self.faults = Faults()
        self.duplicate_up = False
        self.cut = False
        """Nothing of the client reaches the server."""
        self.up: list[Seen] = []
        self.down: list[Seen] = []
        self.datagrams_down = 0
        self.bytes_down = 0
        self._client_side = _socket()
        self._server_side = _socket()
        self._server_side.connect(("127.0.0.1", server_port))
        self._client: tuple[str, int] | None = None
        self._running = True
        self._rebinding = False
        self._thread = threading.Thread(target=self._run)

    @property
    def port(self) -> int:
        """The port that the client sends to."""
        return int(self._client_side.getsockname()[1])

    def __enter__(self) -> Self:
        """Start to carry."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._running = False
        self._thread.join()
        self._client_side.close()
        self._server_side.close()

    def inject(self, datagram: bytes) -> None:
        """Send this to the server from the client's own address."""
        self._server_side.send(datagram)

    def rebind(self) -> None:
        """Reach the server from another port from now on, as after a NAT forgot its mapping."""
        self._rebinding = True

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._client_side, selectors.EVENT_READ, self._carry_up)
            selector.register(self._server_side, selectors.EVENT_READ, self._carry_down)
            while self._running:
                if self._rebinding:
                    self._take_another_port(selector)
                for key, _ in selector.select(_POLL):
                    with contextlib.suppress(ConnectionRefusedError):  # a server that is down takes nothing
                        key.data()

    def _take_another_port(self, selector: selectors.BaseSelector) -> None:
        self._rebinding, old = False, self._server_side
        selector.unregister(old)
        self._server_side = _socket()
        self._server_side.connect(old.getpeername())
        selector.register(self._server_side, selectors.EVENT_READ, self._carry_down)
        old.close()

    def _carry_up(self) -> None:
        datagram, self._client = self._client_side.recvfrom(_LARGEST)
        _note(self.up, datagram, time.time())
        if self.cut:
            return
        self._server_side.send(datagram)
        if self.duplicate_up:
            self._server_side.send(datagram)

    def _carry_down(self) -> None:
        datagram, ancillary, _, _ = self._server_side.recvmsg(_LARGEST, _ANCILLARY)
        _note(self.down, datagram, _kernel_time(ancillary))
        self.datagrams_down += 1
        self.bytes_down += len(datagram)
        if self._client is None or self.faults.choose.random() < self.faults.loss:
            return
        self._client_side.sendto(datagram, self._client)
        if self.faults.choose.random() < self.faults.duplication:
            self._client_side.sendto(datagram, self._client)


def by_stream(packets: list[Seen]) -> dict[int, list[Seen]]:
    """Sort packets by SSRC."""
    streams: dict[int, list[Seen]] = defaultdict(list)
    for packet in packets:
        streams[packet.ssrc].append(packet)
    return streams


def missing(stream: list[Seen]) -> int:
    """Count the sequence numbers that never came between the first and the last."""
    numbers, last = {0}, 0
    for earlier, later in itertools.pairwise(stream):
        last += (later.seq - earlier.seq + 0x8000) % 0x10000 - 0x8000
        numbers.add(last)
    return max(numbers) - min(numbers) + 1 - len(numbers)


def _note(where: list[Seen], datagram: bytes, at: float) -> None:
    # RFC 7983 and RFC 5761: 128 to 191 is RTP or RTCP, and RTCP's packet types are 192 to 223.
    if len(datagram) >= 12 and 128 <= datagram[0] <= 191 and not 192 <= datagram[1] <= 223:
        kind, sequence, _, ssrc = struct.unpack_from("!xBHII", datagram)
        where.append(Seen(at, ssrc, sequence, kind & 0x7F))


def _kernel_time(ancillary: list[tuple[int, int, bytes]]) -> float:
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, nanoseconds = _TIMESPEC.unpack(content)
            return float(seconds + nanoseconds / 1e9)
    raise AssertionError("the kernel gave no timestamp")


def _socket() -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 2**20)
    opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    opened.bind(("127.0.0.1", 0))
    return opened
