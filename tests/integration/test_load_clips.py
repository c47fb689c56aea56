"""Synthetic people who send pictures that an encoder made, in a call on the real server."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from loadtest.engine import run
from loadtest.plan import Codec, PersonPlan, RunPlan, VideoPlan
from loadtest.results import EngineResult
from tests.support.management import Management
from tests.support.rtc_peer import RtcPeer

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ENCODINGS = ((160, 90, 60), (320, 180, 150))


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make clips in a folder of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


def plan_of(management: Management, room: str, codec: Codec, viewers: int, seconds: float) -> RunPlan:
    encodings = ENCODINGS[1:] if codec == "av1" else ENCODINGS
    video = VideoPlan(encodings=encodings, codec=codec, source="clip")
    names = ["speaker", *(f"viewer-{n}" for n in range(viewers))]
    people = tuple(
        PersonPlan(
            room,
            name,
            management.foreign_token(room, name),
            0.0,
            None,
            video=video if name == "speaker" else None,
        )
        for name in names
    )
    return RunPlan(management.server.ws_url, people, warm_up_seconds=1.0, seconds=seconds, seed=1)


@pytest.mark.parametrize("codec", get_args(Codec))
async def test_every_payload_of_a_clip_arrives_whole(management: Management, codec: Codec) -> None:
    result: EngineResult = await run(plan_of(management, await management.room(), codec, 2, 3.0))
    assert [join.error for join in result.joins] == [None] * 3
    assert (result.packets_lost, result.payload_errors) == (0, 0)
    assert result.payloads_checked == result.packets_received
    # The last packet of each picture tells the time.
    assert sum(result.latency.counts) == pytest.approx(2 * 3.0 * 30, rel=0.05)
    assert result.layer_seconds["low" if codec == "av1" else "medium"] == pytest.approx(2 * 3.0, rel=0.1)
    bits = sum(one.bytes_received for one in result.seconds if one.at > 1.5) * 8 / 1000
    # Of VP9 both sizes come, in one stream.
    assert bits == pytest.approx(2 * 3.0 * (60 + 150 if codec == "vp9" else 150), rel=0.35)


@pytest.mark.parametrize("codec", ["vp8", "h264"])
async def test_who_decodes_sees_the_clip(management: Management, codec: Codec) -> None:
    room = await management.room()
    running = asyncio.ensure_future(run(plan_of(management, room, codec, 0, 8.0)))
    try:
        async with RtcPeer() as peer, asyncio.timeout(20):
            await peer.join(management.server.ws_url, management.foreign_token(room, "who-decodes"))
            (track,) = await peer.received(1)
            frames = [await track.recv() for _ in range(60)]
    finally:
        await running
    sizes = [(frame.width, frame.height) for frame in frames]  # type: ignore[union-attr]
    assert sizes[-1] == (320, 180)
    # It moves, and it is no grey surface.
    first, last = (bytes(frame.planes[0]) for frame in (frames[-30], frames[-1]))  # type: ignore[union-attr]
    assert first != last
    assert len(set(last)) > 100
