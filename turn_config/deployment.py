"""All that the generators know of a deployment, taken from the settings in one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from turn_config.settings import AddressV4, AddressV6, FirewallSettings, Host, TurnSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

HTTPS_PORT, HTTP_PORT = 443, 80


@dataclass(frozen=True, slots=True)
class MediaAddress:
    """An address on which this server receives media, and the same as clients reach it."""

    bind: IPv4Address | IPv6Address
    announce: IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Deployment:
    """The hosts of a deployment, the ports on them and whom the firewall's team may ask."""

    public_url: str
    """What people type: scheme, name and port, as seen from outside."""
    media_port: int
    """The one UDP port of all media."""
    media_addresses: tuple[MediaAddress, ...]
    """Those of this server, which is one of the hosts."""
    named_hosts: tuple[Host, ...] = ()
    """As the settings name them; none where this server is the only one."""
    turn: TurnSettings = field(default_factory=TurnSettings)
    firewall: FirewallSettings = field(default_factory=FirewallSettings)
    marks: bool = True
    """Whether the server marks what it sends with DSCP (RFC 8837)."""

    @property
    def public_name(self) -> str:
        """The host name that people type."""
        return urlsplit(self.public_url).hostname or ""

    @property
    def web_port(self) -> int:
        """The TCP port of the page, as seen from outside."""
        parts = urlsplit(self.public_url)
        return parts.port or (HTTPS_PORT if parts.scheme == "https" else HTTP_PORT)

    @property
    def realm(self) -> str:
        """The realm of the relays' credentials."""
        return self.turn.realm or self.public_name

    @property
    def hosts(self) -> tuple[Host, ...]:
        """The hosts; where none is named, this server with the addresses of its media."""
        return self.named_hosts or (self._only_host(),)

    @property
    def here(self) -> Host | None:
        """The host that this server runs on: the one with an address on which its media is announced."""
        announced = {one.announce for one in self.media_addresses}
        return next(
            (host for host in self.hosts if any(one.public in announced for one in host.addresses)), None
        )

    @property
    def relays(self) -> tuple[Host, ...]:
        """The hosts that run coturn, this one first; none where relays are off."""
        if self.turn.mode == "off":
            return ()
        here = self.here
        return tuple(
            sorted((host for host in self.hosts if "relay" in host.serves), key=lambda host: host != here)
        )

    def _only_host(self) -> Host:
        ipv4 = _first(self.media_addresses, 4)
        ipv6 = _first(self.media_addresses, 6)
        # The name may be an address, where nobody has chosen a name yet.
        return Host.model_construct(
            name=self.public_name,
            ipv4=None if ipv4 is None else AddressV4.model_validate(ipv4),
            ipv6=None if ipv6 is None else AddressV6.model_validate(ipv6),
            serves=["calls", "relay"],
        )


def _first(addresses: Iterable[MediaAddress], version: int) -> dict[str, object] | None:
    for one in addresses:
        if one.announce.version == version:
            translated = one.bind != one.announce and not one.bind.is_unspecified
            return {"public": one.announce, "dmz": one.bind if translated else None}
    return None
