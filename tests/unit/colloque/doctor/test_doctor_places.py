"""Addresses, names, the public address and webhooks' targets."""

from ipaddress import ip_address

import pytest

from colloque.doctor import addresses, names, public, webhooks
from colloque.doctor.plan import _target_host
from tests.support.doctor_words import codes, english

PUBLIC_V4, OTHER_V4, DMZ = "192.88.99.5", "192.88.99.9", "10.0.0.5"
PUBLIC_V6, OTHER_V6 = "2a01:e0a::5", "2a01:e0a::9"


def at(*texts: str) -> tuple[addresses.Address, ...]:
    return tuple(map(ip_address, texts))


def announced(*texts: str, page: tuple[str, ...] = ("9.9.9.9",), has_ipv6: bool = False) -> list[str]:
    facts = addresses.AddressFacts(at(*texts), "visio.example", at(*page), has_ipv6)
    return codes(addresses.judge(facts))


def test_media_on_loopback_is_for_trying_out_only() -> None:
    assert announced("127.0.0.1", page=("127.0.0.1",)) == ["address.here_only"]
    assert announced("127.0.0.1", page=("9.9.9.9",)) == ["address.loopback"]
    assert announced("127.0.0.1", page=("10.0.0.5",)) == ["address.loopback"]


def test_a_private_address_beside_a_public_page_is_warned_of() -> None:
    assert announced("10.0.0.5") == ["address.private"]
    assert announced("10.0.0.5", page=("10.0.0.5",)) == ["address.announced"]
    assert announced("10.0.0.5", page=()) == ["address.announced"]


def test_families_that_are_missing_are_warned_of() -> None:
    assert announced("9.9.9.9", has_ipv6=True) == ["address.announced", "address.only_ipv4"]
    assert announced("9.9.9.9", "2a01:e0a::5", has_ipv6=True) == ["address.announced"] * 2
    assert announced("2a01:e0a::5", page=("2a01:e0a::5",)) == ["address.announced", "address.only_ipv6"]


def named(
    *found: str,
    expected: tuple[str, ...] = (PUBLIC_V4,),
    inside: tuple[str, ...] = (),
    proxy: bool = False,
) -> names.NameFacts:
    return names.NameFacts(
        "visio.example",
        "server.public_url",
        at(*found),
        frozenset(at(*expected)),
        frozenset(at(*inside)),
        behind_proxy=proxy,
    )


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (named(PUBLIC_V4), ["name.leads"]),
        (named(DMZ, inside=(DMZ,)), ["name.leads"]),
        (named(), ["name.unknown"]),
        (named(OTHER_V4), ["name.elsewhere"]),
        (named(PUBLIC_V4, OTHER_V4), ["name.elsewhere"]),
        (named(OTHER_V4, proxy=True), ["name.leads"]),
        (named(PUBLIC_V4, expected=(PUBLIC_V4, PUBLIC_V6)), ["name.missing"]),
        (named(PUBLIC_V6, expected=(PUBLIC_V4, PUBLIC_V6)), ["name.missing"]),
        (named(PUBLIC_V4, PUBLIC_V6, expected=(PUBLIC_V4, PUBLIC_V6)), ["name.leads"]),
        (named(PUBLIC_V4, PUBLIC_V6), ["name.extra_ipv6"]),
        (named(OTHER_V4, PUBLIC_V6), ["name.extra_ipv6", "name.elsewhere"]),
        (named(OTHER_V6, expected=(PUBLIC_V4, PUBLIC_V6)), ["name.elsewhere"]),
        (named("127.0.1.1"), ["name.hosts_file"]),
        (named("127.0.0.1", "::1", expected=("127.0.0.1",)), ["name.leads"]),
    ],
)
def test_where_a_name_leads_is_compared_with_the_settings(facts: names.NameFacts, said: list[str]) -> None:
    assert codes(names.judge(facts)) == said


def test_a_resolver_that_hangs_is_a_warning_that_says_where_to_look() -> None:
    facts = names.NameFacts("visio.example", "hosts[1].name", None, frozenset())
    assert codes(names.judge(facts)) == ["name.silent"]
    assert "visio.example (hosts[1].name)" in english(names.judge(facts))


def test_the_kind_of_entry_that_is_missing_is_told() -> None:
    both = (PUBLIC_V4, PUBLIC_V6)
    assert "visio.example has no AAAA entry" in english(names.judge(named(PUBLIC_V4, expected=both)))
    assert "visio.example has no A entry" in english(names.judge(named(PUBLIC_V6, expected=both)))


def test_both_sides_of_a_wrong_name_are_told() -> None:
    assert f"leads to {OTHER_V4}, while the settings have {PUBLIC_V4}" in english(
        names.judge(named(OTHER_V4))
    )


@pytest.mark.parametrize("answer", ["ours", "stranger", "wrong_certificate", "untrusted", "silent"])
def test_each_answer_of_the_public_address_has_its_line(answer: public.Answer) -> None:
    found = public.judge(public.PublicFacts("https://visio.example", answer, "certificate has expired"))
    told = {"ours": "public.answers"}.get(answer, f"public.{answer}")
    assert codes(found) == [told]


@pytest.mark.parametrize(
    ("found", "refused", "code"),
    [
        (("9.9.9.9",), (), "webhook.leads"),
        (("9.9.9.9", "10.0.0.9"), ("10.0.0.9",), "webhook.leads"),
        (("10.0.0.9",), ("10.0.0.9",), "webhook.private"),
        ((), (), "webhook.unknown"),
        (None, (), "webhook.silent"),
    ],
)
def test_a_target_needs_an_address_where_webhooks_may_go(
    found: tuple[str, ...] | None, refused: tuple[str, ...], code: str
) -> None:
    assert codes(
        webhooks.judge(webhooks.TargetFacts("portal.example", "portal.example", found, refused))
    ) == [code]


@pytest.mark.parametrize(
    ("entry", "host"),
    [
        ("portal.example", "portal.example"),
        ("https://portal.example:8443", "portal.example"),
        ("http://portal.example:*", "portal.example"),
        ("*.example", None),
        ("10.0.0.0/8", None),
        ("http://10.1.2.3:8080", None),
        ("https://[2001:db8::1]:8443", None),
    ],
)
def test_only_names_of_one_host_are_looked_up(entry: str, host: str | None) -> None:
    assert _target_host(entry) == host
