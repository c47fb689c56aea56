"""What waits to be sent to one client: in order, bounded by bytes, encoded once for all who get the same.

What is known of a person is sent whole, so a newer word takes the place of an older one that still waits:
a client that reads slowly gets each person once, however often they change.
"""

from collections import deque
from typing import TYPE_CHECKING, Protocol

from signalling.livekit.messages import Frame, encode_response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from livekit.protocol.rtc import SignalResponse


class Sendable(Protocol):
    """What a connection can send."""

    @property
    def about(self) -> str:
        """Name what it is the whole news of: a newer one takes the place of one that waits."""

    @property
    def parts(self) -> "Sequence[Sendable]":
        """Give what waits in its place, each overtaken by a newer one by itself; nothing where it is one."""

    def frame(self, *, text: bool) -> Frame:
        """Return it as a text or a binary frame."""


class Outgoing:
    """A message to one or more clients; each of its two encodings is made at most once."""

    __slots__ = ("_binary", "_text", "about", "parts", "response")

    def __init__(
        self, response: "SignalResponse", *, about: str = "", parts: "Sequence[Outgoing]" = ()
    ) -> None:
        """Take a message that nobody changes any more.

        `about` names what it is the whole news of; `parts` say the same in several messages about one thing
        each.
        """
        self.response = response
        self.about = about
        self.parts = parts
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


class _Waiting:
    __slots__ = ("about", "frame")

    def __init__(self, frame: Frame, about: str) -> None:
        self.frame = frame
        self.about = about


class Outbox:
    """Frames in the order in which they are to be sent.

    It becomes `overfull`, and takes nothing more, when more than `max_bytes` would wait. One frame alone may
    be larger: the first words in a full room.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._waiting: deque[_Waiting] = deque()
        self._about: dict[str, _Waiting] = {}
        self._bytes = 0
        self.overfull = False

    def __len__(self) -> int:
        """Count the frames that wait."""
        return len(self._waiting)

    @property
    def waiting_bytes(self) -> int:
        """How much waits."""
        return self._bytes

    def put(self, frame: Frame, *, about: str = "") -> bool:
        """Add one at the end, or in the place of the one about the same; False if there is no room.

        After that there never is. The older place is kept, since what comes behind it may refer to it.
        """
        older = self._about.get(about) if about else None
        others = len(self._waiting) - (older is not None)
        size = self._bytes + len(frame) - (len(older.frame) if older is not None else 0)
        if self.overfull or (others and size > self._max_bytes):
            self.overfull = True
            return False
        self._bytes = size
        if older is not None:
            older.frame = frame
            return True
        waiting = _Waiting(frame, about)
        self._waiting.append(waiting)
        if about:
            self._about[about] = waiting
        return True

    def take(self) -> Frame | None:
        """Take the oldest."""
        if not self._waiting:
            return None
        waiting = self._waiting.popleft()
        self._about.pop(waiting.about, None)
        self._bytes -= len(waiting.frame)
        return waiting.frame

    def clear(self) -> None:
        """Forget everything that waits."""
        self._waiting.clear()
        self._about.clear()
        self._bytes = 0
