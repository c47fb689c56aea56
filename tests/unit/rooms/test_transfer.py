"""From one room to another, tokens that end, and what an application shows to everybody in a room."""

from dataclasses import replace

import pytest

from rooms import (
    Admission,
    ApiKey,
    Features,
    Grants,
    JoinRefused,
    NotFound,
    ParticipantDraft,
    Room,
    RoomDraft,
    Rooms,
    call_rules,
)
from rooms.rights import EVERYTHING
from rooms.tokens import mint_join_token
from tests.unit.rooms.conftest import NOW, SECRET, Witness


async def make(rooms: Rooms, room_id: str, **fields: object) -> Room:
    made = await rooms.create_room("default", RoomDraft(id=room_id, **fields), now=NOW)  # type: ignore[arg-type]
    assert isinstance(made, Room)
    return made


def livekit_token(room: str, *, grants: Grants = EVERYTHING, now: float = NOW) -> str:
    return mint_join_token(
        "portal", SECRET, room=room, identity="p1", grants=grants, now=now, ttl_seconds=3600, name="Kim"
    )


async def enter(rooms: Rooms, room: str, **options: object) -> Admission:
    return await rooms.verify_join(livekit_token(room, **options), now=NOW)  # type: ignore[arg-type]


class TestTransfer:
    async def test_rights_name_and_values_go_along(self, rooms: Rooms) -> None:
        await make(rooms, "a")
        there = await make(rooms, "b")
        listener = replace(EVERYTHING, can_publish=False, room_admin=False)
        person = replace(await enter(rooms, "a", grants=listener), metadata="m", attributes={"hand": "1"})
        admission, token = await rooms.transfer(person, "b", now=NOW)
        assert (admission.room_id, admission.room_name, admission.name) == (there.uid, "b", "Kim")
        assert admission.grants == listener
        assert (admission.metadata, admission.attributes) == ("m", {"hand": "1"})
        again = await rooms.verify_join(token, now=NOW)
        assert (again.room_id, again.grants, again.metadata) == (there.uid, listener, "m")

    async def test_what_is_stored_there_bounds_what_a_person_brings(self, rooms: Rooms) -> None:
        await make(rooms, "a")
        await make(rooms, "b")
        await rooms.participants.put("default", "b", "p1", ParticipantDraft(role="observer"), now=NOW)
        admission, _ = await rooms.transfer(await enter(rooms, "a"), "b", now=NOW)
        assert (admission.role, admission.grants.can_publish) == ("observer", False)

    async def test_what_a_room_switches_off_is_left_behind_with_it(self, rooms: Rooms) -> None:
        await make(rooms, "a", features=Features(chat=False))
        await make(rooms, "b")
        person = await enter(rooms, "a")
        assert not person.grants.can_publish_data
        admission, _ = await rooms.transfer(person, "b", now=NOW)
        assert admission.grants.can_publish_data

    async def test_removed_means_removed_also_for_those_who_are_moved(self, rooms: Rooms) -> None:
        await make(rooms, "a")
        await make(rooms, "b")
        await rooms.participants.remove("default", "b", "p1", now=NOW)
        with pytest.raises(JoinRefused, match="revoked"):
            await rooms.transfer(await enter(rooms, "a"), "b", now=NOW + 5)

    async def test_the_token_for_the_other_room_ends_with_the_others(self, rooms: Rooms) -> None:
        await make(rooms, "a")
        await make(rooms, "b")
        _, token = await rooms.transfer(await enter(rooms, "a"), "b", now=NOW)
        await rooms.participants.remove("default", "b", "p1", now=NOW + 1)
        with pytest.raises(JoinRefused, match="revoked"):
            await rooms.verify_join(token, now=NOW + 2)

    @pytest.mark.parametrize(
        ("room", "code"), [("nowhere", "not-found"), ("elsewhere", "not-found"), ("later", "too-early")]
    )
    async def test_a_room_that_cannot_be_entered_cannot_be_moved_to(
        self, rooms: Rooms, room: str, code: str
    ) -> None:
        await make(rooms, "a")
        await make(rooms, "later", starts_at=NOW + 86400)
        await rooms.create_room("elsewhere", RoomDraft(id="elsewhere"), now=NOW)
        with pytest.raises(JoinRefused, match=code):
            await rooms.transfer(await enter(rooms, "a"), room, now=NOW)


class TestEndedTokens:
    async def test_tokens_made_so_far_are_dead_and_later_ones_are_not(
        self, rooms: Rooms, witness: Witness
    ) -> None:
        room = await make(rooms, "a")
        await rooms.participants.end_tokens("default", "a", "p1", now=NOW)
        assert witness.heard == [("removed", room.uid, "p1")]
        (told,) = (await rooms.events.read(after=0, room_id="a")).items[-1:]
        assert (told.type, told.data["identity"], told.data["cause"]) == ("participant.removed", "p1", "api")
        with pytest.raises(JoinRefused, match="revoked"):
            await enter(rooms, "a")
        later = await rooms.verify_join(livekit_token("a", now=NOW + 1), now=NOW + 1)
        assert later.grants == EVERYTHING

    async def test_nothing_of_the_person_is_listed(self, rooms: Rooms) -> None:
        await make(rooms, "a")
        await rooms.participants.end_tokens("default", "a", "p1", now=NOW)
        assert await rooms.participants.list("default", "a") == []

    async def test_a_room_of_another_tenant_does_not_exist(self, rooms: Rooms) -> None:
        await make(rooms, "a")
        with pytest.raises(NotFound):
            await rooms.participants.end_tokens("elsewhere", "a", "p1", now=NOW)


class TestSharedMetadata:
    async def test_it_takes_the_place_of_what_the_server_says(self, rooms: Rooms, witness: Witness) -> None:
        room = await make(rooms, "a", name="A visit")
        usual = call_rules(room).text
        assert "A visit" in usual
        changed = await rooms.share_metadata("default", "a", "anything", now=NOW)
        assert (call_rules(changed).text, changed.version) == ("anything", 2)
        assert witness.heard == [("room", room.uid, call_rules(changed))]
        assert call_rules(await rooms.share_metadata("default", "a", None, now=NOW)).text == usual

    async def test_it_is_there_from_the_beginning_and_outlives_other_changes(
        self, rooms: Rooms, key: ApiKey
    ) -> None:
        await make(rooms, "a", shared_metadata="mine")
        changed = await rooms.replace_room("default", "a", RoomDraft(name="Another"), now=NOW)
        assert changed.shared_metadata == "mine"
        assert (await enter(rooms, "a")).rules.text == "mine"
