"""Lists in pages: an opaque cursor says where the last page ended."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

from control_api.problems import FieldError, Problem

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
LIMIT: Mapping[str, Any] = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
"""What `limit` looks like, as JSON schema."""


def write_cursor(*position: float | str) -> str:
    """Write a position as text that callers hand back unread."""
    raw = json.dumps(position, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def next_page(path: str, query: Mapping[str, str], cursor: str | None) -> dict[str, str]:
    """Give the `Link` header (RFC 8288) that leads to the next page, if there is one."""
    if cursor is None:
        return {}
    following = {name: value for name, value in query.items() if name != "cursor"} | {"cursor": cursor}
    return {"Link": f'<{quote(path)}?{urlencode(following)}>; rel="next"'}


def read_agenda_cursor(text: str) -> tuple[float, str]:
    """Read a position in the agenda."""
    match _read(text):
        case [float() | int() as at, str() as uid] if not isinstance(at, bool) and uid.isprintable():
            with suppress(OverflowError):
                return float(at), uid
    raise _invalid("cursor", "is not one that this list gave")


def read_name_cursor(text: str) -> str:
    """Read a position in a list that is ordered by a name."""
    match _read(text):
        case [str() as name] if name.isprintable():
            return name
    raise _invalid("cursor", "is not one that this list gave")


def read_number_cursor(text: str) -> int:
    """Read a position in a list that is ordered by a number."""
    match _read(text):
        case [int() as number] if not isinstance(number, bool) and 0 <= number < 2**63:
            return number
    raise _invalid("cursor", "is not one that this list gave")


def read_limit(text: str | None) -> int:
    """Read how many items a page may have."""
    if text is None:
        return DEFAULT_LIMIT
    if not text.isascii() or not text.isdigit() or len(text) > 4 or not 1 <= int(text) <= MAX_LIMIT:
        raise _invalid("limit", f"must be 1 to {MAX_LIMIT}")
    return int(text)


def _read(text: str) -> Any:
    try:
        return json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return None


def _invalid(name: str, detail: str) -> Problem:
    return Problem("invalid-field", f"{name} {detail}", errors=(FieldError(f"?{name}", "invalid", detail),))
