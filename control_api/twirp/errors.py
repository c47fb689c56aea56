"""Errors as Twirp writes them: JSON with a code from a closed list, whatever the request was written in.

References: the Twirp wire protocol v7 ("Errors"); for which error LiveKit answers with what, livekit
`pkg/service/errors.go` and `pkg/service/roomservice.go`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from control_api.problems import Problem
from rooms import InvalidValue, JoinRefused, NotFound, RoomsError
from sfu import PeerError

if TYPE_CHECKING:
    from collections.abc import Mapping

STATUSES: Mapping[str, int] = {
    "invalid_argument": 400,
    "malformed": 400,
    "unauthenticated": 401,
    "permission_denied": 403,
    "bad_route": 404,
    "not_found": 404,
    "aborted": 409,
    "failed_precondition": 412,
    "resource_exhausted": 429,
    "internal": 500,
    "unimplemented": 501,
    "unavailable": 503,
}
NO_ROOM = "requested room does not exist"
NO_PARTICIPANT = "participant does not exist"

_FROM_PROBLEM = {
    "rate-limited": "resource_exhausted",
    "unauthenticated": "unauthenticated",
    "forbidden": "permission_denied",
    "too-large": "invalid_argument",
}
_FROM_ROOMS = {
    "busy": "unavailable",
    "full": "resource_exhausted",
    "stale-version": "aborted",
    "not-found": "not_found",
    "elsewhere": "failed_precondition",
}
_FROM_DOOR = {
    "unauthenticated": "unauthenticated",
    "revoked": "permission_denied",
    "not-found": "not_found",
    "too-early": "failed_precondition",
    "too-late": "failed_precondition",
    "not-admitted": "failed_precondition",
    "locked": "failed_precondition",
    "test-only": "permission_denied",
    "busy": "unavailable",
    "draining": "unavailable",
}
_FROM_LIVE = {
    "participant-gone": "not_found",
    "track-gone": "not_found",
    "too-large": "invalid_argument",
    "same-room": "invalid_argument",
    "full": "resource_exhausted",
    "unreachable": "unavailable",
}


@dataclass(slots=True)
class TwirpError(Exception):
    """A request that cannot be answered as asked; `code` is one of `STATUSES`."""

    code: str
    msg: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return STATUSES[self.code]


def twirp_error(error: Exception) -> TwirpError:
    """Say in Twirp's words what went wrong; what is not known here is our fault, and its text stays here."""
    match error:
        case TwirpError():
            return error
        case Problem(code=code):
            return TwirpError(_FROM_PROBLEM.get(code, "malformed"), error.detail or code, error.headers)
        case JoinRefused(code=code):
            return TwirpError(_FROM_DOOR.get(code, "internal"), error.text, _retry(code))
        case InvalidValue():
            return TwirpError("invalid_argument", str(error))
        case NotFound():
            return TwirpError("not_found", NO_ROOM)
        case RoomsError(code=code) if code in _FROM_ROOMS:
            return TwirpError(_FROM_ROOMS[code], f"{code}: {error}", _retry(code))
        case PeerError(code="participant-gone"):
            return TwirpError("not_found", NO_PARTICIPANT)
        case PeerError(code=code) if code in _FROM_LIVE:
            return TwirpError(_FROM_LIVE[code], error.text, _retry(code))
        case _:
            return TwirpError("internal", "something went wrong here; the log says more")


def _retry(code: str) -> Mapping[str, str]:
    return {"Retry-After": "2"} if code in {"busy", "draining", "unreachable"} else {}
