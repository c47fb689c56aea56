"""The server's side of the sheet as one file for `iptables-restore` and `ip6tables-restore`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from turn_config.firewall.chains import incoming, outgoing, rules_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from turn_config.deployment import Deployment
    from turn_config.firewall.host_rules import FamilyRules
    from turn_config.firewall.words import Words
    from turn_config.settings import PortRange

_INPUT, _OUTPUT = "COLLOQUE-INPUT", "COLLOQUE-OUTPUT"


def as_iptables(deployment: Deployment, words: Words, *, today: date) -> str:
    """Write chains of their own; by `-4` and `-6` each program passes over the other's rules."""
    notation = _Notation()
    rules = [
        "*filter",
        f":{_INPUT} - [0:0]",
        f":{_OUTPUT} - [0:0]",
        f"-A {_INPUT} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
        f"-A {_INPUT} -i lo -j ACCEPT",
        f"-A {_INPUT} -4 -p icmp -j ACCEPT",
        f"-A {_INPUT} -6 -p ipv6-icmp -j ACCEPT",
        "",
        *incoming(deployment, words, notation),
    ]
    leaving = outgoing(deployment, words, notation)
    if leaving:
        rules += ["", *leaving]
    return rules_file([*rules, "COMMIT"], words.rules.iptables, words, today)


class _Notation:
    def ports(self, rules: FamilyRules) -> Iterator[str]:
        to = "" if rules.own is None else f" -d {rules.own}"
        for protocol, port in rules.ports:
            yield f"-A {_INPUT} -{rules.version}{to} -p {protocol} --dport {port} -j ACCEPT"

    def from_calls(self, rules: FamilyRules, media_port: int, relay_ports: PortRange) -> str:
        to = "" if rules.own is None else f" -d {rules.own}"
        ports = f"-p udp --sport {media_port} --dport {_span(relay_ports)}"
        return f"-A {_INPUT} -{rules.version} -s {','.join(rules.calls)}{to} {ports} -j ACCEPT"

    def to_calls(self, rules: FamilyRules, media_port: int, relay_ports: PortRange) -> str:
        ports = f"-p udp --sport {_span(relay_ports)} --dport {media_port}"
        return f"-A {_OUTPUT} -{rules.version}{_source(rules)} -d {','.join(rules.calls)} {ports} -j ACCEPT"

    def drop_input(self) -> str:
        return f"-A {_INPUT} -j DROP"


def _source(rules: FamilyRules) -> str:
    return "" if rules.own is None else f" -s {rules.own}"


def _span(ports: PortRange) -> str:
    return f"{ports.first}:{ports.last}"
