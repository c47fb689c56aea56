"""What the hosts' own firewalls must accept, as values: the server's side of the sheet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from turn_config.firewall.sheet import one_line
from turn_config.listeners import Program, listeners

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from turn_config.deployment import Deployment
    from turn_config.listeners import Protocol
    from turn_config.settings import Host

Version = Literal[4, 6]
_VERSIONS: tuple[Version, ...] = (4, 6)


@dataclass(frozen=True, slots=True)
class FamilyRules:
    """What one host accepts on its address of one family."""

    version: Version
    own: str | None
    """The host's address as packets that arrive have it; None for whichever it has."""
    ports: tuple[tuple[Protocol, int], ...]
    calls: tuple[str, ...]
    """Where a relay on this host sends media to; none without a relay."""


@dataclass(frozen=True, slots=True)
class HostRules:
    """What one host accepts."""

    name: str
    families: tuple[FamilyRules, ...]


def host_rules(deployment: Deployment) -> tuple[HostRules, ...]:
    """Give the rules of each host on which something listens."""
    return tuple(
        HostRules(
            one_line(host.name),
            tuple(
                _family(deployment, host, version)
                for version in _VERSIONS
                if any(one.public.version == version for one in host.addresses)
            ),
        )
        for host in deployment.hosts
        if listeners(deployment, host)
    )


def _family(deployment: Deployment, host: Host, version: Version) -> FamilyRules:
    found = listeners(deployment, host)
    relays = any(one.program is Program.COTURN for one in found)
    return FamilyRules(
        version=version,
        own=_own(deployment, host, version),
        ports=tuple((one.protocol, one.port) for one in found),
        calls=_calls(deployment, version) if relays else (),
    )


def _own(deployment: Deployment, host: Host, version: Version) -> str | None:
    if not deployment.named_hosts and any(
        one.bind.version == version and one.bind.is_unspecified for one in deployment.media_addresses
    ):
        return None  # it may have any behind a firewall that translates
    return next(str(one.own) for one in host.addresses if one.public.version == version)


def _calls(deployment: Deployment, version: Version) -> tuple[str, ...]:
    """List where relays reach calls: by the address that clients know, or by the host's own."""
    found: set[IPv4Address | IPv6Address] = set()
    for host in deployment.hosts:
        if "calls" in host.serves:
            found |= {
                address
                for one in host.addresses
                for address in (one.public, one.own)
                if address.version == version
            }
    return tuple(str(one) for one in sorted(found, key=int))
