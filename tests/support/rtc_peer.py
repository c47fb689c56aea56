"""A participant made of aiortc: an independent WebRTC stack that speaks our signalling message by message."""

import asyncio
import base64
import re
from collections.abc import Callable
from typing import Any, Self

import aiohttp
import aioice.ice
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCSessionDescription,
)
from google.protobuf import json_format
from livekit.protocol import models, rtc

# Everything stays on loopback, which aioice leaves out of its own accord.
aioice.ice.get_host_addresses = lambda use_ipv4, **_: ["127.0.0.1"] if use_ipv4 else []

SOURCES = {"audio": models.TrackSource.MICROPHONE, "video": models.TrackSource.CAMERA}
KINDS = {"audio": models.TrackType.AUDIO, "video": models.TrackType.VIDEO}


class RtcPeer:
    """One leg. Use as an async context manager."""

    def __init__(self) -> None:
        """Prepare a peer that is not connected yet."""
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.messages: list[rtc.SignalResponse] = []
        self.join_response: rtc.JoinResponse | None = None
        self.tracks: dict[str, MediaStreamTrack] = {}
        self._media_port: int | None = None
        self._http: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._news = asyncio.Condition()
        self._negotiating = asyncio.Lock()
        self._offers = 0
        self._jobs: set[asyncio.Task[None]] = set()
        self.channels: dict[str, RTCDataChannel] = {}
        self.pc.on("track", self._track)

    async def __aenter__(self) -> Self:
        """Nothing is opened before `join`."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Vanish: close everything without a goodbye."""
        if self._reader is not None:
            for task in (self._reader, *self._jobs):
                task.cancel()  # an answer that a job waits for will not come any more
            await asyncio.gather(self._reader, *self._jobs, return_exceptions=True)
        await self.pc.close()
        if self._socket is not None:
            await self._socket.close()
        if self._http is not None:
            await self._http.close()

    async def join(self, ws_url: str, token: str, *, media_port: int | None = None) -> rtc.JoinResponse:
        """Connect and negotiate data channels; `media_port` takes the place of the server's own."""
        self._media_port = media_port
        request = rtc.JoinRequest(
            client_info=models.ClientInfo(sdk=models.ClientInfo.SDK.UNKNOWN, protocol=16),
            connection_settings=rtc.ConnectionSettings(auto_subscribe=True),
        )
        wrapped = rtc.WrappedJoinRequest(join_request=request.SerializeToString())
        query = {"join_request": base64.urlsafe_b64encode(wrapped.SerializeToString()).decode()}
        self._http = aiohttp.ClientSession()
        self._socket = await self._http.ws_connect(
            f"{ws_url}/rtc/v1", params=query, headers={"Authorization": f"Bearer {token}"}, max_msg_size=2**24
        )
        self._reader = asyncio.create_task(self._read())
        self.join_response = (await self.told("join")).join
        for label, ordered in (("_reliable", True), ("_lossy", False)):
            channel = self.pc.createDataChannel(label, ordered=ordered, maxRetransmits=None if ordered else 0)
            self.channels[label] = channel
        await self.negotiate()
        return self.join_response

    async def publish(self, track: MediaStreamTrack) -> str:
        """Announce and send a track; its server-side id."""
        # aiortc never starts a sender or receiver that was negotiated while DTLS was under way.
        await self.connected()
        request = rtc.AddTrackRequest(
            cid=track.id, type=KINDS[track.kind], source=SOURCES[track.kind], name=track.kind
        )
        await self.send(add_track=request)
        published = await self.told("track_published", lambda told: told.track_published.cid == track.id)
        self.pc.addTrack(track)
        await self.negotiate()
        return str(published.track_published.track.sid)

    async def connected(self) -> None:
        """Wait until ICE and DTLS are done."""
        connected = asyncio.Event()

        @self.pc.on("connectionstatechange")
        def changed() -> None:
            if self.pc.connectionState == "connected":
                connected.set()

        changed()
        await connected.wait()

    async def leave(self) -> None:
        """Say goodbye."""
        await self.send(leave=rtc.LeaveRequest(reason=models.DisconnectReason.CLIENT_INITIATED))

    @property
    def socket(self) -> aiohttp.ClientWebSocketResponse:
        """The signalling socket, for tests that write nonsense on it."""
        assert self._socket is not None, "join first"
        return self._socket

    async def send(self, **message: Any) -> None:
        """Send one signalling message, given as its field of SignalRequest."""
        await self.socket.send_bytes(rtc.SignalRequest(**message).SerializeToString())

    async def told(
        self, kind: str, match: Callable[[rtc.SignalResponse], bool] = lambda _: True, *, since: int = 0
    ) -> rtc.SignalResponse:
        """Wait for a signalling message of this kind."""

        def find() -> rtc.SignalResponse | None:
            fitting = (told for told in self.messages[since:] if told.WhichOneof("message") == kind)
            return next(filter(match, fitting), None)

        async with self._news:
            await self._news.wait_for(lambda: find() is not None)
            found = find()
        assert found is not None
        return found

    async def told_or_closed(self, kind: str, *, since: int = 0) -> None:
        """Wait until a message of this kind comes or the server ends the connection."""
        waiting = [asyncio.ensure_future(self.told(kind, since=since)), asyncio.ensure_future(self.closed())]
        _, late = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for one in late:
            one.cancel()

    async def closed(self) -> None:
        """Wait until the server ends the signalling connection."""
        assert self._reader is not None, "join first"
        await asyncio.shield(self._reader)

    async def received(self, count: int) -> list[MediaStreamTrack]:
        """Wait until this many tracks of others arrive."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.tracks) >= count)
        return list(self.tracks.values())

    async def negotiate(self) -> None:
        """Offer what the peer connection has now and take the answer."""
        async with self._negotiating:
            await self.pc.setLocalDescription(await self.pc.createOffer())
            self._offers += 1
            number = self._offers
            local = self.pc.localDescription
            await self.send(offer=rtc.SessionDescription(type="offer", sdp=local.sdp, id=number))
            answer = (await self.told("answer", lambda told: told.answer.id == number)).answer
            sdp = answer.sdp if self._media_port is None else _redirect(answer.sdp, self._media_port)
            await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    async def _read(self) -> None:
        assert self._socket is not None
        async for frame in self._socket:
            told = _parse(frame)
            if told.WhichOneof("message") == "media_sections_requirement":
                self._start(self._make_sections(told.media_sections_requirement))
            async with self._news:
                self.messages.append(told)
                self._news.notify_all()

    async def _make_sections(self, wanted: rtc.MediaSectionsRequirement) -> None:
        await self.connected()
        for _ in range(wanted.num_audios):
            self.pc.addTransceiver("audio", direction="recvonly")
        for _ in range(wanted.num_videos):
            self.pc.addTransceiver("video", direction="recvonly")
        await self.negotiate()

    def _track(self, track: MediaStreamTrack) -> None:
        self.tracks[track.id] = track
        self._start(self._tell())

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    def _start(self, work: Any) -> None:
        job = asyncio.ensure_future(work)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)


def _parse(frame: aiohttp.WSMessage) -> rtc.SignalResponse:
    """The server answers in kind: JSON to a client that wrote JSON."""
    if frame.type is aiohttp.WSMsgType.TEXT:
        return json_format.Parse(frame.data, rtc.SignalResponse(), ignore_unknown_fields=True)
    return rtc.SignalResponse.FromString(frame.data)


def _redirect(sdp: str, port: int) -> str:
    return re.sub(
        r"(a=candidate:\S+ \d+ udp \d+) \S+ \d+ ", rf"\1 127.0.0.1 {port} ", sdp, flags=re.IGNORECASE
    )
