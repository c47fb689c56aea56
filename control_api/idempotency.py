"""`Idempotency-Key`: what makes a request the same one again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from control_api.problems import Problem
from rooms import Answer, Once, Room

if TYPE_CHECKING:
    from collections.abc import Callable

    from control_api.operations import Call

_KEY_MAX_CHARS = 255


def once(call: Call, what: str, render: Callable[[Room], Answer]) -> Once | None:
    """Read the key, if one came; `what` is all that a repetition must have the same."""
    key = call.headers.get("idempotency-key")
    if key is None:
        return None
    if not 0 < len(key) <= _KEY_MAX_CHARS or not key.isprintable():
        raise Problem("malformed", f"Idempotency-Key must be 1 to {_KEY_MAX_CHARS} printable characters")
    return Once(key, hashlib.sha256(what.encode()).hexdigest(), render)
