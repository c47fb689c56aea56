"""The packet core alone, through its Python face: aiortc peers on real sockets, without signalling."""

import asyncio
import errno
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aioice.ice
import pytest
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack
from av import VideoFrame

from sfu import _core
from tests.support.eventually import eventually

LOOPBACK = [("127.0.0.1", "127.0.0.1")]
VIDEO_SSRC, VIDEO_RTX_SSRC, AUDIO_SSRC = 0x1001, 0x1002, 0x1003
FEEDBACK = ("nack", "nack pli", "goog-remb")

Found = TypeVar("Found")


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything stays on loopback, which aioice leaves out of its own accord."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda **_: ["127.0.0.1"])


@pytest.mark.parametrize("busy_poll_us", [0, 200])
async def test_picture_sound_and_data_go_from_one_peer_to_another_through_the_core(busy_poll_us: int) -> None:
    async with core(busy_poll_us=busy_poll_us) as (running, events):
        sender, receiver = Peer(running), Peer(running)
        try:
            sender.pc.addTrack(AudioStreamTrack())
            sender.pc.addTrack(VideoStreamTrack())
            chat = sender.pc.createDataChannel("chat")
            offer = await sender.connect()
            up = {
                section.kind: sender.publish(section)
                for section in offer.media
                if section.kind != "application"
            }
            connected = await events.first(_core.TransportConnected)
            assert (connected.transport, connected.path) == (sender.transport, "udp")
            assert connected.srtp_profile in {"AEAD_AES_256_GCM", "AEAD_AES_128_GCM", "AES128_CM_SHA1_80"}

            receiver.pc.addTransceiver("audio", direction="recvonly")
            receiver.pc.addTransceiver("video", direction="recvonly")
            arrived: list[MediaStreamTrack] = []
            receiver.pc.on("track", arrived.append)
            for section in (await receiver.connect()).media:
                receiver.subscribe(section, up[section.kind])
            await events.first(_core.TransportConnected, lambda event: event.transport == receiver.transport)

            pictures = next(track for track in arrived if track.kind == "video")
            sounds = next(track for track in arrived if track.kind == "audio")
            picture = await pictures.recv()
            assert isinstance(picture, VideoFrame)
            assert (picture.width, picture.height) == (640, 480)
            for _ in range(10):
                await asyncio.gather(pictures.recv(), sounds.recv())
            started = {event.track for event in events.every(_core.TrackStarted)}
            assert started == {up["audio"], up["video"]}

            opened = await events.first(_core.DataChannelOpened)
            assert opened.label == "chat"
            chat.send("bonjour")
            message = await events.first(_core.DataReceived)
            assert (message.payload, message.binary) == (b"bonjour", False)
            answers: asyncio.Queue[object] = asyncio.Queue()
            chat.on("message", answers.put_nowait)
            running.send_data(sender.transport, opened.channel, True, b"\0salut")
            assert await answers.get() == b"\0salut"

            counts = cells(running)
            assert counts["transports"] == counts["subscriptions"] == 2
            assert counts["video_down"] > 0
            assert counts["panics"] == 0
            assert json.loads(running.debug_state())[0]["transports"] == 2
        finally:
            await sender.pc.close()
            await receiver.pc.close()
        gone = await events.first(_core.TransportFailed)
        assert gone.reason == "closed_by_peer"


async def test_a_peer_with_another_certificate_than_it_described_is_refused() -> None:
    async with core() as (running, events):
        peer = Peer(running, fingerprints=[bytes(32)])
        try:
            peer.pc.createDataChannel("chat")
            await peer.connect()
            assert (await events.first(_core.TransportFailed)).reason == "fingerprint_mismatch"
        finally:
            await peer.pc.close()


async def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as owner:
        owner.bind(("127.0.0.1", 0))
        port = owner.getsockname()[1]
        late = _core.Core(udp_port=port, addresses=LOOPBACK)
        with pytest.raises(OSError, match=f"127.0.0.1:{port}") as refused:
            late.start()
        assert refused.value.errno == errno.EADDRINUSE
        late.stop()


async def test_two_cores_cannot_share_a_port() -> None:
    async with core() as (running, _):
        (_, port) = running.candidates[0]
        with pytest.raises(OSError, match=str(port)):
            _core.Core(udp_port=port, addresses=LOOPBACK).start()


async def test_pairs_with_the_same_interface_share_a_port() -> None:
    pairs = [("127.0.0.1", "127.0.0.1"), ("127.0.0.1", "192.0.2.7"), ("127.0.0.2", "127.0.0.2")]
    async with core(pairs) as (running, _):
        first, second, third = running.candidates
        assert [address for address, _ in running.candidates] == ["127.0.0.1", "192.0.2.7", "127.0.0.2"]
        assert first[1] == second[1]
        await strangers_are_dropped(running, first)
        await strangers_are_dropped(running, third)


async def test_both_families_are_served_side_by_side() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
    async with core([("127.0.0.1", "127.0.0.1"), ("::1", "::1")]) as (running, _):
        for candidate in running.candidates:
            await strangers_are_dropped(running, candidate)


async def test_ids_are_not_given_out_twice_and_a_full_table_says_so() -> None:
    running = _core.Core(udp_port=0, addresses=LOOPBACK, max_transports=2)
    running.start()
    try:
        first, second = (running.add_transport(0, f"0leg{n}", "p" * 22) for n in range(2))
        with pytest.raises(_core.CoreBusy, match="transports"):
            running.add_transport(0, "0leg2", "p" * 22)
        running.close_transport(first)
        running.close_transport(first)
        third = running.add_transport(0, "0leg3", "p" * 22)
        assert len({first, second, third}) == 3
    finally:
        running.stop()


async def test_stopping_is_quick_and_can_be_done_twice() -> None:
    async with core() as (running, _):
        loop = asyncio.get_running_loop()
        before = loop.time()
        running.stop()
        running.stop()
        assert loop.time() - before < 0.5
        running.close_transport(1)  # nobody listens any more, and nobody minds


async def strangers_are_dropped(running: _core.Core, candidate: tuple[str, int]) -> None:
    """Send a datagram that is too long and one that is too short, and wait until both are counted."""
    before = drops(running)
    family = socket.AF_INET6 if ":" in candidate[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"\xff" * 2100, candidate)
        stranger.sendto(b"", candidate)

    async def counted() -> bool:
        after = drops(running)
        return all(after[reason] == before[reason] + 1 for reason in ("too_long", "too_short"))

    await eventually(counted)


class Events:
    """Everything that a core has said, and what it says next."""

    def __init__(self, running: _core.Core) -> None:
        self._running = running
        self._heard: list[_core.Event] = []
        self._news = asyncio.Event()

    def take(self) -> None:
        self._heard.extend(self._running.drain())
        self._news.set()

    def every(self, kind: type[Found]) -> Iterator[Found]:
        return (event for event in self._heard if isinstance(event, kind))

    async def first(self, kind: type[Found], match: Callable[[Found], bool] = lambda _: True) -> Found:
        async with asyncio.timeout(15):
            while not (found := [event for event in self.every(kind) if match(event)]):
                self._news.clear()
                await self._news.wait()
        return found[0]


@asynccontextmanager
async def core(
    addresses: Sequence[tuple[str, str]] = LOOPBACK, *, busy_poll_us: int = 0
) -> AsyncIterator[tuple[_core.Core, Events]]:
    running = _core.Core(udp_port=0, addresses=addresses, busy_poll_us=busy_poll_us)
    running.start()
    events = Events(running)
    loop = asyncio.get_running_loop()
    loop.add_reader(running.fileno(), events.take)
    try:
        yield running, events
    finally:
        loop.remove_reader(running.fileno())
        running.stop()


class Peer:
    """An aiortc connection and the transport that answers it."""

    _made = 0

    def __init__(self, running: _core.Core, fingerprints: list[bytes] | None = None) -> None:
        Peer._made += 1
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._running = running
        self._fingerprints = fingerprints
        self._ufrag, self._pwd = f"0peer{Peer._made}", "secretsecretsecretsecret"
        self.transport = running.add_transport(0, self._ufrag, self._pwd)

    async def connect(self) -> _core.SessionDescription:
        """Describe both ends to each other; give the peer's description."""
        await self.pc.setLocalDescription(await self.pc.createOffer())
        offer = _core.parse_sdp(self.pc.localDescription.sdp)
        first = offer.media[0]
        assert first.ufrag
        assert first.pwd
        digests = [digest for name, digest in first.fingerprints if name == "sha-256"]
        known = {
            uri: number for s in offer.media for number, uri, _ in s.extensions if uri in _core.EXTENSION_URIS
        }
        self._running.set_remote(
            self.transport,
            ufrag=first.ufrag,
            pwd=first.pwd,
            fingerprints=self._fingerprints or digests,
            extensions=list(known.items()),
            sctp_port=next((s.sctp_port for s in offer.media if s.sctp_port), None),
            max_message_size=65536,
        )
        answer = "\r\n".join(
            [*self._session(offer), *(line for s in offer.media for line in self._section(s))]
        )
        await self.pc.setRemoteDescription(RTCSessionDescription(answer + "\r\n", "answer"))
        return offer

    def publish(self, section: _core.MediaSection) -> int:
        """Expect what the peer sends in a section."""
        ssrc = section.ssrcs[0][0]
        rtx = next((ssrcs[1] for semantics, ssrcs in section.ssrc_groups if semantics == "FID"), None)
        pt, rtx_pt = _payload_types(section)
        codec = "opus" if section.kind == "audio" else "vp8"
        payload = _core.Payload(
            pt, codec, 48000 if codec == "opus" else 90000, rtx_pt=rtx_pt, nack=True, pli=True
        )
        kind: Any = section.kind
        return self._running.add_track(
            self.transport,
            kind=kind,
            mid=section.mid or "",
            payloads=[payload],
            encodings=[(None, ssrc, rtx)],
        )

    def subscribe(self, section: _core.MediaSection, track: int) -> int:
        """Deliver a track in a section."""
        pt, rtx_pt = _payload_types(section)
        video = section.kind == "video"
        return self._running.subscribe(
            track,
            self.transport,
            mid=section.mid or "",
            ssrc=VIDEO_SSRC if video else AUDIO_SSRC,
            rtx_ssrc=VIDEO_RTX_SSRC if video else None,
            payloads=[(pt, pt, rtx_pt, False)],  # aiortc gives a codec the same number in every offer
            encoding=0,
        )

    def _session(self, offer: _core.SessionDescription) -> list[str]:
        bundle = " ".join(section.mid or "" for section in offer.media)
        return ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=ice-lite", f"a=group:BUNDLE {bundle}"]

    def _section(self, section: _core.MediaSection) -> Iterator[str]:
        address, port = self._running.candidates[0]
        pt, rtx_pt = _payload_types(section) if section.kind != "application" else (0, None)
        formats = (
            "webrtc-datachannel"
            if section.kind == "application"
            else " ".join(map(str, filter(None, [pt, rtx_pt])))
        )
        yield f"m={section.kind} {port} {section.protocol} {formats}"
        yield f"c=IN IP4 {address}"
        yield f"a=mid:{section.mid}"
        yield f"a=ice-ufrag:{self._ufrag}"
        yield f"a=ice-pwd:{self._pwd}"
        yield f"a=fingerprint:sha-256 {self._running.fingerprint}"
        yield "a=setup:passive"
        yield f"a=candidate:1 1 udp 2130706431 {address} {port} typ host"
        yield "a=end-of-candidates"
        if section.kind == "application":
            yield f"a=sctp-port:{section.sctp_port}"
            return
        sends = section.direction == "recvonly"
        yield "a=rtcp-mux"
        yield "a=sendonly" if sends else "a=recvonly"
        for payload in section.payloads:
            if payload.pt in (pt, rtx_pt):
                channels = "/2" if payload.channels == 2 else ""
                yield f"a=rtpmap:{payload.pt} {payload.name}/{payload.clock_rate}{channels}"
                if payload.fmtp:
                    yield f"a=fmtp:{payload.pt} {payload.fmtp}"
                yield from (f"a=rtcp-fb:{payload.pt} {line}" for line in payload.feedback if line in FEEDBACK)
        yield from (f"a=extmap:{n} {uri}" for n, uri, _ in section.extensions if uri in _core.EXTENSION_URIS)
        if sends:
            ssrc = VIDEO_SSRC if section.kind == "video" else AUDIO_SSRC
            yield "a=msid:stream track"
            yield f"a=ssrc:{ssrc} cname:core"
            if section.kind == "video":
                yield f"a=ssrc-group:FID {ssrc} {VIDEO_RTX_SSRC}"
                yield f"a=ssrc:{VIDEO_RTX_SSRC} cname:core"


def _payload_types(section: _core.MediaSection) -> tuple[int, int | None]:
    """Opus, or VP8 and its retransmission."""
    wanted = "opus" if section.kind == "audio" else "VP8"
    pt = next(payload.pt for payload in section.payloads if payload.name == wanted)
    return pt, next((p.pt for p in section.payloads if p.name == "rtx" and p.fmtp == f"apt={pt}"), None)


def cells(running: _core.Core) -> dict[str, int]:
    return _numbers(running)[0]


def drops(running: _core.Core) -> dict[str, int]:
    return _numbers(running)[1]


def _numbers(running: _core.Core) -> tuple[dict[str, int], dict[str, int]]:
    layout, raw = _core.Core.snapshot_layout(), running.snapshot()
    legs, *numbers = struct.unpack(f"<{len(raw) // 8}Q", raw)
    counted = len(layout["cells"])
    assert len(numbers) == counted + len(layout["drops"]) + legs * len(layout["legs"])
    return (
        dict(zip(layout["cells"], numbers, strict=False)),
        dict(zip(layout["drops"], numbers[counted:], strict=False)),
    )
