"""Under which origins this server is itself, and where a request really comes from."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


class Peers:
    """Tells callers apart for rate limits."""

    def __init__(self, trusted_proxies: Iterable[str]) -> None:
        """Believe `X-Forwarded-For` only of these networks."""
        self._proxies = [ip_network(one) for one in trusted_proxies]

    def address_of(self, remote: str | None, forwarded_for: Sequence[str]) -> str:
        """Give the caller's address: the last one that no trusted proxy has, a /64 for IPv6."""
        chain = [one.strip() for line in forwarded_for for one in line.split(",")]
        address = _parse(remote or "")
        while address is not None and chain and any(address in network for network in self._proxies):
            address = _parse(chain.pop())
        if isinstance(address, IPv6Address):
            if address.ipv4_mapped is not None:
                return str(address.ipv4_mapped)
            return str(IPv6Network((int(address), _IPV6_CUSTOMER_BITS), strict=False))
        return str(address)


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None
