"""The few messages of STUN and TURN that tell whether a relay works (RFC 8489, RFC 8656).

A client's library would bring a DNS resolver and a list of interfaces to the server for six messages.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass, field
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address

HEADER_BYTES = 20
ID_BYTES = 12

_COOKIE = 0x2112A442
_ERROR, _SUCCESS = 0x0110, 0x0100
_CLASS_MASK = 0x0110
_INTEGRITY_BYTES = 24
_UDP = 17


class Method(IntEnum):
    """What is asked for."""

    BINDING = 0x001
    ALLOCATE = 0x003
    REFRESH = 0x004
    CREATE_PERMISSION = 0x008


class _Attribute(IntEnum):
    USERNAME = 0x0006
    MESSAGE_INTEGRITY = 0x0008
    ERROR_CODE = 0x0009
    LIFETIME = 0x000D
    XOR_PEER_ADDRESS = 0x0012
    REALM = 0x0014
    NONCE = 0x0015
    REQUESTED_ADDRESS_FAMILY = 0x0017
    REQUESTED_TRANSPORT = 0x0019


@dataclass(frozen=True, slots=True)
class Login:
    """Long-term credentials, with what the relay gave to use them with."""

    username: str
    password: str = field(repr=False)
    realm: bytes
    nonce: bytes

    @property
    def key(self) -> bytes:
        """The key of MESSAGE-INTEGRITY (RFC 8489, 9.2.2)."""
        text = self.username.encode() + b":" + self.realm + b":" + self.password.encode()
        return hashlib.md5(text, usedforsecurity=False).digest()  # the standard leaves no choice


@dataclass(frozen=True, slots=True)
class Answer:
    """What a relay answered."""

    transaction: bytes
    error: int | None
    """The code, like 401; None for success."""
    realm: bytes
    nonce: bytes


def binding(transaction: bytes) -> bytes:
    """Ask for one's own address: what every STUN server answers."""
    return _request(Method.BINDING, transaction, [], None)


def allocate(transaction: bytes, version: int, login: Login | None) -> bytes:
    """Ask for a relayed address of UDP, of IP version 4 or 6."""
    attributes = [(_Attribute.REQUESTED_TRANSPORT, bytes([_UDP, 0, 0, 0]))]
    if version == 6:
        attributes.append((_Attribute.REQUESTED_ADDRESS_FAMILY, bytes([2, 0, 0, 0])))
    return _request(Method.ALLOCATE, transaction, attributes, login)


def permit(transaction: bytes, peer: IPv4Address | IPv6Address, login: Login) -> bytes:
    """Ask to be let send to a peer; nothing is sent to it by that."""
    return _request(
        Method.CREATE_PERMISSION,
        transaction,
        [(_Attribute.XOR_PEER_ADDRESS, _xored(peer, transaction))],
        login,
    )


def release(transaction: bytes, login: Login) -> bytes:
    """Give the allocation back."""
    return _request(Method.REFRESH, transaction, [(_Attribute.LIFETIME, bytes(4))], login)


def message_bytes(header: bytes) -> int | None:
    """Give the length of the message that begins so; None if that is no answer of STUN."""
    if len(header) < HEADER_BYTES:
        return None
    kind, length, cookie = struct.unpack_from("!HHI", header)
    is_answer = kind & _CLASS_MASK in {_SUCCESS, _ERROR} and kind < 0x4000
    return HEADER_BYTES + length if is_answer and cookie == _COOKIE and length % 4 == 0 else None


def read(message: bytes) -> Answer | None:
    """Read an answer; None if it is none."""
    if message_bytes(message) != len(message):
        return None
    kind = int.from_bytes(message[:2])
    found: dict[int, bytes] = {}
    at = HEADER_BYTES
    while at + 4 <= len(message):
        name, length = struct.unpack_from("!HH", message, at)
        found.setdefault(name, message[at + 4 : at + 4 + length])
        at += 4 + length + -length % 4
    error = None
    if kind & _CLASS_MASK == _ERROR:
        said = found.get(_Attribute.ERROR_CODE, b"").ljust(4, b"\0")
        error = (said[2] & 7) * 100 + said[3]
    return Answer(
        message[8:HEADER_BYTES], error, found.get(_Attribute.REALM, b""), found.get(_Attribute.NONCE, b"")
    )


def _request(
    method: Method, transaction: bytes, attributes: list[tuple[_Attribute, bytes]], login: Login | None
) -> bytes:
    if login is not None:
        attributes = [
            *attributes,
            (_Attribute.USERNAME, login.username.encode()),
            (_Attribute.REALM, login.realm),
            (_Attribute.NONCE, login.nonce),
        ]
    body = b"".join(_written(name, value) for name, value in attributes)
    if login is None:
        return struct.pack("!HHI", method, len(body), _COOKIE) + transaction + body
    # The length counts the integrity that is still to come.
    signed = struct.pack("!HHI", method, len(body) + _INTEGRITY_BYTES, _COOKIE) + transaction + body
    return signed + _written(_Attribute.MESSAGE_INTEGRITY, hmac.digest(login.key, signed, "sha1"))


def _written(name: _Attribute, value: bytes) -> bytes:
    return struct.pack("!HH", name, len(value)) + value + bytes(-len(value) % 4)


def _xored(peer: IPv4Address | IPv6Address, transaction: bytes) -> bytes:
    mask = _COOKIE.to_bytes(4) + transaction
    port = bytes(2)  # a permission is for every port
    address = bytes(one ^ other for one, other in zip(peer.packed, mask, strict=False))
    family = 1 if peer.version == 4 else 2
    return bytes([0, family]) + bytes(one ^ other for one, other in zip(port, mask, strict=False)) + address
