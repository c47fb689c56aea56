"""A person in a call through the unmodified Python client SDK, sending a made picture and a made tone."""

import asyncio
import contextlib
import math
from array import array
from collections.abc import Awaitable
from types import TracebackType
from typing import Self

from livekit import rtc

WIDTH, HEIGHT = 640, 360
_PICTURE_SECONDS = 1 / 20
_RATE = 48_000
_SAMPLES = _RATE // 100
_TONE_HERTZ = 440


class SdkParticipant:
    """One connection of the SDK. Use as an async context manager."""

    def __init__(self) -> None:
        """Prepare a client that is not connected yet."""
        self.room = rtc.Room()
        self.data: asyncio.Queue[rtc.DataPacket] = asyncio.Queue()
        self.disconnected: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._tracks: dict[tuple[str, int], rtc.Track] = {}
        self._arrived = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.room.on("track_subscribed", self._subscribed)
        self.room.on("data_received", self.data.put_nowait)
        self.room.on("disconnected", self._ended)

    async def __aenter__(self) -> Self:
        """Nothing is opened before `join`."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop sending and leave."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.room.disconnect()

    async def join(self, url: str, token: str) -> None:
        """Connect and subscribe to everything."""
        await self.room.connect(url, token)

    async def publish(self) -> None:
        """Send a moving picture as camera and a tone as microphone."""
        pictures = rtc.VideoSource(WIDTH, HEIGHT)
        tone = rtc.AudioSource(_RATE, 1)
        me = self.room.local_participant
        camera = rtc.LocalVideoTrack.create_video_track("picture", pictures)
        microphone = rtc.LocalAudioTrack.create_audio_track("tone", tone)
        self._spawn(_send_pictures(pictures))
        self._spawn(_send_tone(tone))
        await me.publish_track(camera, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA))
        await me.publish_track(microphone, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE))

    async def sees(self, identity: str, *, frames: int = 5) -> None:
        """Wait until this many pictures of someone were decoded."""
        stream = rtc.VideoStream(await self._track(identity, rtc.TrackSource.SOURCE_CAMERA))
        async with contextlib.aclosing(stream):
            for _ in range(frames):
                await anext(stream)

    async def hears(self, identity: str) -> None:
        """Wait until sound of someone was decoded that is not silence."""
        stream = rtc.AudioStream(await self._track(identity, rtc.TrackSource.SOURCE_MICROPHONE))
        async with contextlib.aclosing(stream):
            async for event in stream:
                if max(map(abs, event.frame.data), default=0) > 300:
                    return

    def _subscribed(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, who: rtc.RemoteParticipant
    ) -> None:
        self._tracks[who.identity, publication.source] = track
        self._arrived.set()

    def _ended(self, reason: int) -> None:
        if not self.disconnected.done():
            self.disconnected.set_result(reason)

    async def _track(self, identity: str, source: int) -> rtc.Track:
        while (track := self._tracks.get((identity, source))) is None:
            self._arrived.clear()
            await self._arrived.wait()
        return track

    def _spawn(self, work: Awaitable[None]) -> None:
        self._tasks.add(asyncio.ensure_future(work))


async def _send_pictures(source: rtc.VideoSource) -> None:
    count = 0
    while True:
        shade = bytes((count * 5 % 256, 80, 160, 255))
        source.capture_frame(
            rtc.VideoFrame(WIDTH, HEIGHT, rtc.VideoBufferType.RGBA, bytearray(shade * (WIDTH * HEIGHT)))
        )
        count += 1
        await asyncio.sleep(_PICTURE_SECONDS)


async def _send_tone(source: rtc.AudioSource) -> None:
    step = 2 * math.pi * _TONE_HERTZ / _RATE
    start = 0
    while True:
        samples = array("h", (int(8000 * math.sin(step * (start + n))) for n in range(_SAMPLES)))
        await source.capture_frame(rtc.AudioFrame(samples.tobytes(), _RATE, 1, _SAMPLES))
        start += _SAMPLES
