"""nftables rules for what coturn may send: it can hold its peers to addresses, but not to a port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from turn_config.coturn.wanted import call_addresses

if TYPE_CHECKING:
    from collections.abc import Iterator
    from ipaddress import IPv4Address, IPv6Address

    from turn_config.deployment import Deployment
    from turn_config.settings import Host

USER = "turnserver"
"""Whom Debian's package runs coturn as."""

_FAMILY = {4: "ip", 6: "ip6"}
_HEAD = """\
# What coturn on {host} may send, as the settings of Colloque want it. Made by
# `colloque turn coturn --what nftables`. Loading it again replaces it; nothing else is touched.
#
# coturn holds its peers to addresses. Whoever has credentials could still send UDP to any other port of
# a server of calls, and, where the firewall translates, to this host itself, which coturn allows because
# of external-ip. Here everything that the user {user} sends is dropped but answers from the ports that
# clients come to, and media to {port}/UDP. coturn sends nothing more for an allocation that tried.
table inet colloque_relay
delete table inet colloque_relay
"""


def relay_rules(deployment: Deployment, host: Host) -> str:
    """Write the rules for one host, which must be one of the relays; `nft -f` loads them."""
    turn, port = deployment.turn, deployment.media_port
    head = _HEAD.format(host=host.name, user=USER, port=port)
    from_relay = f"udp sport {turn.relay_ports.first}-{turn.relay_ports.last}"
    direct = dict(_direct(deployment, host))
    lines = ["table inet colloque_relay {"]
    if direct:
        lines += [
            "\t# Clients name the public address of a server of calls. From in here it is reached by its",
            "\t# own, so that the firewall need not turn packets round; coturn notices nothing.",
            "\tchain own_addresses {",
            "\t\ttype nat hook output priority -100; policy accept;",
        ]
        for public, own in direct.items():
            family = _FAMILY[public.version]
            lines.append(
                f"\t\tmeta skuid {USER} {from_relay} {family} daddr {public} udp dport {port}"
                f" dnat {family} to {own}"
            )
        lines += ["\t}", ""]
    lines += [
        "\tchain output {",
        "\t\ttype filter hook output priority 0; policy accept;",
        f"\t\tmeta skuid {USER} jump coturn",
        "\t}",
        "",
        "\tchain coturn {",
        f"\t\tudp sport {_ports(turn.ports)} accept",
        f"\t\ttcp sport {_ports(_tcp_ports(deployment))} accept",
    ]
    for version, family in _FAMILY.items():
        calls = [str(direct.get(one, one)) for one in call_addresses(deployment) if one.version == version]
        if calls:
            lines.append(f"\t\t{family} daddr {{ {', '.join(calls)} }} {from_relay} udp dport {port} accept")
    lines += ["\t\tcounter drop", "\t}", "}"]
    return head + "\n" + "\n".join(lines) + "\n"


def _direct(
    deployment: Deployment, host: Host
) -> Iterator[tuple[IPv4Address | IPv6Address, IPv4Address | IPv6Address]]:
    # A relay outside the firewall cannot reach what is translated by its own address; one behind it can.
    behind = {one.own.version for one in host.addresses if one.own != one.public}
    for other in deployment.hosts:
        for one in other.addresses:
            if "calls" in other.serves and one.own != one.public and one.own.version in behind:
                yield one.public, one.own


def _tcp_ports(deployment: Deployment) -> list[int]:
    turn = deployment.turn
    return [*turn.ports, *(port for port in (turn.tls_port, turn.prometheus_port) if port)]


def _ports(ports: list[int]) -> str:
    return "{ " + ", ".join(str(port) for port in ports) + " }"
