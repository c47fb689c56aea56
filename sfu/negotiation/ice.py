"""Our ICE credentials (RFC 8445, section 5.3)."""

import secrets
import string
from dataclasses import dataclass, field

MAX_WORKERS = 36
"""A worker's number is one base-36 digit of the ufrag."""

# What each random byte becomes: each of the 64 characters that RFC 8839 allows is as likely as any other.
_CHARACTER_OF = f"{string.ascii_letters}{string.digits}+/".encode() * 4
# 48 bits beside the worker's digit: no two living transports share a ufrag.
_UFRAG_CHARACTERS = 8
# 144 bits, more than the 128 that RFC 8445 asks for.
_PWD_CHARACTERS = 24


@dataclass(frozen=True, slots=True)
class Credentials:
    """User name fragment and password of our side."""

    ufrag: str
    pwd: str = field(repr=False)


def new_credentials(worker: int) -> Credentials:
    """Make credentials whose ufrag begins with the home worker, where checks are to go."""
    digit = (string.digits + string.ascii_lowercase)[worker]
    drawn = secrets.token_bytes(_UFRAG_CHARACTERS + _PWD_CHARACTERS).translate(_CHARACTER_OF).decode()
    return Credentials(digit + drawn[:_UFRAG_CHARACTERS], drawn[_UFRAG_CHARACTERS:])
