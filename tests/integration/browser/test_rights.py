"""Who may come in, what they may do, and how they are put out."""

import pytest

from tests.support.browsers.page import BrowserError
from tests.support.eventually import eventually
from tests.support.meeting import Meeting
from tests.support.participant import CAMERA, MICROPHONE


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
async def test_someone_removed_is_out_and_stays_out(meeting: Meeting, browser: str) -> None:
    token = await meeting.token("bob")
    alice = await meeting.join("alice")
    bob = await meeting.join("bob", browser, token=token)
    await bob.publish(CAMERA)
    await alice.sees("bob")

    await meeting.management.remove(meeting.room, "bob")
    ended = await bob.happened("disconnected")
    assert ended["reason"] == 4  # PARTICIPANT_REMOVED
    await alice.happened("participantDisconnected", identity="bob")
    with pytest.raises(BrowserError, match="revoked"):
        await bob.join(meeting.server.ws_url, token)


async def test_a_room_that_is_deleted_ends_the_call_for_everyone(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob", "firefox")
    await meeting.management.ask("DELETE", f"/v1/rooms/{meeting.room}")
    for person in (alice, bob):
        assert (await person.happened("disconnected"))["reason"] == 5  # ROOM_DELETED


async def test_a_forged_token_is_refused(meeting: Meeting) -> None:
    token = await meeting.token("mallory")
    mallory = await meeting.open("mallory")
    head, claims, signature = token.split(".")
    with pytest.raises(BrowserError, match="invalid or expired token"):
        await mallory.join(meeting.server.ws_url, ".".join((head, claims, signature[::-1])))


async def test_a_token_for_no_room_is_refused(meeting: Meeting) -> None:
    token = await meeting.token("bob")
    await meeting.management.ask("DELETE", f"/v1/rooms/{meeting.room}")
    bob = await meeting.open("bob")
    with pytest.raises(BrowserError):
        await bob.join(meeting.server.ws_url, token)


async def test_who_may_only_speak_cannot_show_a_picture(meeting: Meeting) -> None:
    speaker_token = meeting.management.foreign_token(meeting.room, "bob", can_publish_sources=["microphone"])
    alice = await meeting.join("alice")
    bob = await meeting.join("bob", token=speaker_token)
    with pytest.raises(BrowserError):
        await bob.publish(CAMERA)
    await bob.publish(MICROPHONE)
    await alice.hears("bob")
    assert await alice.track("bob", CAMERA) is None


async def test_who_may_not_subscribe_receives_nothing(meeting: Meeting) -> None:
    blind = meeting.management.foreign_token(meeting.room, "bob", can_subscribe=False)
    alice = await meeting.join("alice")
    await alice.publish(CAMERA)
    bob = await meeting.join("bob", token=blind)
    carol = await meeting.join("carol")
    await carol.sees("alice")
    assert await bob.journal("trackSubscribed") == []


async def test_a_hidden_observer_sees_and_is_not_seen(meeting: Meeting) -> None:
    unseen = meeting.management.foreign_token(meeting.room, "observer", hidden=True, can_publish=False)
    alice = await meeting.join("alice")
    await alice.publish(CAMERA)
    observer = await meeting.join("observer", token=unseen)
    await observer.sees("alice")
    bob = await meeting.join("bob")
    await alice.happened("participantConnected", identity="bob")
    assert "observer" not in await alice.others()
    assert "observer" not in await bob.others()


async def test_a_token_of_a_foreign_server_sdk_opens_a_room_in_the_demo(meeting: Meeting) -> None:
    name = f"{meeting.room}-by-token"
    token = meeting.management.foreign_token(name, "alice")
    alice = await meeting.join("alice", token=token)

    async def connected() -> bool:
        return bool((await alice.state())["connection"] == "connected")

    await eventually(connected)
