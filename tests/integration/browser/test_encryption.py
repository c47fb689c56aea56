"""Frames that are encrypted end to end pass the server untouched."""

import pytest

from tests.support.meeting import Meeting
from tests.support.participant import CAMERA, MICROPHONE


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
async def test_who_has_the_key_sees_and_hears(meeting: Meeting, browser: str) -> None:
    alice = await meeting.join("alice", e2eeKey="between us")
    bob = await meeting.join("bob", browser, e2eeKey="between us")
    await alice.publish(CAMERA, MICROPHONE)
    await bob.sees("alice")
    await bob.hears("alice")


async def test_who_has_another_key_sees_nothing(meeting: Meeting) -> None:
    alice = await meeting.join("alice", e2eeKey="between us")
    bob = await meeting.join("bob", e2eeKey="between us")
    stranger = await meeting.join("stranger", e2eeKey="a guess")
    await alice.publish(CAMERA)
    await bob.sees("alice", frames=20)
    stream = await stranger.receiving("alice", CAMERA)
    assert stream is not None
    assert stream["packetsReceived"] > 0
    assert stream["framesDecoded"] == 0
