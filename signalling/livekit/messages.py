"""Frames and URL values to protobuf messages and back, within bounds.

A client speaks protobuf in binary frames or JSON in text frames and is answered in kind. Whatever comes in,
the outcome is a message or a `PeerError`; a field or a kind of message that we do not know is no error, since
clients are often newer than servers.
References: livekit/protocol `protobufs/livekit_rtc.proto`, client-sdk-js `src/api/SignalClient.ts`.
"""

import base64
import binascii
import json
import re
import zlib

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from livekit.protocol.rtc import JoinRequest, SignalRequest, SignalResponse, WrappedJoinRequest

from sfu import PeerError

Frame = bytes | str
"""A WebSocket message: binary or text."""

_JSON_DEPTH = 24  # the deepest message that clients send has 7 levels
_JSON_TOKENS = 12_000  # texts, brackets and commas; a client with 16 tracks that comes back has about 6,000
_MAX_ITEMS = 1000  # a client that comes back to a full room names a few hundred tracks
_GZIP = 16 + zlib.MAX_WBITS
# A string that does not end still matches, and nothing is tried twice: the time is linear in the text.
_STRUCTURE = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{},]', re.DOTALL)


def decode_request(frame: Frame) -> SignalRequest:
    """Read a client's frame; raise PeerError `malformed-frame` or `too-many-items`."""
    if isinstance(frame, str):
        request = _from_json(frame)
    else:
        try:
            request = SignalRequest.FromString(frame)
        except DecodeError as error:
            raise PeerError("malformed-frame", "not a SignalRequest") from error
    if items_in(request) > _MAX_ITEMS:
        raise PeerError("too-many-items", f"the lists of a message have more than {_MAX_ITEMS} items")
    return request


def items_in(message: Message) -> int:
    """Count what all lists of a message hold, on every level; stop where it is too much."""
    count = 0
    for field, value in message.ListFields():
        if not field.is_repeated:
            count += items_in(value) if field.message_type is not None else 0
            continue
        count += len(value)
        if count > _MAX_ITEMS:
            break
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            count += sum(map(items_in, value))
    return count


def encode_response(response: SignalResponse, *, text: bool) -> Frame:
    """Write a message to a client."""
    if not text:
        return response.SerializeToString()
    return json_format.MessageToJson(response, indent=None)


def decode_join_request(value: str, *, max_bytes: int) -> JoinRequest:
    """Read the `join_request` of the URL: URL-safe base64, padded or not, of a message that may be gzipped.

    Raise PeerError `malformed-join-request` or `join-request-too-large`.
    """
    try:
        wrapped = WrappedJoinRequest.FromString(_from_base64(value))
    except (DecodeError, binascii.Error, ValueError) as error:
        raise PeerError("malformed-join-request", "not a WrappedJoinRequest in base64") from error
    packed = wrapped.join_request
    if wrapped.compression == WrappedJoinRequest.GZIP:
        packed = _gunzip(packed, max_bytes)
    elif wrapped.compression != WrappedJoinRequest.NONE:
        raise PeerError("malformed-join-request", "unknown compression")
    if len(packed) > max_bytes:
        raise PeerError("join-request-too-large", f"more than {max_bytes} bytes")
    try:
        request = JoinRequest.FromString(packed)
    except DecodeError as error:
        raise PeerError("malformed-join-request", "not a JoinRequest") from error
    if items_in(request) > _MAX_ITEMS:
        raise PeerError("join-request-too-large", f"its lists have more than {_MAX_ITEMS} items")
    return request


def _from_json(text: str) -> SignalRequest:
    _check_structure(text)
    request = SignalRequest()
    try:
        values = json.loads(text)
        if not isinstance(values, dict):
            raise PeerError("malformed-frame", "not a JSON object")
        json_format.ParseDict(values, request, ignore_unknown_fields=True, max_recursion_depth=_JSON_DEPTH)
    # ValueError: bad JSON, and numbers of thousands of digits. The rest: values of the wrong type or size,
    # which the reader of the protobuf library does not turn into its own error everywhere.
    except (json_format.ParseError, ValueError, TypeError, OverflowError, AttributeError) as error:
        raise PeerError("malformed-frame", "not a SignalRequest in JSON") from error
    return request


def _check_structure(text: str) -> None:
    """Raise PeerError if there is more to it than in any message of a client.

    One pass, which ends as soon as that is clear: what follows takes far longer for each value.
    """
    depth = 0
    for number, token in enumerate(_STRUCTURE.finditer(text)):
        if number >= _JSON_TOKENS:
            raise PeerError("too-many-items", f"JSON of more than {_JSON_TOKENS} texts, brackets and commas")
        match token.group()[0]:
            case "{" | "[":
                depth += 1
                if depth > _JSON_DEPTH:
                    raise PeerError("malformed-frame", f"JSON nested more than {_JSON_DEPTH} deep")
            case "}" | "]":
                depth -= 1


def _from_base64(value: str) -> bytes:
    # Python SDKs pad, some others do not; strict about everything else.
    value = value.rstrip("=")
    return base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)


def _gunzip(packed: bytes, max_bytes: int) -> bytes:
    reader = zlib.decompressobj(_GZIP)
    try:
        unpacked = reader.decompress(packed, max_bytes + 1)
    except zlib.error as error:
        raise PeerError("malformed-join-request", "not gzip") from error
    if len(unpacked) > max_bytes:
        raise PeerError("join-request-too-large", f"more than {max_bytes} bytes")
    if not reader.eof:
        raise PeerError("malformed-join-request", "gzip ends too early")
    return unpacked
