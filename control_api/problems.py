"""Errors as `application/problem+json` (RFC 9457), each with a stable code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTENT_TYPE = "application/problem+json"

CODES: dict[str, tuple[int, str]] = {
    "malformed": (400, "The request cannot be read"),
    "unauthenticated": (401, "A valid key or token is needed"),
    "revoked": (401, "This access was ended"),
    "forbidden": (403, "The key may not do this"),
    "too-early": (403, "The room is not open yet"),
    "too-late": (403, "The room is closed"),
    "not-admitted": (403, "Not admitted yet"),
    "locked": (403, "The room is locked"),
    "test-only": (403, "The token is for a connection test only"),
    "not-found": (404, "Not found"),
    "method-not-allowed": (405, "Not with this method"),
    "taken": (409, "The id is in use"),
    "full": (409, "A limit is reached"),
    "elsewhere": (409, "Another server carries the call"),
    "invalid-transition": (409, "Not in this state"),
    "stale-version": (412, "The object was changed since it was read"),
    "too-large": (413, "The body is too large"),
    "unsupported-media-type": (415, "The body is not of a type that is understood"),
    "invalid-field": (422, "A field is not valid"),
    "idempotency-mismatch": (422, "The idempotency key was used for another request"),
    "rate-limited": (429, "Too many requests"),
    "failed": (500, "Something went wrong here"),
    "draining": (503, "The server is about to stop"),
    "busy": (503, "Not possible just now"),
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field: a JSON pointer into the body, or `?name` for a query parameter."""

    pointer: str
    code: str
    detail: str


@dataclass(slots=True)
class Problem(Exception):
    """A request that cannot be answered as asked; `code` is one of `CODES`."""

    code: str
    detail: str = ""
    errors: tuple[FieldError, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further members of the answer."""

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return CODES[self.code][0]

    def body(self, trace_id: str) -> dict[str, Any]:
        """Write the answer."""
        status, title = CODES[self.code]
        return {
            "type": f"urn:colloque:problem:{self.code}",
            "title": title,
            "status": status,
            "detail": self.detail or title,
            "code": self.code,
            "trace_id": trace_id,
            "errors": [
                {"pointer": one.pointer, "code": one.code, "detail": one.detail} for one in self.errors
            ],
            **self.more,
        }
