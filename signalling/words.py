"""What is said on our own channels: JSON objects in text frames, each with a `type` (docs/waiting.md)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic_core import from_json

from rooms.tokens import TOKEN_MAX_CHARS
from sfu import PeerError

_LONGEST_TYPE = 40
_LARGEST_ID = 2**53


class Body(BaseModel):
    """The fields of a message beside `type` and `id`; what is not known here is an error."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Hello(Body):
    """For whom the connection is."""

    v: int
    token: Annotated[str, StringConstraints(max_length=TOKEN_MAX_CHARS)]


class Nothing(Body):
    """No fields."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message of a client, not yet checked beyond its shape."""

    type: str
    id: int | None
    """Chosen by the client; the answer carries it."""
    fields: Mapping[str, Any]


class Word:
    """A message to one or more clients, encoded once (`Sendable`)."""

    __slots__ = ("_frame", "about", "value")

    parts: ClassVar[tuple["Word", ...]] = ()
    states: ClassVar[frozenset[str]] = frozenset()
    """Types that are the whole news of something: a newer word takes the place of one that waits."""

    def __init__(self, type_: str, /, **fields: Any) -> None:
        """Take the type and the fields."""
        self.value = {"type": type_, **fields}
        self.about = type_ if type_ in self.states else ""
        self._frame = json.dumps(self.value, ensure_ascii=False, separators=(",", ":"))

    def frame(self, *, text: bool) -> str:  # noqa: ARG002 - these channels speak text only
        """Return it as a text frame."""
        return self._frame


def decode(frame: str | bytes) -> Said:
    """Read a frame of a client; raise PeerError `malformed-frame`."""
    if isinstance(frame, bytes):
        raise PeerError("malformed-frame", "this channel speaks text")
    try:
        value = from_json(frame)
    except (ValueError, RecursionError) as error:
        raise PeerError("malformed-frame", "not JSON") from error
    if not isinstance(value, dict):
        raise PeerError("malformed-frame", "not an object")
    type_, id_ = value.pop("type", None), value.pop("id", None)
    if not isinstance(type_, str) or not 0 < len(type_) <= _LONGEST_TYPE:
        raise PeerError("malformed-frame", "no type")
    if id_ is not None and (type(id_) is not int or not 0 <= id_ <= _LARGEST_ID):
        raise PeerError("malformed-frame", "id is not a whole number")
    return Said(type_, id_, value)


def read_body(body: type[Body], said: Said) -> Any:
    """Check the fields of a message; raise PeerError `invalid-field`."""
    try:
        return body.model_validate(said.fields)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or said.type
        raise PeerError("invalid-field", f"{where}: {first['msg']}") from error
