"""States, admissions and events by REST."""

import pytest

from rooms import Room, RoomAct
from tests.unit.control_api.conftest import NOW, STRANGER, Client

EVENTS = "/v1/events"


async def test_a_room_is_started_finished_and_reopened(client: Client) -> None:
    made = await client.ask("POST", "/v1/rooms", {"id": "rdv"})
    started = await client.ask("POST", "/v1/rooms/rdv/start")
    assert (started.status, started.body["state"]) == (200, "in_progress")
    assert started.body["started_at"] == "2030-03-17T17:46:40Z"
    assert started.headers["ETag"] != made.headers["ETag"]
    finished = (await client.ask("POST", "/v1/rooms/rdv/finish")).body
    assert (finished["state"], finished["ended_at"]) == ("finished", "2030-03-17T17:46:40Z")
    assert (await client.ask("POST", "/v1/rooms/rdv/reopen")).body["state"] == "in_progress"
    assert (await client.ask("GET", "/v1/rooms/rdv")).body["state"] == "in_progress"


@pytest.mark.parametrize("act", ["finish", "reopen"])
async def test_a_wrong_state_is_named(client: Client, act: str) -> None:
    await client.ask("POST", "/v1/rooms", {"id": "rdv"})
    refused = await client.ask("POST", f"/v1/rooms/rdv/{act}")
    assert (refused.status, refused.body["code"]) == (409, "invalid-transition")
    assert refused.body["state"] == "planned"


async def test_a_repeated_key_gets_the_first_answer_and_does_nothing(client: Client) -> None:
    await client.ask("POST", "/v1/rooms", {"id": "rdv"})
    first = await client.ask("POST", "/v1/rooms/rdv/start", idempotency_key="k")
    await client.ask("POST", "/v1/rooms/rdv/finish")
    again = await client.ask("POST", "/v1/rooms/rdv/start", idempotency_key="k")
    assert (again.status, again.text, again.headers) == (200, first.text, first.headers)
    assert (await client.ask("GET", "/v1/rooms/rdv")).body["state"] == "finished"
    other = await client.ask("POST", "/v1/rooms/rdv/reopen", idempotency_key="k")
    assert (other.status, other.body["code"]) == (422, "idempotency-mismatch")


async def test_patching_a_room_does_not_touch_its_state(client: Client) -> None:
    await client.ask("POST", "/v1/rooms", {"id": "rdv"})
    await client.ask("POST", "/v1/rooms/rdv/start")
    changed = await client.ask("PATCH", "/v1/rooms/rdv", {"waiting_room": True})
    assert (changed.body["state"], changed.body["waiting_room"]) == ("in_progress", True)
    assert (await client.ask("PATCH", "/v1/rooms/rdv", {"state": "finished"})).status == 422


async def test_a_patch_is_applied_to_the_room_as_people_left_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await client.ask("POST", "/v1/rooms", {"id": "rdv"})
    read = client.rooms.get_room
    happens = [RoomAct.START, RoomAct.FINISH]

    async def moved_after_it_was_read(tenant: str, room_id: str) -> Room:
        room = await read(tenant, room_id)
        if happens:
            await client.rooms.act(tenant, room_id, happens.pop(0), now=NOW)
        return room

    monkeypatch.setattr(client.rooms, "get_room", moved_after_it_was_read)
    changed = await client.ask("PATCH", "/v1/rooms/rdv", {"name": "B"})
    assert (changed.status, changed.body["name"], changed.body["state"]) == (200, "B", "finished")
    stale = await client.ask("PATCH", "/v1/rooms/rdv", {"name": "C"}, if_match=made.headers["ETag"])
    assert (stale.status, stale.body["code"]) == (412, "stale-version")


async def test_a_participant_is_admitted_denied_and_cannot_be_both(client: Client) -> None:
    await client.ask("POST", "/v1/rooms", {"id": "rdv", "waiting_room": True})
    path = "/v1/rooms/rdv/participants/p"
    assert (await client.ask("POST", f"{path}/admit")).status == 404
    await client.ask("PUT", path, {"role": "patient"})
    assert (await client.ask("POST", f"{path}/deny")).body["state"] == "denied"
    admitted = await client.ask("POST", f"{path}/admit")
    assert (admitted.status, admitted.body["state"]) == (200, "admitted")
    assert (await client.ask("GET", path)).headers["ETag"] == admitted.headers["ETag"]
    await client.ask("POST", f"{path}/remove")
    for decision in ("admit", "deny"):
        refused = await client.ask("POST", f"{path}/{decision}")
        assert (refused.status, refused.body["state"]) == (409, "removed")


async def test_everybody_who_waits_is_admitted_at_once(client: Client) -> None:
    await client.ask("POST", "/v1/rooms", {"id": "rdv", "waiting_room": True})
    for number, name in enumerate("ba"):
        await client.ask("PUT", f"/v1/rooms/rdv/participants/{name}", {"role": "patient"})
        token = (await client.ask("POST", f"/v1/rooms/rdv/participants/{name}/token")).body["token"]
        admission = await client.rooms.verify_knock(token, now=NOW)
        await client.rooms.waiting_room.knock(admission, now=NOW + number)
    waiting = (await client.ask("GET", "/v1/rooms/rdv/participants/a")).body
    assert (waiting["state"], waiting["waiting_since"]) == ("waiting", "2030-03-17T17:46:41Z")
    assert (await client.ask("GET", "/v1/rooms?state=waiting")).body["items"][0]["id"] == "rdv"
    admitted = (await client.ask("POST", "/v1/rooms/rdv/admit-all")).body["items"]
    assert [(one["identity"], one["state"]) for one in admitted] == [("b", "admitted"), ("a", "admitted")]
    assert (await client.ask("POST", "/v1/rooms/rdv/admit-all")).body == {"items": []}


async def test_the_page_is_told_that_its_person_has_to_wait(client: Client) -> None:
    await client.ask("POST", "/v1/rooms", {"id": "rdv", "waiting_room": True})
    link = (await client.ask("POST", "/v1/rooms/rdv/links")).body["url"].rpartition("/")[2]
    joined = (await client.ask("POST", "/v1/join", {"link": link, "key": "k" * 16}, key=None)).body
    assert joined["wait"]
    await client.ask("POST", f"/v1/rooms/rdv/participants/{joined['identity']}/admit")
    again = (await client.ask("POST", "/v1/join", {"link": link, "key": "k" * 16}, key=None)).body
    assert (again["identity"], again["wait"]) == (joined["identity"], False)


class TestEvents:
    async def test_they_are_read_in_order_page_by_page(self, client: Client) -> None:
        await client.ask("POST", "/v1/rooms", {"id": "a"})
        await client.ask("POST", "/v1/rooms", {"id": "b"})
        await client.ask("POST", "/v1/rooms/a/start")
        first = (await client.ask("GET", f"{EVENTS}?limit=2")).body
        assert [(one["room"], one["type"]) for one in first["items"]] == [
            ("a", "room.planned"),
            ("b", "room.planned"),
        ]
        then = (await client.ask("GET", f"{EVENTS}?after={first['last']}")).body
        (event,) = then["items"]
        assert event["id"].startswith("evt_")
        assert {**event, "id": "", "sid": ""} == {
            "id": "",
            "sid": "",
            "type": "room.in_progress",
            "room": "a",
            "seq": 2,
            "position": 3,
            "occurred_at": "2030-03-17T17:46:40Z",
            "data": {"before": "planned", "state": "in_progress", "cause": "api"},
        }
        assert (await client.ask("GET", f"{EVENTS}?after={then['last']}")).body == {
            "items": [],
            "last": 3,
            "missed": False,
        }

    async def test_those_of_one_room_are_read_also_after_it_is_gone(self, client: Client) -> None:
        await client.ask("POST", "/v1/rooms", {"id": "a"})
        await client.ask("POST", "/v1/rooms", {"id": "b"})
        await client.ask("DELETE", "/v1/rooms/a")
        found = (await client.ask("GET", f"{EVENTS}?room=a")).body["items"]
        assert [one["type"] for one in found] == ["room.planned", "room.deleted"]

    async def test_another_tenant_sees_none_of_them(self, client: Client) -> None:
        await client.ask("POST", "/v1/rooms", {"id": "a"})
        for query in ("", "?room=a"):
            answer = await client.ask("GET", f"{EVENTS}{query}", key=STRANGER)
            assert (answer.body["items"], answer.body["last"]) == ([], 0)

    @pytest.mark.parametrize("after", ["-1", "x", "1.5", "9223372036854775808", "9" * 30, "\u0663"])
    async def test_a_position_that_is_none_is_refused(self, client: Client, after: str) -> None:
        refused = await client.ask("GET", f"{EVENTS}?after={after}")
        assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "?after")
