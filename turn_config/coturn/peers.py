"""Which addresses a relay refuses or allows: the ranges of `denied-peer-ip` and `allowed-peer-ip`."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class AddressRange:
    """Addresses of one family, from first to last, both included."""

    first: Address
    last: Address

    def __contains__(self, address: Address) -> bool:
        """Say whether the address is one of them."""
        return address.version == self.first.version and int(self.first) <= int(address) <= int(self.last)

    def __str__(self) -> str:
        """Write it as coturn does."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


EVERYTHING = (
    AddressRange(IPv4Address(0), IPv4Address(2**32 - 1)),
    AddressRange(IPv6Address(0), IPv6Address(2**128 - 1)),
)
"""All addresses there are, IPv4 first; the second holds IPv4 in disguise, like `::ffff:127.0.0.1`, too."""


def parse_range(text: str) -> AddressRange:
    """Read `192.0.2.1` or `10.0.0.0-10.255.255.255`; raise `ValueError` for what coturn does not take."""
    first, separator, last = (part.strip() for part in text.partition("-"))
    found = AddressRange(ip_address(first), ip_address(last if separator else first))
    if found.last not in found:
        raise ValueError(f"{text!r} is no range of addresses")
    return found


def first_gap(ranges: Iterable[AddressRange], everything: AddressRange) -> Address | None:
    """Give the first address that is in none of the ranges; None: each is in one."""
    next_free = int(everything.first)
    family = [one for one in ranges if one.first in everything]
    for one in sorted(family, key=lambda one: int(one.first)):
        if int(one.first) > next_free:
            break
        next_free = max(next_free, int(one.last) + 1)
    return None if next_free > int(everything.last) else type(everything.first)(next_free)
