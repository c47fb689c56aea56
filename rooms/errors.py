"""What can go wrong in the durable part, each with a stable code that signalling and REST pass on."""

from __future__ import annotations

from math import ceil
from typing import Literal

RefusalCode = Literal[
    "unauthenticated",
    "revoked",
    "too-early",
    "too-late",
    "not-admitted",
    "locked",
    "test-only",
    "not-found",
    "rate-limited",
    "draining",
    "busy",
]

_REFUSALS: dict[RefusalCode, tuple[int, str]] = {
    # One text for every bad token: a caller learns nothing from how it was bad.
    "unauthenticated": (401, "invalid or expired token"),
    "revoked": (401, "revoked"),
    "too-early": (403, "too-early"),
    "too-late": (403, "too-late"),
    "not-admitted": (403, "not-admitted"),
    "locked": (403, "locked"),
    "test-only": (403, "test-only"),
    # Never 404: LiveKit clients read a 404 as "no protocol v1 here". They know this text.
    "not-found": (403, "requested room does not exist"),
    "rate-limited": (429, "rate-limited"),
    "draining": (503, "draining"),
    "busy": (503, "busy"),
}


class JoinRefused(Exception):
    """A person may not join: `code` for programs, `http_status` and `text` for the answer before the upgrade.

    `detail` says more for the log at DEBUG and is never sent to the client.
    """

    def __init__(self, code: RefusalCode, detail: str = "") -> None:
        """Take the stable code; the status and the text that clients see follow from it."""
        self.code: RefusalCode = code
        self.detail = detail
        self.http_status, self.text = _REFUSALS[code]
        super().__init__(code)


class RoomsError(Exception):
    """A request to the durable part that cannot be met, for a reason the caller can act on."""

    code: str = "failed"


class NotFound(RoomsError):
    """The room, participant or link does not exist for this tenant."""

    code = "not-found"


class Elsewhere(RoomsError):
    """The call is carried by another server on the same database, and this act reaches only one's own."""

    code = "elsewhere"


class Forbidden(RoomsError):
    """The caller is known but may not do this."""

    code = "forbidden"


class Taken(RoomsError):
    """The chosen id is already in use by this tenant."""

    code = "taken"


class StaleVersion(RoomsError):
    """The caller's version of the object is older than the stored one."""

    code = "stale-version"


class Full(RoomsError):
    """A cap on the number of objects is reached."""

    code = "full"


class TooOften(RoomsError):
    """The same was done too many times of late; `retry_after` is in whole seconds."""

    code = "rate-limited"

    def __init__(self, seconds: float) -> None:
        """Take the seconds until it may be done again."""
        self.retry_after = max(1, ceil(seconds))
        super().__init__(f"too many of late: try again in {self.retry_after} s")


class InvalidTransition(RoomsError):
    """What was asked is not possible in the present state of the room or participant; `state` names it."""

    code = "invalid-transition"

    def __init__(self, state: str, text: str) -> None:
        """Name the state, and say what can be done."""
        self.state = state
        super().__init__(text)


class Removed(InvalidTransition):
    """The participant was removed and has not been put back, so nothing that lets them in is given out."""

    def __init__(self) -> None:
        """Say how the person is let in again."""
        super().__init__(
            "removed", "the participant was removed; PUT the participant again to let the person in"
        )


class InvalidValue(RoomsError):
    """A value is well-formed by itself but makes no sense with the others; `field` names it."""

    code = "invalid-field"

    def __init__(self, field: str, text: str) -> None:
        """Name the field, as the REST API spells it, and say what is wrong with it."""
        self.field = field
        super().__init__(text)


class IdempotencyMismatch(RoomsError):
    """The same idempotency key came with a different request."""

    code = "idempotency-mismatch"


class StoreUnavailable(RoomsError):
    """The database cannot be reached or written just now; the same request may succeed later."""

    code = "busy"
