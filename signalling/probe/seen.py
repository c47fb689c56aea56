"""How a client's connection looks from here: what a page cannot find out by itself."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Seen:
    """What a request tells of the way it came."""

    address: str
    """Whose it is, for limits; never told to anybody."""
    proxied: bool = False
    """Something that is not ours stands between and says so: a web proxy, or who opens TLS to inspect it."""
    tls: bool = False
    """It was encrypted on the way."""

    @property
    def ipv6(self) -> bool:
        """Whether the page came over IPv6."""
        return ":" in self.address

    def fields(self) -> dict[str, Any]:
        """Write what the client is told."""
        return {"proxied": self.proxied, "tls": self.tls, "ipv6": self.ipv6}
