"""The door: what a request must bring before it becomes a connection, and how it is turned down.

A refusal comes before the upgrade, and `GET /rtc/v1/validate` gives the same status and text, since browsers
hide the answer to a failed upgrade from their pages. It is never 404: clients take that as "no protocol v1
here" and fall back to an older one.

Cross-site requests: the credential is the token in the request itself, in its query or its Authorization
header. Cookies are never read, so a foreign page has nothing of its visitor's to use. `allowed_origins`
restricts pages further where an operator wants that (CWE-1385, OWASP ASVS 4.4.2).
"""

from collections.abc import Mapping

import jwt
from livekit.protocol.rtc import JoinRequest

from sfu import PeerError
from signalling.livekit.messages import decode_join_request

TOKEN_QUERY = "access_token"  # noqa: S105 - the name of a parameter
JOIN_REQUEST_QUERY = "join_request"
_BEARER = "bearer "


class Refusal(Exception):
    """A request that gets no connection: HTTP status, the text of the body, and a code to count it by."""

    def __init__(self, status: int, text: str, *, code: str = "", retry_after: int | None = None) -> None:
        """Take what the client is told; `retry_after` seconds later the same request may succeed."""
        super().__init__(text)
        self.status = status
        self.text = text
        self.code = code or text
        self.retry_after = retry_after


def token_of(query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """Return the join token, empty if there is none; browsers cannot set headers and use the query."""
    authorization = headers.get("Authorization", "")
    if authorization[: len(_BEARER)].lower() == _BEARER:
        return authorization[len(_BEARER) :].strip()
    return query.get(TOKEN_QUERY, "")


def end_of(token: str) -> float | None:
    """Return until when a token of our own making is valid (`exp`, RFC 7519); None if it does not say."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
        return float(claims["exp"])
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError):
        return None


def check_origin(headers: Mapping[str, str], allowed: tuple[str, ...] | None) -> None:
    """Raise Refusal if a page of this origin may not connect; exact comparison, no patterns."""
    origin = headers.get("Origin")
    if origin is not None and allowed is not None and origin not in allowed:
        raise Refusal(403, "origin not allowed", code="origin")


def read_join_request(query: Mapping[str, str], *, max_bytes: int) -> JoinRequest:
    """Return what the client says about itself; raise Refusal."""
    value = query.get(JOIN_REQUEST_QUERY)
    if not value:
        raise Refusal(400, "join_request is missing", code="malformed-join-request")
    try:
        return decode_join_request(value, max_bytes=max_bytes)
    except PeerError as error:
        raise Refusal(400, error.code) from error
