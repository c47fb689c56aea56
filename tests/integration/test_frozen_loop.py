"""When Python stands still for two seconds, media does not."""

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from tests.support.eventually import eventually
from tests.support.freezable import SECONDS
from tests.support.management import Management
from tests.support.relay import Relay, Seen, by_stream, missing
from tests.support.rtc_peer import RtcPeer
from tests.support.server import Server

LONGEST_DELAY = 0.020  # seconds from the moment a packet went in until the kernel saw it come out
ENOUGH = 50  # packets of each stream before and after, so that the freeze lies well inside


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2], ids=["one worker", "from worker to worker"])
async def test_no_packet_is_lost_or_late_while_python_stands_still(tmp_path: Path, workers: int) -> None:
    server = Server(tmp_path)
    server.start("--workers", str(workers), freezable=True, scattered=workers > 1)
    try:
        sent, received, froze_at = await _call_with_a_freeze(server, workers)
    finally:
        server.stop()

    assert len(received) == len(sent) == 2
    for stream in received.values():
        during = [packet for packet in stream if froze_at < packet.at < froze_at + SECONDS]
        assert len(during) > ENOUGH
        assert missing(stream) == 0
    for source, stream in zip(_by_rate(sent), _by_rate(received), strict=True):
        assert max(_delays(source, stream)) < LONGEST_DELAY


async def _call_with_a_freeze(
    server: Server, workers: int
) -> tuple[dict[int, list[Seen]], dict[int, list[Seen]], float]:
    ws_url, udp_port = server.ws_url, server.ports.udp
    async with Management(server) as management, RtcPeer() as alice, RtcPeer() as bob:
        room = await management.room()
        with Relay(udp_port) as up, Relay(udp_port) as down:
            await alice.join(ws_url, await management.token(room, "alice"), media_port=up.port)
            await bob.join(ws_url, await management.token(room, "bob"), media_port=down.port)
            await alice.publish(AudioStreamTrack())
            await alice.publish(VideoStreamTrack())
            await bob.received(2)
            await _more(down, ENOUGH)
            homes = [leg["transport"]["worker"] for leg in await _legs(management)]
            assert len(set(homes)) == workers

            start_up, start_down = len(up.up), len(down.down)
            os.kill(server.pid, signal.SIGUSR2)
            froze_at = time.time()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(management.debug_state(), SECONDS - 0.5)
            await management.debug_state()  # Python is back
            await _more(down, ENOUGH)
            return by_stream(up.up[start_up:]), by_stream(down.down[start_down:]), froze_at


async def _legs(management: Management) -> list[dict[str, Any]]:
    (call,) = (await management.debug_state())["sfu"]["calls"]
    return list(call["legs"])


async def _more(relay: Relay, packets: int) -> None:
    start = {ssrc: len(stream) for ssrc, stream in by_stream(relay.down).items()}

    async def enough() -> bool:
        streams = by_stream(relay.down)
        return len(streams) >= 2 and all(
            len(stream) - start.get(ssrc, 0) >= packets for ssrc, stream in streams.items()
        )

    await eventually(enough, within=10, what=f"{packets} more packets of each stream")


def _by_rate(streams: dict[int, list[Seen]]) -> list[list[Seen]]:
    return sorted(streams.values(), key=len)


def _delays(sent: list[Seen], received: list[Seen]) -> list[float]:
    """Pair each packet with itself: the closest pairing in which nothing comes out before it went in."""
    for shift in range(-len(sent), len(received)):
        pairs = list(zip(sent[max(0, -shift) :], received[max(0, shift) :], strict=False))
        delays = [later.at - earlier.at for earlier, later in pairs]
        if len(delays) > 2 * ENOUGH and min(delays) > 0:
            return delays
    raise AssertionError("what came out is not what went in")
