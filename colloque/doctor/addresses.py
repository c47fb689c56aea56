"""Addresses at which media is announced: whether people from outside can reach them."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from colloque.doctor.finding import Finding, fail, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class AddressFacts:
    """What is announced, and where the page is."""

    announced: tuple[Address, ...]
    public_name: str
    public_addresses: tuple[Address, ...]
    """Where the name of the page leads; empty where that could not be found out."""
    has_ipv6: bool
    """Whether this host has an IPv6 address by which it reaches the world."""


def judge(facts: AddressFacts) -> Iterator[Finding]:
    """Compare where the media is with where the page is."""
    page_is_outside = any(not one.is_loopback for one in facts.public_addresses)
    page_is_public = any(one.is_global for one in facts.public_addresses)
    for address in facts.announced:
        if address.is_loopback:
            yield (LOOPBACK if page_is_outside else HERE_ONLY)(address=address, name=facts.public_name)
        elif page_is_public and not address.is_global:
            yield PRIVATE(address=address, name=facts.public_name)
        else:
            yield ANNOUNCED(address=address)
    families = {one.version for one in facts.announced if not one.is_loopback}
    if 4 in families and 6 not in families and facts.has_ipv6:
        yield ONLY_IPV4()
    elif families == {6}:
        yield ONLY_IPV6()


ANNOUNCED = ok("address.announced")
HERE_ONLY = ok("address.here_only")
LOOPBACK = fail("address.loopback")
PRIVATE = warn("address.private")
ONLY_IPV4 = warn("address.only_ipv4")
ONLY_IPV6 = warn("address.only_ipv6")
