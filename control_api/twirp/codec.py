"""Bodies of requests and answers, as protobuf or JSON, within bounds.

Fields that we do not know are ignored in both, as Twirp's own servers do: clients are often newer. JSON is
answered with the names of the `.proto` files and every field, empty ones too, which is what Twirp's servers
write unless told otherwise.
"""

from __future__ import annotations

from typing import TypeVar

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

from control_api.body import MAX_DEPTH, read_json
from control_api.problems import Problem
from control_api.twirp.errors import TwirpError

MAX_BYTES = 256 * 1024
"""Of a body: the largest data message in base64, or the most metadata with every character escaped."""
MAX_ITEMS = 1000
JSON = "application/json"
PROTOBUF = "application/protobuf"

AnyMessage = TypeVar("AnyMessage", bound=Message)


def decode(kind: type[AnyMessage], body: bytes, media_type: str) -> AnyMessage:
    """Read a request; raise `TwirpError`."""
    request = _from_json(kind, body) if media_type == JSON else _from_protobuf(kind, body)
    if _items(request) > MAX_ITEMS:
        raise TwirpError("invalid_argument", f"the lists of a request have at most {MAX_ITEMS} items")
    return request


def encode(answer: Message, media_type: str) -> bytes:
    """Write an answer in the form of its request."""
    if media_type != JSON:
        return answer.SerializeToString()
    text = json_format.MessageToJson(
        answer, indent=None, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return text.encode()


def _from_protobuf(kind: type[AnyMessage], body: bytes) -> AnyMessage:
    try:
        return kind.FromString(body)
    except DecodeError as error:
        raise TwirpError("malformed", "the protobuf request could not be decoded") from error


def _from_json(kind: type[AnyMessage], body: bytes) -> AnyMessage:
    request = kind()
    try:
        values = read_json(body, max_bytes=MAX_BYTES)
        if not isinstance(values, dict):
            raise TwirpError("malformed", "the json request is not an object")
        json_format.ParseDict(values, request, ignore_unknown_fields=True, max_recursion_depth=2 * MAX_DEPTH)
    # The reader of the protobuf library does not turn every value of a wrong type or size into its own error.
    except (Problem, json_format.ParseError, ValueError, TypeError, OverflowError, AttributeError) as error:
        raise TwirpError("malformed", "the json request could not be decoded") from error
    return request


def _items(message: Message) -> int:
    """Count what all lists hold, on every level; stop where it is too much."""
    count = 0
    for field, value in message.ListFields():
        plain = field.message_type is None or field.message_type.GetOptions().map_entry
        if not field.is_repeated:
            count += 0 if plain else _items(value)
            continue
        count += len(value)
        if count > MAX_ITEMS:
            break
        if not plain:
            count += sum(map(_items, value))
    return count
