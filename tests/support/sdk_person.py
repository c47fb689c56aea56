"""A person in a call through the unmodified Python client SDK, with a journal of all that happened."""

import asyncio
import contextlib
import math
import time
from array import array
from collections.abc import Callable, Coroutine
from typing import Any, Final

from livekit import rtc
from livekit.rtc.room import EventTypes

EVENTS: Final[tuple[EventTypes, ...]] = (
    "participant_connected",
    "participant_disconnected",
    "track_published",
    "track_unpublished",
    "track_subscribed",
    "track_unsubscribed",
    "track_muted",
    "track_unmuted",
    "local_track_subscribed",
    "active_speakers_changed",
    "participant_attributes_changed",
    "participant_name_changed",
    "participant_metadata_changed",
    "connection_quality_changed",
    "data_received",
    "disconnected",
    "reconnecting",
    "reconnected",
    "room_metadata_changed",
    "room_updated",
    "moved",
)
WITHIN = 10.0  # seconds, on a machine that does much else


class Person:
    """One SDK client and everything that happened to it, with the time."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.room = rtc.Room()
        self.journal: list[tuple[float, str, tuple[Any, ...]]] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()
        for event in EVENTS:
            self.room.on(event, self._recorder(event))

    @property
    def me(self) -> rtc.LocalParticipant:
        return self.room.local_participant

    async def happened(
        self, event: str, which: Callable[..., bool] = lambda *_: True, *, since: int = 0
    ) -> tuple[float, tuple[Any, ...]]:
        """Wait for an event; give when it came and what came with it."""
        async with asyncio.timeout(WITHIN):
            while True:
                for at, name, values in self.journal[since:]:
                    if name == event and which(*values):
                        return at, values
                self._news.clear()
                await self._news.wait()

    async def sees(self, identity: str, frames: int = 3) -> None:
        """Wait until pictures of somebody were decoded."""
        track = await self._track(identity, rtc.TrackKind.KIND_VIDEO)
        stream = rtc.VideoStream(track)
        async with contextlib.aclosing(stream), asyncio.timeout(WITHIN):
            for _ in range(frames):
                await anext(stream)

    async def hears(self, identity: str) -> None:
        """Wait until sound of somebody was decoded that is not silence."""
        stream = rtc.AudioStream(await self._track(identity, rtc.TrackKind.KIND_AUDIO))
        async with contextlib.aclosing(stream), asyncio.timeout(WITHIN):
            async for event in stream:
                if max(map(abs, event.frame.data), default=0) > 300:
                    return

    async def shows(self, name: str = "picture") -> rtc.LocalTrackPublication:
        source = rtc.VideoSource(640, 360)
        self._spawn(_pictures(source))
        return await self._camera(name, source)

    async def prepares(self, name: str = "picture") -> Callable[[], None]:
        """Publish a camera that sends nothing until the answer is called.

        Whoever is to see others publishes first: the SDK now and then loses the sink of pictures that
        arrive while its first camera is negotiated (docs/negotiation.md).
        """
        source = rtc.VideoSource(640, 360)
        await self._camera(name, source)
        return lambda: self._spawn(_pictures(source))

    async def speaks(self, name: str = "tone") -> rtc.LocalTrackPublication:
        source = rtc.AudioSource(48_000, 1)
        track = rtc.LocalAudioTrack.create_audio_track(name, source)
        self._spawn(_tone(source))
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        return await self.me.publish_track(track, options)

    async def leaves(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.room.disconnect()

    async def _camera(self, name: str, source: rtc.VideoSource) -> rtc.LocalTrackPublication:
        track = rtc.LocalVideoTrack.create_video_track(name, source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA)
        return await self.me.publish_track(track, options)

    async def _track(self, identity: str, kind: int) -> Any:
        def is_it(track: Any, _publication: Any, who: Any) -> bool:
            return bool(who.identity == identity and track.kind == kind)

        return (await self.happened("track_subscribed", is_it))[1][0]

    def _recorder(self, event: str) -> Callable[..., None]:
        def record(*values: Any) -> None:
            self.journal.append((time.perf_counter(), event, values))
            self._news.set()

        return record

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self.tasks.add(asyncio.ensure_future(work))


async def _pictures(source: rtc.VideoSource) -> None:
    count = 0
    while True:
        shade = bytes((count * 5 % 256, 80, 160, 255))
        frame = rtc.VideoFrame(640, 360, rtc.VideoBufferType.RGBA, bytearray(shade * (640 * 360)))
        source.capture_frame(frame)
        count += 1
        await asyncio.sleep(0.05)


async def _tone(source: rtc.AudioSource) -> None:
    step, start = 2 * math.pi * 440 / 48_000, 0
    while True:
        samples = array("h", (int(8000 * math.sin(step * (start + n))) for n in range(480)))
        await source.capture_frame(rtc.AudioFrame(samples.tobytes(), 48_000, 1, 480))
        start += 480
