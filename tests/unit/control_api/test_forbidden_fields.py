"""No request sets what it is not for: unknown fields, and those that only we write, change nothing."""

from typing import Any

import pytest
from pydantic import BaseModel

from control_api import OPERATIONS
from control_api.operations import Operation
from tests.unit.control_api.conftest import Client

# What we store of rooms, people and links without ever taking it from a request.
OURS = {
    "uid", "sid", "tenant", "version", "epoch", "state", "created_at", "started_at", "ended_at", "forgotten",
    "secret", "secret_hash", "__proto__", "constructor",
}  # fmt: skip
TARGET = "https://portal.example/events"
WRITES = [one for one in OPERATIONS if one.method != "GET"]
TAKING = [one for one in WRITES if one.body is not None]


class House:
    """A room with a person and a link, and what can be seen of them."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.names = {"room": "rdv", "identity": "p1"}
        self.secret = self.token = self.probe = ""

    async def build(self) -> None:
        await self.client.ask("POST", "/v1/rooms", {"id": "rdv"})
        await self.client.ask("PUT", "/v1/rooms/rdv/participants/p1", {"role": "patient"})
        link = (await self.client.ask("POST", "/v1/rooms/rdv/links")).body
        self.names["link"] = link["id"]
        self.names["group"] = (await self.client.ask("POST", "/v1/rooms/rdv/groups")).body["id"]
        self.names["webhook"] = (await self.client.ask("POST", "/v1/webhooks", {"url": TARGET})).body["id"]
        self.secret = link["url"].rpartition("/")[2]
        asked = {"link": self.secret}
        probe = (await self.client.ask("POST", "/v1/join/connection-tests", asked, key=None)).body
        self.names["test"], self.probe = probe["id"], probe["token"]
        joined = (await self.client.ask("POST", "/v1/join", {"link": self.secret}, key=None)).body
        self.token = f"Bearer {joined['token']}"

    def shown(self, operation: Operation) -> dict[str, Any]:
        """Give what opens the operation beside a key."""
        return {"authorization": self.token} if operation.by_join_token else {}

    async def send(self, operation: Operation, body: Any) -> Any:
        # The smallest body that would be taken: a field that is not needed cannot be what is refused.
        least = {
            "link": self.secret,
            "score": 4,
            "identity": "p1",
            "identities": ["p1"],
            "url": TARGET,
            "room": "rdv",
            "text": "Hello",
            "token": self.probe,
            "result": {},
        }
        if isinstance(body, dict):
            body = {name: least[name] for name in needed(operation.body)} | body
        return await self.client.ask(
            operation.method, operation.path.format(**self.names), body, **self.shown(operation)
        )

    async def look(self) -> list[Any]:
        of_room = ("", "/participants", "/groups", "/ratings")
        paths = ("/v1/rooms", *(f"/v1/rooms/rdv{one}" for one in of_room), "/v1/events", "/v1/webhooks")
        paths = (*paths, "/v1/connection-tests")
        seen = [await self.client.ask("GET", path) for path in paths]
        return [(one.status, one.headers.get("ETag"), one.body) for one in seen]


@pytest.fixture
async def house(client: Client) -> House:
    built = House(client)
    await built.build()
    return built


@pytest.mark.parametrize("operation", TAKING, ids=lambda one: one.name)
async def test_a_field_that_is_not_for_callers_is_refused_and_changes_nothing(
    house: House, operation: Operation
) -> None:
    before = await house.look()
    forbidden = (OURS | {"nowhere", ""} | fields(operation.answer)) - fields(operation.body)
    for value in (None, "x", {"x": 1}, True):
        for name in sorted(forbidden):
            refused = await house.send(operation, {name: value})
            assert (refused.status, refused.body["code"]) == (422, "invalid-field"), (name, value)
            assert [one["pointer"] for one in refused.body["errors"]] == [f"/{name}"]
    assert await house.look() == before


@pytest.mark.parametrize("operation", TAKING, ids=lambda one: one.name)
async def test_objects_within_a_body_take_nothing_else_either(house: House, operation: Operation) -> None:
    assert operation.body is not None
    before = await house.look()
    for name, field in operation.body.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for value in (None, True):
                refused = await house.send(operation, {name: {"nowhere": value}})
                assert [one["pointer"] for one in refused.body["errors"]] == [f"/{name}/nowhere"]
    assert await house.look() == before


@pytest.mark.parametrize("operation", [one for one in WRITES if one not in TAKING], ids=lambda one: one.name)
@pytest.mark.parametrize("body", [{}, {"state": "finished"}, [], None])
async def test_a_request_that_takes_no_body_is_refused_with_one(
    house: House, operation: Operation, body: Any
) -> None:
    before = await house.look()
    raw = b"null" if body is None else None
    path = operation.path.format(**house.names)
    refused = await house.client.ask(operation.method, path, body, raw=raw, **house.shown(operation))
    assert (refused.status, refused.body["code"]) == (422, "invalid-field")
    assert await house.look() == before


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
async def test_a_query_that_an_operation_does_not_know_is_refused(house: House, operation: Operation) -> None:
    before = await house.look()
    path = operation.path.format(**house.names)
    for name in ("tenant", "nowhere", "room.x", "metadata"):
        refused = await house.client.ask(operation.method, f"{path}?{name}=elsewhere")
        assert (refused.status, refused.body["code"]) == (422, "invalid-field"), name
        assert [one["pointer"] for one in refused.body["errors"]] == [f"?{name}"]
    assert await house.look() == before


def fields(model: type[BaseModel] | None) -> set[str]:
    return set() if model is None else set(model.model_fields)


def needed(model: type[BaseModel] | None) -> set[str]:
    return set() if model is None else {name for name, one in model.model_fields.items() if one.is_required()}
