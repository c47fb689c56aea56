"""Who may come in: tokens against what is stored."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import jwt
import pytest

from rooms import (
    Admission,
    ApiKey,
    Bandwidth,
    Features,
    Grants,
    JoinRefused,
    KeyRing,
    ParticipantDraft,
    Role,
    Room,
    RoomDraft,
    Rooms,
    RoomsSettings,
)
from rooms.rights import EVERYTHING
from rooms.tokens import mint_join_token
from tests.unit.rooms.conftest import NOW, SECRET, Witness


@pytest.fixture
async def room(rooms: Rooms) -> Room:
    made = await rooms.create_room("default", RoomDraft(id="demo"), now=NOW)
    assert isinstance(made, Room)
    return made


@pytest.fixture
async def open_house(url: str, key: ApiKey) -> AsyncIterator[Rooms]:
    service = await Rooms.open(url, keys=KeyRing([key]), settings=RoomsSettings(create_on_join=True))
    yield service
    await service.close()


async def token_for(rooms: Rooms, key: ApiKey, identity: str = "p1", *, now: float = NOW) -> str:
    await rooms.participants.put("default", "demo", identity, ParticipantDraft(role="patient"), now=now)
    return (await rooms.participants.mint_token(key, "demo", identity, now=now)).token


def livekit_token(
    room: str = "demo", identity: str = "p1", *, grants: Grants = EVERYTHING, now: float = NOW
) -> str:
    return mint_join_token(
        "portal", SECRET, room=room, identity=identity, grants=grants, now=now, ttl_seconds=3600
    )


async def refusal(rooms: Rooms, token: str, *, now: float = NOW) -> str:
    with pytest.raises(JoinRefused) as caught:
        await rooms.verify_join(token, now=now)
    return caught.value.code


async def test_a_participant_is_admitted_with_the_stored_rights(
    rooms: Rooms, room: Room, key: ApiKey
) -> None:
    await rooms.participants.put(
        "default", "demo", "p1",
        ParticipantDraft(role="patient", name="P.", can_publish=("microphone",), attributes={"seat": "2"}),
        now=NOW,
    )  # fmt: skip
    ticket = await rooms.participants.mint_token(key, "demo", "p1", now=NOW)
    admission = await rooms.verify_join(ticket.token, now=NOW)
    assert (admission.room_id, admission.room_name) == (room.uid, "demo")
    assert (admission.identity, admission.name, admission.role) == ("p1", "P.", "patient")
    assert admission.grants.can_publish_sources == ("microphone",)
    assert admission.attributes == {"seat": "2"}
    assert admission.expires_at == ticket.expires_at == NOW + 900


async def test_however_much_is_stored_of_a_participant_the_token_for_them_lets_them_in(
    rooms: Rooms, room: Room, key: ApiKey
) -> None:
    attributes = {f"name-{number}": "x" * 500 for number in range(50)}
    draft = ParticipantDraft(name="P" * 200, attributes=attributes)
    await rooms.participants.put("default", "demo", "p1", draft, now=NOW)
    ticket = await rooms.participants.mint_token(key, "demo", "p1", now=NOW)
    assert (await rooms.verify_join(ticket.token, now=NOW)).attributes == attributes


async def test_rights_taken_away_after_the_token_was_made_are_gone(
    rooms: Rooms, room: Room, key: ApiKey
) -> None:
    token = await token_for(rooms, key)
    await rooms.participants.put("default", "demo", "p1", ParticipantDraft(can_publish=()), now=NOW)
    assert not (await rooms.verify_join(token, now=NOW)).grants.can_publish


async def test_a_token_cannot_give_more_than_is_stored(rooms: Rooms, room: Room) -> None:
    await rooms.participants.put("default", "demo", "p1", ParticipantDraft(role="observer"), now=NOW)
    admission = await rooms.verify_join(livekit_token(), now=NOW)
    assert (admission.role, admission.grants.can_publish, admission.grants.room_admin) == (
        "observer", False, False,
    )  # fmt: skip


async def test_rights_given_after_our_token_was_made_are_there(rooms: Rooms, room: Room, key: ApiKey) -> None:
    await rooms.participants.put("default", "demo", "p1", ParticipantDraft(role="observer"), now=NOW)
    token = (await rooms.participants.mint_token(key, "demo", "p1", now=NOW)).token
    await rooms.participants.put("default", "demo", "p1", ParticipantDraft(role="host"), now=NOW)
    admission = await rooms.verify_join(token, now=NOW)
    assert admission.grants == EVERYTHING
    fresh = await rooms.refresh_token(admission, now=NOW)
    await rooms.participants.put("default", "demo", "p1", ParticipantDraft(can_publish=()), now=NOW)
    assert not (await rooms.verify_join(fresh, now=NOW)).grants.can_publish


async def test_what_a_token_narrows_stays_so_whatever_is_stored_and_however_often_it_is_refreshed(
    rooms: Rooms, room: Room
) -> None:
    narrow = replace(EVERYTHING, hidden=True, can_publish_sources=("microphone",))
    admission = await rooms.verify_join(livekit_token(grants=narrow), now=NOW)
    roles: tuple[Role, ...] = ("observer", "host", "host")
    for role in roles:
        await rooms.participants.put("default", "demo", "p1", ParticipantDraft(role=role), now=NOW)
        token = await rooms.refresh_token(admission, now=NOW)
        admission = await rooms.verify_join(token, now=NOW)
    assert admission.grants == narrow


async def test_a_room_that_was_for_sound_alone_for_a_while_takes_nothing_away_for_good(
    rooms: Rooms, room: Room, key: ApiKey
) -> None:
    await rooms.participants.put("default", "demo", "p1", ParticipantDraft(role="host"), now=NOW)
    tokens = [livekit_token(identity="new")]
    before = [await rooms.verify_join(token, now=NOW) for token in tokens]
    sound = RoomDraft(bandwidth=Bandwidth(audio_only=True))
    await rooms.replace_room("default", "demo", sound, now=NOW)
    tokens.append((await rooms.participants.mint_token(key, "demo", "p1", now=NOW)).token)
    for token in tokens:
        meanwhile = await rooms.verify_join(token, now=NOW)
        assert meanwhile.grants.can_publish_sources == ("microphone",)
    claims = jwt.decode(
        tokens[1], SECRET, algorithms=["HS256"], options={"verify_exp": False, "verify_nbf": False}
    )
    assert claims["video"]["canPublishSources"] == ["microphone"]
    await rooms.replace_room("default", "demo", RoomDraft(), now=NOW)
    later = [await rooms.verify_join(token, now=NOW) for token in tokens]
    assert [one.grants for one in later] == [before[0].grants, EVERYTHING]


async def test_a_feature_that_was_off_for_a_while_takes_nothing_away_for_good(
    rooms: Rooms, room: Room
) -> None:
    admission = await rooms.verify_join(livekit_token(), now=NOW)
    await rooms.replace_room("default", "demo", RoomDraft(features=Features(chat=False)), now=NOW)
    meanwhile = await rooms.verify_join(await rooms.refresh_token(admission, now=NOW), now=NOW)
    assert not meanwhile.grants.can_publish_data
    await rooms.replace_room("default", "demo", RoomDraft(), now=NOW)
    later = await rooms.verify_join(await rooms.refresh_token(meanwhile, now=NOW), now=NOW)
    assert later.grants == admission.grants


async def test_a_livekit_token_joins_an_existing_room_as_somebody_unknown(rooms: Rooms, room: Room) -> None:
    admission = await rooms.verify_join(livekit_token(identity="new"), now=NOW)
    assert (admission.room_id, admission.role, admission.epoch) == (room.uid, "host", 0)


async def test_features_of_the_room_bound_a_livekit_token(rooms: Rooms) -> None:
    await rooms.create_room("default", RoomDraft(id="demo", features=Features(chat=False)), now=NOW)
    assert not (await rooms.verify_join(livekit_token(), now=NOW)).grants.can_publish_data


async def test_an_unknown_room_is_refused_with_the_text_that_clients_know(rooms: Rooms) -> None:
    with pytest.raises(JoinRefused) as caught:
        await rooms.verify_join(livekit_token(), now=NOW)
    assert (caught.value.code, caught.value.http_status) == ("not-found", 403)
    assert caught.value.text == "requested room does not exist"


async def test_a_room_is_made_on_joining_where_that_is_allowed(open_house: Rooms) -> None:
    first = await open_house.verify_join(livekit_token("Ward 7", "a"), now=NOW)
    second = await open_house.verify_join(livekit_token("Ward 7", "b"), now=NOW)
    assert first.room_id == second.room_id
    assert (await open_house.get_room("default", "Ward 7")).uid == first.room_id


async def test_two_who_join_a_new_room_together_meet_in_one(open_house: Rooms) -> None:
    tokens = [livekit_token("Ward 7", f"p{number}") for number in range(8)]
    admissions: list[Admission] = await asyncio.gather(
        *(open_house.verify_join(token, now=NOW) for token in tokens)
    )
    assert len({one.room_id for one in admissions}) == 1


async def test_a_token_of_a_deleted_room_does_not_bring_it_back(open_house: Rooms, key: ApiKey) -> None:
    await open_house.create_room("default", RoomDraft(id="demo"), now=NOW)
    token = await token_for(open_house, key)
    await open_house.delete_room("default", "demo", now=NOW)
    assert await refusal(open_house, token) == "not-found"


async def test_a_token_of_an_earlier_room_of_the_same_id_is_dead(
    rooms: Rooms, room: Room, key: ApiKey
) -> None:
    token = await token_for(rooms, key)
    await rooms.delete_room("default", "demo", now=NOW)
    await rooms.create_room("default", RoomDraft(id="demo"), now=NOW)
    assert await refusal(rooms, token) == "revoked"


async def test_a_token_of_another_tenant_finds_no_room(rooms: Rooms, room: Room, other_key: ApiKey) -> None:
    token = mint_join_token(
        other_key.key,
        other_key.secret,
        room="demo",
        identity="p1",
        grants=EVERYTHING,
        now=NOW,
        ttl_seconds=60,
    )
    assert await refusal(rooms, token) == "not-found"


@pytest.mark.parametrize(
    ("now", "code"), [(NOW + 1799, "too-early"), (NOW + 3600 + 3600, "too-late"), (NOW + 1800, None)]
)
async def test_nobody_enters_outside_the_opening_hours(
    rooms: Rooms, key: ApiKey, now: float, code: str | None
) -> None:
    await rooms.create_room("default", RoomDraft(id="demo", starts_at=NOW + 3600), now=NOW)
    token = await token_for(rooms, key, now=now)
    if code is None:
        await rooms.verify_join(token, now=now)
    else:
        assert await refusal(rooms, token, now=now) == code


async def test_a_bad_token_says_nothing_about_the_room(rooms: Rooms, room: Room) -> None:
    assert await refusal(rooms, "e30.e30.e30") == "unauthenticated"
    assert await refusal(rooms, livekit_token(), now=NOW + 7200) == "unauthenticated"


class TestRemoval:
    async def test_every_earlier_token_is_dead(
        self, rooms: Rooms, room: Room, key: ApiKey, witness: Witness
    ) -> None:
        tokens = [await token_for(rooms, key), livekit_token()]
        await rooms.participants.remove("default", "demo", "p1", now=NOW + 1)
        assert [await refusal(rooms, one, now=NOW + 2) for one in tokens] == ["revoked", "revoked"]
        assert witness.heard[-1] == ("removed", room.uid, "p1")

    async def test_a_new_livekit_token_does_not_help(self, rooms: Rooms, room: Room) -> None:
        await rooms.participants.remove("default", "demo", "p1", now=NOW)
        assert await refusal(rooms, livekit_token(now=NOW + 60), now=NOW + 60) == "revoked"

    async def test_who_is_put_back_needs_a_new_token(self, rooms: Rooms, room: Room, key: ApiKey) -> None:
        ours, theirs = await token_for(rooms, key), livekit_token()
        await rooms.participants.remove("default", "demo", "p1", now=NOW + 1)
        fresh = await token_for(rooms, key, now=NOW + 2)
        assert [await refusal(rooms, one, now=NOW + 3) for one in (ours, theirs)] == ["revoked", "revoked"]
        await rooms.verify_join(fresh, now=NOW + 3)
        await rooms.verify_join(livekit_token(now=NOW + 3), now=NOW + 3)

    async def test_forgetting_and_expecting_again_revives_no_token(
        self, rooms: Rooms, room: Room, key: ApiKey
    ) -> None:
        token = await token_for(rooms, key)
        await rooms.participants.forget("default", "demo", "p1", now=NOW + 1)
        assert await refusal(rooms, token, now=NOW + 2) == "revoked"
        await token_for(rooms, key, now=NOW + 2)
        assert await refusal(rooms, token, now=NOW + 2) == "revoked"

    async def test_forgetting_somebody_removed_does_not_let_them_in(
        self, rooms: Rooms, room: Room, key: ApiKey
    ) -> None:
        await token_for(rooms, key)
        await rooms.participants.remove("default", "demo", "p1", now=NOW)
        await rooms.participants.forget("default", "demo", "p1", now=NOW)
        assert await refusal(rooms, livekit_token(now=NOW + 60), now=NOW + 60) == "revoked"

    async def test_somebody_never_stored_can_be_removed(self, rooms: Rooms, room: Room) -> None:
        token = livekit_token(identity="stranger")
        await rooms.verify_join(token, now=NOW)
        await rooms.participants.remove("default", "demo", "stranger", now=NOW)
        assert await refusal(rooms, token) == "revoked"

    async def test_it_outlives_a_restart(self, rooms: Rooms, room: Room, key: ApiKey, url: str) -> None:
        token = await token_for(rooms, key)
        await rooms.participants.remove("default", "demo", "p1", now=NOW)
        again = await Rooms.open(url, keys=KeyRing([key]))
        try:
            assert await refusal(again, token) == "revoked"
        finally:
            await again.close()


class TestRefreshing:
    async def test_a_leg_gets_a_token_that_lets_it_in_as_before(
        self, rooms: Rooms, room: Room, key: ApiKey
    ) -> None:
        admission = await rooms.verify_join(await token_for(rooms, key), now=NOW)
        later = await rooms.verify_join(await rooms.refresh_token(admission, now=NOW + 800), now=NOW + 800)
        assert later.expires_at == NOW + 800 + 900
        assert (later.identity, later.role, later.grants) == (
            admission.identity, admission.role, admission.grants,
        )  # fmt: skip

    async def test_somebody_unknown_to_the_store_keeps_the_rights_of_the_token(
        self, rooms: Rooms, room: Room
    ) -> None:
        admission = await rooms.verify_join(livekit_token(identity="new"), now=NOW)
        later = await rooms.verify_join(await rooms.refresh_token(admission, now=NOW + 1), now=NOW + 1)
        assert later.grants == admission.grants

    @pytest.mark.parametrize(
        ("metadata", "attributes", "kept"),
        [
            ("m", {"a": "b"}, ("m", {"a": "b"})),
            ("m" * 65_536, {"a": "b"}, ("", {"a": "b"})),
            ("m", {"a": "b" * 65_000}, ("m", {})),
            ("m" * 65_536, {"a": "b" * 65_000}, ("", {})),
        ],
    )
    async def test_what_does_not_fit_is_left_out_so_that_the_token_still_lets_in(
        self, rooms: Rooms, room: Room, metadata: str, attributes: dict[str, str], kept: object
    ) -> None:
        admission = await rooms.verify_join(livekit_token(identity="new"), now=NOW)
        grown = replace(admission, metadata=metadata, attributes=attributes)
        later = await rooms.verify_join(await rooms.refresh_token(grown, now=NOW), now=NOW)
        assert (later.metadata, later.attributes) == kept

    async def test_stored_attributes_are_those_of_the_store_and_never_of_an_older_token(
        self, rooms: Rooms, room: Room, key: ApiKey
    ) -> None:
        draft = ParticipantDraft(attributes={"seat": "2", "ward": "7"})
        await rooms.participants.put("default", "demo", "p1", draft, now=NOW)
        ticket = await rooms.participants.mint_token(key, "demo", "p1", now=NOW)
        admission = await rooms.verify_join(ticket.token, now=NOW)
        fresh = await rooms.refresh_token(admission, now=NOW)
        await rooms.participants.put(
            "default", "demo", "p1", ParticipantDraft(attributes={"seat": "3"}), now=NOW
        )
        assert (await rooms.verify_join(fresh, now=NOW)).attributes == {"seat": "3"}

    async def test_it_ends_with_removal(self, rooms: Rooms, room: Room, key: ApiKey) -> None:
        admission = await rooms.verify_join(await token_for(rooms, key), now=NOW)
        fresh = await rooms.refresh_token(admission, now=NOW)
        await rooms.participants.remove("default", "demo", "p1", now=NOW)
        with pytest.raises(JoinRefused, match="revoked"):
            await rooms.refresh_token(admission, now=NOW)
        assert await refusal(rooms, fresh) == "revoked"

    async def test_it_ends_with_the_room(self, rooms: Rooms, room: Room, key: ApiKey) -> None:
        admission = await rooms.verify_join(await token_for(rooms, key), now=NOW)
        await rooms.delete_room("default", "demo", now=NOW)
        with pytest.raises(JoinRefused, match="not-found"):
            await rooms.refresh_token(admission, now=NOW)


async def test_a_key_that_is_taken_away_takes_its_tokens_along(
    rooms: Rooms, room: Room, key: ApiKey, other_key: ApiKey
) -> None:
    token = await token_for(rooms, key)
    rooms.reconfigure(keys=KeyRing([other_key]), settings=RoomsSettings())
    assert await refusal(rooms, token) == "unauthenticated"
