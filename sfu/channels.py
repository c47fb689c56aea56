"""A leg's data channels, which the peer opens and we find by label."""

from collections import deque
from typing import TYPE_CHECKING

from sfu.bridge import MAX_DATA_MESSAGE, CoreBusy

if TYPE_CHECKING:
    from sfu.shell import Shell

# Clients use three labels; a peer that opens more than this gets no answer on the oldest.
_MAX_LABELS = 32
# What may wait for a channel to open: the greetings of a full room, not a file.
_MAX_WAITING_MESSAGES = 256
_MAX_WAITING_BYTES = 256 * 1024


class Channels:
    """Sends messages by label, and keeps the first ones until the peer has opened the channel."""

    def __init__(self, shell: "Shell") -> None:
        self._shell = shell
        self._by_label: dict[str, int] = {}
        self._by_number: dict[int, str] = {}
        self._waiting: deque[tuple[str, bytes, bool]] = deque()
        self._waiting_bytes = 0

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the channels that are open."""
        return tuple(self._by_label)

    def label(self, channel: int) -> str | None:
        """Return the label of a channel."""
        return self._by_number.get(channel)

    def opened(self, transport: int, channel: int, label: str) -> None:
        """Note a channel that the peer has opened, and send what waited for it."""
        if len(self._by_number) >= _MAX_LABELS:
            oldest = next(iter(self._by_number))
            gone = self._by_number.pop(oldest)
            if self._by_label.get(gone) == oldest:
                del self._by_label[gone]
        self._by_label[label] = channel
        self._by_number[channel] = label
        waiting, self._waiting, self._waiting_bytes = self._waiting, deque(), 0
        for each in waiting:
            self.send(transport, *each)

    def send(self, transport: int | None, label: str, payload: bytes, binary: bool) -> bool:
        """Send a message, or keep it until the channel opens; False when it is lost."""
        if len(payload) > min(self._shell.limits.data_message_bytes, MAX_DATA_MESSAGE):
            return False
        channel = self._by_label.get(label)
        if transport is None or channel is None:
            return self._keep(label, payload, binary=binary)
        try:
            self._shell.core.send_data(transport, channel, binary, payload)
        except CoreBusy:
            return False
        return True

    def _keep(self, label: str, payload: bytes, *, binary: bool) -> bool:
        if (
            len(self._waiting) >= _MAX_WAITING_MESSAGES
            or self._waiting_bytes + len(payload) > _MAX_WAITING_BYTES
        ):
            return False
        self._waiting.append((label, payload, binary))
        self._waiting_bytes += len(payload)
        return True
