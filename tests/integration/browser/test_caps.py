"""A room with a bound on what one person takes of the line: browsers keep to it and still see each other."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.support.eventually import eventually
from tests.support.meeting import Meeting
from tests.support.participant import CAMERA, MICROPHONE, Participant

MEASURE_SECONDS = 4.0
SWAY = 1.15  # senders sway about the rate that they were asked for


async def test_a_viewer_gets_the_layer_that_fits_and_the_better_one_when_the_bound_is_lifted(
    meeting: Meeting,
) -> None:
    alice, bob = await meeting.join("alice"), await meeting.join("bob")
    await alice.publish(CAMERA, MICROPHONE)
    await bob.width("alice", CAMERA, 1280)
    mark = await bob.mark()
    await _bound(meeting, max_kbps_down=500)
    await bob.width("alice", CAMERA, 640, since=mark)
    await bob.sees("alice")
    await bob.hears("alice")
    assert await _kbps(lambda: _received(bob, "alice")) < 500 * SWAY
    mark = await bob.mark()
    await _bound(meeting, max_kbps_down=None)
    await bob.width("alice", CAMERA, 1280, since=mark, within=20)


async def test_a_picture_that_does_not_fit_at_all_is_told_as_paused_and_sound_goes_on(
    meeting: Meeting,
) -> None:
    alice, bob = await meeting.join("alice"), await meeting.join("bob")
    await alice.publish(CAMERA, MICROPHONE)
    await bob.sees("alice")
    await _bound(meeting, max_kbps_down=60)
    await bob.stops_receiving("alice", CAMERA, within=10)
    await bob.hears("alice")
    await _bound(meeting, max_kbps_down=None)
    await bob.sees("alice")


@pytest.mark.timeout(60)  # 20 to 26 s in a quiet hour
@pytest.mark.parametrize("browser", ["chromium", "firefox"])
async def test_a_browser_keeps_to_what_it_is_asked_to_send(meeting: Meeting, browser: str) -> None:
    alice, bob = await meeting.join("alice", browser), await meeting.join("bob")
    await alice.publish(CAMERA)
    await bob.sees("alice")

    async def much() -> bool:
        return await _kbps(lambda: _sent(alice), seconds=1) > 900

    await eventually(much, within=20, what="a camera that takes what it likes")
    await _bound(meeting, max_kbps_up=400)

    async def little() -> bool:
        return await _kbps(lambda: _sent(alice), seconds=1) < 400 * SWAY

    await eventually(little, within=10, what="a camera that keeps to the bound")
    assert await _kbps(lambda: _sent(alice)) < 400 * SWAY
    await bob.sees("alice")

    await _bound(meeting, max_kbps_up=None)
    await eventually(much, within=30, what="a camera that takes what it likes again")


async def _bound(meeting: Meeting, **bandwidth: int | None) -> None:
    await meeting.management.ask("PATCH", f"/v1/rooms/{meeting.room}", {"bandwidth": bandwidth})


async def _kbps(read: Callable[[], Awaitable[int]], *, seconds: float = MEASURE_SECONDS) -> float:
    before = await read()
    await asyncio.sleep(seconds)
    return (await read() - before) * 8 / 1000 / seconds


async def _sent(person: Participant) -> int:
    return sum(encoding.get("bytesSent", 0) for encoding in await person.do("sending", CAMERA))


async def _received(person: Participant, identity: str) -> int:
    streams = [await person.receiving(identity, source) for source in (CAMERA, MICROPHONE)]
    return sum(stream["bytesReceived"] for stream in streams if stream is not None)
