"""DNS names of the deployment: whether they lead to the addresses that the settings name."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from colloque.doctor.finding import Finding, fail, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class NameFacts:
    """What looking a name up gave."""

    name: str
    setting: str
    found: tuple[Address, ...] | None
    """None where no answer came in time; empty where the name does not exist."""
    expected: frozenset[Address]
    """The addresses that the settings name for it, as people reach them."""
    inside: frozenset[Address] = field(default_factory=frozenset)
    """The same as the hosts themselves have them: what a DNS server inside may answer."""
    behind_proxy: bool = False
    """Whether something else than a host of ours may answer there."""


def judge(facts: NameFacts) -> Iterator[Finding]:
    """Compare where a name leads with the settings, IPv4 and IPv6."""
    if facts.found is None:
        yield SILENT(name=facts.name, setting=facts.setting)
        return
    if not facts.found:
        yield UNKNOWN(name=facts.name, setting=facts.setting)
        return
    found = frozenset(facts.found)
    strange = found - facts.expected - facts.inside
    if any(one.is_loopback for one in strange) and not any(one.is_loopback for one in facts.expected):
        yield HOSTS_FILE(name=facts.name, found=_told(found))
        return
    # One of ::1 and 127.0.0.1 is as good as both.
    strange = frozenset(one for one in strange if not one.is_loopback)
    if facts.behind_proxy or not facts.expected:
        yield LEADS(name=facts.name, found=_told(found))
        return
    extra_v6 = {one for one in strange if one.version == 6}
    if extra_v6 and not any(one.version == 6 for one in facts.expected):
        yield EXTRA_IPV6(name=facts.name, found=_told(extra_v6))
        strange -= extra_v6
    if strange:
        yield ELSEWHERE(
            name=facts.name, setting=facts.setting, found=_told(strange), expected=_told(facts.expected)
        )
        return
    families = {one.version for one in found}
    missing = {one for one in facts.expected if one.version not in families}
    if missing:
        kind = "AAAA" if next(iter(missing)).version == 6 else "A"
        yield MISSING(name=facts.name, kind=kind, missing=_told(missing))
    elif not extra_v6:
        yield LEADS(name=facts.name, found=_told(found))


def _told(addresses: Iterable[Address]) -> str:
    return ", ".join(str(one) for one in sorted(addresses, key=lambda one: (one.version, int(one))))


LEADS = ok("name.leads")
UNKNOWN = fail("name.unknown")
SILENT = warn("name.silent")
ELSEWHERE = warn("name.elsewhere")
HOSTS_FILE = warn("name.hosts_file")
MISSING = warn("name.missing")
EXTRA_IPV6 = warn("name.extra_ipv6")
