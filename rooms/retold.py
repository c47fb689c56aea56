"""Requests to be done once whose answer has a secret: it is made anew for a repetition, not stored."""

from __future__ import annotations

import hmac
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from rooms.answers import Answer, Once
from rooms.ids import text_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class Retold:
    """A request for something that a secret opens, to be done once.

    The database keeps no secret that opens a room, so it follows from the id of what was made and the API
    secret of whoever asks: HMAC-SHA256 as a pseudo-random function (RFC 2104).
    """

    def __init__(self, key: str, fingerprint: str, api_secret: str) -> None:
        """Take what makes the request the same one again, and the secret of its caller."""
        self.once = Once(key, fingerprint, _answer_with)
        self._api_secret = api_secret.encode()

    def secret_of(self, id_: str) -> str:
        """Give the secret of what this caller made so; ids tell by their beginning what they are of."""
        return text_of(hmac.digest(self._api_secret, f"colloque link\n{id_}".encode(), "sha256")[:16])


def _answer_with(made: DataclassInstance) -> Answer:
    return Answer(201, {}, json.dumps(asdict(made)))
