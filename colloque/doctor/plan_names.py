"""The examinations of names and addresses: whether people find this server."""

from __future__ import annotations

import functools
from ipaddress import ip_address
from typing import TYPE_CHECKING

from colloque.doctor import addresses, names, public
from colloque.doctor.examination import Examination, same
from colloque.doctor.probes.dns import has_ipv6, look_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from colloque.doctor.finding import Finding, Language
    from colloque.settings import Settings
    from turn_config import Deployment, Host


def name_examinations(
    settings: Settings, here: Deployment, ours: Callable[[], int | None]
) -> Iterator[Examination]:
    """Look at the public address, at where media is announced, and at every name."""
    url = settings.server.public_url
    yield Examination(same(url), frozenset({"server"}), functools.partial(_public, url, ours))
    subject: dict[Language, str] = {"en": "announced addresses", "fr": "adresses annoncées"}
    yield Examination(subject, frozenset({"server", "media"}), functools.partial(_announced, here))
    wanted: list[tuple[str, str, Sequence[Host], bool]] = []
    if not is_address(here.public_name):
        serving = [host for host in here.hosts if "calls" in host.serves]
        behind_proxy = settings.server.tls_certificate is None and url.startswith("https://")
        wanted.append((here.public_name, "server.public_url", serving, behind_proxy))
    for number, host in enumerate(here.named_hosts):
        if host.name != here.public_name:
            wanted.append((host.name, f"hosts[{number}].name", [host], False))
    for name, setting, hosts, behind_proxy in wanted:
        look = functools.partial(_name, name, setting, hosts, behind_proxy=behind_proxy)
        yield Examination(same(f"DNS {name}"), frozenset({"server", "media", "hosts"}), look)


def is_address(text: str) -> bool:
    """Say whether a host is written as an address, which no DNS server is asked for."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _public(url: str, ours: Callable[[], int | None]) -> Iterator[Finding]:
    from colloque.doctor.probes import public as probe

    if ours() is not None:  # else nobody answers, which is no news
        yield public.judge(probe.look(url))


def _announced(here: Deployment) -> Iterator[Finding]:
    yield from addresses.judge(
        addresses.AddressFacts(
            announced=tuple(dict.fromkeys(one.announce for one in here.media_addresses)),
            public_name=here.public_name,
            public_addresses=look_up(here.public_name) or (),
            has_ipv6=has_ipv6(),
        )
    )


def _name(name: str, setting: str, hosts: Sequence[Host], *, behind_proxy: bool) -> Iterator[Finding]:
    places = [one for host in hosts for one in host.addresses]
    yield from names.judge(
        names.NameFacts(
            name=name,
            setting=setting,
            found=look_up(name),
            expected=frozenset(one.public for one in places),
            inside=frozenset(one.own for one in places),
            behind_proxy=behind_proxy,
        )
    )
