"""How many more sections a peer's description can have before it is larger than we read.

A peer adds the sections that it is asked for, and then its own when it begins to publish. If we asked for
more than we read, the offer that brings them would end its stay.
"""

from sfu.model import MediaKind
from sfu.negotiation.table import Table

# Of Chromium, which writes most, with all its codecs.
_USUAL_BYTES = {MediaKind.AUDIO: 1024, MediaKind.VIDEO: 5 * 1024}
# Camera and microphone, and a shared screen with its sound.
_OWN = 2
# A part of the description that pictures leave to voices: whoever comes late is heard at least.
_FOR_SOUND = 8


class Room:
    """What is left of the bounds of a description; every section given makes it less."""

    def __init__(self, table: Table, most_bytes: int, most_sections: int) -> None:
        self._sizes = {kind: _size_of_a_section(table, kind) for kind in MediaKind}
        own = {
            kind: max(0, _OWN - sum(slot.sends and slot.kind == kind for slot in table.slots))
            for kind in MediaKind
        }
        self._bytes = most_bytes - table.size - sum(own[kind] * self._sizes[kind] for kind in MediaKind)
        self._sections = most_sections - len(table.slots) - sum(own.values())
        self._bytes_for_sound = most_bytes // _FOR_SOUND
        self._sections_for_sound = most_sections // _FOR_SOUND

    def take(self, kind: MediaKind) -> bool:
        """Take room for one more section; False if there is none."""
        sound = kind is MediaKind.AUDIO
        size, kept_bytes = self._sizes[kind], 0 if sound else self._bytes_for_sound
        kept_sections = 0 if sound else self._sections_for_sound
        if self._bytes - size < kept_bytes or self._sections - 1 < kept_sections:
            return False
        self._bytes -= size
        self._sections -= 1
        return True


def _size_of_a_section(table: Table, kind: MediaKind) -> int:
    """Return how large a section is that this peer adds: those that it has are a good guide."""
    sizes = [slot.size for slot in table.slots if slot.kind == kind and slot.receives and not slot.sends]
    return max(sizes, default=0) or _USUAL_BYTES[kind]
