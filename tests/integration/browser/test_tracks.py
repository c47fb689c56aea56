"""What people publish, mute, share, subscribe to and take away, seen by the others."""

import pytest

from tests.support.eventually import eventually
from tests.support.meeting import Meeting
from tests.support.participant import CAMERA, MICROPHONE, SCREEN

BROWSERS = ["chromium", "firefox"]


@pytest.mark.parametrize("browser", BROWSERS)
async def test_muting_is_seen_by_the_others_and_stops_the_media(meeting: Meeting, browser: str) -> None:
    alice = await meeting.join("alice", browser)
    bob = await meeting.join("bob")
    await alice.publish(CAMERA, MICROPHONE)
    await bob.sees("alice")
    await bob.hears("alice")

    await alice.do(CAMERA, False)
    await bob.happened("trackMuted", identity="alice", source=CAMERA)
    await bob.stops_receiving("alice", CAMERA)
    await alice.do(MICROPHONE, False)
    await bob.happened("trackMuted", identity="alice", source=MICROPHONE)
    assert (await bob.track("alice", CAMERA))["muted"]

    mark = await bob.mark()
    await alice.publish(CAMERA, MICROPHONE)
    await bob.happened("trackUnmuted", since=mark, identity="alice", source=CAMERA)
    await bob.happened("trackUnmuted", since=mark, identity="alice", source=MICROPHONE)
    await bob.sees("alice")
    await bob.hears("alice")


async def test_who_comes_later_is_told_that_a_track_is_muted(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    await alice.publish(CAMERA)
    await alice.do(CAMERA, False)
    bob = await meeting.join("bob")

    async def muted() -> bool:
        track = await bob.track("alice", CAMERA)
        return bool(track and track["muted"])

    await eventually(muted, what="bob knows that alice's camera is muted")


@pytest.mark.parametrize("browser", BROWSERS)
async def test_a_screen_is_shared_beside_the_camera(meeting: Meeting, browser: str) -> None:
    alice = await meeting.join("alice", browser)
    bob = await meeting.join("bob")
    await alice.publish(CAMERA)
    # Firefox captures a screen only after a click, so there a drawn picture takes its place.
    await alice.do("screen", True, {"drawn": browser == "firefox"})
    await bob.sees("alice", SCREEN, frames=3)
    await bob.sees("alice", CAMERA)

    await alice.do("unpublish", SCREEN)
    await bob.happened("trackUnpublished", identity="alice", source=SCREEN)
    assert await bob.track("alice", SCREEN) is None
    await bob.sees("alice", CAMERA)


async def test_a_camera_can_be_taken_away_and_given_again(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob")
    for _ in range(3):
        mark = await bob.mark()
        await alice.publish(CAMERA)
        await bob.happened("trackSubscribed", since=mark, identity="alice", source=CAMERA)
        await bob.sees("alice")
        await alice.do("unpublish", CAMERA)
        await bob.happened("trackUnsubscribed", since=mark, identity="alice", source=CAMERA)
    assert await bob.track("alice", CAMERA) is None


@pytest.mark.parametrize("browser", BROWSERS)
async def test_a_subscriber_can_stop_and_start_receiving_a_track(meeting: Meeting, browser: str) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob", browser)
    await alice.publish(CAMERA, MICROPHONE)
    await bob.sees("alice")

    await bob.do("subscribe", "alice", CAMERA, False)
    await bob.happened("trackUnsubscribed", identity="alice", source=CAMERA)
    await bob.hears("alice")
    mark = await bob.mark()
    await bob.do("subscribe", "alice", CAMERA, True)
    await bob.happened("trackSubscribed", since=mark, identity="alice", source=CAMERA)
    await bob.sees("alice")


async def test_nothing_is_subscribed_for_who_asked_for_nothing(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    await alice.publish(CAMERA)
    bob = await meeting.join("bob", connect={"autoSubscribe": False})

    async def known() -> bool:
        return await bob.track("alice", CAMERA) is not None

    await eventually(known, what="bob knows of alice's camera")
    await bob.do("subscribe", "alice", CAMERA, True)
    await bob.sees("alice")
    assert len(await bob.journal("trackSubscribed")) == 1


async def test_a_track_that_is_out_of_sight_costs_nothing(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob")
    await alice.publish(CAMERA)
    await bob.sees("alice")

    await bob.do("enable", "alice", CAMERA, False)
    await bob.stops_receiving("alice", CAMERA)
    await bob.do("enable", "alice", CAMERA, True)
    await bob.sees("alice")


async def test_a_publisher_decides_who_may_subscribe(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob")
    carol = await meeting.join("carol")
    await alice.publish(CAMERA)
    await bob.sees("alice")
    await carol.sees("alice")

    await alice.do("allow", ["bob"])
    await carol.stops_receiving("alice", CAMERA)
    await bob.sees("alice")
    await alice.do("allow", None)
    await carol.sees("alice")


async def test_the_one_who_speaks_is_named(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob")
    await alice.publish(MICROPHONE)
    await bob.happened("activeSpeakersChanged", identities=["alice"])


async def test_how_good_a_connection_is_is_told(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob")
    await alice.publish(CAMERA, MICROPHONE)
    await bob.sees("alice")
    await bob.happened("connectionQualityChanged", within=12, identity="alice", quality="excellent")
