"""Cutting coded pictures into RTP payloads, as libwebrtc does (`RtpPacketizer::SplitAboutEqually`).

The parts of a picture are equally long but for a byte, the longer ones last. Runs of one length are what the
kernel takes as one message, so this is worth being exact about. The last part is shorter by the stamp that
comes behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PAYLOAD_MAX = 1_137
"""Bytes; with a descriptor and a stamp this fills a packet, and the Rust side takes no more."""
STAMP = 16
"""Bytes of a stamp."""

_FU_A, _STAP_A = 28, 24
_SEI, _SPS, _PPS, _DELIMITER, _FILLER = 6, 7, 8, 9, 12
_KIND, _IMPORTANCE = 0x1F, 0x60
_START, _END = 0x80, 0x40
_MARK = b"\0\0\1"


def vp8_payloads(picture: bytes) -> list[bytes]:
    """Cut a VP8 picture; descriptors (RFC 7741) are written by who sends it."""
    return list(parts(picture, PAYLOAD_MAX, STAMP))


def parts(data: bytes, most: int, reserved: int) -> Iterator[bytes]:
    """Cut into pieces of about one length, at most `most` bytes, the last of them less by `reserved`.

    Unless there is only one, each is at least half as long as that: a short end stays in the last piece.
    """
    whole = len(data) + reserved
    count = -(-whole // most)
    size, longer = divmod(whole, count)
    at = 0
    for number in range(count):
        end = at + size + (number >= count - longer)
        yield data[at:end]
        at = end


def h264_payloads(picture: bytes) -> list[bytes]:
    """Cut an H.264 picture in the format of Annex B into units, aggregates and fragments (RFC 6184)."""
    units = [unit for unit in _units(picture) if unit[0] & _KIND not in {_SEI, _DELIMITER, _FILLER}]
    parameters = [unit for unit in units if unit[0] & _KIND in {_SPS, _PPS}]
    payloads = [_aggregate(parameters)] if parameters else []
    slices = [unit for unit in units if unit[0] & _KIND not in {_SPS, _PPS}]
    for number, unit in enumerate(slices, 1):
        reserved = STAMP if number == len(slices) else 0
        payloads += [unit] if len(unit) <= PAYLOAD_MAX else _fragments(unit, reserved)
    return payloads


def _units(stream: bytes) -> Iterator[bytes]:
    """Give the units between start codes, which have three bytes or four."""
    at = stream.find(_MARK)
    while at >= 0:
        following = stream.find(_MARK, at + 3)
        unit = stream[at + 3 : following if following >= 0 else None].rstrip(b"\0")
        if unit:
            yield unit
        at = following


def _aggregate(units: list[bytes]) -> bytes:
    importance = max(unit[0] & _IMPORTANCE for unit in units)
    body = b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)
    return bytes([importance | _STAP_A]) + body


def _fragments(unit: bytes, reserved: int) -> list[bytes]:
    cut = list(parts(unit[1:], PAYLOAD_MAX - 2, reserved))
    indicator, kind = unit[0] & _IMPORTANCE | _FU_A, unit[0] & _KIND
    heads = [kind | (_START if n == 0 else 0) | (_END if n == len(cut) - 1 else 0) for n in range(len(cut))]
    return [bytes([indicator, head]) + part for head, part in zip(heads, cut, strict=True)]
