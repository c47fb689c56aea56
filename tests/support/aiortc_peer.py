"""A participant made of aiortc that talks to the live side without any signalling between them."""

import asyncio
from collections.abc import Awaitable
from fractions import Fraction

import aioice.ice
import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from sfu import Call, CloseReason, Leg, LegKey, MediaKind, PublishIntent, TrackKey, TrackSource, TrackView

# Everything stays on loopback, which aioice leaves out of its own accord.
aioice.ice.get_host_addresses = lambda use_ipv4, **_: ["127.0.0.1"] if use_ipv4 else []

_SOURCES = {MediaKind.AUDIO: TrackSource.MICROPHONE, MediaKind.VIDEO: TrackSource.CAMERA}


class Colour(VideoStreamTrack):
    """A picture of one grey value, by which a receiver knows whose it is."""

    def __init__(self, luma: int) -> None:
        super().__init__()
        self._luma = luma

    async def recv(self) -> av.VideoFrame:
        pts, time_base = await self.next_timestamp()
        frame = av.VideoFrame(160, 120, "yuv420p")
        for plane, value in zip(frame.planes, (self._luma, 128, 128), strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts, frame.time_base = pts, Fraction(time_base)
        return frame


class AiortcPeer:
    """One leg with a real peer at its other end; also the leg's listener."""

    def __init__(self, call: Call, name: str) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.leg: Leg = call.add_leg(LegKey(name), self)
        self.name = name
        self.connected_path = ""
        self.heard: list[str] = []
        self.failures: list[str] = []
        self.messages: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self.sent_up: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self.tracks: dict[str, MediaStreamTrack] = {}
        self.channel = self.pc.createDataChannel("_reliable")
        self.channel.on("message", lambda data: self.messages.put_nowait(("_reliable", data)))
        self.pc.on("track", self._receive)
        self._negotiating = asyncio.Lock()
        self._jobs: set[asyncio.Task[None]] = set()
        self._mids: dict[str, str] = {}

    def add(self, track: MediaStreamTrack) -> TrackKey:
        """Announce a track and put it into the next offer."""
        key = TrackKey(f"TR_{self.name}_{track.kind}")
        kind = MediaKind(track.kind)
        self.pc.addTrack(track)
        self.leg.publish(PublishIntent(key, kind, _SOURCES[kind], (track.id,), f"PA_{self.name}"))
        return key

    def make_room(self, audio: int, video: int) -> None:
        """Add receiving sections to the next offer."""
        for kind, count in (("audio", audio), ("video", video)):
            for _ in range(count):
                self.pc.addTransceiver(kind, direction="recvonly")

    async def negotiate(self) -> None:
        """Offer, and take the answer."""
        async with self._negotiating:
            await self.pc.setLocalDescription(await self.pc.createOffer())
            answer = self.leg.negotiate(self.pc.localDescription.sdp)
            self._mids.update(answer.mid_to_track)
            await self.pc.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))

    def receiver(self, key: TrackKey) -> MediaStreamTrack:
        """The track that arrives in the section of a subscription."""
        mid = next(mid for mid, track in self._mids.items() if track == key)
        return next(t.receiver.track for t in self.pc.getTransceivers() if t.mid == mid)

    async def close(self) -> None:
        """Leave."""
        for job in self._jobs:
            job.cancel()
        self.leg.close(CloseReason.LEFT)
        await self.pc.close()

    def _receive(self, track: MediaStreamTrack) -> None:
        self.tracks[track.id] = track

    def _start(self, job: Awaitable[None]) -> None:
        task = asyncio.ensure_future(job)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    # --- the leg's listener ---

    def connected(self, path: str, *, ipv6: bool) -> None:
        self.connected_path = path

    def silent(self) -> None:
        self.heard.append("silent")

    def resumed(self) -> None:
        self.heard.append("resumed")

    def path_changed(self, path: str, *, ipv6: bool) -> None:
        self.heard.append(f"path changed {path}")

    def failed(self, reason: str) -> None:
        self.failures.append(reason)

    def sections_needed(self, audio: int, video: int) -> None:
        self.make_room(audio, video)
        self._start(self.negotiate())

    def track_published(self, track: TrackView) -> None:
        self.heard.append(f"published {track.key} {track.mime_type}")

    def track_unpublished(self, track: TrackKey) -> None:
        self.heard.append(f"unpublished {track}")

    def track_started(self, track: TrackKey) -> None:
        self.heard.append(f"started {track}")

    def subscribed(self, track: TrackKey, mid: str) -> None:
        self.heard.append(f"subscribed {track}")

    def subscription_failed(self, track: TrackKey, code: str) -> None:
        self.failures.append(f"{track} {code}")

    def stream_paused(self, track: TrackKey, *, paused: bool) -> None:
        self.heard.append(f"paused {track} {paused}")

    def wanted_changed(self, track: TrackKey, enabled: object) -> None:
        self.heard.append(f"wanted {track} {enabled}")

    def data_channel_opened(self, label: str) -> None:
        self.heard.append(f"channel {label}")

    def data_received(self, label: str, payload: bytes, *, binary: bool) -> None:
        self.sent_up.put_nowait((label, payload))


__all__ = ["AiortcPeer", "AudioStreamTrack", "Colour"]
