"""The OpenAPI file says what the routes do."""

import json
import re
from typing import Any

from control_api import OPERATIONS, routes
from tests.unit.control_api.conftest import Client


def file_of(client: Client) -> Any:
    body = client.api.openapi().body
    assert isinstance(body, str)
    return json.loads(body)


async def test_every_route_is_in_the_file_and_nothing_else(client: Client) -> None:
    served = {(route.method.lower(), route.path) for route in routes(client.api, address_of=lambda _: "")}
    described = {(method, path) for path, entry in file_of(client)["paths"].items() for method in entry}
    assert served - described == {("get", "/v1/openapi.json")}
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
    schemas = file_of(client)["components"]["schemas"]
    bodies = {one.body.__name__ for one in OPERATIONS if one.body is not None}
    assert all(schemas[name]["additionalProperties"] is False for name in bodies)
