"""Who may ask for what, in which form, and how often."""

import json
from typing import Any

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from livekit.protocol import room

from control_api.twirp.codec import JSON, MAX_ITEMS, PROTOBUF, decode, encode
from control_api.twirp.errors import STATUSES, TwirpError
from control_api.twirp.service import METHODS
from rooms import ParticipantDraft, Role, RoomsSettings, StoreUnavailable
from tests.unit.control_api.conftest import KEY, NOW, basic
from tests.unit.control_api.twirp.conftest import Twirp, token

# What a token says, and which grant that is.
GRANTS: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"roomCreate": True}, "roomCreate"),
    ({"roomList": True}, "roomList"),
    ({"roomAdmin": True, "room": "visit", "destinationRoom": "there"}, "roomAdmin"),
    ({"roomAdmin": True, "room": "other", "destinationRoom": "there"}, None),
    ({"roomAdmin": True, "destinationRoom": "there"}, None),
    ({"roomAdmin": "true", "roomCreate": 1, "roomList": "yes", "room": "visit"}, None),
    ({"roomRecord": True, "ingressAdmin": True, "room": "visit"}, None),
]


@pytest.mark.parametrize("method", METHODS)
async def test_grants_decide_who_may_do_what(twirp: Twirp, method: str) -> None:
    fields = {"name": "new", "room": "visit", "identity": "nobody", "destinationRoom": "there"}
    for grants, grant in GRANTS:
        await twirp.ask("CreateRoom", {"name": "visit"})
        reply = await twirp.ask(method, fields, grants=grants)
        if METHODS[method].grant == grant:
            assert reply.code in {"", "not_found", "failed_precondition"}
        else:
            assert (reply.status, reply.code) == (401, "unauthenticated"), grants
            assert reply.body["msg"] == "permissions denied"


async def test_an_empty_room_name_is_not_allowed_by_a_token_without_one(twirp: Twirp) -> None:
    refused = await twirp.ask("ListParticipants", {}, grants={"roomAdmin": True, "room": ""})
    assert refused.code == "unauthenticated"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer x.y.z",
        basic(KEY.key, KEY.secret),
        "Bearer " + token({"roomList": True}, now=NOW - 3600),
        "Bearer " + jwt.encode({"iss": "nobody", "exp": NOW + 60, "video": {"roomList": True}}, "x" * 32),
        "Bearer " + jwt.encode({"iss": KEY.key, "video": {"roomList": True}}, KEY.secret),
    ],
)
async def test_every_token_that_is_not_valid_gets_the_same_answer(twirp: Twirp, authorization: str) -> None:
    refused = await twirp.ask("ListRooms", authorization=authorization)
    assert (refused.status, refused.body) == (
        401,
        {"code": "unauthenticated", "msg": "a valid token is needed"},
    )


class TestParticipantsTokens:
    """A person in the call may moderate with the token that they joined with."""

    async def token(self, twirp: Twirp, identity: str, role: Role) -> str:
        draft = ParticipantDraft(role=role)
        await twirp.rooms.participants.put("default", "visit", identity, draft, now=NOW)
        return (await twirp.rooms.participants.mint_token(KEY, "visit", identity, now=NOW)).token

    async def ask(self, twirp: Twirp, bearer: str, method: str = "ListParticipants", **fields: Any) -> Any:
        return await twirp.ask(method, {"room": "visit", **fields}, authorization=f"Bearer {bearer}")

    async def test_a_host_may_and_a_patient_may_not(self, twirp: Twirp) -> None:
        await twirp.room()
        host, patient = await self.token(twirp, "h", "host"), await self.token(twirp, "p", "patient")
        assert (await self.ask(twirp, host)).status == 200
        assert (await self.ask(twirp, patient)).status == 401
        assert (await self.ask(twirp, host, "CreateRoom", name="new")).status == 401
        assert (await self.ask(twirp, host, "DeleteRoom")).status == 401

    async def test_what_a_host_does_is_in_the_log_as_done_by_a_host(self, twirp: Twirp) -> None:
        visit = await twirp.room()
        for identity in ("ada", "bob"):
            twirp.joins(visit, identity)
        await twirp.rooms.participants.put("default", "visit", "bob", ParticipantDraft(), now=NOW)
        host = await self.token(twirp, "h", "host")
        for identity in ("ada", "bob"):
            assert (await self.ask(twirp, host, "RemoveParticipant", identity=identity)).status == 200
        events = (await twirp.rooms.events.read(after=0, room_id="visit")).items
        removed = {one.data["identity"]: one.data["cause"] for one in events if one.type.endswith("removed")}
        assert removed == {"ada": "host", "bob": "host"}

    async def test_a_host_who_was_removed_moderates_nobody(self, twirp: Twirp) -> None:
        visit = await twirp.room()
        ada = twirp.joins(visit, "ada")
        host = await self.token(twirp, "h", "host")
        await twirp.rooms.participants.remove("default", "visit", "h", now=NOW)
        refused = await self.ask(twirp, host, "RemoveParticipant", identity="ada")
        assert (refused.status, refused.code) == (401, "unauthenticated")
        assert ada.closed is None

    async def test_a_host_hides_nobody(self, twirp: Twirp) -> None:
        ada = twirp.joins(await twirp.room(), "ada")
        host = await self.token(twirp, "h", "host")
        fields = {"identity": "ada", "permission": {"canSubscribe": True, "hidden": True}}
        refused = await self.ask(twirp, host, "UpdateParticipant", **fields)
        assert (refused.code, ada.person.grants.hidden) == ("permission_denied", False)
        assert (await twirp.ask("UpdateParticipant", {"room": "visit", **fields})).status == 200
        assert ada.person.grants.hidden

    async def test_a_host_who_is_a_host_no_more_does_not_either(self, twirp: Twirp) -> None:
        await twirp.room()
        host = await self.token(twirp, "h", "host")
        await twirp.rooms.participants.put("default", "visit", "h", ParticipantDraft(), now=NOW)
        assert (await self.ask(twirp, host)).status == 401

    async def test_a_token_for_a_room_that_does_not_exist_makes_none(self, twirp: Twirp) -> None:
        twirp.rooms.reconfigure(keys=twirp.rooms.keys, settings=RoomsSettings(create_on_join=True))
        bearer = token({"roomJoin": True, "roomAdmin": True, "room": "visit"}, sub="ada")
        assert (await self.ask(twirp, bearer, "GetParticipant", identity="x")).code == "not_found"
        grants = {"roomJoin": True, "room": "visit", "roomList": True}
        assert (await twirp.ask("ListRooms", grants=grants)).body == {"rooms": []}

    async def test_a_person_uses_up_nothing_of_the_application(self, twirp: Twirp) -> None:
        await twirp.room()
        twirp.limit(requests_per_minute_per_key=1, requests_per_minute_per_person=2)
        host = await self.token(twirp, "h", "host")
        assert [(await self.ask(twirp, host)).status for _ in range(3)] == [200, 200, 429]
        assert (await twirp.ask("ListRooms")).status == 200


class TestForm:
    async def test_fields_that_are_not_known_are_ignored(self, twirp: Twirp) -> None:
        made = await twirp.ask("CreateRoom", {"name": "visit", "shoeSize": 43, "empty_timeout": 10})
        assert made.status == 200
        binary = room.CreateRoomRequest(name="more").SerializeToString() + b"\xfa\x3f\x01x"
        assert decode(room.CreateRoomRequest, binary, PROTOBUF).name == "more"

    @pytest.mark.parametrize("name", ["max_participants", "maxParticipants"])
    async def test_names_may_be_written_both_ways(self, twirp: Twirp, name: str) -> None:
        made = await twirp.ask("CreateRoom", {"name": "visit", name: 3})
        assert made.body["max_participants"] == 3

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"x",
            b"[]",
            b"null",
            b'{"name": 3}',
            b'{"name": "a", "name": "b"}',
            b'{"name": "\\ud800"}',
            b'{"maxParticipants": 1e99}',
            b'{"maxParticipants": ' + b"9" * 5000 + b"}",
            b'{"name": ' + b"[" * 100 + b"]" * 100 + b"}",
            b'{"tags": {' + b",".join(b'"%d":""' % n for n in range(7000)) + b"}}",
            b"\xff\xfe",
        ],
    )
    async def test_what_cannot_be_read_is_malformed(self, twirp: Twirp, body: bytes) -> None:
        refused = await twirp.ask("CreateRoom", body, grants={"roomCreate": True})
        assert (refused.status, refused.code) == (400, "malformed")

    async def test_protobuf_that_cannot_be_read_is_malformed(self, twirp: Twirp) -> None:
        refused = await twirp.ask(
            "CreateRoom", b"\x0a\xff", grants={"roomCreate": True}, content_type=PROTOBUF
        )
        assert (refused.status, refused.code) == (400, "malformed")

    def test_lists_have_a_bound_on_every_level(self) -> None:
        for request in (
            room.ListRoomsRequest(names=[""] * (MAX_ITEMS + 1)),
            room.UpdateSubscriptionsRequest(participant_tracks=[{"track_sids": [""] * MAX_ITEMS}]),
        ):
            with pytest.raises(TwirpError, match="invalid_argument"):
                decode(type(request), request.SerializeToString(), PROTOBUF)
        decode(
            room.ListRoomsRequest,
            room.ListRoomsRequest(names=[""] * MAX_ITEMS).SerializeToString(),
            PROTOBUF,
        )

    @pytest.mark.parametrize(
        ("path", "headers"),
        [
            ("livekit.RoomService/Nothing", {}),
            ("livekit.RoomService/", {}),
            ("livekit.RoomService", {}),
            ("livekit.Egress/CreateRoom", {}),
            ("livekit.RoomService/CreateRoom/x", {}),
            ("", {}),
            ("livekit.RoomService/CreateRoom", {"content_type": "text/plain"}),
            ("livekit.RoomService/CreateRoom", {"content_type": ""}),
            ("livekit.RoomService/CreateRoom", {"content_encoding": "gzip"}),
        ],
    )
    async def test_what_is_not_served_is_a_bad_route(
        self, twirp: Twirp, path: str, headers: dict[str, str]
    ) -> None:
        reply = await twirp.raw(path, b"{}", **{"content_type": JSON, **headers})
        assert (reply.status, json.loads(reply.body)["code"]) == (404, "bad_route")
        assert reply.media_type == JSON

    async def test_a_charset_may_be_named(self, twirp: Twirp) -> None:
        assert (await twirp.ask("ListRooms", content_type="application/json;charset=UTF-8")).status == 200

    @pytest.mark.parametrize("method", ["ForwardParticipant", "PerformRpc"])
    async def test_what_is_not_offered_is_said(self, twirp: Twirp, method: str) -> None:
        refused = await twirp.ask(method, {"room": "visit"})
        assert (refused.status, refused.code) == (501, "unimplemented")

    @settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        body=st.binary(max_size=300),
        media_type=st.sampled_from([JSON, PROTOBUF]),
        method=st.sampled_from(sorted(METHODS)),
    )
    def test_any_bytes_are_a_request_or_an_error_of_the_caller(
        self, body: bytes, media_type: str, method: str
    ) -> None:
        kind = METHODS[method].request
        try:
            request = decode(kind, body, media_type)
        except TwirpError as error:
            status = STATUSES[error.code]
        else:
            status = 200
            assert decode(kind, encode(request, media_type), media_type) == request
        assert status in {200, 400}


class TestRates:
    async def test_a_key_over_its_rate_is_told_when_to_come_back(self, twirp: Twirp) -> None:
        twirp.limit(requests_per_minute_per_key=2)
        replies = [await twirp.ask("ListRooms", address=str(n)) for n in range(3)]
        assert [one.status for one in replies] == [200, 200, 429]
        assert (replies[2].code, replies[2].headers["Retry-After"]) == ("resource_exhausted", "30")
        assert (await twirp.rest.ask("GET", "/v1/rooms")).status == 429, "the rate is one with the REST's"

    async def test_guessing_is_slowed_down(self, twirp: Twirp) -> None:
        twirp.limit(failures_per_minute_per_address=1)
        answers = [(await twirp.ask("ListRooms", authorization=f"Bearer {n}")).status for n in range(3)]
        assert answers == [401, 429, 429]
        assert (await twirp.ask("ListRooms")).status == 200

    async def test_pages_of_other_origins_may_not_call(self, twirp: Twirp) -> None:
        refused = await twirp.ask("ListRooms", origin="https://evil.example")
        assert (refused.status, refused.code) == (403, "permission_denied")
        assert (await twirp.ask("ListRooms", origin="https://visio.example")).status == 200


class TestOurFaults:
    async def test_a_database_that_is_gone_is_no_failure_of_the_caller(
        self, twirp: Twirp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def gone(*_: object, **__: object) -> None:
            raise StoreUnavailable("locked")

        monkeypatch.setattr(twirp.rooms, "list_rooms", gone)
        refused = await twirp.ask("ListRooms")
        assert (refused.status, refused.code, refused.headers["Retry-After"]) == (503, "unavailable", "2")

    async def test_a_defect_is_an_error_without_its_text(
        self, twirp: Twirp, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def broken(*_: object, **__: object) -> None:
            raise RuntimeError("hunter2")

        monkeypatch.setattr(twirp.rooms, "list_rooms", broken)
        refused = await twirp.ask("ListRooms")
        assert (refused.status, refused.code) == (500, "internal")
        assert "hunter2" not in refused.body["msg"]
        assert "request_failed" in caplog.messages

    async def test_answers_are_counted(self, twirp: Twirp) -> None:
        await twirp.ask("ListRooms")
        await twirp.ask("Nothing")
        metrics = twirp.rest.api.metrics
        assert metrics.answers["twirp.ListRooms", 200] == 1
        assert metrics.answers["twirp", 404] == 1
        assert metrics.problems["bad_route"] == 1
