"""Ports of this server: free for it, held by it already, or not to be had."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from colloque.doctor.finding import Finding, fail, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

_ADDRESS_ERRORS = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL})


@dataclass(frozen=True, slots=True)
class PortFacts:
    """What trying to bind a port gave."""

    protocol: Literal["tcp", "udp"]
    port: int
    address: str
    setting: str
    """The setting that chooses the port."""
    address_setting: str
    """The setting that chooses the address; often the same."""
    error: int | None = None
    """The errno of binding; None where the port was free."""
    ours: bool = False
    """Whether our own server is what holds it."""
    holder: str = ""
    """The program that holds it, like `nginx, pid 812`; empty where the system does not tell us."""


@dataclass(frozen=True, slots=True)
class PublicPortFacts:
    """Where people come, and where the server listens."""

    url: str
    public_port: int
    is_https: bool
    is_here_only: bool
    """Whether the public address is one of this machine alone."""
    port: int
    is_loopback: bool
    """Whether `server.listen` is an address of this machine alone."""
    has_certificate: bool


def judge(facts: PortFacts) -> Finding:
    """Say whether our server can listen on the port, or does so already."""
    named = {"place": f"{facts.port}/{facts.protocol.upper()}", "address": facts.address}
    if facts.error is None:
        return FREE(**named, setting=facts.setting)
    if facts.error == errno.EADDRINUSE:
        if facts.ours:
            return OURS(**named, setting=facts.setting)
        if facts.holder:
            return TAKEN(**named, setting=facts.setting, holder=facts.holder)
        return TAKEN_BY_SOMEBODY(**named, setting=facts.setting, protocol=facts.protocol, port=facts.port)
    if facts.error == errno.EACCES:
        return NO_RIGHT(**named, setting=facts.setting)
    if facts.error in _ADDRESS_ERRORS:
        verdict = NO_IPV6 if ":" in facts.address else NO_ADDRESS
        return verdict(**named, setting=facts.address_setting)
    return REFUSED(**named, setting=facts.setting, reason=errno.errorcode.get(facts.error, str(facts.error)))


def judge_public(facts: PublicPortFacts) -> Iterator[Finding]:
    """Say whether people who type the public address can come to the listener."""
    if not facts.has_certificate and facts.is_https:
        return  # a proxy in front is what they come to
    if facts.is_loopback and not facts.is_here_only:
        yield ONLY_HERE(url=facts.url, port=facts.port)
    elif facts.port != facts.public_port:
        yield OTHER_PORT(url=facts.url, port=facts.port, public_port=facts.public_port)


FREE = ok("port.free")
OURS = ok("port.ours")
TAKEN = fail("port.taken")
TAKEN_BY_SOMEBODY = fail("port.taken_by_somebody")
NO_RIGHT = fail("port.no_right")
NO_ADDRESS = fail("port.no_address")
NO_IPV6 = fail("port.no_ipv6")
REFUSED = fail("port.refused")
ONLY_HERE = fail("port.only_here")
OTHER_PORT = warn("port.other_than_public")
