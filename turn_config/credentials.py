"""Credentials of a relay that run out: `behave-turn-rest-00`, as coturn's `use-auth-secret` checks them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

RANDOM_BYTES = 12
"""Enough that two people never share a user name, by which the relay counts allocations."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A user name that says when it runs out, and nothing about who uses it; and its password."""

    username: str
    """`EXPIRY:RANDOM`, the expiry in seconds since 1970."""
    password: str = field(repr=False)
    ttl_seconds: int


def issue(secrets: Sequence[str], ttl_seconds: int, *, now: float, random: bytes) -> Credential:
    """Make credentials that hold for `ttl_seconds`, signed with the first secret; `random` is fresh."""
    if not secrets:
        raise ValueError("no secret to sign with")
    username = f"{int(now) + ttl_seconds}:{random.hex()}"
    return Credential(username, _password(secrets[0], username), ttl_seconds)


def accepts(secrets: Sequence[str], username: str, password: str, *, now: float) -> bool:
    """Say whether a relay with these secrets takes the credentials now; the time taken tells nothing."""
    signed = False
    for secret in secrets:
        # Every secret is tried, so that the time does not say which one fits.
        signed |= hmac.compare_digest(_password(secret, username).encode(), password.encode())
    expiry, separator, _ = username.partition(":")
    return bool(separator) and expiry.isascii() and expiry.isdigit() and now < int(expiry[:20]) and signed


def _password(secret: str, username: str) -> str:
    # SHA-1 is what the draft and coturn's default ask for; as an HMAC key it is not weakened by collisions.
    return base64.b64encode(hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()).decode()
