"""What waits to be sent to one client: in order, bounded by bytes, encoded once for all who get the same."""

from collections import deque
from typing import TYPE_CHECKING

from signalling.livekit.messages import Frame, encode_response

if TYPE_CHECKING:
    from livekit.protocol.rtc import SignalResponse


class Outgoing:
    """A message to one or more clients; each of its two encodings is made at most once."""

    __slots__ = ("_binary", "_text", "response")

    def __init__(self, response: "SignalResponse") -> None:
        """Take a message that nobody changes any more."""
        self.response = response
        self._binary: bytes | None = None
        self._text: str | None = None

    def frame(self, *, text: bool) -> Frame:
        """Return it as a JSON text or a protobuf binary frame."""
        if text:
            if self._text is None:
                self._text = str(encode_response(self.response, text=True))
            return self._text
        if self._binary is None:
            self._binary = self.response.SerializeToString()
        return self._binary


class Outbox:
    """Frames in the order in which they are to be sent.

    It becomes `overfull`, and takes nothing more, when more than `max_bytes` would wait. One frame alone may
    be larger: the first words in a full room.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._frames: deque[Frame] = deque()
        self._bytes = 0
        self.overfull = False

    @property
    def waiting_bytes(self) -> int:
        """How much waits."""
        return self._bytes

    def put(self, frame: Frame) -> bool:
        """Add one at the end; False if there is no room, and then never again."""
        size = len(frame)
        if self.overfull or (self._frames and self._bytes + size > self._max_bytes):
            self.overfull = True
            return False
        self._frames.append(frame)
        self._bytes += size
        return True

    def take(self) -> Frame | None:
        """Take the oldest."""
        if not self._frames:
            return None
        frame = self._frames.popleft()
        self._bytes -= len(frame)
        return frame

    def clear(self) -> None:
        """Forget everything that waits."""
        self._frames.clear()
        self._bytes = 0
