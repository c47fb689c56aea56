"""Sub-groups by REST."""

from typing import Any

import pytest

from tests.unit.control_api.conftest import Client

GROUPS = "/v1/rooms/rdv/groups"


@pytest.fixture(autouse=True)
async def room(client: Client) -> None:
    await client.ask("POST", "/v1/rooms", {"id": "rdv"})


async def test_a_group_is_opened_filled_and_closed(client: Client) -> None:
    opened = await client.ask("POST", GROUPS, {"name": "Left", "members": ["a"], "minutes": 10})
    assert opened.status == 201
    assert {**opened.body, "id": ""} == {
        "id": "",
        "name": "Left",
        "members": ["a"],
        "opened_at": "2030-03-17T17:46:40Z",
        "closes_at": "2030-03-17T17:56:40Z",
        "closed_at": None,
    }
    path = f"{GROUPS}/{opened.body['id']}"
    placed = await client.ask("PUT", f"{path}/members", {"identities": ["b", "c"]})
    assert placed.body["members"] == ["b", "c"]
    assert (await client.ask("GET", GROUPS)).body["items"] == [placed.body]
    closed = await client.ask("POST", f"{path}/close")
    assert (closed.body["members"], closed.body["closed_at"]) == ([], "2030-03-17T17:46:40Z")
    refused = await client.ask("PUT", f"{path}/members", {"identities": ["b"]})
    assert (refused.status, refused.body["code"], refused.body["state"]) == (
        409,
        "invalid-transition",
        "closed",
    )
    told = [one["type"] for one in (await client.ask("GET", "/v1/events")).body["items"]]
    assert told.count("participant.moved") == 6
    assert (told.count("group.opened"), told.count("group.closed")) == (1, 1)


async def test_people_say_in_which_group_they_are_and_events_where_they_went(client: Client) -> None:
    for identity in ("a", "b"):
        await client.ask("PUT", f"/v1/rooms/rdv/participants/{identity}", {})
    group = (await client.ask("POST", GROUPS, {"members": ["a"]})).body["id"]
    people = (await client.ask("GET", "/v1/rooms/rdv/participants")).body["items"]
    assert {one["identity"]: one["group"] for one in people} == {"a": group, "b": None}
    assert (await client.ask("GET", "/v1/rooms/rdv/participants/a")).body["group"] == group
    (moved,) = [
        one["data"]
        for one in (await client.ask("GET", "/v1/events")).body["items"]
        if one["type"] == "participant.moved"
    ]
    assert moved == {
        "identity": "a",
        "from_group": None,
        "to_group": group,
        "to_room": None,
        "by": None,
        "cause": "api",
    }


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"minutes": 0}, "/minutes"),
        ({"members": ["a/b"]}, "/members/0"),
        ({"members": ["a\nb"]}, "/members"),
        ({"name": ""}, "/name"),
        ({"timer": 5}, "/timer"),
    ],
)
async def test_what_makes_no_sense_is_pointed_at(client: Client, body: dict[str, Any], pointer: str) -> None:
    refused = await client.ask("POST", GROUPS, body)
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, pointer)
    assert (await client.ask("GET", GROUPS)).body["items"] == []
