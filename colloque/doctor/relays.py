"""A port of the relay (coturn) on this host: there, with our secret, open to our media and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from colloque.doctor.finding import Finding, fail, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from colloque.doctor.finding import Verdict

UNAUTHORISED, QUOTA_REACHED, NO_CAPACITY = 401, 486, 508
"""STUN error codes (RFC 8656, 19; RFC 8489, 14.8)."""

Reach = Literal["answers", "closed", "silent", "not_tls"]


@dataclass(frozen=True, slots=True)
class RelayFacts:
    """What a client would meet on one port of a relay."""

    place: str
    """Like `3478/UDP` or `5349/TCP (TLS)`."""
    address: str
    setting: str
    reach: Reach
    """How it took a STUN Binding request: `closed` refused it, `silent` said nothing in time."""
    allocation_error: int | None = None
    """How it took an allocation with fresh credentials; None where it gave one, 0 where it said nothing."""
    asks_nobody: bool = False
    """Whether it gives allocations without any credentials."""
    refused_media: tuple[str, ...] = ()
    """Addresses of our own media that it does not relay to."""
    allowed_strangers: tuple[str, ...] = ()
    """Addresses that are no business of ours, to which it would relay."""


def judge(facts: RelayFacts) -> Iterator[Finding]:
    """Say whether the relay does what clients need of it, and nothing more."""
    named = {"place": facts.place, "address": facts.address, "setting": facts.setting}
    if facts.reach != "answers":
        yield {"closed": CLOSED, "silent": SILENT, "not_tls": NOT_TLS}[facts.reach](**named)
        return
    if facts.asks_nobody:
        yield FOR_ANYBODY(**named)
        return
    if facts.allocation_error is not None:
        yield _refusal(facts.allocation_error)(**named, code=facts.allocation_error or _NOTHING)
        return
    if facts.refused_media:
        yield MEDIA_REFUSED(**named, media=", ".join(facts.refused_media), first=facts.refused_media[0])
    if facts.allowed_strangers:
        yield OPEN(**named, strangers=", ".join(facts.allowed_strangers))
    if not facts.refused_media and not facts.allowed_strangers:
        yield RELAYS(**named)


def _refusal(code: int) -> Verdict:
    if code == UNAUTHORISED:
        return WRONG_SECRET
    return FULL if code in {QUOTA_REACHED, NO_CAPACITY} else NO_ALLOCATION


_NOTHING = {"en": "no answer", "fr": "sans réponse"}

RELAYS = ok("relay.relays")
ELSEWHERE = ok("relay.elsewhere")
ONLY_RELAYS = ok("relay.only_relays")
CLOSED = fail("relay.closed")
SILENT = fail("relay.silent")
NOT_TLS = fail("relay.not_tls")
WRONG_SECRET = fail("relay.wrong_secret")
FULL = warn("relay.full")
NO_ALLOCATION = fail("relay.no_allocation")
FOR_ANYBODY = fail("relay.for_anybody")
MEDIA_REFUSED = fail("relay.media_refused")
OPEN = fail("relay.open")
