"""The unmodified Python client SDK and real browsers in one call."""

import json

import pytest

from tests.support.meeting import Meeting
from tests.support.participant import CAMERA, MICROPHONE
from tests.support.sdk import SdkParticipant

BROWSERS = ["chromium", "firefox"]


@pytest.mark.parametrize("browser", BROWSERS)
async def test_the_python_sdk_and_a_browser_see_and_hear_each_other(meeting: Meeting, browser: str) -> None:
    alice = await meeting.join("alice", browser)
    async with SdkParticipant() as robot:
        await robot.join(meeting.server.ws_url, await meeting.token("robot"))
        # Before there are pictures to receive: the SDK loses their sink in about one of ten first cameras
        # published among them (docs/negotiation.md).
        await robot.publish()
        await alice.publish(CAMERA, MICROPHONE)
        await robot.sees("alice")
        await robot.hears("alice")
        await alice.sees("robot")
        await alice.hears("robot")


@pytest.mark.parametrize("browser", BROWSERS)
async def test_data_goes_both_ways_between_the_python_sdk_and_a_browser(
    meeting: Meeting, browser: str
) -> None:
    alice = await meeting.join("alice", browser)
    async with SdkParticipant() as robot:
        await robot.join(meeting.server.ws_url, await meeting.token("robot"))
        # Data comes by another way than who is there, and clients name only those whom they know.
        await alice.happened("participantConnected", identity="robot")
        await robot.room.local_participant.publish_data(json.dumps({"n": 1}), reliable=True, topic="t")
        await alice.happened("dataReceived", text='{"n": 1}', identity="robot", topic="t")
        await alice.do("sendData", "back", {"to": ["robot"]})
        packet = await robot.data.get()
        assert packet.data == b"back"
        assert packet.participant is not None
        assert packet.participant.identity == "alice"


async def test_the_python_sdk_is_told_that_it_was_removed(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    async with SdkParticipant() as robot:
        await robot.join(meeting.server.ws_url, await meeting.token("robot"))
        await alice.happened("participantConnected", identity="robot")
        await meeting.management.remove(meeting.room, "robot")
        assert await robot.disconnected == 4  # PARTICIPANT_REMOVED
        await alice.happened("participantDisconnected", identity="robot")
