"""Our ICE credentials (RFC 8445, section 5.3)."""

import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field

MAX_WORKERS = 36
"""A worker's number is one base-36 digit of the ufrag."""

_ALPHABET = string.ascii_letters + string.digits
# 47 bits beside the worker's digit: no two living transports share a ufrag.
_UFRAG_CHARACTERS = 8
# 142 bits, more than the 128 that RFC 8445 asks for.
_PWD_CHARACTERS = 24


@dataclass(frozen=True, slots=True)
class Credentials:
    """User name fragment and password of our side."""

    ufrag: str
    pwd: str = field(repr=False)


def new_credentials(worker: int, choose: Callable[[str], str] = secrets.choice) -> Credentials:
    """Make credentials whose ufrag begins with the home worker, where checks are to go."""
    digit = (string.digits + string.ascii_lowercase)[worker]
    ufrag = digit + "".join(choose(_ALPHABET) for _ in range(_UFRAG_CHARACTERS))
    return Credentials(ufrag, "".join(choose(_ALPHABET) for _ in range(_PWD_CHARACTERS)))
