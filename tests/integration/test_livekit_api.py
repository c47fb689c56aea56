"""Rooms managed by the unmodified Python server SDK, with people in them through the client SDK."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from livekit import api, rtc
from livekit.api.room_service import RoomService
from livekit.rtc.participant import PublishTrackError

from tests.support.eventually import until
from tests.support.management import Management, Refused, room_name
from tests.support.sdk_person import Person
from tests.support.server import Server

pytestmark = pytest.mark.integration

_MICROPHONE = api.TrackSource.MICROPHONE


class House:
    """An application that knows LiveKit only, and the people whom it lets in."""

    def __init__(self, management: Management, service: RoomService) -> None:
        self.management = management
        self.server = management.server
        self.service = service
        self.people: list[Person] = []

    async def room(self) -> str:
        made = await self.service.create_room(api.CreateRoomRequest(name=room_name()))
        return str(made.name)

    async def joins(self, room: str, identity: str) -> Person:
        person = Person(identity)
        self.people.append(person)
        await person.room.connect(self.server.ws_url, self.management.foreign_token(room, identity))
        return person

    async def sees(self, room: str, identity: str) -> Any:
        return await self.service.get_participant(api.RoomParticipantIdentity(room=room, identity=identity))


@pytest.fixture
async def house(server: Server, management: Management) -> AsyncIterator[House]:
    """Give an application; everybody leaves after each test."""
    async with api.LiveKitAPI(server.url, server.key, server.secret) as client:
        one = House(management, client.room)
        yield one
        for person in one.people:
            await person.leaves()


async def test_rooms_are_made_listed_changed_and_deleted(house: House) -> None:
    name = room_name()
    made = await house.service.create_room(
        api.CreateRoomRequest(name=name, max_participants=4, metadata="hello")
    )
    assert (made.name, made.max_participants, made.metadata) == (name, 4, "hello")
    ada = await house.joins(name, "ada")
    assert (ada.room.metadata, await ada.room.sid) == ("hello", made.sid)
    changed = await house.service.update_room_metadata(
        api.UpdateRoomMetadataRequest(room=name, metadata="news")
    )
    assert changed.metadata == "news"
    await until(lambda: ada.room.metadata == "news")
    listed = await house.service.list_rooms(api.ListRoomsRequest(names=[name]))
    assert [(one.sid, one.num_participants) for one in listed.rooms] == [(made.sid, 1)]
    assert name in {one.name for one in (await house.service.list_rooms(api.ListRoomsRequest())).rooms}
    await house.service.delete_room(api.DeleteRoomRequest(room=name))
    _, (reason,) = await ada.happened("disconnected")
    assert reason == rtc.DisconnectReason.ROOM_DELETED
    assert not (await house.service.list_rooms(api.ListRoomsRequest(names=[name]))).rooms
    with pytest.raises(Refused, match="404"):
        await house.management.ask("GET", f"/v1/rooms/{name}")


async def test_errors_are_those_that_the_sdk_knows(house: House, server: Server) -> None:
    room = await house.room()
    with pytest.raises(api.TwirpError) as caught:
        await house.sees(room, "nobody")
    assert (caught.value.code, caught.value.status) == (api.TwirpErrorCode.NOT_FOUND, 404)
    async with api.LiveKitAPI(server.url, server.key, "another secret, which is wrong but long") as thief:
        with pytest.raises(api.TwirpError) as caught:
            await thief.room.list_rooms(api.ListRoomsRequest())
    assert (caught.value.code, caught.value.status) == (api.TwirpErrorCode.UNAUTHENTICATED, 401)


async def test_a_muted_person_is_heard_no_more_and_unmutes_alone(house: House) -> None:
    room = await house.room()
    ada, bob = await house.joins(room, "ada"), await house.joins(room, "bob")
    mine = await ada.speaks()
    await bob.hears("ada")
    (track,) = (await house.sees(room, "ada")).tracks
    assert (track.source, track.sid) == (_MICROPHONE, mine.sid)
    request = api.MuteRoomTrackRequest(room=room, identity="ada", track_sid=track.sid, muted=True)
    assert (await house.service.mute_published_track(request)).track.muted
    await bob.happened("track_muted", lambda who, _publication: who.identity == "ada")
    await until(lambda: mine.muted)
    request.muted = False
    with pytest.raises(api.TwirpError) as caught:
        await house.service.mute_published_track(request)
    assert caught.value.code == api.TwirpErrorCode.FAILED_PRECONDITION
    assert mine.track is not None
    mine.track.unmute()
    await bob.happened("track_unmuted", lambda who, _publication: who.identity == "ada")
    assert not (await house.sees(room, "ada")).tracks[0].muted


async def test_a_person_is_changed_and_everybody_sees_it(house: House) -> None:
    room = await house.room()
    ada, bob = await house.joins(room, "ada"), await house.joins(room, "bob")
    camera = await ada.shows()
    await bob.sees("ada")
    changed = await house.service.update_participant(
        api.UpdateParticipantRequest(
            room=room,
            identity="ada",
            name="Dr Ada",
            metadata="m",
            attributes={"seat": "3"},
            permission=api.ParticipantPermission(
                can_subscribe=True, can_publish=True, can_publish_sources=[_MICROPHONE]
            ),
        )
    )
    assert (changed.name, changed.metadata, dict(changed.attributes)) == ("Dr Ada", "m", {"seat": "3"})
    await bob.happened("participant_name_changed")
    await bob.happened("participant_metadata_changed")
    await bob.happened("participant_attributes_changed")
    seen = bob.room.remote_participants["ada"]
    assert (seen.name, seen.metadata, seen.attributes) == ("Dr Ada", "m", {"seat": "3"})
    await bob.happened("track_unpublished", lambda publication, _who: publication.sid == camera.sid)
    await ada.speaks()
    await bob.hears("ada")
    with pytest.raises(PublishTrackError):
        await ada.shows("again")


async def test_a_delivery_is_ended_and_begun_again(house: House) -> None:
    room = await house.room()
    ada, bob = await house.joins(room, "ada"), await house.joins(room, "bob")
    track = await ada.speaks()
    await bob.hears("ada")
    request = api.UpdateSubscriptionsRequest(
        room=room, identity="bob", track_sids=[track.sid], subscribe=False
    )
    await house.service.update_subscriptions(request)
    assert _subscriptions(await house.management.debug_state(), "bob") == []
    request.subscribe = True
    await house.service.update_subscriptions(request)
    assert _subscriptions(await house.management.debug_state(), "bob") == [track.sid]


async def test_a_message_reaches_those_whom_it_is_for(house: House) -> None:
    room = await house.room()
    ada, bob = await house.joins(room, "ada"), await house.joins(room, "bob")
    await house.service.send_data(
        api.SendDataRequest(room=room, data=b"for bob", destination_identities=["bob"], topic="t")
    )
    await house.service.send_data(api.SendDataRequest(room=room, data=b"for all", topic="t"))
    _, (packet,) = await bob.happened("data_received")
    assert (packet.data, packet.topic, packet.participant) == (b"for bob", "t", None)
    _, (packet,) = await ada.happened("data_received")
    assert packet.data == b"for all"


async def test_who_is_removed_is_out_and_the_old_token_is_dead(house: House) -> None:
    room = await house.room()
    token = house.management.foreign_token(room, "ada")
    ada = await house.joins(room, "ada")
    await house.service.remove_participant(api.RoomParticipantIdentity(room=room, identity="ada"))
    _, (reason,) = await ada.happened("disconnected")
    assert reason == rtc.DisconnectReason.PARTICIPANT_REMOVED
    assert not (await house.service.list_participants(api.ListParticipantsRequest(room=room))).participants
    with pytest.raises(rtc.ConnectError):
        await Person("ada").room.connect(house.server.ws_url, token)


async def test_a_person_is_moved_to_another_room_without_joining_again(house: House) -> None:
    here, there = await house.room(), await house.room()
    ada, bob = await house.joins(here, "ada"), await house.joins(here, "bob")
    eve = await house.joins(there, "eve")
    cameras = [await person.prepares() for person in (ada, bob, eve)]
    for person, film in zip((ada, bob, eve), cameras, strict=True):
        await person.speaks()
        film()
    await asyncio.gather(ada.sees("bob"), ada.hears("bob"), bob.sees("ada"))
    connection = (await house.management.debug_state())["sfu"]
    await house.service.move_participant(
        api.MoveParticipantRequest(room=here, identity="ada", destination_room=there)
    )
    await ada.happened("moved")
    await bob.happened("participant_disconnected", lambda who: who.identity == "ada")
    await asyncio.gather(ada.sees("eve"), ada.hears("eve"), eve.sees("ada"), eve.hears("ada"))
    assert (ada.room.name, set(ada.room.remote_participants)) == (there, {"eve"})
    assert bob.room.remote_participants == {}
    happened = {name for _, name, _ in ada.journal}
    assert not happened & {"reconnecting", "reconnected", "disconnected"}
    assert _transport(connection, ada) == _transport((await house.management.debug_state())["sfu"], ada)
    people = await house.service.list_participants(api.ListParticipantsRequest(room=there))
    assert {one.identity for one in people.participants} == {"ada", "eve"}


async def test_going_to_and_fro_makes_nothing_grow(house: House) -> None:
    rooms = [await house.room(), await house.room()]
    ada = await house.joins(rooms[0], "ada")
    bob, eve = await house.joins(rooms[0], "bob"), await house.joins(rooms[1], "eve")
    for person in (ada, bob, eve):
        await person.speaks()
    sizes = []
    for number in range(6):
        here, there = rooms if number % 2 == 0 else reversed(rooms)
        mark = len(ada.journal)
        await house.service.move_participant(
            api.MoveParticipantRequest(room=here, identity="ada", destination_room=there)
        )
        await ada.happened("track_subscribed", since=mark)
        calls = (await house.management.debug_state())["sfu"]["calls"]
        legs = {leg["key"]: leg["sections"] for call in calls for leg in call["legs"]}
        sizes.append([legs[person.me.sid] for person in (ada, bob, eve)])
    assert sizes[1:] == sizes[:-1]


def _subscriptions(state: Any, identity: str) -> list[str]:
    people = [one for call in state["signalling"]["calls"].values() for one in call["participants"].values()]
    return [sid for one in people if one["identity"] == identity for sid in one["subscriptions"]]


def _transport(sfu: Any, person: Person) -> int:
    legs = {leg["key"]: leg["transport"]["id"] for call in sfu["calls"] for leg in call["legs"]}
    return int(legs[person.me.sid])
