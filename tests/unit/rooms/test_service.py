"""Rooms, participants and links as the database keeps them."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import get_args

import pytest
from sqlalchemy import text

from rooms import (
    Answer,
    ApiKey,
    Bandwidth,
    CallRules,
    Features,
    Full,
    IdempotencyMismatch,
    InvalidValue,
    JoinRefused,
    KeyRing,
    NotFound,
    Once,
    ParticipantDraft,
    Removed,
    Room,
    RoomAct,
    RoomDraft,
    RoomFilter,
    Rooms,
    RoomsSettings,
    RoomState,
    StaleVersion,
    Taken,
)
from rooms.rights import EVERYTHING
from tests.unit.rooms.conftest import NOW, Witness


async def make(rooms: Rooms, tenant: str = "default", now: float = NOW, **fields: object) -> Room:
    made = await rooms.create_room(tenant, RoomDraft(**fields), now=now)  # type: ignore[arg-type]
    assert isinstance(made, Room)
    return made


class TestRooms:
    async def test_a_room_is_read_as_it_was_made(self, rooms: Rooms) -> None:
        made = await make(
            rooms, id="rdv", name="Suivi", kind="group", starts_at=NOW, ends_at=NOW + 60.5,
            max_participants=8, features=Features(chat=False, e2ee=True), metadata={"agenda": "7"},
        )  # fmt: skip
        assert await rooms.get_room("default", "rdv") == made
        assert (made.open_before_minutes, made.close_after_minutes, made.version) == (30, 60, 1)

    async def test_ids_that_nobody_chose_cannot_be_guessed(self, rooms: Rooms) -> None:
        ids = {(await make(rooms)).id for _ in range(20)}
        assert len(ids) == 20
        assert all(len(one) == 26 for one in ids)  # 128 bits, 5 to a character

    async def test_an_id_is_taken_once_in_a_tenant(self, rooms: Rooms) -> None:
        await make(rooms, id="rdv")
        with pytest.raises(Taken):
            await make(rooms, id="rdv")
        await make(rooms, tenant="elsewhere", id="rdv")

    async def test_a_room_does_not_exist_for_another_tenant(self, rooms: Rooms) -> None:
        await make(rooms, id="rdv")
        for attempt in (
            rooms.get_room("elsewhere", "rdv"),
            rooms.delete_room("elsewhere", "rdv", now=NOW),
            rooms.replace_room("elsewhere", "rdv", RoomDraft(), now=NOW),
            rooms.participants.put("elsewhere", "rdv", "p", ParticipantDraft(), now=NOW),
            rooms.participants.list("elsewhere", "rdv"),
            rooms.links.create_for_guests("elsewhere", "rdv", now=NOW),
        ):
            with pytest.raises(NotFound):
                await attempt
        found, _ = await rooms.list_rooms("elsewhere", RoomFilter())
        assert found == []

    @pytest.mark.parametrize("room_id", ["", "a/b", " a", ".", "..", "a\nb", "x" * 129])
    async def test_an_id_that_breaks_an_address_is_refused(self, rooms: Rooms, room_id: str) -> None:
        with pytest.raises(InvalidValue) as caught:
            await rooms.create_room("default", RoomDraft(id=room_id or "/"), now=NOW)
        assert caught.value.field == "id"

    async def test_a_room_that_ends_before_it_starts_is_refused(self, rooms: Rooms) -> None:
        with pytest.raises(InvalidValue):
            await make(rooms, starts_at=NOW, ends_at=NOW)

    async def test_changing_a_room_raises_its_version_and_is_told(
        self, rooms: Rooms, witness: Witness
    ) -> None:
        room = await make(rooms, id="rdv")
        changed = await rooms.replace_room("default", "rdv", RoomDraft(name="B"), if_version=1, now=NOW)
        assert (changed.name, changed.version, changed.uid) == ("B", 2, room.uid)
        ((what, uid, rules),) = witness.heard
        assert (what, uid) == ("room", room.uid)
        assert isinstance(rules, CallRules)
        assert json.loads(rules.text)["name"] == "B"

    async def test_a_change_meant_for_an_older_version_is_refused(self, rooms: Rooms) -> None:
        await make(rooms, id="rdv")
        await rooms.replace_room("default", "rdv", RoomDraft(name="B"), now=NOW)
        with pytest.raises(StaleVersion):
            await rooms.replace_room("default", "rdv", RoomDraft(name="C"), if_version=1, now=NOW)
        with pytest.raises(StaleVersion):
            await rooms.delete_room("default", "rdv", now=NOW, if_version=1)
        assert (await rooms.get_room("default", "rdv")).name == "B"

    async def test_of_many_changes_to_one_version_exactly_one_is_made(self, rooms: Rooms) -> None:
        await make(rooms, id="rdv")
        outcomes = await asyncio.gather(
            *(
                rooms.replace_room("default", "rdv", RoomDraft(name=str(n)), if_version=1, now=NOW)
                for n in range(8)
            ),
            return_exceptions=True,
        )
        assert sum(isinstance(one, Room) for one in outcomes) == 1
        assert sum(isinstance(one, StaleVersion) for one in outcomes) == 7

    async def test_switching_a_feature_off_is_told_of_the_room_whoever_is_stored(
        self, rooms: Rooms, witness: Witness
    ) -> None:
        room = await make(rooms, id="rdv")
        features = Features(chat=False, e2ee=True)
        await rooms.replace_room("default", "rdv", RoomDraft(features=features, max_participants=3), now=NOW)
        ((what, uid, rules),) = witness.heard
        assert (what, uid) == ("room", room.uid)
        assert isinstance(rules, CallRules)
        assert (rules.features, rules.max_participants) == (features, 3)

    async def test_the_bounds_of_a_room_are_kept_and_no_event_says_which(
        self, rooms: Rooms, witness: Witness
    ) -> None:
        bandwidth = Bandwidth(max_kbps_up=500, max_kbps_down=1_500)
        await make(rooms, id="rdv")
        await rooms.replace_room("default", "rdv", RoomDraft(bandwidth=bandwidth), now=NOW)
        assert (await rooms.get_room("default", "rdv")).bandwidth == bandwidth
        rules = witness.heard[-1][2]
        assert isinstance(rules, CallRules)
        assert rules.bandwidth == bandwidth
        assert json.loads(rules.text)["bandwidth"]["max_kbps_up"] == 500, "clients may read why"
        told = (await rooms.events.read(after=0, room_id="rdv")).items
        assert [(one.type, one.data) for one in told[1:]] == [("room.updated", {"cause": "api"})]

    async def test_a_room_for_sound_alone_is_told_of_once_in_the_log_and_with_its_cause(
        self, rooms: Rooms, witness: Witness
    ) -> None:
        await make(rooms, id="rdv")
        sound = RoomDraft(bandwidth=Bandwidth(audio_only=True))
        for draft in (sound, sound, RoomDraft(), RoomDraft(name="B")):
            changed = await rooms.replace_room("default", "rdv", draft, now=NOW + 5)
            assert changed.bandwidth == draft.bandwidth == (await rooms.get_room("default", "rdv")).bandwidth
            assert isinstance(witness.heard[-1][2], CallRules)
            assert witness.heard[-1][2].bandwidth == draft.bandwidth
            said = json.loads(witness.heard[-1][2].text or "{}").get("bandwidth", {"audio_only": False})
            assert said["audio_only"] == draft.bandwidth.audio_only
        told = (await rooms.events.read(after=0, room_id="rdv")).items
        of_sound = [one for one in told if one.type.startswith("audio_only.")]
        assert [(one.type, one.data, one.occurred_at) for one in of_sound] == [
            ("audio_only.on", {"cause": "api"}, NOW + 5),
            ("audio_only.off", {"cause": "api"}, NOW + 5),
        ]

    async def test_a_change_that_came_too_late_tells_of_nothing(self, rooms: Rooms) -> None:
        await make(rooms, id="rdv", bandwidth=Bandwidth(audio_only=True))
        with pytest.raises(StaleVersion):
            await rooms.replace_room("default", "rdv", RoomDraft(), now=NOW, if_version=7)
        told = (await rooms.events.read(after=0, room_id="rdv")).items
        assert [one.type for one in told] == ["room.planned", "audio_only.on"]

    async def test_deleting_a_room_takes_everything_along(self, rooms: Rooms, witness: Witness) -> None:
        room = await make(rooms, id="rdv")
        await rooms.participants.put("default", "rdv", "p", ParticipantDraft(), now=NOW)
        _, secret = await rooms.links.create_for_participant("default", "rdv", "p", now=NOW)
        await rooms.delete_room("default", "rdv", now=NOW)
        assert witness.heard[-1] == ("closed", room.uid, "deleted")
        with pytest.raises(JoinRefused, match="not-found"):
            await rooms.links.preview(secret, now=NOW)
        assert await _rows(rooms, "participants") == await _rows(rooms, "links") == []

    async def test_an_observer_that_fails_does_not_fail_the_change(
        self, rooms: Rooms, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Broken(Witness):
            def room_changed(self, room_id: str, rules: CallRules) -> None:
                raise RuntimeError("not today")

        rooms.observe(Broken())
        await make(rooms, id="rdv")
        assert (await rooms.replace_room("default", "rdv", RoomDraft(name="B"), now=NOW)).name == "B"
        assert "observer_failed" in caplog.messages


class TestAgenda:
    async def test_rooms_come_in_pages_in_the_order_of_the_agenda(self, rooms: Rooms) -> None:
        made = [await make(rooms, starts_at=NOW + offset) for offset in (300, 100, 200, 100, 400)]
        seen: list[Room] = []
        position = None
        for _ in range(5):
            page, position = await rooms.list_rooms("default", RoomFilter(), after=position, limit=2)
            seen += page
            if position is None:
                break
        assert seen == sorted(made, key=lambda room: (room.starts_at, room.uid))

    async def test_a_page_that_is_just_full_is_the_last(self, rooms: Rooms) -> None:
        await make(rooms)
        _, position = await rooms.list_rooms("default", RoomFilter(), limit=1)
        assert position is None

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            (RoomFilter(), {"early", "now", "late", "open"}),
            (RoomFilter(state="planned"), {"late", "open"}),
            (RoomFilter(state="in_progress"), {"now"}),
            (RoomFilter(state="not_held"), {"early"}),
            (RoomFilter(state="finished"), set()),
            (RoomFilter(starts_from=NOW), {"now", "late", "open"}),
            (RoomFilter(starts_before=NOW), {"early"}),
            (RoomFilter(metadata={"ward": "7"}), {"now"}),
            (RoomFilter(metadata={"ward": "7", "x": "y"}), set()),
            (RoomFilter(metadata={'a"b': "'; DROP TABLE rooms"}), set()),
        ],
    )
    async def test_rooms_are_found_by_state_time_and_metadata(
        self, rooms: Rooms, wanted: RoomFilter, found: set[str]
    ) -> None:
        await make(rooms, id="early", starts_at=NOW - 90_000)
        await make(rooms, id="now", starts_at=NOW, metadata={"ward": "7"})
        await make(rooms, id="late", starts_at=NOW + 90_000, metadata={"ward": "8"})
        await make(rooms, id="open")
        await rooms.act("default", "now", RoomAct.START, now=NOW)
        await rooms.deadlines.meet(now=NOW)
        listed, _ = await rooms.list_rooms("default", wanted)
        assert {room.id for room in listed} == found

    async def test_rooms_are_counted_by_state(self, rooms: Rooms) -> None:
        await make(rooms, starts_at=NOW - 90_000)
        await make(rooms, starts_at=NOW)
        await make(rooms, tenant="elsewhere")
        await rooms.deadlines.meet(now=NOW)
        counts = await rooms.count_by_state()
        assert counts == dict.fromkeys(get_args(RoomState), 0) | {"planned": 2, "not_held": 1}


class TestIdempotency:
    @pytest.fixture
    def once(self) -> Callable[..., Once]:
        return lambda key="k", fingerprint="f": Once(
            key, fingerprint, lambda room: Answer(201, {"ETag": "1"}, room.id)
        )

    async def test_a_repetition_makes_nothing_and_gets_the_first_answer(
        self, rooms: Rooms, once: Callable[..., Once]
    ) -> None:
        first = await rooms.create_room("default", RoomDraft(), now=NOW, once=once())
        again = await rooms.create_room("default", RoomDraft(), now=NOW + 86_000, once=once())
        assert isinstance(first, Room)
        assert again == Answer(201, {"ETag": "1"}, first.id)
        assert len((await rooms.list_rooms("default", RoomFilter()))[0]) == 1

    async def test_repetitions_at_the_same_time_make_one_room(
        self, rooms: Rooms, once: Callable[..., Once]
    ) -> None:
        await asyncio.gather(
            *(rooms.create_room("default", RoomDraft(), now=NOW, once=once()) for _ in range(8))
        )
        assert len((await rooms.list_rooms("default", RoomFilter()))[0]) == 1

    async def test_the_same_key_for_another_request_is_refused(
        self, rooms: Rooms, once: Callable[..., Once]
    ) -> None:
        await rooms.create_room("default", RoomDraft(), now=NOW, once=once())
        with pytest.raises(IdempotencyMismatch):
            await rooms.create_room("default", RoomDraft(), now=NOW, once=once(fingerprint="g"))

    async def test_keys_of_tenants_do_not_meet_and_old_keys_are_forgotten(
        self, rooms: Rooms, once: Callable[..., Once]
    ) -> None:
        await rooms.create_room("default", RoomDraft(), now=NOW, once=once())
        assert isinstance(await rooms.create_room("elsewhere", RoomDraft(), now=NOW, once=once()), Room)
        assert isinstance(
            await rooms.create_room("default", RoomDraft(), now=NOW + 86_401, once=once()), Room
        )

    async def test_a_refused_request_leaves_its_key_free(
        self, rooms: Rooms, once: Callable[..., Once]
    ) -> None:
        await make(rooms, id="rdv")
        with pytest.raises(Taken):
            await rooms.create_room("default", RoomDraft(id="rdv"), now=NOW, once=once())
        assert isinstance(await rooms.create_room("default", RoomDraft(id="b"), now=NOW, once=once()), Room)


class TestParticipants:
    @pytest.fixture(autouse=True)
    async def room(self, rooms: Rooms) -> Room:
        return await make(rooms, id="rdv")

    async def test_putting_twice_is_the_same_as_once(self, rooms: Rooms) -> None:
        draft = ParticipantDraft(role="host", name="Dr", can_publish=("camera",), attributes={"a": "b"})
        first, made = await rooms.participants.put("default", "rdv", "dr", draft, now=NOW)
        again, made_again = await rooms.participants.put("default", "rdv", "dr", draft, now=NOW + 5)
        assert (made, made_again) == (True, False)
        assert (again.role, again.created_at, again.epoch) == (first.role, NOW, 0)
        assert again == await rooms.participants.get("default", "rdv", "dr")

    async def test_a_change_is_told_with_the_attributes_that_are_stored_no_more(
        self, rooms: Rooms, room: Room, witness: Witness
    ) -> None:
        for attributes in ({"seat": "2", "ward": "7"}, {"seat": "3"}):
            draft = ParticipantDraft(role="host", name="Dr", attributes=attributes)
            await rooms.participants.put("default", "rdv", "dr", draft, now=NOW)
        assert witness.heard == [
            ("changed", room.uid, "dr", EVERYTHING, "Dr", {"seat": "2", "ward": "7"}),
            ("changed", room.uid, "dr", EVERYTHING, "Dr", {"seat": "3", "ward": ""}),
        ]

    async def test_people_come_in_the_order_of_their_identity(self, rooms: Rooms) -> None:
        for identity in ("c", "a", "b"):
            await rooms.participants.put("default", "rdv", identity, ParticipantDraft(), now=NOW)
        found = await rooms.participants.list("default", "rdv", limit=2)
        assert [one.identity for one in found] == ["a", "b"]
        assert [one.identity for one in await rooms.participants.list("default", "rdv", after="b")] == ["c"]

    async def test_a_forgotten_person_leaves_no_name_behind(self, rooms: Rooms) -> None:
        draft = ParticipantDraft(
            name="Mme Personne", attributes={"a": "Personne"}, metadata={"b": "Personne"}
        )
        await rooms.participants.put("default", "rdv", "p", draft, now=NOW)
        await rooms.participants.forget("default", "rdv", "p", now=NOW)
        with pytest.raises(NotFound):
            await rooms.participants.get("default", "rdv", "p")
        assert await rooms.participants.list("default", "rdv") == []
        assert "Personne" not in str(await _rows(rooms, "participants"))

    async def test_nothing_that_lets_in_is_given_to_somebody_removed(self, rooms: Rooms, key: ApiKey) -> None:
        await rooms.participants.put("default", "rdv", "p", ParticipantDraft(), now=NOW)
        _, secret = await rooms.links.create_for_participant("default", "rdv", "p", now=NOW)
        await rooms.participants.remove("default", "rdv", "p", now=NOW)
        with pytest.raises(Removed):
            await rooms.participants.mint_token(key, "rdv", "p", now=NOW)
        with pytest.raises(Removed):
            await rooms.links.create_for_participant("default", "rdv", "p", now=NOW)
        for attempt in (rooms.links.preview(secret, now=NOW), rooms.links.join(secret, now=NOW)):
            with pytest.raises(JoinRefused, match="revoked"):
                await attempt

    async def test_changing_somebody_removed_need_not_let_them_in(self, rooms: Rooms) -> None:
        await rooms.participants.remove("default", "rdv", "p", now=NOW)
        changed, _ = await rooms.participants.put(
            "default", "rdv", "p", ParticipantDraft(name="P"), now=NOW, put_back=False
        )
        assert (changed.name, changed.state) == ("P", "removed")

    async def test_a_room_holds_so_many_people_and_no_more(self, rooms: Rooms, key: ApiKey) -> None:
        rooms.reconfigure(keys=KeyRing([key]), settings=RoomsSettings(max_participants_per_room=2))
        for identity in ("a", "b", "a"):
            await rooms.participants.put("default", "rdv", identity, ParticipantDraft(), now=NOW)
        with pytest.raises(Full):
            await rooms.participants.put("default", "rdv", "c", ParticipantDraft(), now=NOW)


class TestLinks:
    @pytest.fixture(autouse=True)
    async def room(self, rooms: Rooms) -> Room:
        return await make(rooms, id="rdv", name="Suivi")

    async def test_a_bound_link_brings_its_participant_back_each_time(self, rooms: Rooms) -> None:
        await rooms.participants.put("default", "rdv", "p", ParticipantDraft(role="patient"), now=NOW)
        _, secret = await rooms.links.create_for_participant("default", "rdv", "p", now=NOW)
        invitation = await rooms.links.preview(secret, now=NOW)
        assert (invitation.identity, invitation.name, invitation.role) == ("p", None, "patient")
        for _ in range(2):
            ticket = await rooms.links.join(secret, now=NOW, name=" Léa\n")
            admission = await rooms.verify_join(ticket.token, now=NOW)
            assert (admission.identity, admission.name, admission.role) == ("p", "Léa", "patient")

    async def test_a_stored_name_is_not_changed_by_the_page(self, rooms: Rooms) -> None:
        await rooms.participants.put("default", "rdv", "p", ParticipantDraft(name="Léa"), now=NOW)
        _, secret = await rooms.links.create_for_participant("default", "rdv", "p", now=NOW)
        assert (await rooms.links.join(secret, now=NOW, name="Dr")).name == "Léa"

    async def test_the_same_browser_is_the_same_guest_and_another_is_not(self, rooms: Rooms) -> None:
        _, secret = await rooms.links.create_for_guests("default", "rdv", now=NOW)
        one = await rooms.links.join(secret, now=NOW, name="A", guest_key="k" * 16)
        again = await rooms.links.join(secret, now=NOW, name="A", guest_key="k" * 16)
        other = await rooms.links.join(secret, now=NOW, name="A", guest_key="l" * 16)
        nobody = await rooms.links.join(secret, now=NOW)
        assert one.identity == again.identity
        assert len({one.identity, other.identity, nobody.identity}) == 3

    async def test_a_guests_name_is_in_the_token_and_not_in_the_database(self, rooms: Rooms) -> None:
        _, secret = await rooms.links.create_for_guests("default", "rdv", role="patient", now=NOW)
        ticket = await rooms.links.join(secret, now=NOW, name="Personne")
        assert (await rooms.verify_join(ticket.token, now=NOW)).name == "Personne"
        assert "Personne" not in str(await _rows(rooms, "participants"))

    async def test_a_removed_guest_stays_out(self, rooms: Rooms) -> None:
        _, secret = await rooms.links.create_for_guests("default", "rdv", now=NOW)
        ticket = await rooms.links.join(secret, now=NOW, guest_key="k" * 16)
        await rooms.participants.remove("default", "rdv", ticket.identity, now=NOW)
        with pytest.raises(JoinRefused, match="revoked"):
            await rooms.links.join(secret, now=NOW, guest_key="k" * 16)

    async def test_only_a_hash_of_the_secret_is_kept(self, rooms: Rooms) -> None:
        _, secret = await rooms.links.create_for_guests("default", "rdv", now=NOW)
        assert len(secret) == 26
        assert secret not in str(await _rows(rooms, "links"))

    @pytest.mark.parametrize("dead", ["never made", "deleted", "expired", "participant forgotten"])
    async def test_dead_links_look_alike(self, rooms: Rooms, dead: str) -> None:
        await rooms.participants.put("default", "rdv", "p", ParticipantDraft(), now=NOW)
        link, secret = await rooms.links.create_for_participant(
            "default", "rdv", "p", now=NOW, expires_at=NOW + 100
        )
        match dead:
            case "never made":
                secret = "a" * 26
            case "deleted":
                await rooms.links.delete("default", link.id)
            case "participant forgotten":
                await rooms.participants.forget("default", "rdv", "p", now=NOW)
        now = NOW + 100 if dead == "expired" else NOW
        for attempt in (rooms.links.preview(secret, now=now), rooms.links.join(secret, now=now)):
            with pytest.raises(JoinRefused) as caught:
                await attempt
            assert (caught.value.code, str(caught.value)) == ("not-found", "not-found")

    async def test_a_link_opens_nothing_outside_the_opening_hours(self, rooms: Rooms) -> None:
        await make(rooms, id="later", starts_at=NOW + 3600)
        _, secret = await rooms.links.create_for_guests("default", "later", now=NOW)
        for attempt in (rooms.links.preview(secret, now=NOW), rooms.links.join(secret, now=NOW)):
            with pytest.raises(JoinRefused, match="too-early"):
                await attempt
        assert (await rooms.links.room_of(secret, now=NOW)).id == "later"
        await rooms.links.join(secret, now=NOW + 1800)

    async def test_a_link_is_deleted_by_its_own_tenant_only(self, rooms: Rooms) -> None:
        link, _ = await rooms.links.create_for_guests("default", "rdv", now=NOW)
        with pytest.raises(NotFound):
            await rooms.links.delete("elsewhere", link.id)
        await rooms.links.delete("default", link.id)

    async def test_a_room_has_so_many_links_and_no_more(self, rooms: Rooms, key: ApiKey) -> None:
        rooms.reconfigure(keys=KeyRing([key]), settings=RoomsSettings(max_links_per_room=1))
        await rooms.links.create_for_guests("default", "rdv", now=NOW)
        with pytest.raises(Full):
            await rooms.links.create_for_guests("default", "rdv", now=NOW)


async def _rows(rooms: Rooms, table: str) -> Sequence[object]:
    async with rooms._context.store.read() as session:
        return (await session.execute(text(f"SELECT * FROM {table}"))).all()
