"""A connection test as the page does it, made of aiortc: an independent WebRTC stack at the client's end.

Started with the URL of the server, a token and the seconds that a line may take to come up, it tries every
way that the server names, each by itself, and prints what came of each as JSON.
"""

import asyncio
import json
import math
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Self, TypeVar

import aiohttp
import av
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import VideoStreamTrack
from aiortc.rtcconfiguration import RTCIceTransportPolicy

PATIENCE = 8.0  # seconds, for every single step
GREY = 190
_RATE, _SAMPLES = 48_000, 960
T = TypeVar("T")


class Tone(MediaStreamTrack):
    """A sound that nothing else makes."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._sent = 0
        self._begun: float | None = None

    async def recv(self) -> av.AudioFrame:
        loop = asyncio.get_running_loop()
        self._begun = self._begun or loop.time()
        await asyncio.sleep(max(0.0, self._begun + self._sent / _RATE - loop.time()))
        frame = av.AudioFrame(format="s16", layout="mono", samples=_SAMPLES)
        wave = (int(12_000 * math.sin(2 * math.pi * 440 * (self._sent + n) / _RATE)) for n in range(_SAMPLES))
        frame.planes[0].update(b"".join(value.to_bytes(2, "little", signed=True) for value in wave))
        frame.pts, frame.sample_rate, frame.time_base = self._sent, _RATE, Fraction(1, _RATE)
        self._sent += _SAMPLES
        return frame


class Grey(VideoStreamTrack):
    """A picture of one grey value."""

    async def recv(self) -> av.VideoFrame:
        pts, time_base = await self.next_timestamp()
        frame = av.VideoFrame(160, 120, "yuv420p")
        for plane, value in zip(frame.planes, (GREY, 128, 128), strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts, frame.time_base = pts, Fraction(time_base)
        return frame


class Prober:
    """One connection to the channel. Use as an async context manager."""

    def __init__(self, url: str) -> None:
        """Connect to the server at this URL."""
        self._url = url
        self.heard: list[dict[str, Any]] = []
        self.closed: int | None = None
        self._news = asyncio.Condition()
        self._http = aiohttp.ClientSession()
        self._legs: list[EchoLeg] = []

    async def __aenter__(self) -> Self:
        """Connect; nothing is said yet."""
        try:
            self.socket = await self._http.ws_connect(f"{self._url}/probe")
        except BaseException:
            await self._http.close()
            raise
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Go without a word."""
        await self.socket.close()
        await self._reader
        for leg in self._legs:
            await leg.pc.close()
        await self._http.close()

    async def say(self, **message: Any) -> None:
        """Send a message."""
        await self.socket.send_str(json.dumps(message))

    async def hello(self, token: str) -> dict[str, Any]:
        """Say which test it is; give the answer."""
        await self.say(type="hello", v=1, token=token)
        return await self.hears(lambda one: one["type"] in {"ready", "refused"})

    async def hears(self, wanted: Callable[[dict[str, Any]], bool], *, since: int = 0) -> dict[str, Any]:
        """Give the first message of this kind, from number `since` on; wait for it."""
        async with asyncio.timeout(PATIENCE), self._news:
            while True:
                for one in self.heard[since:]:
                    if wanted(one):
                        return one
                assert self.closed is None, f"closed with {self.closed}: {self.heard}"
                await self._news.wait()

    async def ask(self, answer: str, **message: Any) -> dict[str, Any]:
        """Say something and give what comes of it: an answer of this type, or an error."""
        since = len(self.heard)
        await self.say(**message)
        of = message.get("leg")
        return await self.hears(
            lambda one: one["type"] in {answer, "error"} and one.get("leg") == of, since=since
        )

    async def ends(self) -> int | None:
        """Wait for the end, and give the code of the close."""
        async with asyncio.timeout(PATIENCE):
            await self._reader
        return self.closed

    async def leg(self, name: str, path: dict[str, Any]) -> "EchoLeg":
        """Begin a leg over this way alone; it is up when this returns."""
        leg = EchoLeg(self, name, path)
        self._legs.append(leg)
        await leg.begin()
        return leg

    async def _read(self) -> None:
        async for message in self.socket:
            async with self._news:
                self.heard.append(json.loads(message.data))
                self._news.notify_all()
        async with self._news:
            self.closed = self.socket.close_code or 0
            self._news.notify_all()


class EchoLeg:
    """One leg: sends a tone and a grey picture, and gets them back."""

    def __init__(self, prober: Prober, name: str, path: dict[str, Any]) -> None:
        """Take the way to try, as `ready` names it."""
        servers = [RTCIceServer(**one) for one in path["ice_servers"]]
        policy = RTCIceTransportPolicy.RELAY if path["policy"] == "relay" else RTCIceTransportPolicy.ALL
        self.pc = RTCPeerConnection(RTCConfiguration(servers, iceTransportPolicy=policy))
        self._tester = prober
        self.name = name
        self._mids: dict[str, str] = {}
        self._back: dict[str, MediaStreamTrack] = {}
        self._up = asyncio.Event()
        self.pc.on("track", self._arrives)
        self.pc.on("connectionstatechange", self._note_state)

    async def begin(self) -> None:
        """Offer, and wait until both ends say that the line is up."""
        self.pc.addTrack(Tone())
        self.pc.addTrack(Grey())
        for one in self.pc.getTransceivers():
            one.direction = "sendonly"
        await self._negotiate()
        await self._tester.hears(lambda one: one["type"] == "connected" and one["leg"] == self.name)
        await asyncio.wait_for(self._up.wait(), PATIENCE)

    async def make_room(self) -> None:
        """Offer again as the server wants it, with sections for what comes back."""
        wanted = await self._tester.hears(
            lambda one: one["type"] == "offer_wanted" and one["leg"] == self.name
        )
        # aiortc never starts a receiver that was negotiated while DTLS was under way, so they come now.
        for kind in ("audio", "video"):
            for _ in range(wanted[kind]):
                self.pc.addTransceiver(kind, direction="recvonly")
        await self._negotiate()

    async def picture(self) -> int:
        """Give the grey of the next picture that comes back."""
        frame: Any = await asyncio.wait_for(self._back["video"].recv(), PATIENCE)
        return int(bytes(frame.planes[0])[frame.planes[0].line_size * 60 + 80])

    async def loudness(self) -> int:
        """Give the loudest sample of a second of the sound that comes back."""
        loudest = 0
        for _ in range(50):
            frame: Any = await asyncio.wait_for(self._back["audio"].recv(), PATIENCE)
            loudest = max(loudest, int(abs(frame.to_ndarray()).max()))
        return loudest

    async def figures(self) -> dict[str, Any]:
        """Ask the server for its figures."""
        return await self._tester.ask("figures", type="figures", leg=self.name)

    async def reported(self) -> dict[str, Any] | None:
        """Give the figures once they hold what reports have to bring."""
        told = await self.figures()
        return None if None in (told["rtt_ms"], told["jitter_up_ms"]) else told

    async def counted(self) -> dict[str, int]:
        """Give the packets and bytes that aiortc sent, and the packets that it received."""
        stats = (await self.pc.getStats()).values()
        sent = [one for one in stats if one.type == "outbound-rtp"]
        received = [one for one in stats if one.type == "inbound-rtp"]
        return {
            "packets_up": sum(one.packetsSent for one in sent),
            "bytes_up": sum(one.bytesSent for one in sent),
            "packets_down": sum(one.packetsReceived for one in received),
        }

    async def _negotiate(self) -> None:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        if not self._mids:
            self._mids = {one.kind: str(one.mid) for one in self.pc.getTransceivers()}
        offer = self.pc.localDescription.sdp
        answer = await self._tester.ask("answer", type="offer", leg=self.name, sdp=offer, **self._mids)
        assert answer["type"] == "answer", answer
        await self.pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))

    def _note_state(self) -> None:
        if self.pc.connectionState == "connected":
            self._up.set()

    def _arrives(self, track: MediaStreamTrack) -> None:
        self._back[track.kind] = track


async def attempt(prober: Prober, number: int, path: dict[str, Any], within: float) -> dict[str, Any]:
    """Try one way, whose line has so many seconds to come up, and say what came of it."""
    found: dict[str, Any] = {"name": path["name"], "port": path["port"]}
    try:
        async with asyncio.timeout(within):
            leg = await prober.leg(f"leg-{number}", path)
        await leg.make_room()
        found |= {"picture": await leg.picture(), "loudness": await leg.loudness()}
        found["figures"] = await leg.figures()
    except Exception as error:
        found["error"] = f"{type(error).__name__} {error}"
    await prober.say(type="hang_up", leg=f"leg-{number}")
    return found


async def main(url: str, token: str, within: str) -> None:
    """Do a test in which each line has so many seconds to come up."""
    async with Prober(url) as prober:
        ready = await prober.hello(token)
        found = []
        for number, path in enumerate(ready["paths"]):
            found.append(await attempt(prober, number, path, float(within)))
        await prober.say(type="bye")
        await prober.ends()
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
