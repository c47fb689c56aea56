"""Cutting pictures of layers into RTP payloads: VP9 (RFC 9628), AV1 (its RTP payload format).

Decoders of both codecs would read on into a stamp behind a picture. So the last payload ends with a few
bytes, which the Rust side calls the tail and puts behind the stamp: the index of a VP9 superframe, which says
where its last frame ends, and the last byte of an OBU of padding in AV1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loadtest.clips.packets import PAYLOAD_MAX, STAMP, parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LAYERS = (0, 2, 1, 2)
"""The temporal layer of each of four pictures (L1T3)."""

_INDEX_MARK = 0xD8
"""Of a superframe index with sizes of four bytes, for one frame (VP9 bitstream, annex B)."""
# Each of four pictures: its layer, that higher ones may be added, and the distance to the one that it needs.
_PICTURE_GROUP = bytes([4]) + b"".join(
    bytes([layer << 5 | 0x14, distance]) for layer, distance in zip(LAYERS, (4, 1, 2, 1), strict=True)
)
_STRUCTURE = 0x18
"""One spatial layer, its size, a group of pictures."""
_SPATIAL_LAYERS_AT = 5
"""From which bit on the number of layers stands in it, less one."""

_KIND, _HAS_EXTENSION, _HAS_SIZE = 0x78, 0x04, 0x02
_SEQUENCE, _DELIMITER, _TILE_LIST, _PADDING = 1 << 3, 2 << 3, 8 << 3, 15 << 3
_CONTINUES, _CONTINUED, _NEW_SEQUENCE = 0x80, 0x40, 0x08
_STAMP_OBU = bytes([1 + STAMP + 1, _PADDING])
"""The length and the header of an OBU whose content is a stamp and the last byte."""
_LAST_BYTE = b"\x80"
_LENGTHS = 12
"""Bytes kept free for an aggregation header, lengths and what is around a stamp."""


def vp9_payloads(
    frames: Sequence[bytes], *, key: bool, sizes: Sequence[tuple[int, int]]
) -> list[list[bytes]]:
    """Cut a VP9 picture, whose frames go from the smallest size to the largest; give the payloads of each.

    The descriptors are written by who sends it, but for a key frame's structure.
    """
    mark = bytes([_INDEX_MARK | len(frames) - 1])
    index = mark + b"".join(len(frame).to_bytes(4, "little") for frame in frames) + mark
    structure = b""
    if key:
        sides = b"".join(side.to_bytes(2, "big") for size in sizes for side in size)
        structure = bytes([_STRUCTURE | len(sizes) - 1 << _SPATIAL_LAYERS_AT]) + sides + _PICTURE_GROUP
    bodies = [structure + frames[0], *frames[1:]]
    bodies[-1] += index
    stamps = [0] * (len(bodies) - 1) + [STAMP]
    most = PAYLOAD_MAX - len(index)
    return [list(parts(body, most, stamp)) for body, stamp in zip(bodies, stamps, strict=True)]


def av1_payloads(picture: bytes, *, key: bool, layer: int) -> list[bytes]:
    """Cut an AV1 temporal unit; every OBU but the sequence header is marked with the temporal layer."""
    obus = [_marked(obu, layer) for obu in _obus(picture) if obu[0] & _KIND not in {_DELIMITER, _TILE_LIST}]
    pieces = list(parts(b"".join(obus), PAYLOAD_MAX - _LENGTHS, STAMP))
    payloads, at = [], 0
    for number, piece in enumerate(pieces, 1):
        elements, continues, continued = _elements(obus, at, at + len(piece))
        head = _CONTINUES * continues | _CONTINUED * continued | _NEW_SEQUENCE * (key and at == 0)
        at += len(piece)
        if number == len(pieces):
            # W = 0: each element has its length in front.
            body = b"".join(_leb128(len(one)) + one for one in elements) + _STAMP_OBU + _LAST_BYTE
        elif len(elements) <= 3:
            head |= len(elements) << 4
            body = b"".join(_leb128(len(one)) + one for one in elements[:-1]) + elements[-1]
        else:
            body = b"".join(_leb128(len(one)) + one for one in elements)
        payloads.append(bytes([head]) + body)
    return payloads


def _elements(obus: list[bytes], start: int, end: int) -> tuple[list[bytes], bool, bool]:
    """Give what of each OBU lies there, and whether the first and the last of them are cut."""
    elements = []
    continues = continued = False
    at = 0
    for obu in obus:
        first, last = max(start - at, 0), min(end - at, len(obu))
        if first < last:
            elements.append(obu[first:last])
            continues |= first > 0
            continued |= last < len(obu)
        at += len(obu)
    return elements, continues, continued


def _marked(obu: bytes, layer: int) -> bytes:
    if obu[0] & _KIND == _SEQUENCE or obu[0] & _HAS_EXTENSION:
        return obu
    return bytes([obu[0] | _HAS_EXTENSION, layer << 5]) + obu[1:]


def _obus(unit: bytes) -> Iterator[bytes]:
    """Give the OBUs of a temporal unit, without the sizes that they have in it."""
    at = 0
    while at < len(unit):
        head = unit[at : at + (2 if unit[at] & _HAS_EXTENSION else 1)]
        at += len(head)
        size, shift = 0, 0
        while True:
            byte = unit[at]
            size |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                break
        yield bytes([head[0] & ~_HAS_SIZE]) + head[1:] + unit[at : at + size]
        at += size


def _leb128(value: int) -> bytes:
    low = value & 0x7F
    return bytes([low]) if value < 0x80 else bytes([low | 0x80]) + _leb128(value >> 7)
