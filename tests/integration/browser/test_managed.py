"""What an application does through LiveKit's management interface to people in browsers."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from livekit import api
from livekit.api.room_service import RoomService

from tests.support.eventually import eventually
from tests.support.meeting import Meeting
from tests.support.participant import CAMERA, MICROPHONE


@pytest_asyncio.fixture(loop_scope="session")
async def service(meeting: Meeting) -> AsyncIterator[RoomService]:
    """Give the unmodified server SDK."""
    async with api.LiveKitAPI(meeting.server.url, meeting.server.key, meeting.server.secret) as client:
        yield client.room


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
async def test_a_person_is_moved_to_another_room_without_joining_again(
    meeting: Meeting, service: RoomService, browser: str
) -> None:
    there = await meeting.management.room()
    alice = await meeting.join("alice")
    bob = await meeting.join("bob", browser)
    eve = await meeting.join("eve", token=meeting.management.foreign_token(there, "eve"))
    for person in (alice, bob, eve):
        await person.publish(CAMERA, MICROPHONE)
    await asyncio.gather(bob.sees("alice"), alice.sees("bob"))
    mark = await bob.mark()
    await service.move_participant(
        api.MoveParticipantRequest(room=meeting.room, identity="bob", destination_room=there)
    )
    await bob.happened("moved", name=there)
    await alice.happened("participantDisconnected", identity="bob")
    await asyncio.gather(bob.sees("eve"), bob.hears("eve"), eve.sees("bob"), eve.hears("bob"))
    assert (await bob.others()).keys() == {"eve"}
    assert (await alice.others()).keys() == set()
    for event in ("reconnecting", "signalReconnecting", "disconnected", "localTrackUnpublished"):
        assert await bob.journal(event, mark) == []


@pytest.mark.parametrize("fault", ["signal-reconnect", "full-reconnect"])
async def test_a_moved_person_comes_back_after_a_fault_to_where_they_are(
    meeting: Meeting, service: RoomService, fault: str
) -> None:
    there = await meeting.management.room()
    bob = await meeting.join("bob")
    eve = await meeting.join("eve", token=meeting.management.foreign_token(there, "eve"))
    await bob.publish(MICROPHONE)
    await service.move_participant(
        api.MoveParticipantRequest(room=meeting.room, identity="bob", destination_room=there)
    )
    await eve.hears("bob")
    await bob.do("simulate", fault)
    await bob.happened("reconnected", within=10.0)
    await eve.hears("bob")
    people = await service.list_participants(api.ListParticipantsRequest(room=there))
    assert {one.identity for one in people.participants} == {"bob", "eve"}


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
async def test_who_is_muted_stays_muted_until_they_unmute(
    meeting: Meeting, service: RoomService, browser: str
) -> None:
    alice = await meeting.join("alice")
    bob = await meeting.join("bob", browser)
    await bob.publish(MICROPHONE)
    await alice.hears("bob")
    people = await service.list_participants(api.ListParticipantsRequest(room=meeting.room))
    (track,) = next(one for one in people.participants if one.identity == "bob").tracks
    await service.mute_published_track(
        api.MuteRoomTrackRequest(room=meeting.room, identity="bob", track_sid=track.sid, muted=True)
    )
    mark = await alice.mark()
    await bob.happened("trackMuted", identity="bob")
    await alice.stops_receiving("bob", MICROPHONE)
    assert await alice.journal("trackUnmuted", mark) == []
    await bob.publish(MICROPHONE)

    async def unmuted() -> bool:
        return not (await alice.track("bob", MICROPHONE))["muted"]

    await eventually(unmuted)
    await alice.hears("bob")
