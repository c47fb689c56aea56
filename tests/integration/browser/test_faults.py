"""The line breaks; the call goes on."""

import asyncio

import pytest

from tests.support.line import Line
from tests.support.meeting import Meeting
from tests.support.participant import CAMERA, MICROPHONE

BROWSERS = ["chromium", "firefox"]
LONGEST_GAP = 400  # ms between two pictures while signalling is away; a camera sends one every 50 ms


@pytest.mark.parametrize("browser", BROWSERS)
async def test_media_goes_on_while_signalling_is_lost_and_resumed(meeting: Meeting, browser: str) -> None:
    alice = await meeting.join("alice")
    await alice.publish(CAMERA, MICROPHONE)
    async with Line(meeting.server.ports.http) as line:
        bob = await meeting.join("bob", browser, url=line.ws_url)
        await bob.publish(CAMERA)
        await bob.sees("alice")
        await alice.sees("bob")

        mark, start = await bob.mark(), await bob.now()
        line.cut()
        lost = await bob.happened("signalReconnecting", since=mark)
        line.mend()
        back = await bob.happened("reconnected", since=mark, within=10)
        assert back["at"] - lost["at"] < 6000
        await bob.sees("alice")
        assert await bob.longest_gap("alice", CAMERA, start) < LONGEST_GAP
        assert await bob.journal("reconnecting", mark) == []  # media was never set up anew
        assert await alice.journal("participantDisconnected") == []

        await bob.do("sendData", "still here")
        await alice.happened("dataReceived", text="still here", identity="bob")


async def test_what_happened_during_a_lost_line_is_known_after_it(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    await alice.publish(CAMERA)
    async with Line(meeting.server.ports.http) as line:
        bob = await meeting.join("bob", url=line.ws_url)
        await bob.sees("alice")
        mark = await bob.mark()
        line.cut()
        await bob.happened("signalReconnecting", since=mark)
        await alice.publish(MICROPHONE)
        await alice.do(CAMERA, False)
        carol = await meeting.join("carol")
        await carol.publish(CAMERA)
        line.mend()
        await bob.happened("reconnected", since=mark, within=12)
        await bob.sees("carol")
        await bob.hears("alice")
        assert (await bob.track("alice", CAMERA))["muted"]


@pytest.mark.parametrize("browser", BROWSERS)
async def test_a_full_reconnect_brings_pictures_back_both_ways(meeting: Meeting, browser: str) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob", browser)
    await alice.publish(CAMERA)
    await bob.publish(CAMERA)
    await alice.sees("bob")
    await bob.sees("alice")

    mark, alices_mark = await bob.mark(), await alice.mark()
    await bob.do("simulate", "full-reconnect")
    await bob.happened("reconnected", since=mark, within=12)
    await bob.sees("alice")
    await alice.happened("trackSubscribed", since=alices_mark, identity="bob", source=CAMERA)
    await alice.sees("bob")


async def test_a_tab_that_is_closed_is_gone_for_the_others(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob")
    await bob.publish(CAMERA)
    await alice.sees("bob")
    await meeting.close_page(bob)
    await alice.happened("participantDisconnected", within=3, identity="bob")


async def test_a_browser_that_dies_is_gone_when_its_consent_runs_out(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob")
    await bob.publish(CAMERA)
    await alice.sees("bob")
    await meeting.crash(bob)
    await alice.happened("participantDisconnected", within=20, identity="bob")


async def test_one_participants_lost_line_is_not_felt_by_others(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    await alice.publish(CAMERA)
    carol = await meeting.join("carol")
    await carol.sees("alice")
    async with Line(meeting.server.ports.http) as line:
        bob = await meeting.join("bob", url=line.ws_url)
        await bob.publish(CAMERA)
        await carol.sees("bob")
        start = await carol.now()
        line.cut()
        await asyncio.gather(carol.sees("alice", frames=40), carol.sees("bob", frames=40))
        for publisher in ("alice", "bob"):
            assert await carol.longest_gap(publisher, CAMERA, start) < LONGEST_GAP
        line.mend()
        await bob.happened("reconnected", within=12)
