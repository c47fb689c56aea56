"""Being a relay's client for a moment: a binding, an allocation, permissions, and everything given back."""

from __future__ import annotations

import secrets
import socket
import ssl
import time
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Protocol

from colloque.doctor import stun
from colloque.doctor.probes.ports import unverified
from colloque.doctor.relays import UNAUTHORISED, RelayFacts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from turn_config import Credential

_TRIES_SECONDS = (0.3, 0.6, 1.2)
"""UDP loses packets; three are enough on one host."""
_ANSWER_SECONDS = 2.0
_MESSAGE_MAX_BYTES = 2048

Address = IPv4Address | IPv6Address

_STRANGERS: dict[int, tuple[Address, ...]] = {
    4: (
        IPv4Address("127.0.0.1"),
        IPv4Address("10.255.255.254"),
        IPv4Address("169.254.169.254"),  # where clouds keep a machine's secrets
        IPv4Address("192.0.2.1"),  # of documentation only: anybody
    ),
    6: (
        ip_address("::1"),
        ip_address("::ffff:127.0.0.1"),
        ip_address("fd00::1"),
        ip_address("2001:db8::1"),
    ),
}
"""To whom no relay of ours may send. Nothing is sent to them: a permission is only asked for."""


class Wire(Protocol):
    """A way to a relay."""

    def exchange(self, request: bytes) -> stun.Answer | None:
        """Send a request and give its answer; None if there is none in time. Raise `OSError`."""

    def close(self) -> None:
        """Let go."""


def look(
    address: str,
    port: int,
    *,
    protocol: str,
    secured: bool,
    setting: str,
    credential: Credential,
    media: Sequence[Address],
) -> RelayFacts:
    """Find out what a client would meet on this port; `media` is where it must be let through to."""
    place = f"{port}/{protocol.upper()}" + (" (TLS)" if secured else "")
    try:
        wire: Wire = (
            _Datagrams(address, port) if protocol == "udp" else _Stream(address, port, secured=secured)
        )
    except ssl.SSLError:
        return RelayFacts(place, address, setting, "not_tls")
    except ConnectionRefusedError:
        return RelayFacts(place, address, setting, "closed")
    except OSError:
        return RelayFacts(place, address, setting, "silent")
    try:
        if wire.exchange(stun.binding(_transaction())) is None:
            return RelayFacts(place, address, setting, "silent")
        login = _allocated(wire, RelayFacts(place, address, setting, "answers"), credential)
        if isinstance(login, RelayFacts):
            return login
        try:
            return _permissions(wire, login, RelayFacts(place, address, setting, "answers"), media)
        finally:
            wire.exchange(stun.release(_transaction(), login))
    except ConnectionRefusedError:
        return RelayFacts(place, address, setting, "closed")
    except OSError:
        return RelayFacts(place, address, setting, "silent")
    finally:
        wire.close()


def _allocated(wire: Wire, reached: RelayFacts, credential: Credential) -> stun.Login | RelayFacts:
    version = ip_address(reached.address).version
    asked = wire.exchange(stun.allocate(_transaction(), version, None))
    if asked is not None and asked.error is None:
        return replace(reached, asks_nobody=True)
    if asked is None or asked.error != UNAUTHORISED:
        return replace(reached, allocation_error=0 if asked is None else asked.error)
    login = stun.Login(credential.username, credential.password, asked.realm, asked.nonce)
    answer = wire.exchange(stun.allocate(_transaction(), version, login))
    if answer is None or answer.error is not None:
        return replace(reached, allocation_error=0 if answer is None else answer.error)
    return login


def _permissions(wire: Wire, login: stun.Login, reached: RelayFacts, media: Sequence[Address]) -> RelayFacts:
    version = ip_address(reached.address).version
    ours = [one for one in media if one.version == version]
    refused = [one for one in ours if not _permits(wire, login, one)]
    strangers = [one for one in _STRANGERS[version] if one not in ours and _permits(wire, login, one)]
    return replace(
        reached, refused_media=tuple(map(str, refused)), allowed_strangers=tuple(map(str, strangers))
    )


def _permits(wire: Wire, login: stun.Login, peer: Address) -> bool:
    answer = wire.exchange(stun.permit(_transaction(), peer, login))
    return answer is not None and answer.error is None


def _transaction() -> bytes:
    return secrets.token_bytes(stun.ID_BYTES)


class _Datagrams:
    def __init__(self, address: str, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.connect((address, port))  # so that a closed port is told of
        except OSError:
            self._socket.close()
            raise

    def exchange(self, request: bytes) -> stun.Answer | None:
        for patience in _TRIES_SECONDS:
            self._socket.send(request)
            until = time.monotonic() + patience
            while (left := until - time.monotonic()) > 0:
                self._socket.settimeout(left)
                try:
                    answer = stun.read(self._socket.recv(_MESSAGE_MAX_BYTES))
                except TimeoutError:
                    break
                if answer is not None and answer.transaction == request[8 : stun.HEADER_BYTES]:
                    return answer
        return None

    def close(self) -> None:
        self._socket.close()


class _Stream:
    def __init__(self, address: str, port: int, *, secured: bool) -> None:
        self._socket = socket.create_connection((address, port), _ANSWER_SECONDS)
        if secured:
            try:
                self._socket = unverified().wrap_socket(self._socket)
            except OSError:
                self._socket.close()
                raise

    def exchange(self, request: bytes) -> stun.Answer | None:
        self._socket.settimeout(_ANSWER_SECONDS)
        self._socket.sendall(request)
        try:
            header = self._exactly(stun.HEADER_BYTES)
            length = stun.message_bytes(header)
            if length is None or length > _MESSAGE_MAX_BYTES:
                return None
            return stun.read(header + self._exactly(length - stun.HEADER_BYTES))
        except TimeoutError:
            return None

    def close(self) -> None:
        self._socket.close()

    def _exactly(self, count: int) -> bytes:
        got = b""
        while len(got) < count:
            piece = self._socket.recv(count - len(got))
            if not piece:
                raise ConnectionAbortedError
            got += piece
        return got
