"""What cannot work together in the ports and addresses of a deployment, each with the field to change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from turn_config.listeners import Program, listeners

if TYPE_CHECKING:
    from collections.abc import Iterator
    from ipaddress import IPv4Address, IPv6Address

    from turn_config.deployment import Deployment
    from turn_config.settings import Host


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that cannot work."""

    path: str
    """The setting to change, like `hosts[1].ipv6`."""
    text: str
    """What is wrong with it and what to do, without the path."""

    def __str__(self) -> str:
        """Give both as one line."""
        return f"{self.path}: {self.text}"


def problems(deployment: Deployment) -> tuple[Problem, ...]:
    """Find everything that cannot work, in the order of the settings; nothing when all is well."""
    found = [
        *_hosts_are_told_apart(deployment),
        *_addresses_can_be_reached(deployment),
        *_families_are_paired(deployment),
        *_this_server_is_a_host(deployment),
    ]
    if deployment.turn.mode != "off":
        found += [
            *_relays_are_complete(deployment),
            *_ports_are_apart(deployment),
            *_relay_ports_are_free(deployment),
        ]
    # What is wrong on several hosts for one setting is said once.
    return tuple(dict.fromkeys(found))


def _hosts_are_told_apart(deployment: Deployment) -> Iterator[Problem]:
    names: dict[str, int] = {}
    addresses: dict[object, str] = {}
    for number, host in enumerate(deployment.named_hosts):
        if host.name in names:
            yield Problem(f"hosts[{number}].name", f"is the name of hosts[{names[host.name]}] already")
        names.setdefault(host.name, number)
        for place, address in _placed(number, host):
            if address in addresses:
                yield Problem(place, f"{address} is {addresses[address]} already")
            addresses.setdefault(address, place)


def _addresses_can_be_reached(deployment: Deployment) -> Iterator[Problem]:
    for number, host in enumerate(deployment.named_hosts):
        for place, address in _placed(number, host):
            if getattr(address, "ipv4_mapped", None) is not None:
                yield Problem(place, f"{address} is an IPv4 address: write it as one, under ipv4")
            elif (
                address.is_unspecified or address.is_multicast or address.is_link_local or address.is_reserved
            ):
                yield Problem(place, f"{address} is no address that clients can reach")


def _families_are_paired(deployment: Deployment) -> Iterator[Problem]:
    hosts = deployment.named_hosts
    with_ipv6 = next((number for number, host in enumerate(hosts) if host.ipv6 is not None), None)
    if with_ipv6 is None:
        return
    for number, host in enumerate(hosts):
        if host.ipv6 is None:
            yield Problem(
                f"hosts[{number}].ipv6",
                f"is missing, while hosts[{with_ipv6}] has one: who comes by IPv6 could not reach this host",
            )


def _this_server_is_a_host(deployment: Deployment) -> Iterator[Problem]:
    if not deployment.named_hosts:
        return
    announced = {one.announce for one in deployment.media_addresses}
    here = deployment.here
    if here is None:
        told = ", ".join(str(one) for one in sorted(announced, key=str))
        yield Problem("hosts", f"none has an address that media.addresses announces ({told})")
        return
    number = deployment.named_hosts.index(here)
    if "calls" not in here.serves:
        yield Problem(f"hosts[{number}].serves", "must name calls: this server runs there")
    for place, address in _placed(number, here):
        if address not in announced:
            yield Problem("media.addresses", f"none announces {address}, which {place} promises")


def _relays_are_complete(deployment: Deployment) -> Iterator[Problem]:
    turn = deployment.turn
    if not turn.secrets:
        yield Problem("turn.secrets", "needs one at least: the output of openssl rand -base64 33")
    if turn.tls_port and turn.tls_certificate is None:
        yield Problem("turn.tls_certificate", "is missing, and turn.tls_port needs one")
    if not deployment.relays:
        yield Problem("hosts", "none serves relay, while turn.mode is external")
    if not deployment.realm:
        yield Problem("turn.realm", "is missing, and server.public_url has no name to take for it")


def _ports_are_apart(deployment: Deployment) -> Iterator[Problem]:
    turn = deployment.turn
    same = {"turn.ports[0]", "turn.ports[1]"} if len(set(turn.ports)) < len(turn.ports) else set()
    if same:
        yield Problem("turn.ports[1]", "is the same port as turn.ports[0]: name one once")
    for host in deployment.hosts:
        taken: dict[tuple[str, int], str] = {}
        for one in listeners(deployment, host):
            key = (one.protocol, one.port)
            first = taken.setdefault(key, one.place)
            if first != one.place and not (first in same and one.place in same):
                yield Problem(one.place, _clash(one.protocol, one.port, first, one.program))
        if turn.prometheus_port and host in deployment.relays:
            other = taken.get(("tcp", turn.prometheus_port))
            if other is not None:
                yield Problem(
                    "turn.prometheus_port", _clash("tcp", turn.prometheus_port, other, Program.COTURN)
                )


def _clash(protocol: str, port: int, other: str, program: Program) -> str:
    advice = ": choose another, or a host of its own for the relay" if program is Program.COTURN else ""
    return f"{port}/{protocol.upper()} is {other} already{advice}"


def _relay_ports_are_free(deployment: Deployment) -> Iterator[Problem]:
    turn = deployment.turn
    span = turn.relay_ports
    for host in deployment.relays:
        for one in listeners(deployment, host):
            if one.protocol == "udp" and one.port in span:
                yield Problem(
                    "turn.relay_ports",
                    f"{span.first}-{span.last} holds {one.port}, which is {one.place}: leave it out",
                )
    room = span.last - span.first + 1
    if turn.allocations > room:
        yield Problem(
            "turn.relay_ports", f"has {room} ports for turn.allocations = {turn.allocations}: each takes one"
        )


def _placed(number: int, host: Host) -> Iterator[tuple[str, IPv4Address | IPv6Address]]:
    if host.ipv4 is not None:
        yield f"hosts[{number}].ipv4.public", host.ipv4.public
    if host.ipv6 is not None:
        yield f"hosts[{number}].ipv6.public", host.ipv6.public
