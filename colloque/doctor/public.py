"""What people type: whether this server answers there, as far as that can be seen from its own host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from colloque.doctor.finding import Finding, fail, ok, warn

Answer = Literal["ours", "stranger", "wrong_certificate", "untrusted", "silent"]


@dataclass(frozen=True, slots=True)
class PublicFacts:
    """What a request to the public address gave."""

    url: str
    answer: Answer
    reason: str = ""
    """What TLS has against the certificate."""


def judge(facts: PublicFacts) -> Finding:
    """Say whether the public address leads to this server."""
    match facts.answer:
        case "ours":
            return ANSWERS(url=facts.url)
        case "stranger":
            return STRANGER(url=facts.url)
        case "wrong_certificate":
            return WRONG_CERTIFICATE(url=facts.url, reason=facts.reason)
        case "untrusted":
            return UNTRUSTED(url=facts.url, reason=facts.reason)
        case "silent":
            return SILENT(url=facts.url)


ANSWERS = ok("public.answers")
STRANGER = fail("public.stranger")
WRONG_CERTIFICATE = fail("public.wrong_certificate")
UNTRUSTED = warn("public.untrusted")
SILENT = warn("public.silent")
