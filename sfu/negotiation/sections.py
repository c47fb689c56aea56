"""Finds a section for a subscription without comparing every track with every section.

A call may have hundreds of tracks and a hostile offer a hundred sections with forty codecs each, so sections
are looked up by codec.
"""

from collections.abc import Iterable

from sfu.negotiation.codecs import Key, Payload, readers
from sfu.negotiation.table import Slot


class FreeSections:
    """The sections in which a peer receives, those that are free among them in the order of preference."""

    def __init__(self, receiving: Iterable[Slot], free: Iterable[Slot]) -> None:
        self._readable = {(slot.kind, payload.key) for slot in receiving for payload in slot.payloads}
        self._kinds = {kind for kind, _ in self._readable}
        self._free: dict[tuple[str, Key], list[tuple[int, str]]] = {}
        self._taken: set[str] = set()
        for order, slot in enumerate(free):
            for key in {payload.key for payload in slot.payloads}:
                self._free.setdefault((slot.kind, key), []).append((order, slot.mid))
        for queue in self._free.values():
            queue.reverse()  # so that the first is taken off the end

    def unreadable(self, kind: str, payloads: Iterable[Payload]) -> bool:
        """Whether the peer has sections of this kind but none for any of these codecs."""
        return kind in self._kinds and not any((kind, key) in self._readable for key in _keys(payloads))

    def take(self, kind: str, payloads: Iterable[Payload]) -> str | None:
        """Take the first free section that reads any of these codecs, and return its mid."""
        heads = (self._head((kind, key)) for key in _keys(payloads))
        found = min((head for head in heads if head is not None), default=None)
        if found is None:
            return None
        self._taken.add(found[1])
        return found[1]

    def _head(self, key: tuple[str, Key]) -> tuple[int, str] | None:
        queue = self._free.get(key, [])
        while queue and queue[-1][1] in self._taken:
            queue.pop()
        return queue[-1] if queue else None


def _keys(payloads: Iterable[Payload]) -> set[Key]:
    return {reader for key in {payload.key for payload in payloads} for reader in readers(key)}
