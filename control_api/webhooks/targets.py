"""Where webhooks may go: targets that the operator listed, at addresses that are public or listed too.

An entry is a host (`portal.example`, `*.hospital.example`; https, port 443), an origin
(`https://portal.example:8443`, `http://10.1.2.3:8080`; `:*` for any port), or a network (`10.0.0.0/8`). A
network lets listed hosts be at private addresses in it, and allows targets that are written as an address.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Iterable

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAT64 = ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class _Origin:
    scheme: str
    host: str
    """In lower case; with a `*.` before it for every name below."""
    port: int | None
    """`None` for any."""

    def matches(self, url: URL, host: str) -> bool:
        if url.scheme != self.scheme or self.port not in {None, url.port}:
            return False
        if self.host.startswith("*."):
            return host.endswith(self.host[1:])
        return host == self.host


class Targets:
    """The operator's list; empty, nothing may be told to anybody."""

    def __init__(self, entries: Iterable[str] = ()) -> None:
        """Read the entries; raise `ValueError` for one that is none."""
        read = [_read(entry) for entry in entries]
        self._origins = [one for one in read if isinstance(one, _Origin)]
        self._networks = [one for one in read if not isinstance(one, _Origin)]
        # Who lists a target that is written as an address means that address.
        literals = (_literal(origin.host) for origin in self._origins)
        self._addresses = frozenset(one for one in literals if one is not None)

    def refusal(self, url: URL) -> str | None:
        """Say why this may not be called, or `None` if it may."""
        host = (url.host or "").lower()
        if url.scheme not in _DEFAULT_PORTS or not host or "%" in host:
            return "must be an http or https address with a host"
        if url.user is not None or url.password is not None or url.fragment:
            return "must not have a user name, password or fragment in it"
        if any(origin.matches(url, host) for origin in self._origins):
            return None
        literal = _literal(host)
        if literal is not None and self._is_listed(literal):
            loopback = _real(literal).is_loopback
            return None if url.scheme == "https" or loopback else "must be https, unless it is listed as http"
        return "is not a target that the operator of this server allows (webhooks.allowed_targets)"

    def allows_address(self, text: str) -> bool:
        """Whether a connection may go to this address, whatever name led to it."""
        address = _literal(text)
        if address is None:
            return False
        return address in self._addresses or self._is_listed(address) or _is_public(_real(address))

    def _is_listed(self, address: Address) -> bool:
        real = _real(address)
        return any(one in network for network in self._networks for one in (address, real))


def checked_entry(text: str) -> str:
    """Give an entry of the list back, or raise `ValueError` that says how it is written."""
    _read(text)
    return text


def _read(text: str) -> _Origin | Network:
    if "/" in text and "://" not in text:
        return ip_network(text)
    scheme, separator, rest = text.rpartition("://")
    scheme = scheme if separator else "https"
    any_port = rest.endswith(":*")
    host = rest.removesuffix(":*")
    below = host.startswith("*.")
    try:
        url = URL(f"{scheme}://{host.removeprefix('*.')}")
        port = url.port
    except ValueError as error:
        raise ValueError(_WRITTEN) from error
    plain = url.path == "/" and not url.query_string and not url.fragment and url.user is None
    if scheme not in _DEFAULT_PORTS or not url.host or not plain or "*" in url.host or host.endswith("/"):
        raise ValueError(_WRITTEN)
    return _Origin(scheme, ("*." if below else "") + url.host.lower(), None if any_port else port)


_WRITTEN = "must be HOST[:PORT], *.HOST, http(s)://HOST[:PORT] or a network like 10.0.0.0/8"


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _real(address: Address) -> Address:
    """Give the IPv4 address that an IPv6 address stands for, if it stands for one."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address.is_site_local:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_link_local)
