"""Participants, tokens and links by REST, and what the page asks."""

from datetime import datetime

import pytest

from rooms import KeyRing, RoomsSettings
from tests.unit.control_api.conftest import KEY, NOW, STRANGER, Client

P1 = "/v1/rooms/rdv/participants/p1"


@pytest.fixture(autouse=True)
async def room(client: Client) -> None:
    await client.ask("POST", "/v1/rooms", {"id": "rdv", "name": "Suivi"})


async def test_a_participant_is_put_read_changed_and_forgotten(client: Client) -> None:
    body = {
        "name": "P.", "role": "patient", "can_publish": ["microphone"],
        "attributes": {"seat": "2"}, "metadata": {"file": "9"},
    }  # fmt: skip
    made = await client.ask("PUT", P1, body)
    again = await client.ask("PUT", P1, body)
    assert (made.status, again.status) == (201, 200)
    assert {**body, "identity": "p1", "state": "expected"}.items() <= made.body.items()
    patched = await client.ask("PATCH", P1, {"name": None, "can_publish": None, "attributes": {"seat": "3"}})
    assert (patched.body["name"], patched.body["can_publish"]) == (None, None)
    assert (patched.body["attributes"], patched.body["role"]) == ({"seat": "3"}, "patient")
    assert (await client.ask("GET", P1)).body == patched.body
    assert (await client.ask("DELETE", P1)).status == 204
    assert (await client.ask("GET", P1)).status == 404


async def test_without_a_body_a_guest_is_put(client: Client) -> None:
    assert (await client.ask("PUT", P1)).body["role"] == "guest"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"role": "admin"}, "/role"),
        ({"epoch": 9}, "/epoch"),
        ({"state": "admitted"}, "/state"),
        ({"can_publish": ["hologram"]}, "/can_publish/0"),
        ({"can_publish": ["camera", "camera"]}, "/can_publish"),
        ({"can_publish": "camera"}, "/can_publish"),
        ({"attributes": {"a": None}}, "/attributes/a"),
    ],
)
async def test_wrong_fields_are_refused(client: Client, body: dict[str, object], pointer: str) -> None:
    refused = await client.ask("PUT", P1, body)
    assert refused.status == 422
    assert [one["pointer"] for one in refused.body["errors"]] == [pointer]


async def test_an_identity_that_breaks_an_address_is_refused(client: Client) -> None:
    refused = await client.ask("PUT", "/v1/rooms/rdv/participants/" + "x" * 129, {})
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/identity")


async def test_a_change_to_an_older_version_is_refused(client: Client) -> None:
    tag = (await client.ask("PUT", P1, {})).headers["ETag"]
    assert (await client.ask("PUT", P1, {"name": "A"}, if_match=tag)).status == 200
    assert (await client.ask("PUT", P1, {"name": "B"}, if_match=tag)).status == 412
    assert (await client.ask("PATCH", P1, {"name": "B"}, if_match=tag)).status == 412
    assert (await client.ask("PUT", P1.replace("p1", "p2"), {}, if_match=tag)).status == 412


async def test_people_come_in_pages(client: Client) -> None:
    for identity in ("c", "a", "b"):
        await client.ask("PUT", f"/v1/rooms/rdv/participants/{identity}", {})
    first = (await client.ask("GET", "/v1/rooms/rdv/participants?limit=2")).body
    rest = (await client.ask("GET", f"/v1/rooms/rdv/participants?limit=2&cursor={first['next']}")).body
    assert [one["identity"] for one in first["items"] + rest["items"]] == ["a", "b", "c"]
    assert rest["next"] is None


async def test_a_token_lets_its_participant_in(client: Client) -> None:
    await client.ask("PUT", P1, {"role": "host"})
    made = (await client.ask("POST", f"{P1}/token", {"ttl_seconds": 60, "name": "Dr"})).body
    assert (made["url"], made["ws_url"]) == ("https://visio.example", "wss://visio.example")
    assert datetime.fromisoformat(made["expires_at"]).timestamp() == NOW + 60
    admission = await client.rooms.verify_join(made["token"], now=NOW)
    assert (admission.identity, admission.name, admission.role) == ("p1", "Dr", "host")


async def test_removal_ends_tokens_until_the_person_is_put_back(client: Client) -> None:
    await client.ask("PUT", P1, {})
    removed = await client.ask("POST", f"{P1}/remove")
    assert (removed.status, removed.body["state"]) == (200, "removed")
    for path in ("token", "link"):
        refused = await client.ask("POST", f"{P1}/{path}")
        assert (refused.status, refused.body["code"]) == (409, "invalid-transition")
        assert refused.body["state"] == "removed"
    assert (await client.ask("PATCH", P1, {"name": "P"})).body["state"] == "removed"
    assert (await client.ask("PUT", P1, {})).body["state"] == "expected"
    assert (await client.ask("POST", f"{P1}/token")).status == 200


async def test_a_link_leads_its_participant_to_the_room(client: Client) -> None:
    await client.ask("PUT", P1, {"role": "patient"})
    link = await client.ask("POST", f"{P1}/link")
    assert link.status == 201
    assert link.headers["Cache-Control"] == "no-store"
    secret = link.body["url"].removeprefix("https://visio.example/r/")
    preview = await client.ask("POST", "/v1/join/preview", {"link": secret}, key=None)
    assert (preview.body["bound"], preview.body["name"], preview.body["role"]) == (True, None, "patient")
    assert (preview.body["room"]["name"], preview.body["room"]["state"]) == ("Suivi", "planned")
    assert "metadata" not in preview.body["room"]
    joined = await client.ask("POST", "/v1/join", {"link": secret, "name": "Léa"}, key=None)
    assert (joined.status, joined.body["identity"], joined.body["name"]) == (200, "p1", "Léa")
    await client.rooms.verify_join(joined.body["token"], now=NOW)
    assert (await client.ask("DELETE", f"/v1/links/{link.body['id']}", key=STRANGER)).status == 404
    assert (await client.ask("DELETE", f"/v1/links/{link.body['id']}")).status == 204
    gone = await client.ask("POST", "/v1/join/preview", {"link": secret}, key=None)
    assert (gone.status, gone.body["code"]) == (404, "not-found")


async def test_a_link_says_whether_the_room_is_for_sound_alone(client: Client) -> None:
    link = (await client.ask("POST", "/v1/rooms/rdv/links")).body["url"].rpartition("/")[2]
    for audio_only in (False, True):
        await client.ask("PATCH", "/v1/rooms/rdv", {"bandwidth": {"audio_only": audio_only}})
        preview = await client.ask("POST", "/v1/join/preview", {"link": link}, key=None)
        assert preview.body["room"]["bandwidth"]["audio_only"] is audio_only


async def test_a_guest_comes_back_as_the_same_person(client: Client) -> None:
    link = (await client.ask("POST", "/v1/rooms/rdv/links", {"role": "patient"})).body
    secret = link["url"].rpartition("/")[2]
    body = {"link": secret, "name": "A", "key": "k" * 22}
    first = (await client.ask("POST", "/v1/join", body, key=None)).body
    again = (await client.ask("POST", "/v1/join", body, key=None)).body
    assert first["identity"] == again["identity"]
    stored = (await client.ask("GET", f"/v1/rooms/rdv/participants/{first['identity']}")).body
    assert (stored["role"], stored["name"]) == ("patient", None)


@pytest.mark.parametrize("role", ["host", "delegate", "root"])
async def test_a_guest_link_makes_no_hosts(client: Client, role: str) -> None:
    assert (await client.ask("POST", "/v1/rooms/rdv/links", {"role": role})).status == 422


async def test_a_link_into_the_past_is_refused(client: Client) -> None:
    refused = await client.ask("POST", "/v1/rooms/rdv/links", {"expires_at": "2001-01-01T00:00:00Z"})
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/expires_at")


@pytest.mark.parametrize(("now", "code"), [(NOW, "too-early"), (NOW + 90_000, "too-late")])
async def test_a_closed_room_says_when_it_is_open(client: Client, now: float, code: str) -> None:
    await client.ask("POST", "/v1/rooms", {"id": "later", "starts_at": "2030-03-17T20:00:00Z"})
    link = (await client.ask("POST", "/v1/rooms/later/links")).body
    client.now = now
    for path in ("/v1/join/preview", "/v1/join"):
        refused = await client.ask("POST", path, {"link": link["url"].rpartition("/")[2]}, key=None)
        assert (refused.status, refused.body["code"]) == (403, code)
        assert refused.body["room"]["opens_at"] == "2030-03-17T19:30:00Z"


async def test_a_removed_person_is_told_so_by_the_link(client: Client) -> None:
    await client.ask("PUT", P1, {})
    secret = (await client.ask("POST", f"{P1}/link")).body["url"].rpartition("/")[2]
    await client.ask("POST", f"{P1}/remove")
    for path in ("/v1/join/preview", "/v1/join"):
        refused = await client.ask("POST", path, {"link": secret}, key=None)
        assert (refused.status, refused.body["code"]) == (401, "revoked")


async def test_a_page_opened_under_another_name_of_ours_connects_under_that_name(client: Client) -> None:
    secret = (await client.ask("POST", "/v1/rooms/rdv/links")).body["url"].rpartition("/")[2]
    for origin, ws_url in (
        ("https://visio.example", "wss://visio.example"),
        ("https://portal.example", "wss://visio.example"),
    ):
        joined = await client.ask("POST", "/v1/join", {"link": secret}, key=None, origin=origin)
        assert joined.body["ws_url"] == ws_url


async def test_the_key_that_asked_signs_the_token(client: Client) -> None:
    await client.ask("PUT", P1, {})
    token = (await client.ask("POST", f"{P1}/token")).body["token"]
    client.rooms.reconfigure(keys=KeyRing([KEY]), settings=RoomsSettings())
    await client.rooms.verify_join(token, now=NOW)
