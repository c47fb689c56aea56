"""A certificate: readable, in time, for the right names, and with the chain that browsers want."""

from __future__ import annotations

import time
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Literal

from colloque.doctor.finding import Finding, fail, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SOON_DAYS = 21
"""Time enough for a hospital's certificate desk."""

_DAY_SECONDS = 86_400
_CANNOT_FIND_ISSUER = frozenset(
    {20, 21}
)  # X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, ..._VERIFY_LEAF_SIGNATURE


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a client sees of a certificate, whatever the time is."""

    names: tuple[str, ...]
    """DNS names, some with a `*`, and addresses."""
    not_before: float
    not_after: float
    issuer: str
    is_self_signed: bool
    key: Literal["ecdsa", "rsa", "ed25519"]
    is_in_order: bool
    """Whether each certificate of the file is signed in the name of the next one."""
    trust_error: int
    """OpenSSL's number for why this host does not trust it, the time apart; 0 where it does."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """A certificate, or why there is none to look at."""

    file: str
    setting: str
    problem: str
    """Why the file or its key cannot be used; empty where they can."""
    certificate: Certificate | None
    is_shown: bool | None
    """Whether the running program shows this one; None where none runs."""


@dataclass(frozen=True, slots=True)
class NoCertificateFacts:
    """A listener without a certificate of its own."""

    public_url: str
    is_here_only: bool
    """Whether the address of the page is one of this machine alone."""


def judge(facts: CertificateFacts, wanted: Sequence[str], *, now: float) -> Iterator[Finding]:
    """Say what is wrong with a certificate that is to be for the names `wanted`."""
    one = facts.certificate
    if one is None:
        yield UNUSABLE(problem=facts.problem)
        return
    found = [*_time(facts, one, now=now), *_names(facts, one, wanted), *_chain(facts, one)]
    if facts.is_shown is False:
        found.append(OLD_SHOWN(setting=facts.setting))
    yield from found
    if not found:
        yield GOOD(
            file=facts.file,
            names=", ".join(one.names),
            days=int((one.not_after - now) // _DAY_SECONDS),
            date=_date(one.not_after),
        )


def judge_none(facts: NoCertificateFacts) -> Finding:
    """Say whether a listener can do without a certificate."""
    if facts.public_url.startswith("https://"):
        return PROXY(url=facts.public_url)
    return (PLAIN_HERE if facts.is_here_only else PLAIN)(url=facts.public_url)


def covers(name: str, wanted: str) -> bool:
    """Say whether a name of a certificate is one for `wanted` (RFC 9525, 6.3: `*` is one whole label)."""
    if _address(wanted) is not None:
        return _address(name) == _address(wanted)
    name, wanted = name.lower().rstrip("."), wanted.lower().rstrip(".")
    if name.startswith("*."):
        return wanted.partition(".")[2] == name[2:] and wanted != name[2:]
    return name == wanted


def _time(facts: CertificateFacts, one: Certificate, *, now: float) -> Iterator[Finding]:
    left = int((one.not_after - now) // _DAY_SECONDS)
    if now >= one.not_after:
        yield EXPIRED(file=facts.file, date=_date(one.not_after), setting=facts.setting)
    elif now < one.not_before:
        yield NOT_YET(file=facts.file, date=_date(one.not_before))
    elif left < SOON_DAYS:
        yield SOON(file=facts.file, date=_date(one.not_after), days=left)


def _names(facts: CertificateFacts, one: Certificate, wanted: Sequence[str]) -> Iterator[Finding]:
    for name in wanted:
        if not any(covers(each, name) for each in one.names):
            yield WRONG_NAME(file=facts.file, wanted=name, names=", ".join(one.names) or "-")


def _chain(facts: CertificateFacts, one: Certificate) -> Iterator[Finding]:
    if one.key == "ed25519":
        yield ODD_KEY(file=facts.file)
    if one.is_self_signed:
        yield SELF_SIGNED(file=facts.file)
    elif not one.is_in_order:
        yield OUT_OF_ORDER(file=facts.file)
    elif one.trust_error in _CANNOT_FIND_ISSUER:
        yield NO_ISSUER(file=facts.file, issuer=one.issuer)
    elif one.trust_error:
        yield PRIVATE_ISSUER(file=facts.file, issuer=one.issuer)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _date(at: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at))


GOOD = ok("certificate.good")
UNUSABLE = fail("certificate.unusable")
UNREAD = warn("certificate.unread")
EXPIRED = fail("certificate.expired")
NOT_YET = fail("certificate.not_yet")
SOON = warn("certificate.soon")
WRONG_NAME = fail("certificate.wrong_name")
SELF_SIGNED = warn("certificate.self_signed")
OUT_OF_ORDER = warn("certificate.out_of_order")
NO_ISSUER = warn("certificate.no_issuer")
PRIVATE_ISSUER = warn("certificate.private_issuer")
ODD_KEY = fail("certificate.odd_key")
OLD_SHOWN = warn("certificate.old_shown")
PROXY = ok("certificate.of_proxy")
PLAIN = fail("certificate.none")
PLAIN_HERE = ok("certificate.not_needed")
