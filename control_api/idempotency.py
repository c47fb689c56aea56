"""`Idempotency-Key`: what makes a request the same one again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from control_api.operations import Reply
from control_api.problems import Problem
from rooms import Answer, Once, Retold

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from control_api.operations import Call

_KEY_MAX_CHARS = 255


def once(call: Call, what: str, render: Callable[[Any], Answer]) -> Once | None:
    """Read the key, if one came; `what` is all that a repetition must have the same."""
    key = _key(call)
    return None if key is None else Once(key, _fingerprint(what), render)


def retold(call: Call, what: str) -> Retold | None:
    """Do the same for a request that makes a link, whose secret is not stored."""
    key = _key(call)
    return None if key is None else Retold(key, _fingerprint(what), call.caller.key.secret)


def reply(made: object, render: Callable[[Any], Answer]) -> Reply:
    """Answer with what was made, or as the request was answered before."""
    answer = made if isinstance(made, Answer) else render(made)
    return Reply(answer.status, answer.body, answer.headers)


def _key(call: Call) -> str | None:
    key = call.headers.get("idempotency-key")
    if key is None:
        return None
    if not 0 < len(key) <= _KEY_MAX_CHARS or not key.isprintable():
        raise Problem("malformed", f"Idempotency-Key must be 1 to {_KEY_MAX_CHARS} printable characters")
    return key


def _fingerprint(what: str) -> str:
    return hashlib.sha256(what.encode()).hexdigest()
