"""Two people in real browsers and our own server between them."""

import pytest

from tests.support.meeting import Meeting
from tests.support.participant import CAMERA, MICROPHONE

PAIRS = [("chromium", "chromium"), ("chromium", "firefox"), ("firefox", "firefox")]


@pytest.mark.parametrize(("first", "second"), PAIRS)
async def test_two_people_see_and_hear_each_other(meeting: Meeting, first: str, second: str) -> None:
    alice = await meeting.join("alice", first)
    bob = await meeting.join("bob", second)
    await alice.publish(CAMERA, MICROPHONE)
    await bob.publish(CAMERA, MICROPHONE)
    for viewer, viewed in ((alice, "bob"), (bob, "alice")):
        await viewer.sees(viewed)
        await viewer.hears(viewed)


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
async def test_a_late_joiner_sees_and_hears_those_already_there(meeting: Meeting, browser: str) -> None:
    alice = await meeting.join("alice")
    await alice.publish(CAMERA, MICROPHONE)
    bob = await meeting.join("bob")
    await bob.publish(CAMERA, MICROPHONE)
    await alice.sees("bob")

    carol = await meeting.join("carol", browser)
    for there in ("alice", "bob"):
        await carol.sees(there)
        await carol.hears(there)


async def test_the_first_joiner_sees_who_comes_after(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob")
    await alice.happened("participantConnected", identity="bob")
    assert (await alice.others())["bob"]["name"] == "Bob"
    assert (await bob.others())["alice"]["name"] == "Alice"


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
async def test_someone_who_leaves_is_gone_for_the_others_at_once(meeting: Meeting, browser: str) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob", browser)
    await bob.publish(CAMERA)
    await alice.sees("bob")

    left_at = await alice.now()
    await bob.leave()
    gone = await alice.happened("participantDisconnected", identity="bob")
    assert gone["at"] - left_at < 1000
    assert "bob" not in await alice.others()


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
async def test_a_page_that_is_loaded_anew_brings_the_same_person_back(meeting: Meeting, browser: str) -> None:
    token = await meeting.token("bob")
    alice = await meeting.join("alice")
    await alice.publish(CAMERA)
    bob = await meeting.join("bob", browser, token=token)
    await bob.publish(CAMERA)
    await alice.sees("bob")

    await bob.page.reload()
    mark = await alice.mark()
    await bob.join(meeting.server.ws_url, token)
    await bob.publish(CAMERA)
    await bob.sees("alice")
    await alice.happened("trackSubscribed", since=mark, identity="bob", source=CAMERA)
    await alice.sees("bob")
    assert list(await alice.others()) == ["bob"]


async def test_the_newer_of_two_pages_with_one_identity_stays(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    older = await meeting.join("bob")
    newer = await meeting.join("bob")
    ended = await older.happened("disconnected")
    assert ended["reason"] == 2  # DUPLICATE_IDENTITY
    await newer.publish(CAMERA)
    await alice.sees("bob")
    assert list(await alice.others()) == ["bob"]


async def test_media_is_encrypted_with_aes_gcm(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob")
    await bob.publish(CAMERA)
    await alice.sees("bob")
    transport = await alice.do("transport")
    assert transport["srtpCipher"].endswith(("AEAD_AES_128_GCM", "AEAD_AES_256_GCM"))
    assert transport["tlsVersion"] == "FEFD"  # DTLS 1.2, where the server chooses the profile


async def test_six_people_each_decode_five_pictures(meeting: Meeting) -> None:
    people = [await meeting.join(f"person-{number}") for number in range(6)]
    for person in people:
        await person.publish(CAMERA, width=320)
    for viewer in people:
        for viewed in people:
            if viewed is not viewer:
                await viewer.sees(viewed.identity)
