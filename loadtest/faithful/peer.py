"""One faithful participant: aiortc behind the LiveKit v1 signalling that the other participants speak."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import aioice.ice
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.rtcconfiguration import RTCIceTransportPolicy
from aiortc.sdp import candidate_from_sdp
from livekit.protocol import models, rtc

from loadtest.engine.signalling import Signalling, SignallingError
from loadtest.faithful.camera import FRAMES_PER_SECOND, HEIGHT, WIDTH

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from typing import TypeVar

    import aiohttp

    T = TypeVar("T")

WITHIN = 20.0
"""Seconds for a join, and for a picture after it."""
_PING_INTERVAL = 5  # seconds, where the server does not say
_KBITS = 500_000  # bits a second that the camera is announced with


class Peer:
    """One leg; use `join` first, `close` last."""

    def __init__(self, relay: str | None = None) -> None:
        """Prepare a peer that is not connected yet.

        With the end of a relay's URL, like `:3478?transport=udp`, it comes through that relay alone.
        """
        self._relay = relay
        self._peer_connection: RTCPeerConnection | None = None
        self._signalling: Signalling | None = None
        self._jobs: set[asyncio.Task[Any]] = set()
        self._ended: asyncio.Future[str] = _future()
        self._joined: asyncio.Future[rtc.JoinResponse] = _future()
        self._published: asyncio.Future[str] = _future()
        self._track: asyncio.Future[MediaStreamTrack] = _future()
        self._connected: asyncio.Future[None] = _future()
        self._answers: dict[int, asyncio.Future[str]] = {}
        self._candidates: list[str] = []
        self._negotiating = asyncio.Lock()

    async def join(self, http: aiohttp.ClientSession, url: str, token: str) -> None:
        """Come in until media can flow; raise `SignallingError`."""
        request = rtc.JoinRequest(connection_settings=rtc.ConnectionSettings(auto_subscribe=False))
        self._signalling = await Signalling.open(http, url, token, request)
        self._start(self._listen(self._signalling))
        joined = await self._unless_ended(self._joined)
        self._start(self._signalling.ping(joined.ping_interval or _PING_INTERVAL))
        self._peer_connection = self._make(joined.ice_servers)
        # A description needs a section; that of data is in every client's first one.
        self._pc.createDataChannel("_reliable")
        await self._negotiate()
        await self._unless_ended(self._connected)

    async def publish(self, camera: MediaStreamTrack, audience: Sequence[str]) -> str:
        """Show a camera to these people alone, by their identities; give the server's id of it."""
        signalling = self._open()
        permission = rtc.SubscriptionPermission(
            all_participants=False,
            track_permissions=[
                rtc.TrackPermission(participant_identity=who, all_tracks=True) for who in audience
            ],
        )
        await signalling.send(subscription_permission=permission)
        layer = models.VideoLayer(
            quality=models.VideoQuality.HIGH, width=WIDTH, height=HEIGHT, bitrate=_KBITS
        )
        announced = rtc.AddTrackRequest(
            cid=camera.id,
            type=models.TrackType.VIDEO,
            source=models.TrackSource.CAMERA,
            name="faithful camera",
            width=WIDTH,
            height=HEIGHT,
            layers=[layer],
        )
        await signalling.send(add_track=announced)
        sid = await self._unless_ended(self._published)
        self._pc.addTrack(camera)
        await self._negotiate()
        return sid

    async def watch(self, sid: str) -> MediaStreamTrack:
        """Ask for a track and give it when the server sends it."""
        await self._open().send(subscription=rtc.UpdateSubscription(track_sids=[sid], subscribe=True))
        size = rtc.UpdateTrackSettings(track_sids=[sid], width=WIDTH, height=HEIGHT, fps=FRAMES_PER_SECOND)
        await self._open().send(track_setting=size)
        return await self._unless_ended(self._track)

    async def until_ended(self) -> str:
        """Wait until the server ends the connection, and give why."""
        return await asyncio.shield(self._ended)

    async def close(self) -> None:
        """Say goodbye and leave."""
        for job in list(self._jobs):
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        if self._signalling is not None:
            await self._signalling.leave()
        if self._peer_connection is not None:
            await self._peer_connection.close()

    @property
    def _pc(self) -> RTCPeerConnection:
        if self._peer_connection is None:
            raise SignallingError("not joined")
        return self._peer_connection

    def _make(self, told: Sequence[rtc.ICEServer]) -> RTCPeerConnection:
        configuration = RTCConfiguration(iceServers=[])
        if self._relay is not None:
            # aiortc takes one relay, so it has to be the one that is meant.
            chosen = [
                RTCIceServer(url, username=one.username, credential=one.credential)
                for one in told
                for url in one.urls
                if url.endswith(self._relay)
            ]
            if not chosen:
                raise SignallingError(f"the server names no relay {self._relay}")
            configuration = RTCConfiguration(
                iceServers=chosen[:1], iceTransportPolicy=RTCIceTransportPolicy.RELAY
            )
        made = RTCPeerConnection(configuration)
        made.on("track", self._take_track)
        made.on("connectionstatechange", self._note_state)
        return made

    async def _listen(self, signalling: Signalling) -> None:
        why = ""
        try:
            async for message in signalling.messages():
                why = self._hear(message.WhichOneof("message") or "", message) or why
        finally:
            self._end(why or f"the server ended the connection ({signalling.close_code})")

    def _hear(self, kind: str, message: rtc.SignalResponse) -> str | None:
        match kind:
            case "join":
                _give(self._joined, message.join)
            case "answer" if message.answer.id in self._answers:
                _give(self._answers[message.answer.id], message.answer.sdp)
            case "trickle":
                self._candidates.append(message.trickle.candidateInit)
                if self._peer_connection is not None and self._pc.remoteDescription is not None:
                    self._start(self._take_candidates())
            case "track_published":
                _give(self._published, message.track_published.track.sid)
            case "media_sections_requirement":
                self._start(self._make_sections(message.media_sections_requirement))
            case "request_response" if message.request_response.HasField("add_track"):
                self._end(f"the server takes no track: {message.request_response.message}")
            case "subscription_response" if message.subscription_response.err:
                self._end(f"the server does not give the picture ({message.subscription_response.err})")
            case "leave":
                return f"the server sent us away ({message.leave.reason})"
        return None

    async def _negotiate(self) -> None:
        async with self._negotiating:
            await self._pc.setLocalDescription(await self._pc.createOffer())
            number = len(self._answers) + 1
            self._answers[number] = _future()
            sdp = self._pc.localDescription.sdp
            await self._open().send(offer=rtc.SessionDescription(type="offer", sdp=sdp, id=number))
            answer = await self._unless_ended(self._answers[number])
            await self._pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await self._take_candidates()

    async def _make_sections(self, wanted: rtc.MediaSectionsRequirement) -> None:
        # aiortc never starts a receiver that was negotiated while DTLS was under way.
        await self._unless_ended(self._connected)
        for kind, count in (("audio", wanted.num_audios), ("video", wanted.num_videos)):
            for _ in range(count):
                self._pc.addTransceiver(kind, direction="recvonly")
        await self._negotiate()

    async def _take_candidates(self) -> None:
        while self._candidates:
            told = json.loads(self._candidates.pop(0))
            text = told.get("candidate", "").removeprefix("candidate:")
            if text:
                candidate = candidate_from_sdp(text)
                candidate.sdpMid, candidate.sdpMLineIndex = told.get("sdpMid"), told.get("sdpMLineIndex")
                await self._pc.addIceCandidate(candidate)

    def _take_track(self, track: MediaStreamTrack) -> None:
        if track.kind == "video":
            _give(self._track, track)

    def _note_state(self) -> None:
        match self._pc.connectionState:
            case "connected":
                _give(self._connected, None)
            case "failed":
                self._end("the media connection failed")

    def _open(self) -> Signalling:
        if self._signalling is None:
            raise SignallingError("not joined")
        return self._signalling

    async def _unless_ended(self, future: asyncio.Future[T]) -> T:
        waiting: set[asyncio.Future[Any]] = {future, self._ended}
        done, _ = await asyncio.wait(waiting, timeout=WITHIN, return_when=asyncio.FIRST_COMPLETED)
        if future in done:
            return future.result()
        raise SignallingError(self._ended.result() if done else f"no answer within {WITHIN:g} s")

    def _end(self, why: str) -> None:
        _give(self._ended, why)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        job = asyncio.create_task(work)
        self._jobs.add(job)
        job.add_done_callback(self._done)

    def _done(self, job: asyncio.Task[Any]) -> None:
        self._jobs.discard(job)
        if not job.cancelled() and (error := job.exception()) is not None:
            self._end(str(error) or type(error).__name__)


def use_loopback() -> None:
    """Let peers use 127.0.0.1, too: aioice leaves it out, and a server here may have nothing else."""
    found = aioice.ice.get_host_addresses
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [
        *found(use_ipv4=use_ipv4, use_ipv6=use_ipv6),
        *(["127.0.0.1"] if use_ipv4 else []),
    ]


def _future() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


def _give(future: asyncio.Future[T], value: T) -> None:
    if not future.done():
        future.set_result(value)
