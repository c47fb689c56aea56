"""A picture's number and time as black and white blocks that survive coding.

Four rows of 20 blocks at the top of the picture: 16 bits of the number, 32 of the time in tenths of a
millisecond, 16 of a checksum over both (CRC-16 of CCITT), each from its highest bit, white for 1, and 16 that
stay black. A block is a 20th of the picture's width on either side: with 640 pixels 32, whole units of 16 in
which codecs think. One that lies across units comes out grey every now and then.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass

ACROSS, DOWN = 20, 4
_BITS = 64
_WHITE, _BLACK = 235, 16
_MIDDLE = (_WHITE + _BLACK) / 2
_NUMBER_BYTES, _TICKS_BYTES, _SUM_BYTES = 2, 4, 2
_TICKS_PER_SECOND = 10_000
_ROUND = 1 << (8 * _TICKS_BYTES)  # of ticks: five days


@dataclass(frozen=True, slots=True)
class Mark:
    """What a picture says of itself."""

    number: int
    """Counts pictures; the lowest 16 bits."""
    ticks: int
    """When it was taken, in tenths of a millisecond of a clock that is never set; the lowest 32 bits."""

    @classmethod
    def taken(cls, number: int, at: float) -> Mark:
        """Mark a picture that was taken at this time, in seconds."""
        return cls(number % (1 << (8 * _NUMBER_BYTES)), int(at * _TICKS_PER_SECOND) % _ROUND)

    def age_ms(self, now: float) -> float:
        """Give how long ago the picture was taken, in milliseconds; `now` is in seconds of the same clock."""
        return (int(now * _TICKS_PER_SECOND) - self.ticks) % _ROUND * 1000 / _TICKS_PER_SECOND


def strip(mark: Mark, *, width: int, line_bytes: int) -> bytes:
    """Give the brightness of the uppermost lines; each has `line_bytes`, of which `width` are seen."""
    said = mark.number.to_bytes(_NUMBER_BYTES, "big") + mark.ticks.to_bytes(_TICKS_BYTES, "big")
    said += binascii.crc_hqx(said, 0).to_bytes(_SUM_BYTES, "big")
    bits = f"{int.from_bytes(said, 'big'):0{_BITS}b}".ljust(ACROSS * DOWN, "0")
    block = width // ACROSS
    ground = {"0": bytes([_BLACK]) * block, "1": bytes([_WHITE]) * block}
    lines = []
    for row in range(DOWN):
        line = b"".join(ground[bit] for bit in bits[row * ACROSS : (row + 1) * ACROSS])
        lines.append(line.ljust(line_bytes, bytes([_BLACK])) * block)
    return b"".join(lines)


def read(luma: bytes | memoryview, *, width: int, line_bytes: int) -> Mark | None:
    """Read the mark of a picture from its brightness; none where it did not survive."""
    block = width // ACROSS
    if block < 2 or len(luma) < DOWN * block * line_bytes:
        return None
    said = 0
    for bit in range(_BITS):
        row, column = divmod(bit, ACROSS)
        said = said << 1 | _is_white(luma, row * block, column * block, block, line_bytes)
    whole = said.to_bytes(_NUMBER_BYTES + _TICKS_BYTES + _SUM_BYTES, "big")
    if binascii.crc_hqx(whole[:-_SUM_BYTES], 0) != int.from_bytes(whole[-_SUM_BYTES:], "big"):
        return None
    ticks = int.from_bytes(whole[_NUMBER_BYTES:-_SUM_BYTES], "big")
    return Mark(int.from_bytes(whole[:_NUMBER_BYTES], "big"), ticks)


def _is_white(luma: bytes | memoryview, top: int, left: int, block: int, line_bytes: int) -> bool:
    # The inner half: edges blur.
    inner = range(block // 4, block - block // 4, max(1, block // 8))
    seen = [luma[(top + y) * line_bytes + left + x] for y in inner for x in inner]
    return sum(seen) > _MIDDLE * len(seen)
