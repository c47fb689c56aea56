"""Three encodings of one camera: each subscriber gets the one asked for, and switching is not seen."""

import pytest

from tests.support.eventually import eventually
from tests.support.meeting import Meeting
from tests.support.participant import CAMERA, Participant

WIDTHS = {"low": 320, "medium": 640, "high": 1280}
SWITCH_WITHIN = 2000  # ms; a key frame has to be asked for, made and decoded on a busy machine
LONGEST_GAP = 500  # ms between two pictures while switching; a freeze would be longer


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
async def test_a_subscriber_gets_the_quality_it_asks_for_without_a_freeze(
    meeting: Meeting, browser: str
) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob", browser)
    await alice.publish(CAMERA)
    await _three_encodings_flow(alice)
    await bob.width("alice", CAMERA, WIDTHS["high"])
    start = await bob.now()

    for quality in ("low", "high", "medium", "high"):
        mark, asked_at = await bob.mark(), await bob.now()
        await bob.do("quality", "alice", CAMERA, quality)
        switched = await bob.width("alice", CAMERA, WIDTHS[quality], since=mark)
        assert switched["at"] - asked_at < SWITCH_WITHIN
    assert await bob.longest_gap("alice", CAMERA, start) < LONGEST_GAP
    assert len(await bob.journal("trackSubscribed")) == 1


async def test_two_subscribers_get_different_qualities_of_one_camera(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    await alice.publish(CAMERA)
    await _three_encodings_flow(alice)
    bob = await meeting.join("bob")
    carol = await meeting.join("carol")
    await bob.sees("alice")
    await carol.sees("alice")

    await bob.do("quality", "alice", CAMERA, "low")
    await carol.do("quality", "alice", CAMERA, "high")
    await bob.width("alice", CAMERA, WIDTHS["low"])
    await carol.width("alice", CAMERA, WIDTHS["high"])
    assert (await bob.sees("alice"))["frameWidth"] == WIDTHS["low"]
    assert (await carol.sees("alice"))["frameWidth"] == WIDTHS["high"]


async def test_a_switch_loses_no_picture(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob")
    await alice.publish(CAMERA)
    await _three_encodings_flow(alice)
    await bob.width("alice", CAMERA, WIDTHS["high"])
    for quality in ("low", "high", "low", "high"):
        mark = await bob.mark()
        await bob.do("quality", "alice", CAMERA, quality)
        await bob.width("alice", CAMERA, WIDTHS[quality], since=mark)
    stream = await bob.sees("alice")
    assert stream["packetsLost"] == 0
    assert stream["freezeCount"] == 0


async def _three_encodings_flow(publisher: Participant) -> None:
    async def all_sent() -> bool:
        encodings = await publisher.do("sending", CAMERA)
        return len(encodings) == 3 and all(encoding.get("framesSent", 0) > 0 for encoding in encodings)

    await eventually(all_sent, within=10, what="three encodings are sent")
