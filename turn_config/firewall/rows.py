"""The rules that a site is asked for: one for each listener, and what comes back to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from turn_config.listeners import Listener, Purpose, listeners

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from turn_config.deployment import Deployment
    from turn_config.listeners import Protocol
    from turn_config.settings import Host


class Direction(StrEnum):
    """Who sends, as the site sees it."""

    OUTBOUND = "outbound"
    """From the site to the port of the host: what opens the flow."""
    RETURN = "return"
    """From the port of the host back to the site: let through by state, or written where there is none."""


class Need(StrEnum):
    """How much depends on a rule."""

    REQUIRED = "required"
    ADVISED = "advised"
    OPTIONAL = "optional"


class IfClosed(StrEnum):
    """What a site notices without the rule."""

    NO_CALL = "no_call"
    NO_MEDIA = "no_media"
    RELAYED = "relayed"
    """Media goes by the relays, with more delay."""
    NEXT_PORT = "next_port"
    """Who needs the relay takes the next port."""
    LAST_RESORT = "last_resort"
    """Nothing is left for a site that lets no UDP out."""
    NOTHING = "nothing"
    """Nothing, as long as the first port of the relay is open."""
    UNANSWERED = "unanswered"
    """The outbound rule is of no use, but where the firewall keeps state."""


@dataclass(frozen=True, slots=True)
class Row:
    """One rule."""

    host: str
    ipv4: IPv4Address | None
    ipv6: IPv6Address | None
    protocol: Protocol
    port: int
    """The host's; the site's own is any from 1024 on."""
    direction: Direction
    purpose: Purpose
    need: Need
    if_closed: IfClosed
    instead: tuple[str, ...]
    """The ports that are taken instead, like `3478/UDP`; the best first."""

    @property
    def id(self) -> str:
        """A name of the rule that stays while host, port and direction do."""
        return f"{self.host}/{self.protocol}/{self.port}/{self.direction}"

    @property
    def written(self) -> str:
        """Port and protocol, like `10000/UDP`."""
        return written(self.protocol, self.port)


def written(protocol: Protocol, port: int) -> str:
    """Write a port as firewalls' teams do."""
    return f"{port}/{protocol.upper()}"


def rows(deployment: Deployment) -> tuple[Row, ...]:
    """List the rules, host by host; what comes back to a host's media port stands last of each."""
    return tuple(
        row for host in deployment.hosts for row in (*_outbound(deployment, host), *_return(deployment, host))
    )


def relay_ports(deployment: Deployment) -> tuple[str, ...]:
    """List the ports of the relays that clients are told of, in the order in which they try them."""
    found = [
        written(one.protocol, one.port)
        for step in _WAYS
        for host in deployment.relays
        for one in listeners(deployment, host)
        if (one.purpose, one.protocol) == step
    ]
    return tuple(dict.fromkeys(found))


_WAYS: tuple[tuple[Purpose, Protocol], ...] = (
    (Purpose.TURN, "udp"),
    (Purpose.TURN_SECOND, "udp"),
    (Purpose.TURN, "tcp"),
    (Purpose.TURN_TLS, "tcp"),
)


def _outbound(deployment: Deployment, host: Host) -> list[Row]:
    found = []
    for one in listeners(deployment, host):
        need, if_closed, instead = _weight(deployment, one)
        found.append(_row(host, one, Direction.OUTBOUND, need, if_closed, instead))
    return found


def _return(deployment: Deployment, host: Host) -> list[Row]:
    need = Need.ADVISED if deployment.relays else Need.REQUIRED
    return [
        _row(host, one, Direction.RETURN, need, IfClosed.UNANSWERED, (written(one.protocol, one.port),))
        for one in listeners(deployment, host)
        if one.purpose is Purpose.MEDIA
    ]


def _weight(deployment: Deployment, one: Listener) -> tuple[Need, IfClosed, tuple[str, ...]]:
    told = relay_ports(deployment)
    here = written(one.protocol, one.port)
    match one.purpose:
        case Purpose.WEB:
            return Need.REQUIRED, IfClosed.NO_CALL, ()
        case Purpose.MEDIA if told:
            return Need.ADVISED, IfClosed.RELAYED, told
        case Purpose.MEDIA:
            return Need.REQUIRED, IfClosed.NO_MEDIA, ()
        case _ if here not in told:
            first = next(port for port in told if port.endswith("TCP"))
            return Need.OPTIONAL, IfClosed.NOTHING, (first,)
        case _:
            need = Need.OPTIONAL if one.purpose is Purpose.TURN_SECOND else Need.ADVISED
            after = told[told.index(here) + 1 :]
            return need, IfClosed.NEXT_PORT if after else IfClosed.LAST_RESORT, after[:1]


def _row(
    host: Host,
    one: Listener,
    direction: Direction,
    need: Need,
    if_closed: IfClosed,
    instead: tuple[str, ...],
) -> Row:
    return Row(
        host=host.name,
        ipv4=None if host.ipv4 is None else host.ipv4.public,
        ipv6=None if host.ipv6 is None else host.ipv6.public,
        protocol=one.protocol,
        port=one.port,
        direction=direction,
        purpose=one.purpose,
        need=need,
        if_closed=if_closed,
        instead=instead,
    )
