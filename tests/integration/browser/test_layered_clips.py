"""Clips in layers in a browser: what the load tester and the server say of them holds."""

import asyncio
from collections.abc import Iterator

import pytest

from loadtest.engine import run
from loadtest.plan import Codec, PersonPlan, RunPlan, VideoPlan
from tests.support.eventually import eventually
from tests.support.meeting import Meeting
from tests.support.participant import CAMERA, Participant

pytestmark = pytest.mark.slow

SPEAKER = "speaker"
FPS = 30
STRETCH = 2.0  # s
SIZES = ((160, 90, 60), (320, 180, 150), (640, 360, 500))


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Make clips in a folder of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.mark.parametrize("codec", ["vp9", "av1"])
@pytest.mark.parametrize("dependencies", [False, True], ids=["by-payload", "by-extension"])
async def test_a_browser_decodes_every_picture_of_the_layers_it_asks_for(
    meeting: Meeting, codec: Codec, dependencies: bool
) -> None:
    running = asyncio.ensure_future(run(_plan(meeting, codec, seconds=25.0)))
    try:
        bob = await meeting.join("bob", dependencies=dependencies)
        stream = await bob.sees(SPEAKER, frames=10, within=15)
        assert stream["mimeType"].lower() == f"video/{codec}"
        assert (stream["frameWidth"], stream["frameHeight"]) == (640, 360)
        assert await bob.do("receivesDependencies") is dependencies
        # Up again at the end: nothing that was left out may be needed.
        for wanted, fps in ((7, FPS / 4), (15, FPS / 2), (7, FPS / 4), (FPS, FPS)):
            await bob.do("rate", SPEAKER, CAMERA, wanted)
            await _shows(bob, fps)
        after = await bob.receiving(SPEAKER, CAMERA)
        assert after is not None
        assert (after["freezeCount"], after["pliCount"]) == (0, stream["pliCount"])
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _plan(meeting: Meeting, codec: Codec, seconds: float) -> RunPlan:
    sizes = SIZES if codec == "vp9" else SIZES[-1:]
    video = VideoPlan(frames_per_second=FPS, encodings=sizes, codec=codec, source="clip")
    token = meeting.management.foreign_token(meeting.room, SPEAKER)
    speaker = PersonPlan(meeting.room, SPEAKER, token, 0.0, None, video=video)
    return RunPlan(meeting.server.ws_url, (speaker,), warm_up_seconds=1.0, seconds=seconds, seed=1)


async def _shows(bob: Participant, fps: float) -> None:
    """Wait for a stretch with as many pictures as that, all of them decoded."""

    async def decoded() -> tuple[int, int]:
        stream = await bob.receiving(SPEAKER, CAMERA)
        assert stream is not None
        return stream["framesDecoded"], stream["framesReceived"]

    async def as_many() -> bool:
        before = await decoded()
        await asyncio.sleep(STRETCH)
        after = await decoded()
        shown, came = (new - old for new, old in zip(after, before, strict=True))
        return abs(shown - came) <= 2 and shown == pytest.approx(fps * STRETCH, abs=2 + fps * 0.1)

    await eventually(as_many, within=10, what=f"{fps} pictures a second are decoded")
