"""What is said of a certificate, at any time."""

from dataclasses import replace

import pytest

from colloque.doctor.certificate import (
    UNREAD,
    Certificate,
    CertificateFacts,
    NoCertificateFacts,
    covers,
    judge,
    judge_none,
)
from tests.support.doctor_words import codes, english

DAY = 86_400
GOOD = Certificate(
    names=("visio.hospital.example",),
    not_before=0,
    not_after=90 * DAY,
    issuer="Some CA",
    is_self_signed=False,
    key="ecdsa",
    is_in_order=True,
    trust_error=0,
)
WANTED = ["visio.hospital.example"]


def facts(**changes: object) -> CertificateFacts:
    one = replace(GOOD, **changes)  # type: ignore[arg-type]
    return CertificateFacts("fullchain.pem", "server.tls_certificate", "", one, is_shown=True)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (facts(), ["certificate.good"]),
        (facts(not_after=DAY), ["certificate.expired"]),
        (facts(not_before=30 * DAY), ["certificate.not_yet"]),
        (facts(not_before=10 * DAY), ["certificate.good"]),
        (facts(not_after=30 * DAY), ["certificate.soon"]),
        (facts(names=("other.example",)), ["certificate.wrong_name"]),
        (facts(names=()), ["certificate.wrong_name"]),
        (facts(is_self_signed=True, trust_error=18), ["certificate.self_signed"]),
        (facts(is_in_order=False, trust_error=20), ["certificate.out_of_order"]),
        (facts(trust_error=20), ["certificate.no_issuer"]),
        (facts(trust_error=19), ["certificate.private_issuer"]),
        (facts(key="ed25519"), ["certificate.odd_key"]),
        (facts(not_after=DAY, names=("x",)), ["certificate.expired", "certificate.wrong_name"]),
        (replace(facts(), is_shown=False), ["certificate.old_shown"]),
        (replace(facts(), is_shown=None), ["certificate.good"]),
        (replace(facts(), certificate=None, problem="no such file"), ["certificate.unusable"]),
    ],
)
def test_each_fault_has_its_line(found: CertificateFacts, said: list[str]) -> None:
    assert codes(judge(found, WANTED, now=10 * DAY)) == said


@pytest.mark.parametrize(("left", "code"), [(21, "certificate.good"), (20.9, "certificate.soon")])
def test_three_weeks_before_the_end_the_warning_begins(left: float, code: str) -> None:
    assert codes(judge(facts(), WANTED, now=(90 - left) * DAY)) == [code]


def test_the_second_of_the_end_counts_as_expired() -> None:
    assert codes(judge(facts(), WANTED, now=90 * DAY)) == ["certificate.expired"]


def test_the_date_and_the_name_are_told() -> None:
    said = english(judge(facts(not_after=10 * DAY, names=("a.example",)), WANTED, now=11 * DAY))
    assert "expired on 1970-01-11" in said
    assert "is not for visio.hospital.example, but for: a.example" in said


@pytest.mark.parametrize(
    ("name", "wanted", "fits"),
    [
        ("visio.example", "visio.example", True),
        ("VISIO.example", "visio.example.", True),
        ("*.example", "visio.example", True),
        ("*.example", "a.visio.example", False),
        ("*.example", "example", False),
        ("*.visio.example", "visio.example", False),
        ("192.0.2.5", "192.0.2.5", True),
        ("2001:DB8::5", "2001:db8:0::5", True),
        ("*.0.2.5", "192.0.2.5", False),
        ("other.example", "visio.example", False),
    ],
)
def test_a_star_is_one_label(name: str, wanted: str, fits: bool) -> None:
    assert covers(name, wanted) is fits


@pytest.mark.parametrize(
    ("url", "here_only", "code"),
    [
        ("https://visio.example", False, "certificate.of_proxy"),
        ("http://visio.example", False, "certificate.none"),
        ("http://127.0.0.1:8080", True, "certificate.not_needed"),
    ],
)
def test_a_listener_without_a_certificate_is_judged_by_its_address(
    url: str, here_only: bool, code: str
) -> None:
    assert codes(judge_none(NoCertificateFacts(url, here_only))) == [code]


def test_a_certificate_that_this_user_may_not_read_is_named() -> None:
    assert codes(UNREAD(file="relay.pem")) == ["certificate.unread"]
