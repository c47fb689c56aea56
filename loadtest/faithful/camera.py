"""A camera whose pictures move and carry their number and time; the pictures are coded by who sends them."""

from __future__ import annotations

import asyncio
import time
from fractions import Fraction

import av
from aiortc import MediaStreamTrack

from loadtest.faithful.watermark import ACROSS, DOWN, Mark, read, strip

WIDTH, HEIGHT = 640, 360
FRAMES_PER_SECOND = 30
_CLOCK = 90_000  # ticks a second, as RTP counts time for pictures
_GREY = 128


class MarkedCamera(MediaStreamTrack):
    """Takes a picture every thirtieth of a second; one that nobody was in time for is left out."""

    kind = "video"

    def __init__(self) -> None:
        """Prepare what moves: a ramp of brightness, longer than a line."""
        super().__init__()
        self._number = 0
        self._began: float | None = None
        self._ramp = bytes(40 + 160 * abs(at % 256 - 128) // 128 for at in range(2 * WIDTH + HEIGHT))

    async def recv(self) -> av.VideoFrame:
        """Give the next picture when it is due."""
        now = time.monotonic()
        if self._began is None:
            self._began = now
        due = max(self._number + 1, int((now - self._began) * FRAMES_PER_SECOND))
        await asyncio.sleep(max(0.0, self._began + due / FRAMES_PER_SECOND - now))
        self._number = due
        return self._picture(due)

    def _picture(self, number: int) -> av.VideoFrame:
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        line_bytes = frame.planes[0].line_size
        top = DOWN * (WIDTH // ACROSS)
        shift = number * 4 % 256
        lines = b"".join(
            self._ramp[shift + y : shift + y + WIDTH].ljust(line_bytes, b"\0") for y in range(HEIGHT - top)
        )
        mark = Mark.taken(number, time.monotonic())
        frame.planes[0].update(strip(mark, width=WIDTH, line_bytes=line_bytes) + lines)
        for plane in frame.planes[1:]:
            plane.update(bytes([_GREY]) * plane.buffer_size)
        frame.pts = number * _CLOCK // FRAMES_PER_SECOND
        frame.time_base = Fraction(1, _CLOCK)
        return frame


def mark_of(frame: av.VideoFrame) -> Mark | None:
    """Read the watermark of a decoded picture."""
    plane = frame.planes[0]
    return read(memoryview(plane), width=frame.width, line_bytes=plane.line_size)
