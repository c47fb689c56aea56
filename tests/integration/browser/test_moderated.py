"""A host on the hosts' channel, and stock LiveKit clients in real browsers who feel it."""

import pytest

from tests.support.browsers.page import BrowserError
from tests.support.eventually import eventually
from tests.support.meeting import Meeting
from tests.support.participant import CAMERA, MICROPHONE, Participant
from tests.support.waiting_client import WaitingClient

ONE_SECOND = 1.0


async def host_of(meeting: Meeting, identity: str = "doc") -> WaitingClient:
    """Give the channel of a host; use as a context manager."""
    return WaitingClient(meeting.server, await meeting.token(identity, role="host"))


async def done(host: WaitingClient, verb: str, **fields: object) -> None:
    answer = await host.ask(verb, **fields)
    assert answer["type"] == "done", answer


async def is_muted(viewer: Participant, identity: str, source: str) -> bool | None:
    track = await viewer.track(identity, source)
    return None if track is None else bool(track["muted"])


async def becomes(viewer: Participant, identity: str, source: str, muted: bool | None) -> None:
    async def so() -> bool:
        return await is_muted(viewer, identity, source) == muted

    await eventually(so, within=5.0, what=f"{viewer} sees {identity}'s {source} muted={muted}")


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
async def test_who_is_muted_is_silent_at_once_and_speaks_again_when_they_want(
    meeting: Meeting, browser: str
) -> None:
    alice, bob = await meeting.join("alice"), await meeting.join("bob", browser)
    await bob.publish(MICROPHONE)
    await alice.hears("bob")
    async with await host_of(meeting) as host:
        await host.hears("people")
        await done(host, "mute", identity="bob")
        await becomes(alice, "bob", MICROPHONE, True)
        await alice.stops_receiving("bob", MICROPHONE)
        await bob.do("microphone", True)
        await becomes(alice, "bob", MICROPHONE, False)
        await alice.hears("bob")


async def test_who_may_not_unmute_stays_silent_until_allowed(meeting: Meeting) -> None:
    alice, bob = await meeting.join("alice"), await meeting.join("bob")
    await bob.publish(MICROPHONE)
    await alice.hears("bob")
    async with await host_of(meeting) as host:
        await host.hears("people")
        await done(host, "mute_all")
        await done(host, "restrain", may_unmute=False)
        await becomes(alice, "bob", MICROPHONE, True)
        await bob.do("microphone", True)
        await alice.stops_receiving("bob", MICROPHONE)
        await becomes(alice, "bob", MICROPHONE, True)
        await done(host, "restrain", may_unmute=True)
        await bob.do("microphone", True)
        await becomes(alice, "bob", MICROPHONE, False)


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
async def test_a_forbidden_camera_ends_at_once_and_comes_back_when_allowed(
    meeting: Meeting, browser: str
) -> None:
    alice, bob = await meeting.join("alice"), await meeting.join("bob", browser)
    await bob.publish(CAMERA)
    await alice.sees("bob")
    async with await host_of(meeting) as host:
        await host.hears("people")
        await done(host, "restrain", identity="bob", forbidden=["camera"])
        await alice.happened("trackUnpublished", identity="bob", within=ONE_SECOND)
        # A client that has not heard of it yet takes its camera for published, and asks for nothing.
        await bob.happened("participantPermissionsChanged", identity="bob")
        await bob.happened("localTrackUnpublished")
        with pytest.raises(BrowserError):
            await bob.publish(CAMERA)
        assert await alice.track("bob", CAMERA) is None
        await done(host, "restrain", identity="bob", forbidden=[])
        await bob.publish(CAMERA)
        await alice.sees("bob")


async def test_hands_queue_in_the_order_of_the_server_for_every_client(meeting: Meeting) -> None:
    alice, bob = await meeting.join("alice"), await meeting.join("bob", "firefox")
    carol = await meeting.join("carol")
    # The client's own value is no claim to a place: only when the server heard of it counts.
    await bob.do("attributes", {"hand": "2026-01-01T00:00:00Z"})
    await carol.do("attributes", {"hand": "2001-01-01T00:00:00Z"})

    async def hands() -> list[str]:
        others = await alice.others()
        up = {who: one["attributes"].get("colloque.hand") for who, one in others.items()}
        return sorted((who for who, since in up.items() if since), key=lambda who: str(up[who]))

    async def both() -> bool:
        return len(await hands()) == 2

    await eventually(both)
    assert await hands() == ["bob", "carol"]
    listed = (await meeting.management.ask("GET", f"/v1/rooms/{meeting.room}/hands"))["items"]
    assert [(one["identity"], one["position"]) for one in listed] == [("bob", 1), ("carol", 2)]
    async with await host_of(meeting) as host:
        await host.hears("people")
        await done(host, "lower_hand", identity="bob")

    async def lowered() -> bool:
        return await hands() == ["carol"]

    await eventually(lowered)

    async def told() -> bool:
        events = (await meeting.management.ask("GET", f"/v1/events?room={meeting.room}"))["items"]
        of_hands = [(one["type"], one["data"]["identity"]) for one in events if "hand." in one["type"]]
        return of_hands == [("hand.raised", "bob"), ("hand.raised", "carol"), ("hand.lowered", "bob")]

    await eventually(told)


async def test_a_locked_room_lets_those_back_in_who_were_there_and_nobody_else(meeting: Meeting) -> None:
    token = await meeting.token("bob")
    bob = await meeting.join("bob", token=token)
    late = await meeting.token("late")
    async with await host_of(meeting) as host:
        await host.hears("people")
        await done(host, "lock")
        assert (await host.hears("people"))["locked"]
        await bob.leave()
        await bob.join(meeting.server.ws_url, token)
        newcomer = await meeting.open("late")
        with pytest.raises(BrowserError, match="locked"):
            await newcomer.join(meeting.server.ws_url, late)
        await done(host, "unlock")
        await newcomer.join(meeting.server.ws_url, late)


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
async def test_who_is_removed_neither_sends_nor_receives_a_second_later(
    meeting: Meeting, browser: str
) -> None:
    token = await meeting.token("bob")
    alice, bob = await meeting.join("alice"), await meeting.join("bob", browser, token=token)
    for one in (alice, bob):
        await one.publish(CAMERA)
    await alice.sees("bob")
    await bob.sees("alice")
    async with await host_of(meeting) as host:
        await host.hears("people")
        await done(host, "remove", identity="bob")
        assert (await bob.happened("disconnected", within=ONE_SECOND))["reason"] == 4  # PARTICIPANT_REMOVED
        await alice.happened("participantDisconnected", identity="bob", within=ONE_SECOND)
    with pytest.raises(BrowserError, match="revoked"):
        await bob.join(meeting.server.ws_url, token)


async def test_the_call_ends_for_everybody(meeting: Meeting) -> None:
    alice, bob = await meeting.join("alice"), await meeting.join("bob", "firefox")
    async with await host_of(meeting) as host:
        await host.hears("people")
        await done(host, "end")
        for one in (alice, bob):
            assert (await one.happened("disconnected"))["reason"] == 5  # ROOM_DELETED
    room = await meeting.management.ask("GET", f"/v1/rooms/{meeting.room}")
    assert room["state"] == "finished"
