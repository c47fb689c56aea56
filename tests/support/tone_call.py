"""A small call whose every packet is watched: one person sends sound, another receives it."""

import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiortc.mediastreams import AudioStreamTrack

from tests.support.eventually import eventually
from tests.support.management import Management
from tests.support.relay import Relay, by_stream, missing
from tests.support.rtc_peer import RtcPeer
from tests.support.server import Server

_DROPPED = re.compile(r'^colloque_dropped_total\{reason="(\w+)"\} (\S+)$', re.MULTILINE)


@dataclass
class ToneCall:
    """Two people, their ways to the server, and the room API."""

    server: Server
    management: Management
    room: str
    sender: RtcPeer
    receiver: RtcPeer
    up: Relay
    down: Relay

    async def goes_on(self, packets: int = 25) -> None:
        """Wait for half a second's worth of new packets, and see that none was lost on the way there."""
        start = len(self.down.down)

        async def enough() -> bool:
            return len(self.down.down) >= start + packets

        await eventually(enough, within=5, what="the receiver gets sound")
        for stream in by_stream(self.down.down).values():
            assert missing(stream) == 0

    def check_name(self) -> str:
        """Give the USERNAME of the sender's checks: the server's ufrag and its own (RFC 8445 7.2.2)."""
        ends = self.sender.pc.remoteDescription, self.sender.pc.localDescription
        found = [re.search(r"^a=ice-ufrag:(\S+)", end.sdp, re.MULTILINE) for end in ends]
        return ":".join(ufrag[1] for ufrag in found if ufrag)

    async def dropped(self) -> Counter[str]:
        """Give how many datagrams were dropped so far, by reason."""
        text = await self.management.metrics()
        return Counter({reason: int(float(count)) for reason, count in _DROPPED.findall(text)})


@contextlib.asynccontextmanager
async def tone_call(server: Server) -> AsyncIterator[ToneCall]:
    """Set the call up and wait until sound flows."""
    port = server.ports.udp
    async with Management(server) as management, RtcPeer() as sender, RtcPeer() as receiver:
        room = await management.room()
        with Relay(port) as up, Relay(port) as down:
            await sender.join(server.ws_url, await management.token(room, "sender"), media_port=up.port)
            await receiver.join(server.ws_url, await management.token(room, "receiver"), media_port=down.port)
            await sender.publish(AudioStreamTrack())
            await receiver.received(1)
            call = ToneCall(server, management, room, sender, receiver, up, down)
            await call.goes_on()
            yield call
