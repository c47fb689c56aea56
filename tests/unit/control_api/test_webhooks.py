"""Webhooks by REST: what is shown, what is refused, and that the file describes what is sent."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from control_api.event_data import DATA_MODELS
from control_api.webhooks.messages import event_message, signed_headers
from rooms import EVENT_TYPES, Outcome
from tests.unit.control_api.conftest import NOW, STRANGER, Client

URL = "https://portal.example/events"


async def made(client: Client, **fields: Any) -> Any:
    answer = await client.ask("POST", "/v1/webhooks", {"url": URL, **fields})
    assert answer.status == 201, answer
    return answer.body


async def test_a_secret_is_shown_once(client: Client) -> None:
    answer = await client.ask("POST", "/v1/webhooks", {"url": URL})
    assert answer.status == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Location"] == f"/v1/webhooks/{answer.body['id']}"
    assert answer.body["secret"].startswith("whsec_")
    read = await client.ask("GET", f"/v1/webhooks/{answer.body['id']}")
    assert "whsec_" not in read.text
    assert read.body == {name: value for name, value in answer.body.items() if name != "secret"}
    listed = await client.ask("GET", "/v1/webhooks")
    assert listed.body == {"items": [read.body]}


@pytest.mark.parametrize(
    ("target", "word"),
    [
        ("http://portal.example/", "not a target"),
        ("https://evil.example/", "not a target"),
        ("https://portal.example.evil.example/", "not a target"),
        ("https://sub.portal.example/", "not a target"),
        ("https://portal.example:8443/", "not a target"),
        ("https://127.0.0.1/", "not a target"),
        ("ftp://portal.example/", "http"),
        ("https:///x", "http"),
        ("portal.example", "http"),
        ("https://user:word@portal.example/", "user name"),
        ("https://portal.example/#x", "fragment"),
        ("https://portal.example:port/", "URL"),
    ],
)
async def test_a_url_that_is_no_target_is_refused(client: Client, target: str, word: str) -> None:
    answer = await client.ask("POST", "/v1/webhooks", {"url": target})
    assert (answer.status, answer.body["code"]) == (422, "invalid-field")
    assert answer.body["errors"][0]["pointer"] == "/url"
    assert word in answer.body["detail"]


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "https://portal.example/a b"},
        {"url": "https://portal.example/\0"},
        {"event_types": []},
        {"event_types": ["room.exploded"]},
        {"event_types": ["room.planned", "room.planned"]},
        {"secret": "whsec_mine"},
        {"tenant": "elsewhere"},
        {"id": "wh_mine"},
    ],
)
async def test_other_fields_are_checked_too(client: Client, fields: dict[str, Any]) -> None:
    answer = await client.ask("POST", "/v1/webhooks", {"url": URL, **fields})
    assert (answer.status, answer.body["code"]) == (422, "invalid-field")


async def test_a_webhook_is_changed_by_a_patch(client: Client) -> None:
    webhook = await made(client, event_types=["room.finished"])
    path = f"/v1/webhooks/{webhook['id']}"
    tag = (await client.ask("GET", path)).headers["ETag"]
    changed = await client.ask("PATCH", path, {"enabled": False, "event_types": None}, if_match=tag)
    assert changed.status == 200
    assert (changed.body["enabled"], changed.body["disabled_reason"]) == (False, "by_request")
    assert changed.body["event_types"] is None
    assert (await client.ask("PATCH", path, {"enabled": True}, if_match=tag)).status == 412
    assert (await client.ask("PATCH", path, {"url": "https://evil.example/"})).status == 422
    assert (await client.ask("DELETE", path)).status == 204
    assert (await client.ask("GET", path)).status == 404


async def test_a_webhook_of_another_tenant_does_not_exist(client: Client) -> None:
    path = f"/v1/webhooks/{(await made(client))['id']}"
    for method, below, body in (
        ("GET", "", None),
        ("PATCH", "", {}),
        ("DELETE", "", None),
        ("POST", "/test", None),
        ("POST", "/rotate-secret", None),
        ("POST", "/redeliver", {"after": 0}),
        ("GET", "/dead-letters", None),
    ):
        assert (await client.ask(method, path + below, body, key=STRANGER)).status == 404
    assert (await client.ask("GET", "/v1/webhooks", key=STRANGER)).body == {"items": []}


async def test_a_test_says_how_it_ended_and_bears_both_signatures_during_a_rotation(client: Client) -> None:
    webhook = await made(client)
    path = f"/v1/webhooks/{webhook['id']}"
    rotated = await client.ask("POST", f"{path}/rotate-secret", {"overlap_seconds": 60})
    assert rotated.body["old_secret_until"] is not None
    client.sender.outcome = Outcome("failed", 503)
    answer = await client.ask("POST", f"{path}/test")
    assert not answer.body["delivered"]
    assert (answer.body["outcome"], answer.body["status"]) == ("failed", 503)
    ((address, headers, body),) = client.sender.sent
    assert address == URL
    assert headers["webhook-id"] == answer.body["event"]
    assert json.loads(body)["type"] == "webhook.test"
    assert headers["webhook-timestamp"] == str(int(NOW))
    for secret in (webhook["secret"], rotated.body["secret"]):
        signed = Webhook(secret).sign(headers["webhook-id"], datetime.fromtimestamp(int(NOW), tz=UTC), body)
        assert signed in headers["webhook-signature"].split(" ")


def test_the_signature_is_that_of_the_specification() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = signed_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", '{"test": 2432232314}', [secret], now=1614265330.9
    )
    assert headers["webhook-timestamp"] == "1614265330"
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_what_is_told_is_what_the_event_log_gives(client: Client) -> None:
    await client.ask("POST", "/v1/rooms", {"id": "rdv"})
    (item,) = (await client.ask("GET", "/v1/events")).body["items"]
    (event,) = (await client.rooms.events.read(after=0)).items
    assert json.loads(event_message(event)) == item


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid-field"),
        ({"after": 0, "events": ["evt_x"]}, 422, "invalid-field"),
        ({"after": -1}, 422, "invalid-field"),
        ({"after": 2**63}, 422, "invalid-field"),
        ({"events": []}, 422, "invalid-field"),
        ({"events": ["evt_x"]}, 422, "invalid-field"),
        ({"events": ["evt_" + "a" * 26]}, 422, "invalid-field"),
        ({"events": ["evt_" + "a" * 26] * 101}, 422, "invalid-field"),
        ({"after": 0}, 202, None),
    ],
)
async def test_what_is_told_again_is_named_one_way(
    client: Client, body: dict[str, Any], status: int, code: str | None
) -> None:
    path = f"/v1/webhooks/{(await made(client))['id']}/redeliver"
    answer = await client.ask("POST", path, body)
    assert (answer.status, answer.body.get("code")) == (status, code)


async def test_a_disabled_webhook_has_to_be_enabled_before_anything_is_told_again(client: Client) -> None:
    path = f"/v1/webhooks/{(await made(client, enabled=False))['id']}/redeliver"
    answer = await client.ask("POST", path, {"after": 0})
    assert (answer.status, answer.body["code"], answer.body["state"]) == (
        409,
        "invalid-transition",
        "disabled",
    )


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJhIl0", "Wy0xXQ", "W3RydWVd"])
async def test_a_cursor_of_dead_letters_is_checked(client: Client, cursor: str) -> None:
    path = f"/v1/webhooks/{(await made(client))['id']}/dead-letters"
    assert (await client.ask("GET", f"{path}?cursor={cursor}")).status == 422
    assert (await client.ask("GET", path)).body == {"items": [], "next": None}


async def test_every_type_of_event_is_described_with_an_example(client: Client) -> None:
    file = json.loads(client.api.manual.openapi().body)  # type: ignore[arg-type]
    assert file["webhooks"].keys() == {*EVENT_TYPES, "webhook.test"}
    for type_, entry in file["webhooks"].items():
        (content,) = entry["post"]["requestBody"]["content"].values()
        assert content["example"]["type"] == type_
        if type_ in DATA_MODELS:
            DATA_MODELS[type_].model_validate(content["example"]["data"])


async def test_the_data_of_events_is_as_described(client: Client) -> None:
    await client.ask("POST", "/v1/rooms", {"id": "rdv"})
    for path in ("start", "finish", "reopen"):
        await client.ask("POST", f"/v1/rooms/rdv/{path}")
    await client.ask("PUT", "/v1/rooms/rdv/participants/p1", {})
    for act in ("admit", "deny", "remove"):
        await client.ask("POST", f"/v1/rooms/rdv/participants/p1/{act}")
    rating = {"identity": "p1", "score": 4, "reasons": ["video_frozen"]}
    await client.ask("POST", "/v1/rooms/rdv/ratings", rating)
    group = (await client.ask("POST", "/v1/rooms/rdv/groups", {"members": ["p1"]})).body["id"]
    await client.ask("POST", f"/v1/rooms/rdv/groups/{group}/close")
    await client.ask("DELETE", "/v1/rooms/rdv")
    events = (await client.ask("GET", "/v1/events")).body["items"]
    assert {"rating.created", "group.opened", "group.closed", "participant.moved", "room.deleted"} <= {
        one["type"] for one in events
    }
    assert len(events) == 13
    for event in events:
        model = DATA_MODELS[event["type"]]
        assert model.model_validate(event["data"], strict=False).model_dump() == event["data"]
