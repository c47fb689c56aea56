"""Ids that we make: random, at least 128 bits where knowing one opens something, easy to copy by hand."""

from __future__ import annotations

import base64
import hashlib
import secrets

ID_MAX_CHARS = 128
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
# What each random byte becomes: 32 letters for 256 values, so each is as likely as any other.
_LETTER_OF = (_LETTERS * 8).encode()
_CHARS = 26
"""Of five bits each: 130."""


def new_room_uid() -> str:
    """Make the key of a room: unique everywhere, never guessed."""
    return f"RM_{_random_text()}"


def new_room_id() -> str:
    """Make an id for a room whose caller did not choose one."""
    return _random_text()


def new_link_id() -> str:
    """Make the name by which a link is deleted; it opens nothing."""
    return f"link_{_random_text()}"


def new_event_id() -> str:
    """Make the id of an event: the same wherever it is told, never guessed."""
    return f"evt_{_random_text()}"


def new_group_id() -> str:
    """Make the id of a sub-group: unique everywhere, like that of a room, since each is a call."""
    return f"GR_{_random_text()}"


def new_rating_id() -> str:
    """Make the id of a rating."""
    return f"rating_{_random_text()}"


def new_connection_test_id() -> str:
    """Make the name of a connection test; it opens nothing."""
    return f"test_{_random_text()}"


def new_webhook_id() -> str:
    """Make the name of a webhook."""
    return f"wh_{_random_text()}"


def new_webhook_secret() -> str:
    """Make the secret that signs a webhook's deliveries: 256 bits, written as Standard Webhooks wants it."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def new_claim() -> str:
    """Name one attempt to deliver something."""
    return secrets.token_hex(8)


def new_link_secret() -> str:
    """Make the part of a link that opens the room: 128 bits, lower-case so that no mail program breaks it."""
    return _random_text()


def secret_hash(secret: str) -> str:
    """Turn a link's secret into what is stored: a plain hash is enough for 128 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def guest_identity(link_id: str, key: str | None) -> str:
    """Name a guest: the same browser (`key`) on the same link is the same person again, nobody else is."""
    if key is None:
        return f"guest_{_random_text()}"
    digest = hashlib.sha256(f"{link_id}\n{key}".encode()).digest()
    return f"guest_{text_of(digest[:16])}"


def is_usable_id(text: str) -> bool:
    """Whether a caller's id is safe in a URL, a log line and a token: printable, 1 to 128 characters."""
    return (
        0 < len(text) <= ID_MAX_CHARS
        and text.isprintable()
        and text == text.strip()
        and "/" not in text
        and text not in {".", ".."}
    )


def _random_text() -> str:
    # Not by way of `base64`, which works bit by bit in Python: every join makes a few of these.
    return secrets.token_bytes(_CHARS).translate(_LETTER_OF).decode()


def text_of(data: bytes) -> str:
    """Write bytes in lower-case letters and digits."""
    return base64.b32encode(data).decode().rstrip("=").lower()
