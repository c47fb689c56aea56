"""A person's own tracks: their numbers in the swarm, what the server calls them, and which are muted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from loadtest.engine.sources import Camera, Microphone

if TYPE_CHECKING:
    from livekit.protocol import rtc

    from loadtest.engine.core import Swarm

_ALL = 0xFF
"""Every encoding of a camera."""


class Tracks:
    """The running sources of one person, by the ids that they were announced with."""

    def __init__(self, swarm: Swarm) -> None:
        """Begin with none; they run in this swarm."""
        self._swarm = swarm
        self._running: dict[str, tuple[Microphone | Camera, int, int]] = {}
        self._sids: dict[str, str] = {}
        self._masks: dict[str, int] = {}
        self._muted: set[str] = set()
        self._published = asyncio.Event()

    def start(self, source: Microphone | Camera, participant: int) -> None:
        """Let a source send; those of a kind are numbered as they start."""
        number = sum(type(one) is type(source) for one, _, _ in self._running.values())
        source.start(self._swarm, participant)
        self._running[source.cid] = (source, participant, number)
        if source.cid in self._muted:
            self._apply(source.cid)

    def published(self, told: rtc.TrackPublishedResponse) -> None:
        """Note what the server calls a track."""
        self._sids[told.cid] = told.track.sid
        self._published.set()

    async def sid(self, cid: str) -> str:
        """Give what the server calls a track, when it has said so."""
        while cid not in self._sids:
            self._published.clear()
            await self._published.wait()
        return self._sids[cid]

    def wanted(self, update: rtc.SubscribedQualityUpdate) -> None:
        """Send only the encodings that somebody wants."""
        for cid, (source, _, _) in self._running.items():
            # One that the server has not named yet is the only one.
            if isinstance(source, Camera) and self._sids.get(cid, update.track_sid) == update.track_sid:
                self._masks[cid] = source.active(update)
                self._apply(cid)

    def mute(self, cid: str, *, muted: bool) -> None:
        """Send nothing of a track, or send it again."""
        if muted:
            self._muted.add(cid)
        else:
            self._muted.discard(cid)
        self._apply(cid)

    def _apply(self, cid: str) -> None:
        if cid not in self._running:
            return
        source, participant, number = self._running[cid]
        on = cid not in self._muted
        if isinstance(source, Camera):
            self._swarm.set_active(participant, number, self._masks.get(cid, _ALL) if on else 0)
        else:
            self._swarm.set_audible(participant, number, on)
