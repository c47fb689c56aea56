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
from google.protobuf.message import DecodeError
from livekit.protocol.rtc import JoinRequest, SignalRequest, SignalResponse, WrappedJoinRequest

from sfu import PeerError

Frame = bytes | str
"""A WebSocket message: binary or text."""

_JSON_DEPTH = 24  # the deepest message that clients send has 7 levels
_GZIP = 16 + zlib.MAX_WBITS
# A string that does not end still matches, and nothing is tried twice: the time is linear in the text.
_STRUCTURE = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)


def decode_request(frame: Frame) -> SignalRequest:
    """Read a client's frame; raise PeerError `malformed-frame`."""
    if isinstance(frame, str):
        return _from_json(frame)
    try:
        return SignalRequest.FromString(frame)
    except DecodeError as error:
        raise PeerError("malformed-frame", "not a SignalRequest") from error


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
        return JoinRequest.FromString(packed)
    except DecodeError as error:
        raise PeerError("malformed-join-request", "not a JoinRequest") from error


def _from_json(text: str) -> SignalRequest:
    if _too_deep(text):
        raise PeerError("malformed-frame", f"JSON nested more than {_JSON_DEPTH} deep")
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


def _too_deep(text: str) -> bool:
    """Whether brackets nest deeper than any message of a client, in one pass that ends as soon as they do."""
    depth = 0
    for token in _STRUCTURE.finditer(text):
        match token.group()[0]:
            case "{" | "[":
                depth += 1
                if depth > _JSON_DEPTH:
                    return True
            case "}" | "]":
                depth -= 1
    return False


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
