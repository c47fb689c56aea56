"""Two chains of rules for the hosts' own firewalls, before they are in the notation of one program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from turn_config.firewall.host_rules import host_rules
from turn_config.firewall.sheet import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from turn_config.deployment import Deployment
    from turn_config.firewall.host_rules import FamilyRules, HostRules
    from turn_config.firewall.words import Words
    from turn_config.settings import PortRange


class Notation(Protocol):
    """How one program writes a rule."""

    def ports(self, rules: FamilyRules) -> Iterator[str]:
        """Accept what clients send to the host."""

    def from_calls(self, rules: FamilyRules, media_port: int, relay_ports: PortRange) -> str:
        """Accept what the calls send back to the host's relay."""

    def to_calls(self, rules: FamilyRules, media_port: int, relay_ports: PortRange) -> str:
        """Accept what the host's relay sends to the calls."""

    def drop_input(self) -> str:
        """Refuse everything else that arrives."""


def incoming(deployment: Deployment, words: Words, notation: Notation) -> list[str]:
    """Write the chain for what arrives; its last line, which closes the rest, is a comment."""
    said, hosts = words.rules, host_rules(deployment)
    turn, media_port = deployment.turn, deployment.media_port
    return [
        f"# {said.clients}",
        *_each(hosts, notation.ports),
        *_relays(
            hosts, said.from_calls, lambda one: [notation.from_calls(one, media_port, turn.relay_ports)]
        ),
        "",
        *comments(said.drop_input),
        f"# {notation.drop_input()}",
    ]


def outgoing(deployment: Deployment, words: Words, notation: Notation) -> list[str]:
    """Write the chain for what relays send, if there are any; it closes nothing."""
    hosts, turn, media_port = host_rules(deployment), deployment.turn, deployment.media_port
    found = _relays(
        hosts, words.rules.to_calls, lambda one: [notation.to_calls(one, media_port, turn.relay_ports)]
    )
    return [*found[1:], "", *comments(words.rules.only_to_calls)] if found else []


def rules_file(rules: Sequence[str], how: Sequence[str], words: Words, today: date) -> str:
    """Put the words about the rules before them; `how` says how they are loaded."""
    # Of the rules alone: the words of a language are no rule.
    told = [line for line in rules if not line.strip().startswith("#")]
    facts = (
        words.label.format(label=words.date, text=today.strftime(words.date_format)),
        words.label.format(label=words.fingerprint, text=fingerprint(told)),
    )
    head = [*words.rules.about, "", *how, "", *facts]
    return "\n".join([*comments(head), "", *rules]) + "\n"


def comments(lines: Sequence[str]) -> list[str]:
    """Make lines that the program passes over."""
    return [f"# {line}".rstrip() for line in lines]


def _relays(
    hosts: Sequence[HostRules], title: str, lines: Callable[[FamilyRules], Sequence[str]]
) -> list[str]:
    found = _each(hosts, lambda one: lines(one) if one.calls else ())
    return ["", f"# {title}", *found] if found else []


def _each(
    hosts: Sequence[HostRules], lines: Callable[[FamilyRules], Iterator[str] | Sequence[str]]
) -> list[str]:
    found: list[str] = []
    for host in hosts:
        rules = [line for one in host.families for line in lines(one)]
        if rules:
            found += [f"# {host.name}", *rules]
    return found
