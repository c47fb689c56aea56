"""Who we are, and who calls."""

import pytest
from multidict import CIMultiDict

from colloque.headers import page_policy
from colloque.origins import Peers, own_origins


def test_on_loopback_every_name_of_it_is_ours() -> None:
    assert own_origins("http://127.0.0.1:8080") == {
        "http://127.0.0.1:8080",
        "http://localhost:8080",
        "http://[::1]:8080",
    }
    assert own_origins("http://[::1]:8080") == own_origins("http://127.0.0.1:8080")


def test_elsewhere_only_the_public_name_is_ours() -> None:
    assert own_origins("https://visio.example") == {"https://visio.example"}


@pytest.mark.parametrize(
    ("remote", "forwarded", "address"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["203.0.113.9"], "192.0.2.1"),  # anybody can write that header
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1, 203.0.113.9"], "203.0.113.9"),  # the client wrote the first one itself
        ("10.0.0.1", ["203.0.113.9", "10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1", "nonsense"], "None"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::/64"),
        ("::1", [], "::/64"),
        ("::ffff:192.0.2.1", [], "192.0.2.1"),
        ("fe80::1%eth0", [], "fe80::/64"),
        (None, [], "None"),
    ],
)
def test_callers_are_told_apart_by_an_address_they_cannot_choose(
    remote: str | None, forwarded: list[str], address: str
) -> None:
    assert Peers(["10.0.0.0/8"]).address_of(remote, forwarded) == address


@pytest.mark.parametrize(
    ("remote", "headers", "proxied"),
    [
        ("192.0.2.1", [], False),
        ("192.0.2.1", [("X-Forwarded-For", "203.0.113.9")], True),
        ("192.0.2.1", [("Via", "1.1 squid")], True),
        ("192.0.2.1", [("Forwarded", "for=203.0.113.9")], True),
        # Our own proxy writes one of each, and what it found already is somebody else's.
        (
            "10.0.0.1",
            [("X-Forwarded-For", "203.0.113.9"), ("Via", "1.1 ours"), ("Forwarded", "for=x")],
            False,
        ),
        ("10.0.0.1", [("X-Forwarded-For", "172.16.0.5, 203.0.113.9")], True),
        ("10.0.0.1", [("X-Forwarded-For", "203.0.113.9"), ("Via", "1.1 squid, 1.1 ours")], True),
        ("10.0.0.1", [("Via", "1.1 squid"), ("Via", "1.1 ours")], True),
        ("10.0.0.1", [("X-Forwarded-For", "203.0.113.9, 10.0.0.2"), ("Via", "1.1 a, 1.1 b")], False),
        ("10.0.0.1", [], False),
        (None, [], False),
    ],
)
def test_a_proxy_that_is_not_ours_gives_itself_away(
    remote: str | None, headers: list[tuple[str, str]], proxied: bool
) -> None:
    seen = Peers(["10.0.0.0/8"]).seen(remote, CIMultiDict(headers), secure=False)
    assert seen.proxied is proxied


@pytest.mark.parametrize(
    ("remote", "secure", "proto", "tls"),
    [
        ("192.0.2.1", True, None, True),
        ("192.0.2.1", False, None, False),
        ("192.0.2.1", False, "https", False),  # anybody can write that header
        ("10.0.0.1", False, "https", True),
        ("10.0.0.1", False, "http", False),
        ("10.0.0.1", False, "https, http", False),
    ],
)
def test_tls_may_have_ended_at_our_own_proxy(remote: str, secure: bool, proto: str | None, tls: bool) -> None:
    headers = CIMultiDict([] if proto is None else [("X-Forwarded-Proto", proto)])
    assert Peers(["10.0.0.0/8"]).seen(remote, headers, secure=secure).tls is tls


@pytest.mark.parametrize(
    ("remote", "ipv6"), [("192.0.2.1", False), ("2001:db8::1", True), ("::ffff:192.0.2.1", False)]
)
def test_the_family_is_that_of_the_caller(remote: str, ipv6: bool) -> None:
    assert Peers([]).seen(remote, CIMultiDict(), secure=False).ipv6 is ipv6


def test_the_page_may_load_nothing_from_elsewhere_and_run_nothing_inline() -> None:
    policy = page_policy({"https://visio.example"})
    assert "connect-src 'self' wss://visio.example;" in policy
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    for loose in ("unsafe", "http:", "https:", "*", "data: 'self'"):
        assert loose not in policy


def test_the_policy_names_no_address_that_its_grammar_has_no_place_for() -> None:
    policy = page_policy({"http://[::1]:8080", "http://127.0.0.1:8080"})
    assert "connect-src 'self' ws://127.0.0.1:8080;" in policy
