"""Under which origins this server is itself, and where a request really comes from."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from signalling.probe.seen import Seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    _Address = IPv4Address | IPv6Address

_IPV6_CUSTOMER_BITS = 64  # one line or phone has a whole /64 to itself


def own_origins(public_url: str) -> frozenset[str]:
    """Give the origins of our own page; on loopback by each name of it."""
    parts = urlsplit(public_url)
    names = {"127.0.0.1", "localhost", "[::1]"}
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    if host not in names:
        return frozenset({public_url})
    port = "" if parts.port is None else f":{parts.port}"
    return frozenset(f"{parts.scheme}://{name}{port}" for name in names)


class Headers(Protocol):
    """The headers of a request, each of which may be there more than once."""

    def getall(self, key: str, default: list[str]) -> Sequence[str]:
        """Give every line of one."""


class Peers:
    """Tells callers apart for rate limits, and how each came."""

    def __init__(self, trusted_proxies: Iterable[str]) -> None:
        """Believe `X-Forwarded-For` only of these networks."""
        self._proxies = [ip_network(one) for one in trusted_proxies]

    def address_of(self, remote: str | None, forwarded_for: Sequence[str]) -> str:
        """Give the caller's address: the last one that no trusted proxy has, a /64 for IPv6."""
        address, _ = self._caller(remote, forwarded_for)
        if isinstance(address, IPv6Address):
            if address.ipv4_mapped is not None:
                return str(address.ipv4_mapped)
            return str(IPv6Network((int(address), _IPV6_CUSTOMER_BITS), strict=False))
        return str(address)

    def seen(self, remote: str | None, headers: Headers, *, secure: bool) -> Seen:
        """Tell how a request came, `secure` being whether TLS ended here.

        Each of our own proxies may leave one mark of each kind; whoever leaves more is somebody else's.
        """
        forwarded_for = headers.getall("X-Forwarded-For", [])
        _, ours = self._caller(remote, forwarded_for)
        marks = [_entries(forwarded_for)]
        marks += [_entries(headers.getall(name, [])) for name in ("Via", "Forwarded")]
        schemes = _entries(headers.getall("X-Forwarded-Proto", []))
        return Seen(
            self.address_of(remote, forwarded_for),
            proxied=any(len(found) > ours for found in marks),
            tls=secure or (ours > 0 and schemes[-1:] == ["https"]),
        )

    def _caller(self, remote: str | None, forwarded_for: Sequence[str]) -> tuple[_Address | None, int]:
        """Give the caller's address, and how many of our proxies the request came through."""
        chain = _entries(forwarded_for)
        address, ours = _parse(remote or ""), 0
        while address is not None and any(address in network for network in self._proxies):
            ours += 1
            if not chain:
                break
            address = _parse(chain.pop())
        return address, ours


def _entries(lines: Sequence[str]) -> list[str]:
    return [one.strip() for line in lines for one in line.split(",")]


def _parse(text: str) -> _Address | None:
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None
