"""The OpenAPI file says what the routes do."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from control_api import OPERATIONS, routes
from control_api.body import validated
from control_api.openapi import CHAPTERS
from control_api.operations import Operation
from control_api.room_schemas import RoomRules
from rooms import EVENT_TYPES
from rooms.model import ROLES
from tests.unit.control_api.conftest import Client


def file_of(client: Client) -> Any:
    body = client.api.manual.openapi().body
    assert isinstance(body, str)
    return json.loads(body)


async def test_every_route_is_in_the_file_and_nothing_else(client: Client) -> None:
    served = {(route.method.lower(), route.path) for route in routes(client.api, address_of=lambda _: "")}
    described = {(method, path) for path, entry in file_of(client)["paths"].items() for method in entry}
    assert served - described == {("get", "/v1/openapi.json"), ("get", "/v1/docs")}
    assert described <= served


async def test_every_reference_in_the_file_leads_somewhere(client: Client) -> None:
    file = file_of(client)
    references = set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(file)))
    assert references
    for reference in references:
        found = file
        for part in reference.split("/"):
            found = found[part]


async def test_the_file_is_of_the_version_that_it_says(client: Client) -> None:
    file = file_of(client)
    assert file["openapi"] == "3.1.0"
    assert file["servers"] == [{"url": "https://visio.example"}]
    assert len({entry["operationId"] for path in file["paths"].values() for entry in path.values()}) == len(
        OPERATIONS
    )


async def test_unknown_fields_are_forbidden_in_the_file_as_they_are_in_bodies(client: Client) -> None:
    file = file_of(client)
    bodies = dict(schemas_of_bodies(file))
    assert len(bodies) > 8
    assert all(schema["additionalProperties"] is False for schema in bodies.values())


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.body], ids=lambda one: one.name)
async def test_the_example_of_a_body_is_accepted(client: Client, operation: Operation) -> None:
    file = file_of(client)
    entry = file["paths"][operation.path][operation.method.lower()]
    (content,) = entry["requestBody"]["content"].values()
    (example,) = followed(file, content["schema"])["examples"]
    assert operation.body is not None
    assert set(example) <= set(operation.body.model_fields)
    validated(operation.body, example)


async def test_every_schema_has_an_example_that_says_something(client: Client) -> None:
    for name, schema in file_of(client)["components"]["schemas"].items():
        if schema["type"] == "object":
            (example,) = schema["examples"]
            said = json.dumps(example).replace('"text": ', "")  # a field may well be called so
            assert '"text"' not in said, f"a text of {name} has no example"


async def test_a_merge_patch_may_hold_any_field_or_null_and_has_no_defaults(client: Client) -> None:
    file = file_of(client)
    patch = file["components"]["schemas"]["RoomPatch"]
    assert set(patch["properties"]) == set(RoomRules.model_fields)
    assert "required" not in patch
    for schema in patch["properties"].values():
        assert {"type": "null"} in schema["anyOf"]
    assert "default" not in json.dumps(patch["properties"]["kind"])
    features = followed(file, patch["properties"]["features"]["anyOf"][0])
    assert {"type": "null"} in features["properties"]["chat"]["anyOf"]


async def test_a_client_gets_one_type_for_the_words_of_one_thing(client: Client) -> None:
    file = file_of(client)
    role = {"$ref": "#/components/schemas/Role"}
    schemas = file["components"]["schemas"]
    assert schemas["Role"]["enum"] == list(ROLES)
    assert schemas["LinkBody"]["properties"]["role"]["$ref"] == role["$ref"]
    assert role in schemas["ParticipantPatch"]["properties"]["role"]["anyOf"]
    (state,) = [
        one["schema"] for one in file["paths"]["/v1/rooms"]["get"]["parameters"] if one["name"] == "state"
    ]
    assert state == {"$ref": "#/components/schemas/RoomState"}


def test_no_operation_that_clients_know_has_another_name() -> None:
    # Generators make the names of functions from them: one that is renamed breaks whoever generates anew.
    known = """
        create_room list_rooms get_room patch_room delete_room start_room finish_room cancel_room reopen_room
        list_participants put_participant get_participant patch_participant delete_participant
        remove_participant admit_participant deny_participant admit_all create_token create_link
        create_guest_link delete_link list_events preview_join join
    """
    assert set(known.split()) <= {one.name for one in OPERATIONS}


async def test_events_of_types_to_come_can_be_read_by_clients_made_today(client: Client) -> None:
    kind = file_of(client)["components"]["schemas"]["EventBody"]["properties"]["type"]
    assert kind["type"] == "string"
    assert "enum" not in kind
    assert all(f" {name}" in kind["description"] for name in EVENT_TYPES)


def test_every_module_of_operations_has_a_chapter() -> None:
    modules = {one.handler.__module__.rpartition(".")[2] for one in OPERATIONS}
    assert modules == CHAPTERS.keys()
    told = {tag for tag, text in CHAPTERS.values() if text}
    assert {tag for tag, _ in CHAPTERS.values()} == told


async def test_what_was_made_leads_to_all_that_can_be_done_with_it(client: Client) -> None:
    made = file_of(client)["paths"]["/v1/rooms"]["post"]["responses"]["201"]["links"]
    of_rooms = {one.name for one in OPERATIONS if re.findall(r"{(\w+)}", one.path) == ["room"]}
    assert made.keys() == of_rooms
    assert made["get_room"] == {"operationId": "get_room", "parameters": {"room": "$response.body#/id"}}


async def test_the_problems_of_an_operation_are_named_by_status(client: Client) -> None:
    file = file_of(client)
    answers = file["paths"]["/v1/rooms/{room}/participants/{identity}"]["put"]["responses"]
    assert answers.keys() >= {"200", "201", "401", "403", "404", "409", "412", "415", "422", "503"}
    assert followed(file, answers["409"])["description"] == "`full`"
    assert "Retry-After" in followed(file, answers["503"])["headers"]


def schemas_of_bodies(file: Any) -> Iterator[tuple[str, Any]]:
    for path in file["paths"].values():
        for entry in path.values():
            for content in entry.get("requestBody", {}).get("content", {}).values():
                yield content["schema"]["$ref"], followed(file, content["schema"])


def followed(file: Any, value: Any) -> Any:
    found = file
    for part in value["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found
