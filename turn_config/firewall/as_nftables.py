"""The server's side of the sheet as a file for `nft -f`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from turn_config.firewall.chains import incoming, outgoing, rules_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from turn_config.deployment import Deployment
    from turn_config.firewall.host_rules import FamilyRules
    from turn_config.firewall.words import Words
    from turn_config.settings import PortRange


def as_nftables(deployment: Deployment, words: Words, *, today: date) -> str:
    """Write a table of its own, which each host can load and load again."""
    notation = _Notation()
    started = [
        "ct state established,related accept",
        'iif "lo" accept',
        "meta l4proto { icmp, ipv6-icmp } accept",
    ]
    rules = [
        # So that the first load and every later one are the same to nft.
        "table inet colloque",
        "delete table inet colloque",
        "",
        "table inet colloque {",
        *_chain("input", [*started, "", *incoming(deployment, words, notation)]),
    ]
    leaving = outgoing(deployment, words, notation)
    if leaving:
        rules += ["", *_chain("output", leaving)]
    return rules_file([*rules, "}"], words.rules.nftables, words, today)


def _chain(hook: str, lines: Sequence[str]) -> Iterator[str]:
    yield f"\tchain {hook} {{"
    yield f"\t\ttype filter hook {hook} priority filter; policy accept;"
    yield from (f"\t\t{line}".rstrip() for line in lines)
    yield "\t}"


class _Notation:
    def ports(self, rules: FamilyRules) -> Iterator[str]:
        for protocol in ("tcp", "udp"):
            found = [str(port) for one, port in rules.ports if one == protocol]
            if found:
                yield f"{_to_host(rules)} {protocol} dport {_set(found)} accept"

    def from_calls(self, rules: FamilyRules, media_port: int, relay_ports: PortRange) -> str:
        calls = f"{_ip(rules)} saddr {_set(rules.calls)}"
        return f"{_to_host(rules)} {calls} udp sport {media_port} udp dport {_span(relay_ports)} accept"

    def to_calls(self, rules: FamilyRules, media_port: int, relay_ports: PortRange) -> str:
        calls = f"{_ip(rules)} daddr {_set(rules.calls)}"
        return f"{_of_host(rules)} {calls} udp sport {_span(relay_ports)} udp dport {media_port} accept"

    def drop_input(self) -> str:
        return "counter drop"


def _to_host(rules: FamilyRules) -> str:
    return _any(rules) if rules.own is None else f"{_ip(rules)} daddr {rules.own}"


def _of_host(rules: FamilyRules) -> str:
    return _any(rules) if rules.own is None else f"{_ip(rules)} saddr {rules.own}"


def _any(rules: FamilyRules) -> str:
    return f"meta nfproto ipv{rules.version}"


def _ip(rules: FamilyRules) -> str:
    return "ip" if rules.version == 4 else "ip6"


def _set(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else "{ " + ", ".join(values) + " }"


def _span(ports: PortRange) -> str:
    return str(ports.first) if ports.first == ports.last else f"{ports.first}-{ports.last}"
