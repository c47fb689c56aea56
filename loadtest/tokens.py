"""Join tokens as LiveKit's server SDKs mint them, so that any LiveKit-protocol server takes them."""

from __future__ import annotations

import warnings

import jwt


def join_token(key: str, secret: str, *, room: str, identity: str, now: float, ttl_seconds: float) -> str:
    """Sign a token that lets one person in, to send and to take; `now` is in seconds since 1970."""
    grants = {"canPublish": True, "canSubscribe": True, "canPublishData": True}
    return _signed(key, secret, room, identity, now, ttl_seconds, grants)


def hidden_token(key: str, secret: str, *, room: str, identity: str, now: float, ttl_seconds: float) -> str:
    """Sign a token that lets somebody in whom the others are not told of, to look at who is there."""
    grants = {"hidden": True, "canPublish": False, "canSubscribe": False, "canPublishData": False}
    return _signed(key, secret, room, identity, now, ttl_seconds, grants)


def _signed(
    key: str,
    secret: str,
    room: str,
    identity: str,
    now: float,
    ttl_seconds: float,
    grants: dict[str, bool],
) -> str:
    claims = {
        "iss": key,
        "sub": identity,
        "name": identity,
        "nbf": int(now),
        "exp": int(now + ttl_seconds),
        "video": {"room": room, "roomJoin": True, **grants},
    }
    with warnings.catch_warnings():
        # How long a secret must be is for the server to say.
        warnings.filterwarnings("ignore", message=".*HMAC key.*")
        return jwt.encode(claims, secret, algorithm="HS256")
