"""People in calls through LiveKit's management interface."""

import base64
from typing import Any

import pytest
from livekit.protocol import models
from livekit.protocol.models import DataPacket

from rooms import JoinRefused, ParticipantDraft
from rooms.rights import EVERYTHING
from rooms.tokens import mint_join_token
from tests.unit.control_api.conftest import KEY, NOW
from tests.unit.control_api.twirp.conftest import Twirp


def join_token(identity: str = "ada", *, now: float = NOW) -> str:
    return mint_join_token(
        KEY.key, KEY.secret, room="visit", identity=identity, grants=EVERYTHING, now=now, ttl_seconds=600
    )


async def test_people_are_listed_and_found_by_identity(twirp: Twirp) -> None:
    visit = await twirp.room()
    ada = twirp.joins(visit, "ada", metadata="m")
    key = ada.publishes()
    listed = (await twirp.ask("ListParticipants", {"room": "visit"})).body["participants"]
    one = (await twirp.ask("GetParticipant", {"room": "visit", "identity": "ada"})).body
    assert listed == [one]
    assert (one["identity"], one["sid"], one["state"], one["metadata"]) == ("ada", ada.sid, "ACTIVE", "m")
    assert one["tracks"][0]["sid"] == key
    assert one["permission"]["can_publish"] is True


async def test_who_is_not_in_the_call_does_not_exist(twirp: Twirp) -> None:
    await twirp.room()
    await twirp.rooms.participants.put("default", "visit", "expected", ParticipantDraft(), now=NOW)
    for identity in ("nobody", "expected", ""):
        missing = await twirp.ask("GetParticipant", {"room": "visit", "identity": identity})
        assert (missing.status, missing.body) == (
            404,
            {"code": "not_found", "msg": "participant does not exist"},
        )


async def test_in_a_room_that_does_not_exist_there_is_nobody(twirp: Twirp) -> None:
    assert (await twirp.ask("ListParticipants", {"room": "never"})).body == {"participants": []}


class TestRemoving:
    async def test_who_came_by_a_token_is_out_and_may_be_given_another(self, twirp: Twirp) -> None:
        visit = await twirp.room()
        ada = twirp.joins(visit, "ada")
        assert (await twirp.ask("RemoveParticipant", {"room": "visit", "identity": "ada"})).body == {}
        assert ada.close_code() == 4004
        with pytest.raises(JoinRefused, match="revoked"):
            await twirp.rooms.verify_join(join_token(), now=NOW)
        later = await twirp.rooms.verify_join(join_token(now=NOW + 1), now=NOW + 1)
        assert later.identity == "ada"

    async def test_who_is_stored_stays_out_until_put_back(self, twirp: Twirp) -> None:
        visit = await twirp.room()
        await twirp.rooms.participants.put("default", "visit", "ada", ParticipantDraft(), now=NOW)
        ada = twirp.joins(visit, "ada")
        await twirp.ask("RemoveParticipant", {"room": "visit", "identity": "ada"})
        assert ada.close_code() == 4004
        with pytest.raises(JoinRefused, match="revoked"):
            await twirp.rooms.verify_join(join_token(now=NOW + 1), now=NOW + 1)

    @pytest.mark.parametrize("identity", ["nobody", "a/b", ""])
    async def test_who_is_not_there_leaves_no_trace(self, twirp: Twirp, identity: str) -> None:
        await twirp.room()
        missing = await twirp.ask("RemoveParticipant", {"room": "visit", "identity": identity})
        assert (missing.status, missing.code) == (404, "not_found")
        assert (await twirp.rooms.verify_join(join_token("nobody"), now=NOW)).epoch == 0


class TestMuting:
    async def test_a_track_is_muted(self, twirp: Twirp) -> None:
        visit = await twirp.room()
        ada = twirp.joins(visit, "ada")
        key = ada.publishes()
        muted = await twirp.ask(
            "MutePublishedTrack", {"room": "visit", "identity": "ada", "trackSid": key, "muted": True}
        )
        assert (muted.body["track"]["sid"], muted.body["track"]["muted"]) == (key, True)
        assert ada.leg.muted[key] is True

    async def test_nobody_is_unmuted_by_others(self, twirp: Twirp) -> None:
        visit = await twirp.room()
        ada = twirp.joins(visit, "ada")
        key = ada.publishes(muted=True)
        refused = await twirp.ask(
            "MutePublishedTrack", {"room": "visit", "identity": "ada", "trackSid": key, "muted": False}
        )
        assert (refused.status, refused.code) == (412, "failed_precondition")
        assert "only the participant" in refused.body["msg"]
        assert ada.hears("mute") == []

    async def test_a_track_that_is_gone_is_not_found(self, twirp: Twirp) -> None:
        twirp.joins(await twirp.room(), "ada")
        fields = {"room": "visit", "identity": "ada", "trackSid": "TR_none", "muted": True}
        missing = await twirp.ask("MutePublishedTrack", fields)
        assert (missing.status, missing.code) == (404, "not_found")


async def test_a_person_is_changed(twirp: Twirp) -> None:
    ada = twirp.joins(await twirp.room(), "ada")
    fields = {"name": "Dr Ada", "attributes": {"seat": "3"}, "permission": {"canSubscribe": True}}
    changed = await twirp.ask("UpdateParticipant", {"room": "visit", "identity": "ada", **fields})
    assert (changed.body["name"], changed.body["attributes"]) == ("Dr Ada", {"seat": "3"})
    assert changed.body["permission"]["can_publish"] is False
    assert not ada.person.grants.can_publish


async def test_a_change_that_is_too_large_is_refused(twirp: Twirp) -> None:
    twirp.joins(await twirp.room(), "ada")
    refused = await twirp.ask("UpdateParticipant", {"room": "visit", "identity": "ada", "name": "n" * 257})
    assert (refused.status, refused.code) == (400, "invalid_argument")


async def test_a_delivery_is_ended(twirp: Twirp) -> None:
    visit = await twirp.room()
    key, bob = twirp.joins(visit, "ada").publishes(), twirp.joins(visit, "bob")
    assert bob.leg.subscribed == {key}
    fields = {"room": "visit", "identity": "bob", "trackSids": [key], "subscribe": False}
    assert (await twirp.ask("UpdateSubscriptions", fields)).body == {}
    assert bob.leg.subscribed == set()


class TestData:
    async def test_a_message_reaches_those_who_are_named(self, twirp: Twirp) -> None:
        visit = await twirp.room()
        ada, bob = twirp.joins(visit, "ada"), twirp.joins(visit, "bob")
        data = base64.b64encode(b"hello").decode()
        fields = {"room": "visit", "data": data, "destinationIdentities": ["bob"], "topic": "t"}
        assert (await twirp.ask("SendData", fields)).body == {}
        ((_, payload),) = bob.leg.data
        assert DataPacket.FromString(payload).user.payload == b"hello"
        assert ada.leg.data == []

    async def test_in_an_empty_room_it_reaches_nobody(self, twirp: Twirp) -> None:
        await twirp.room()
        assert (await twirp.ask("SendData", {"room": "visit", "data": "aGk="})).status == 200

    @pytest.mark.parametrize(
        "fields",
        [{"nonce": "aGk="}, {"kind": 7}, {"data": base64.b64encode(bytes(64 * 1024 + 1)).decode()}],
    )
    async def test_one_that_makes_no_sense_is_refused(self, twirp: Twirp, fields: dict[str, Any]) -> None:
        ada = twirp.joins(await twirp.room(), "ada")
        refused = await twirp.ask("SendData", {"room": "visit", **fields})
        assert (refused.status, refused.code) == (400, "invalid_argument")
        assert ada.leg.data == []


class TestMoving:
    async def test_a_person_goes_on_in_another_room(self, twirp: Twirp) -> None:
        visit, there = await twirp.room(), await twirp.room("there")
        ada = twirp.joins(visit, "ada")
        assert (await move(twirp, "there")).body == {}
        moved = ada.hears("room_moved")[0]
        assert moved.room.name == "there"
        admission = await twirp.rooms.verify_join(moved.token, now=NOW)
        assert (admission.room_id, admission.identity) == (there.uid, "ada")

    @pytest.mark.parametrize(
        ("destination", "code"),
        [
            ("never", "not_found"),
            ("theirs", "not_found"),
            ("visit", "invalid_argument"),
            ("later", "failed_precondition"),
            ("barred", "permission_denied"),
            ("full", "resource_exhausted"),
        ],
    )
    async def test_where_nobody_may_go_nobody_is_moved(
        self, twirp: Twirp, destination: str, code: str
    ) -> None:
        ada = twirp.joins(await twirp.room(), "ada")
        await twirp.room("theirs", tenant="elsewhere")
        await twirp.room("later", starts_at=NOW + 86400)
        await twirp.room("barred")
        await twirp.rooms.participants.remove("default", "barred", "ada", now=NOW)
        twirp.joins(await twirp.room("full", max_participants=1), "bob")
        ada.forgets()
        assert (await move(twirp, destination)).code == code
        assert ada.heard == []

    async def test_one_who_cannot_be_told_is_not_moved_now(self, twirp: Twirp) -> None:
        ada = twirp.joins(await twirp.room(), "ada")
        await twirp.room("there")
        ada.loses_signal()
        refused = await move(twirp, "there")
        assert (refused.status, refused.code, refused.headers["Retry-After"]) == (503, "unavailable", "2")

    async def test_the_token_has_to_name_both_rooms(self, twirp: Twirp) -> None:
        ada = twirp.joins(await twirp.room(), "ada")
        await twirp.room("there")
        for grants in (
            {"roomAdmin": True, "room": "visit"},
            {"roomAdmin": True, "room": "visit", "destinationRoom": "other"},
            {"roomAdmin": True, "room": "there", "destinationRoom": "visit"},
        ):
            refused = await move(twirp, "there", grants=grants)
            assert (refused.status, refused.code) == (401, "unauthenticated")
        assert ada.hears("room_moved") == []


async def move(twirp: Twirp, destination: str, **options: Any) -> Any:
    fields = {"room": "visit", "identity": "ada", "destinationRoom": destination}
    return await twirp.ask("MoveParticipant", fields, **options)


async def test_the_time_in_a_call_is_told(twirp: Twirp) -> None:
    ada = twirp.joins(await twirp.room(), "ada")
    info = (await twirp.ask("GetParticipant", {"room": "visit", "identity": "ada"})).body
    assert info["joined_at"] == str(int(ada.person.joined_at))
    assert models.ParticipantInfo.State.Value(info["state"]) == models.ParticipantInfo.ACTIVE
