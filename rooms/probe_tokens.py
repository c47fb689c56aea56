"""Tokens of connection tests: they open the channel that tests, and no room, no waiting room, no interface.

They have the shape of join tokens (`rooms.tokens`) without a `video` grant, and the test's id as subject.
"""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jwt

from rooms.ids import is_usable_id
from rooms.tokens import PROBE_ROLE, InvalidTokenError, read_claims

if TYPE_CHECKING:
    from rooms.keys import ApiKey, KeyRing


@dataclass(frozen=True, slots=True)
class ProbeClaims:
    """What a token of a connection test says, after its signature and times were checked."""

    tenant: str
    test_id: str
    expires_at: float


def mint_probe_token(key: ApiKey, test_id: str, *, now: float, expires_at: float) -> str:
    """Sign a token for one connection test."""
    claims = {
        "iss": key.key,
        "sub": test_id,
        "nbf": int(now),
        "exp": math.ceil(expires_at),
        "jti": secrets.token_hex(16),
        "colloque": {"role": PROBE_ROLE},
    }
    return jwt.encode(claims, key.secret, algorithm="HS256")


def read_probe_token(token: str, keys: KeyRing, *, now: float) -> ProbeClaims:
    """Check a token of a connection test and give what it says, or raise `InvalidTokenError`."""
    key, claims = read_claims(token, keys, now=now)
    ours, test_id = claims.get("colloque"), claims.get("sub")
    if not isinstance(ours, dict) or ours.get("role") != PROBE_ROLE:
        raise InvalidTokenError("not for a connection test")
    if not isinstance(test_id, str) or not is_usable_id(test_id):
        raise InvalidTokenError("no test is named")
    return ProbeClaims(key.tenant, test_id, float(claims["exp"]))
