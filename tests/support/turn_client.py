"""A TURN client (RFC 8656) that does one thing at a time, built on aioice's messages."""

import hashlib
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aioice import stun

_UDP_TRANSPORT, _TCP_TRANSPORT = 17 << 24, 6 << 24
_FAMILIES = {4: 1, 6: 2}
_HEADER = 20
_DATA_WITHIN = 5.0  # seconds
_TRIES = 8
"""By UDP: the first datagrams may come to a relay that is just starting."""
_COOKIE = b"\x21\x12\xa4\x42"

# The attribute of RFC 8656, section 18.6, that aioice does not have: it asks for IPv4 alone.
_FAMILY_ATTRIBUTE: Any = (
    0x0017,
    "REQUESTED-ADDRESS-FAMILY",
    lambda family: struct.pack("!B3x", family),
    lambda data: data[0],
)
stun.ATTRIBUTES_BY_TYPE[_FAMILY_ATTRIBUTE[0]] = _FAMILY_ATTRIBUTE
stun.ATTRIBUTES_BY_NAME[_FAMILY_ATTRIBUTE[1]] = _FAMILY_ATTRIBUTE


class Refused(Exception):
    """The relay answered with an error."""

    def __init__(self, code: int) -> None:
        """Keep the number."""
        super().__init__(f"error {code}")
        self.code = code


@dataclass(frozen=True)
class Data:
    """What a peer sent."""

    peer: tuple[str, int]
    data: bytes


class TurnClient:
    """One connection to a relay, with at most one allocation."""

    def __init__(
        self,
        opened: socket.socket,
        server: tuple[str, int] | None,
        username: str = "",
        password: str = "",
    ) -> None:
        """Talk through this socket: to `server` by UDP; None: a stream that is connected already."""
        self._socket = opened
        self._server = server
        self._username = username
        self._password = password
        self._challenge: dict[str, Any] = {}
        self._buffer = b""
        self._has_allocation = False
        self.answers: list[stun.Message] = []
        """All that came, in order."""

    def close(self) -> None:
        """Give back what was allocated, and close the socket."""
        with self._socket, suppress(OSError, Refused):
            if self._has_allocation and self._socket.fileno() >= 0:
                self.refresh(0)

    def allocate(self, family: int = 4) -> tuple[str, int]:
        """Ask for an allocation and give its address; raise `Refused`."""
        attributes: dict[str, Any] = {"REQUESTED-TRANSPORT": _UDP_TRANSPORT}
        if family != 4:
            attributes["REQUESTED-ADDRESS-FAMILY"] = _FAMILIES[family]
        answer = self._request(stun.Method.ALLOCATE, attributes)
        self._has_allocation = True
        address: tuple[str, int] = answer.attributes["XOR-RELAYED-ADDRESS"]
        return address

    def allocate_tcp(self) -> None:
        """Ask for an allocation whose peers are reached by TCP (RFC 6062); raise `Refused`."""
        self._request(stun.Method.ALLOCATE, {"REQUESTED-TRANSPORT": _TCP_TRANSPORT})

    def permit(self, peer: str, port: int = 0) -> None:
        """Ask to be let through to a peer's address; raise `Refused`."""
        self._request(stun.Method.CREATE_PERMISSION, {"XOR-PEER-ADDRESS": (peer, port)})

    def bind_channel(self, peer: str, port: int) -> None:
        """Ask for a channel to a peer; raise `Refused`."""
        attributes = {"CHANNEL-NUMBER": 0x4000, "XOR-PEER-ADDRESS": (peer, port)}
        self._request(stun.Method.CHANNEL_BIND, attributes)

    def refresh(self, lifetime: int) -> None:
        """Keep the allocation for so long, in seconds; 0 gives it back; raise `Refused`."""
        self._request(stun.Method.REFRESH, {"LIFETIME": lifetime})
        self._has_allocation = lifetime > 0

    def send(self, peer: str, port: int, data: bytes) -> None:
        """Send to a peer, without being told whether it went out."""
        attributes = {"XOR-PEER-ADDRESS": (peer, port), "DATA": data}
        self._write(bytes(stun.Message(stun.Method.SEND, stun.Class.INDICATION, attributes=attributes)))

    def send_channel(self, data: bytes) -> None:
        """Send to the peer of the channel."""
        padding = b"" if self._server is not None else bytes(-len(data) % 4)
        self._write(struct.pack("!HH", 0x4000, len(data)) + data + padding)

    def receive(self) -> Data:
        """Wait for what a peer sends, by Data indication; raise `TimeoutError`."""
        self._socket.settimeout(_DATA_WITHIN)
        while True:
            message = self._read()
            if message.message_method == stun.Method.DATA:
                return Data(message.attributes["XOR-PEER-ADDRESS"], message.attributes["DATA"])

    def _request(self, method: stun.Method, attributes: dict[str, Any]) -> stun.Message:
        for _ in range(3):
            answer = self._exchange(stun.Message(method, stun.Class.REQUEST, attributes=dict(attributes)))
            code = answer.error_code
            if code is None:
                return answer
            asked_before = bool(self._challenge)
            if code == 438 or (code == 401 and not asked_before and self._username):
                names = ("REALM", "NONCE")
                self._challenge = {name: answer.attributes[name] for name in names}
                continue
            raise Refused(code)
        raise Refused(438)

    def _exchange(self, request: stun.Message) -> stun.Message:
        if self._challenge:
            request.attributes |= {"USERNAME": self._username, **self._challenge}
            words = f"{self._username}:{self._challenge['REALM']}:{self._password}"
            request.add_message_integrity(hashlib.md5(words.encode()).digest())
        self._write(bytes(request))
        tries = _TRIES if self._server is not None else 1
        while True:
            try:
                answer = self._read()
            except TimeoutError:
                tries -= 1
                if not tries:
                    raise
                self._write(bytes(request))
            else:
                if answer.transaction_id == request.transaction_id:
                    return answer

    def _write(self, data: bytes) -> None:
        if self._server is None:
            self._socket.sendall(data)
        else:
            self._socket.sendto(data, self._server)

    def _read(self) -> stun.Message:
        if self._server is not None:
            message = stun.parse_message(self._socket.recv(65_535))
        else:
            message = stun.parse_message(self._read_stream())
        self.answers.append(message)
        return message

    def _read_stream(self) -> bytes:
        self._fill(_HEADER)
        assert self._buffer[4:8] == _COOKIE, self._buffer[:8]
        size = _HEADER + int(struct.unpack("!H", self._buffer[2:4])[0])
        self._fill(size)
        message, self._buffer = self._buffer[:size], self._buffer[size:]
        return message

    def _fill(self, size: int) -> None:
        while len(self._buffer) < size:
            got = self._socket.recv(65_535)
            if not got:
                raise ConnectionResetError("the relay has closed the connection")
            self._buffer += got
