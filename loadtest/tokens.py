"""Join tokens as LiveKit's server SDKs mint them, so that any LiveKit-protocol server takes them."""

from __future__ import annotations

import jwt


def join_token(key: str, secret: str, *, room: str, identity: str, now: float, ttl_seconds: float) -> str:
    """Sign a token that lets one person in, to send and to take; `now` is in seconds since 1970."""
    claims = {
        "iss": key,
        "sub": identity,
        "name": identity,
        "nbf": int(now),
        "exp": int(now + ttl_seconds),
        "video": {
            "room": room,
            "roomJoin": True,
            "canPublish": True,
            "canSubscribe": True,
            "canPublishData": True,
        },
    }
    return jwt.encode(claims, secret, algorithm="HS256")
