"""Join tokens: JWT, HS256 and nothing else, in the shape of LiveKit's so that its SDKs can mint them.

Theory of operation. A token is read in three steps, each stricter than the JWT library asks for: its size and
shape, a header that names HS256 and no foreign key, then the signature with the secret of the key that `iss`
names. Only then are claims looked at, on values whose types were checked here: the clock comes from the
caller, and the library (which takes text for numbers in `exp`) checks the signature alone. Every failure is
the same `InvalidTokenError`.
References: RFC 7519, RFC 8725, livekit/protocol `auth/accesstoken.go` and `auth/verifier.go`.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import secrets
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import jwt
from jwt.algorithms import HMACAlgorithm

from rooms.ids import is_usable_id
from rooms.model import ROLES, Grants, Role
from rooms.rights import grants_from_claims, grants_to_claims

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rooms.keys import ApiKey, KeyRing

TOKEN_MAX_CHARS = 8192
CLOCK_LEEWAY_SECONDS = 30.0  # hosts that mint tokens have clocks of their own
NAME_MAX_CHARS = 256
_FAR_FUTURE = 253402300800.0  # year 10000: later expiries are mistakes or attacks on date arithmetic
_FOREIGN_KEY_HEADERS = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc"})
PROBE_ROLE = "probe"
"""What a token for a connection test says in place of a role; no person has it."""
_STORED = "stored"
_CLEAN = dict.fromkeys((*range(32), *range(127, 160)))
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


class _Hs256(HMACAlgorithm):
    """HS256 that examines each secret once, where the library does it for every token, at length."""

    def prepare_key(self, key: str | bytes) -> bytes:
        return _examined(key)


@lru_cache(maxsize=64)
def _examined(secret: str | bytes) -> bytes:
    return HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(secret)


_JWS = jwt.PyJWS(algorithms=[])
_JWS.register_algorithm("HS256", _Hs256(HMACAlgorithm.SHA256))


class InvalidTokenError(Exception):
    """The token is not one of ours, or not any more; the text is for the log, never for the bearer."""


class ProbeTokenError(InvalidTokenError):
    """The token is good, but for a connection test and nothing else."""


class OversizeTokenError(ValueError):
    """A token that says all this would be longer than those that are read."""


@dataclass(frozen=True, slots=True)
class JoinClaims:
    """What a join token says, after its signature and times were checked."""

    tenant: str
    room: str
    identity: str
    name: str
    grants: Grants
    expires_at: float
    issued_at: float | None
    metadata: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    role: Role | None = None
    room_uid: str | None = None
    epoch: int | None = None
    repeats_stored: bool = False
    """The grants are those that were stored when it was made, and bound nothing by themselves."""


def mint_join_token(
    key: str,
    secret: str,
    *,
    room: str,
    identity: str,
    grants: Grants,
    now: float,
    ttl_seconds: float,
    name: str = "",
    metadata: str = "",
    attributes: Mapping[str, str] | None = None,
    role: Role | None = None,
    room_uid: str | None = None,
    epoch: int | None = None,
    repeats_stored: bool = False,
) -> str:
    """Sign a join token; raise `OversizeTokenError`, which names and ids of the longest alone never do.

    `room_uid` and `epoch` tie it to one stored room and participant; without them it is judged as one that
    LiveKit's SDK made. With `repeats_stored` the grants say what was stored now, and later changes hold for
    its bearer; without it they bound what is stored.
    """
    ours = {
        "role": role,
        "room": room_uid,
        "epoch": epoch,
        "rights": _STORED if repeats_stored else None,
    }
    claims: dict[str, Any] = {
        "iss": key,
        "sub": identity,
        "nbf": int(now),
        "exp": math.ceil(now + ttl_seconds),
        "jti": secrets.token_hex(16),
        "name": name,
        "video": {"room": room, "roomJoin": True, **grants_to_claims(grants)},
        "colloque": {name: value for name, value in ours.items() if value is not None},
    }
    if metadata:
        claims["metadata"] = metadata
    if attributes:
        claims["attributes"] = dict(attributes)
    # As UTF-8, since escapes take up to three times the space.
    payload = json.dumps(claims, ensure_ascii=False, separators=(",", ":")).encode()
    token = jwt.PyJWS().encode(payload, secret, algorithm="HS256", headers={"typ": "JWT"})
    if len(token) > TOKEN_MAX_CHARS:
        raise OversizeTokenError(f"more than {TOKEN_MAX_CHARS} characters")
    return token


def read_join_token(token: str, keys: KeyRing, *, now: float) -> JoinClaims:
    """Check a join token and give what it says, or raise `InvalidTokenError`."""
    key, claims = read_claims(token, keys, now=now)
    ours = claims.get("colloque", {})
    if not isinstance(ours, dict):
        raise InvalidTokenError("colloque is not an object")
    if ours.get("role") == PROBE_ROLE:
        raise ProbeTokenError("for a connection test")
    video = claims.get("video")
    if not isinstance(video, dict) or video.get("roomJoin") is not True:
        raise InvalidTokenError("not a token for joining a room")
    try:
        return JoinClaims(
            tenant=key.tenant,
            room=_id(video, "room"),
            identity=_id(claims, "sub"),
            name=clean_name(_text(claims, "name")),
            grants=grants_from_claims(video),
            expires_at=float(claims["exp"]),
            issued_at=_issued_at(claims),
            metadata=_text(claims, "metadata"),
            attributes=_attributes(claims),
            role=_role(ours),
            room_uid=_text(ours, "room") or None,
            epoch=_epoch(ours),
            repeats_stored=_repeats_stored(ours),
        )
    except ValueError as error:
        raise InvalidTokenError(str(error)) from error


def read_claims(token: str, keys: KeyRing, *, now: float) -> tuple[ApiKey, dict[str, Any]]:
    """Check shape, signature and times of a token signed with an API key; give the key and the claims."""
    if len(token) > TOKEN_MAX_CHARS or not token.isascii():
        raise InvalidTokenError("oversize or not ASCII")
    parts = token.split(".")
    if len(parts) != 3:
        raise InvalidTokenError("not three parts")
    header, claims = _object(parts[0]), _object(parts[1])
    if header.get("alg") != "HS256" or _FOREIGN_KEY_HEADERS & header.keys():
        raise InvalidTokenError("another algorithm or a key from elsewhere")
    issuer = claims.get("iss")
    if not isinstance(issuer, str):
        raise InvalidTokenError("iss is missing or not text")
    if not all(isinstance(claims.get(name, ""), str) for name in ("sub", "jti")):
        raise InvalidTokenError("sub or jti is not text")
    key = keys.find_or_nobody(issuer)
    try:
        _JWS.decode(token, key.secret, algorithms=["HS256"])
    except (jwt.InvalidTokenError, ValueError) as error:
        raise InvalidTokenError("wrong signature") from error
    if "aud" in claims and claims["aud"] != "colloque":
        raise InvalidTokenError("meant for somebody else")
    _check_times(claims, now=now)
    return key, claims


def clean_name(text: str) -> str:
    """Take control characters and surrounding space out of a name and bound its length."""
    return text.translate(_CLEAN).strip()[:NAME_MAX_CHARS]


def _check_times(claims: Mapping[str, Any], *, now: float) -> None:
    times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
    if "exp" not in times:
        raise InvalidTokenError("exp is missing")
    for name, value in times.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _FAR_FUTURE:
            raise InvalidTokenError(f"{name} is not a time")
    if times["exp"] <= now - CLOCK_LEEWAY_SECONDS:
        raise InvalidTokenError("expired")
    if times.get("nbf", 0) > now + CLOCK_LEEWAY_SECONDS:
        raise InvalidTokenError("not valid yet")


def _issued_at(claims: Mapping[str, Any]) -> float | None:
    issued = claims.get("iat", claims.get("nbf"))
    return None if issued is None else float(issued)


def _object(part: str) -> dict[str, Any]:
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        value = json.loads(raw, object_pairs_hook=_unique)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise InvalidTokenError("not JSON in base64url") from error
    if not isinstance(value, dict):
        raise InvalidTokenError("not an object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Two readers may pick different ones of two equal names, so there must not be two (RFC 8725, 2.4).
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"{name} is not text")  # noqa: TRY004 - one error for every bad claim
    return _whole(value)


def _id(claims: Mapping[str, Any], name: str) -> str:
    value = _text(claims, name)
    if not is_usable_id(value):
        raise ValueError(f"{name} is not a usable id")
    return value


def _attributes(claims: Mapping[str, Any]) -> dict[str, str]:
    value = claims.get("attributes") or {}
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise ValueError("attributes are not text by name")
    return {_whole(key): _whole(one) for key, one in cast("dict[str, str]", value).items()}


def _whole(text: str) -> str:
    """Replace halves of characters: JavaScript cuts an emoji in two, and neither half can be sent on."""
    return _HALF_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", text)


def _role(ours: Mapping[str, Any]) -> Role | None:
    value = ours.get("role")
    if value is None:
        return None
    for role in ROLES:
        if value == role:
            return role
    raise ValueError("unknown role")


def _repeats_stored(ours: Mapping[str, Any]) -> bool:
    value = ours.get("rights")
    if value is not None and value != _STORED:
        raise ValueError("unknown kind of rights")
    return bool(value == _STORED)


def _epoch(ours: Mapping[str, Any]) -> int | None:
    value = ours.get("epoch")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("epoch is not a number")
    return value
