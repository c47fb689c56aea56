"""Messages between participants: who gets them, from whom, and in which order."""

import pytest

from tests.support.eventually import eventually
from tests.support.meeting import Meeting


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
async def test_a_reliable_message_reaches_everyone_with_its_sender(meeting: Meeting, browser: str) -> None:
    alice = await meeting.join("alice", browser)
    others = [await meeting.join("bob"), await meeting.join("carol", "firefox")]
    await alice.do("sendData", "hello", {"topic": "greeting"})
    for other in others:
        await other.happened("dataReceived", text="hello", identity="alice", topic="greeting")
    assert await alice.journal("dataReceived") == []


async def test_a_message_for_one_reaches_nobody_else(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob")
    carol = await meeting.join("carol")
    await alice.do("sendData", "for bob", {"to": ["bob"]})
    await alice.do("sendData", "for all")
    await bob.happened("dataReceived", text="for bob", identity="alice")
    # Reliable messages keep their order, so what carol has now is all she gets.
    await carol.happened("dataReceived", text="for all", identity="alice")
    assert [entry["text"] for entry in await carol.journal("dataReceived")] == ["for all"]


async def test_lossy_messages_arrive_on_a_line_that_loses_nothing(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob", "firefox")
    await alice.do("sendData", "position", {"reliable": False})
    await bob.happened("dataReceived", text="position", identity="alice")


async def test_reliable_messages_keep_their_order(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob")
    for number in range(200):
        await alice.do("sendData", str(number))
    await bob.happened("dataReceived", text="199")
    assert [int(entry["text"]) for entry in await bob.journal("dataReceived")] == list(range(200))


async def test_chat_goes_both_ways_between_browsers(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob", "firefox")
    await alice.do("chat", "Bonjour")
    await bob.happened("chatMessage", text="Bonjour", identity="alice")
    await bob.do("chat", "Bonjour à vous")
    await alice.happened("chatMessage", text="Bonjour à vous", identity="bob")


async def test_a_text_stream_larger_than_one_packet_arrives_whole(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob")
    await bob.do("hearText", "notes")
    long = "".join(chr(97 + number % 26) for number in range(100_000))
    await alice.do("text", long, "notes")
    received = await bob.happened("textReceived", identity="alice", topic="notes")
    assert received["text"] == long


async def test_a_remote_call_is_answered_by_the_one_who_was_called(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob", "firefox")
    await bob.do("answerRpc", "echo")
    assert await alice.do("callRpc", "bob", "echo", "ping") == "alice:ping"


async def test_who_may_not_send_data_is_not_heard(meeting: Meeting) -> None:
    mute = meeting.management.foreign_token(meeting.room, "mute", can_publish_data=False)
    alice = await meeting.join("alice")
    silent = await meeting.join("mute", token=mute)
    bob = await meeting.join("bob")
    await silent.do("sendData", "not allowed")
    await alice.do("sendData", "allowed")
    await bob.happened("dataReceived", text="allowed")
    await silent.happened("dataReceived", text="allowed")

    async def only_alice() -> bool:
        return [entry["identity"] for entry in await bob.journal("dataReceived")] == ["alice"]

    await eventually(only_alice)


async def test_a_raised_hand_is_an_attribute_that_everyone_sees(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob", "firefox")
    await bob.do("attributes", {"hand": "2026-01-01T09:00:00Z"})
    await alice.happened("participantAttributesChanged", identity="bob", hand="2026-01-01T09:00:00Z")
    carol = await meeting.join("carol")
    assert (await carol.others())["bob"]["attributes"]["hand"] == "2026-01-01T09:00:00Z"


async def test_a_new_name_and_new_metadata_are_seen_by_the_others(meeting: Meeting) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob")
    await bob.do("rename", "Docteur B")
    await alice.happened("participantNameChanged", identity="bob", name="Docteur B")
    await bob.do("metadata", '{"bed": 4}')
    await alice.happened("participantMetadataChanged", identity="bob", metadata='{"bed": 4}')
