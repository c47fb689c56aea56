"""Rooms through LiveKit's management interface."""

from typing import Any

import pytest
from livekit.protocol import models, room

from rooms import NotFound, RoomAct, call_rules
from tests.unit.control_api.conftest import NOW, READER, STRANGER
from tests.unit.control_api.twirp.conftest import Twirp


async def test_a_room_is_made_and_is_there_for_the_rest_interface_too(twirp: Twirp) -> None:
    made = await twirp.ask("CreateRoom", {"name": "visit", "maxParticipants": 5, "metadata": "hello"})
    stored = await twirp.rooms.get_room("default", "visit")
    assert made.status == 200
    assert (made.body["sid"], made.body["name"]) == (stored.uid, "visit")
    assert (made.body["max_participants"], made.body["metadata"]) == (5, "hello")
    assert made.body["creation_time"] == str(int(NOW)), "64-bit numbers are text in JSON"
    assert made.body["num_participants"] == 0, "empty fields are written"
    assert (await twirp.rest.ask("GET", "/v1/rooms/visit")).body["kind"] == "group"


async def test_one_that_is_there_is_given_back_with_what_is_named(twirp: Twirp) -> None:
    first = await twirp.room(name="A visit", metadata={"ward": "3"}, waiting_room=True)
    again = await twirp.ask("CreateRoom", {"name": "visit"})
    assert again.body["sid"] == first.uid
    assert (await twirp.rooms.get_room("default", "visit")) == first
    await twirp.ask("CreateRoom", {"name": "visit", "maxParticipants": 7, "metadata": "new"})
    stored = await twirp.rooms.get_room("default", "visit")
    assert (stored.max_participants, stored.shared_metadata) == (7, "new")
    assert (stored.name, stored.metadata, stored.waiting_room) == ("A visit", {"ward": "3"}, True)


@pytest.mark.parametrize(
    ("fields", "code", "says"),
    [
        ({}, "invalid_argument", "1 to 128"),
        ({"name": "a/b"}, "invalid_argument", "slash"),
        ({"name": "x", "maxParticipants": 1001}, "invalid_argument", "1000"),
        ({"name": "x", "metadata": "é" * 32769}, "invalid_argument", "65536"),
        ({"name": "x", "metadata": "a\0b"}, "invalid_argument", "U+0000"),
        ({"name": "x", "egress": {"room": {}}}, "unimplemented", "does not record"),
        ({"name": "x", "agents": [{"agentName": "a"}]}, "unimplemented", "no agents"),
        ({"name": "x", "roomPreset": "p"}, "unimplemented", "no presets"),
    ],
)
async def test_what_cannot_be_done_is_said_and_nothing_is_made(
    twirp: Twirp, fields: dict[str, Any], code: str, says: str
) -> None:
    refused = await twirp.ask("CreateRoom", fields)
    assert refused.code == code
    assert says in refused.body["msg"]
    assert (await twirp.rest.ask("GET", "/v1/rooms")).body["items"] == []


async def test_rooms_that_are_open_are_listed_with_who_is_in_them(twirp: Twirp) -> None:
    visit = await twirp.room()
    await twirp.room("later", starts_at=NOW + 86400)
    await twirp.room("theirs", tenant="elsewhere")
    twirp.joins(visit, "ada").publishes()
    twirp.joins(visit, "bob")
    listed = await twirp.ask("ListRooms")
    assert [one["name"] for one in listed.body["rooms"]] == ["visit"]
    assert listed.body["rooms"][0]["num_participants"] == 2
    assert listed.body["rooms"][0]["num_publishers"] == 1


async def test_open_is_what_can_be_entered_and_where_a_call_goes_on(twirp: Twirp) -> None:
    for name in ("over", "overrun", "open"):
        await twirp.room(name, starts_at=NOW - 7200, close_after_minutes=180 if name == "open" else 60)
    await twirp.rooms.act("default", "overrun", RoomAct.START, now=NOW - 3600)
    await twirp.room("ended")
    await twirp.rooms.act("default", "ended", RoomAct.START, now=NOW)
    await twirp.rooms.act("default", "ended", RoomAct.FINISH, now=NOW)
    listed = await twirp.ask("ListRooms")
    assert {one["name"] for one in listed.body["rooms"]} == {"open", "overrun"}


async def test_rooms_are_listed_beyond_one_page(twirp: Twirp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("control_api.twirp.room_methods._PAGE", 2)
    for number in range(5):
        await twirp.room(f"r{number}")
    assert len((await twirp.ask("ListRooms")).body["rooms"]) == 5
    monkeypatch.setattr("control_api.twirp.room_methods.LISTED_MAX", 3)
    assert (await twirp.ask("ListRooms")).code == "resource_exhausted"


async def test_named_rooms_are_listed_if_they_exist(twirp: Twirp) -> None:
    await twirp.room("later", starts_at=NOW + 86400)
    await twirp.room("theirs", tenant="elsewhere")
    names = ["later", "never", "theirs", "later", "", "a/b"]
    listed = await twirp.ask("ListRooms", {"names": names})
    assert [one["name"] for one in listed.body["rooms"]] == ["later"]


async def test_a_deleted_room_is_gone_and_its_call_ended(twirp: Twirp) -> None:
    visit = await twirp.room()
    ada = twirp.joins(visit, "ada")
    assert (await twirp.ask("DeleteRoom", {"room": "visit"})).body == {}
    with pytest.raises(NotFound):
        await twirp.rooms.get_room("default", "visit")
    assert ada.close_code() == 4005
    again = await twirp.ask("DeleteRoom", {"room": "visit"})
    assert (again.status, again.code, again.body["msg"]) == (
        404,
        "not_found",
        "requested room does not exist",
    )


async def test_metadata_is_seen_by_everybody_in_the_call_and_an_empty_one_is_taken_back(
    twirp: Twirp,
) -> None:
    visit = await twirp.room(name="A visit")
    ada = twirp.joins(visit, "ada")
    changed = await twirp.ask("UpdateRoomMetadata", {"room": "visit", "metadata": "now this"})
    assert (changed.body["metadata"], changed.body["num_participants"]) == ("now this", 1)
    twirp.stage.passes(1.0)
    assert ada.hears("room_update")[-1].room.metadata == "now this"
    again = await twirp.ask("UpdateRoomMetadata", {"room": "visit"})
    assert again.body["metadata"] == call_rules(visit).text


@pytest.mark.parametrize("method", ["DeleteRoom", "UpdateRoomMetadata", "GetParticipant", "SendData"])
async def test_a_room_of_another_tenant_is_as_one_that_never_was(twirp: Twirp, method: str) -> None:
    await twirp.room()
    theirs = await twirp.ask(method, {"room": "visit"}, key=STRANGER)
    never = await twirp.ask(method, {"room": "never"})
    odd = await twirp.ask(method, {"room": "a/b"})
    assert (
        theirs.body
        == never.body
        == odd.body
        == {
            "code": "not_found",
            "msg": "requested room does not exist",
        }
    )
    await twirp.rooms.get_room("default", "visit")


async def test_the_same_in_protobuf(twirp: Twirp) -> None:
    request = room.CreateRoomRequest(name="visit", metadata="hello")
    made = await twirp.ask_binary("CreateRoom", request, models.Room)
    listed = await twirp.ask_binary("ListRooms", room.ListRoomsRequest(), room.ListRoomsResponse)
    assert (made.name, made.metadata) == ("visit", "hello")
    assert list(listed.rooms) == [made]


async def test_the_scopes_of_a_key_bound_what_its_tokens_allow(twirp: Twirp) -> None:
    refused = await twirp.ask("CreateRoom", {"name": "visit"}, key=READER)
    assert (refused.status, refused.code) == (403, "permission_denied")
    assert "rooms:write" in refused.body["msg"]
    assert (await twirp.ask("ListRooms", key=READER)).status == 200
