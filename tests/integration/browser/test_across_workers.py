"""People in real browsers in one call, whose legs live on two workers of the server."""

import re
from collections.abc import Iterator

import pytest

from tests.support.eventually import eventually
from tests.support.meeting import Meeting
from tests.support.participant import CAMERA, MICROPHONE, SCREEN
from tests.support.server import Server

WORKERS = 2
PAIRS = [("chromium", "chromium"), ("chromium", "firefox")]
SWITCH_WITHIN = 2000  # ms; as on one worker


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server on which every other leg of a call goes to the other worker."""
    running = Server(tmp_path_factory.mktemp("server"))
    running.start("--workers", str(WORKERS), scattered=True)
    yield running
    assert running.stop() == 0


async def homes(meeting: Meeting) -> list[int]:
    """The worker of each leg, in the order of joining."""
    calls = (await meeting.management.debug_state())["sfu"]["calls"]
    return [leg["transport"]["worker"] for call in calls for leg in call["legs"]]


async def metric(meeting: Meeting, name: str) -> int:
    found = re.search(rf"^{re.escape(name)} (\S+)$", await meeting.management.metrics(), re.MULTILINE)
    assert found is not None, name
    return int(float(found[1]))


async def mirrors_are(meeting: Meeting, count: int) -> None:
    async def so_many() -> bool:
        return await metric(meeting, 'colloque_objects{kind="mirror"}') == count

    await eventually(so_many, within=5, what=f"{count} mirrors")


@pytest.mark.parametrize(("first", "second"), PAIRS)
async def test_two_people_see_and_hear_each_other(meeting: Meeting, first: str, second: str) -> None:
    alice = await meeting.join("alice", first)
    bob = await meeting.join("bob", second)
    await alice.publish(CAMERA, MICROPHONE)
    await bob.publish(CAMERA, MICROPHONE)
    for viewer, viewed in ((alice, "bob"), (bob, "alice")):
        await viewer.sees(viewed)
        await viewer.hears(viewed)
    assert sorted(await homes(meeting)) == [0, 1]
    await mirrors_are(meeting, 4)

    await alice.leave()
    await mirrors_are(meeting, 0)
    await bob.leave()
    assert await metric(meeting, "colloque_panics_total") == 0


async def test_a_late_joiner_sees_and_hears_those_on_both_workers(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob")
    for person in (alice, bob):
        await person.publish(CAMERA, MICROPHONE)
    await alice.sees("bob")

    carol = await meeting.join("carol")
    for there in ("alice", "bob"):
        await carol.sees(there)
        await carol.hears(there)
    assert sorted(await homes(meeting)) == [0, 0, 1]


async def test_a_late_joiner_on_the_other_worker_sees_a_screen_and_not_what_is_taken_away(
    meeting: Meeting,
) -> None:
    alice = await meeting.join("alice")
    await alice.do("screen", True, {"drawn": False})
    bob = await meeting.join("bob")
    await bob.sees("alice", SCREEN, frames=3)
    await mirrors_are(meeting, 1)
    await alice.do("unpublish", SCREEN)
    await bob.happened("trackUnpublished", identity="alice", source=SCREEN)
    await mirrors_are(meeting, 0)


async def test_muting_stops_the_media_on_the_other_worker(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob")
    await alice.publish(CAMERA, MICROPHONE)
    await bob.sees("alice")
    await bob.hears("alice")
    for source in (CAMERA, MICROPHONE):
        await alice.do(source, False)
        await bob.happened("trackMuted", identity="alice", source=source)
        await bob.stops_receiving("alice", source)
    await alice.publish(CAMERA, MICROPHONE)
    await bob.sees("alice")
    await bob.hears("alice")


async def test_each_quality_comes_over_from_the_other_worker_when_it_is_asked_for(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob")
    await alice.publish(CAMERA)
    await bob.width("alice", CAMERA, 1280)
    for quality, width in (("low", 320), ("high", 1280), ("medium", 640)):
        mark, asked_at = await bob.mark(), await bob.now()
        await bob.do("quality", "alice", CAMERA, quality)
        switched = await bob.width("alice", CAMERA, width, since=mark)
        assert switched["at"] - asked_at < SWITCH_WITHIN
    assert sorted(await homes(meeting)) == [0, 1]
