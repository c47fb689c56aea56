"""Who calls: an API key with its secret (Basic), or a token signed with that secret (Bearer)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

from control_api.problems import CODES, Problem
from rooms.tokens import InvalidTokenError, read_claims

if TYPE_CHECKING:
    from rooms import ApiKey, KeyRing

# Join tokens are signed with the same secrets and are in the hands of participants. A management token may
# therefore say nothing else than these, which no join token does.
_MANAGEMENT_CLAIMS = frozenset({"iss", "exp", "nbf", "iat", "jti", "aud", "scope"})
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="colloque", charset="UTF-8"'}


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller and what it may do."""

    key: ApiKey
    scopes: frozenset[str]

    @property
    def tenant(self) -> str:
        """Whose rooms the caller sees."""
        return self.key.tenant


def authenticate(authorization: str | None, keys: KeyRing, *, now: float) -> Caller:
    """Check an `Authorization` header; every failure is the same `Problem`."""
    scheme, _, rest = (authorization or "").partition(" ")
    caller: Caller | None = None
    if scheme.lower() == "basic":
        caller = _basic(rest.strip(), keys)
    elif scheme.lower() == "bearer":
        caller = _bearer(rest.strip(), keys, now=now)
    if caller is None:
        raise Problem("unauthenticated", headers=_CHALLENGE)
    return caller


def bearer(authorization: str | None) -> str:
    """Read the token of an `Authorization` header; raise `Problem` where there is none."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise asking_for_a_token("unauthenticated")
    return token.strip()


def asking_for_a_token(code: str) -> Problem:
    """Give the problem for somebody whose join token does not open the door."""
    if code == "busy":
        return Problem(code, headers={"Retry-After": "2"})
    return Problem(code, headers={"WWW-Authenticate": "Bearer"} if CODES[code][0] == 401 else {})


def require(caller: Caller, scope: str) -> None:
    """Refuse a caller without the scope."""
    if scope not in caller.scopes:
        raise Problem("forbidden", f"the scope {scope} is needed")


def _basic(credentials: str, keys: KeyRing) -> Caller | None:
    try:
        name, _, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    key = keys.authenticate(name, secret)
    return None if key is None else Caller(key, key.scopes)


def _bearer(token: str, keys: KeyRing, *, now: float) -> Caller | None:
    try:
        key, claims = read_claims(token, keys, now=now)
    except InvalidTokenError:
        return None
    if not claims.keys() <= _MANAGEMENT_CLAIMS:
        return None
    scope = claims.get("scope")
    if scope is None:
        return Caller(key, key.scopes)
    if not isinstance(scope, str):
        return None
    return Caller(key, key.scopes & frozenset(scope.split()))
