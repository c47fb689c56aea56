"""Requests that are sent again for a lost answer: the table of what becomes of them, and those with a key."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from control_api import OPERATIONS
from rooms import ApiKey
from tests.unit.control_api.conftest import KEY, Client, Reply

TABLE = tomllib.loads((Path(__file__).parents[2] / "data" / "repeats.toml").read_text())
POSTS = {f"{one.method} {one.path}": one for one in OPERATIONS if one.method == "POST"}
BY_KEY: dict[str, dict[str, Any]] = TABLE["key"]
LINKS = [name for name in BY_KEY if "link" in name]


async def filled_in(client: Client, route: str) -> str:
    """Make what the path of a route names, and give the path."""
    await client.ask("POST", "/v1/rooms", {"id": "rdv"})
    await client.ask("PUT", "/v1/rooms/rdv/participants/p", {"role": "patient"})
    path = route.partition(" ")[2].replace("{room}", "rdv").replace("{identity}", "p")
    if "{webhook}" in path:
        made = await client.ask("POST", "/v1/webhooks", {"url": "https://portal.example/first"})
        path = path.replace("{webhook}", made.body["id"])
    if first := BY_KEY[route].get("first"):
        await client.ask("POST", f"/v1/rooms/rdv/{first}")
    return path


async def ask(client: Client, path: str, body: object, key: ApiKey = KEY) -> Reply:
    return await client.ask("POST", path, body, idempotency_key="again", key=key)


def test_every_post_is_classified() -> None:
    rows = [name for kind in TABLE.values() for name in kind]
    assert sorted(rows) == sorted(POSTS)
    assert {name for name, one in POSTS.items() if one.idempotent_by_key} == set(BY_KEY)
    assert {name for name, one in POSTS.items() if one.status == 201} <= set(BY_KEY)


@pytest.mark.parametrize("route", BY_KEY)
async def test_a_repetition_with_the_key_does_nothing_and_gets_the_first_answer(
    client: Client, route: str
) -> None:
    path, body = await filled_in(client, route), BY_KEY[route].get("body")
    first = await ask(client, path, body)
    assert first.status == POSTS[route].status
    before = await everything(client)
    client.now += 3600
    again = await ask(client, path, body)
    assert (again.status, again.text, again.headers) == (first.status, first.text, first.headers)
    assert await everything(client) == before


@pytest.mark.parametrize("route", [name for name, row in BY_KEY.items() if "other" in row])
async def test_the_key_with_another_body_is_refused(client: Client, route: str) -> None:
    path, row = await filled_in(client, route), BY_KEY[route]
    await ask(client, path, row["body"])
    before = await everything(client)
    refused = await ask(client, path, row["other"])
    assert (refused.status, refused.body["code"]) == (422, "idempotency-mismatch")
    assert await everything(client) == before


@pytest.mark.parametrize("route", LINKS)
async def test_the_secret_of_a_link_is_not_stored_and_opens_the_room_all_the_same(
    client: Client, route: str
) -> None:
    path = await filled_in(client, route)
    body = BY_KEY[route].get("body")
    secret = (await ask(client, path, body)).body["url"].rpartition("/")[2]
    assert secret not in str(await everything(client))
    opened = await client.ask("POST", "/v1/join/preview", {"link": secret}, key=None)
    assert opened.status == 200
    await client.ask("DELETE", f"/v1/links/{(await ask(client, path, body)).body['id']}")
    assert (await ask(client, path, body)).body["url"].endswith(secret)
    assert (await client.ask("POST", "/v1/join/preview", {"link": secret}, key=None)).status == 404


async def test_a_link_is_not_told_again_to_a_caller_with_another_secret(client: Client) -> None:
    path = await filled_in(client, LINKS[0])
    await ask(client, path, None)
    changed = ApiKey(KEY.key, KEY.secret[::-1])
    client.rooms.reconfigure(keys=type(client.rooms.keys)([changed]), settings=client.rooms._context.settings)
    refused = await ask(client, path, None, changed)
    assert (refused.status, refused.body["code"]) == (422, "idempotency-mismatch")


async def everything(client: Client) -> list[Any]:
    """Read all rows of all tables, but for the moments at which answers were kept."""
    from rooms.tables import Base

    async with client.rooms._context.store.read() as session:
        return [
            sorted(map(str, (await session.execute(table.select())).all()))
            for table in Base.metadata.sorted_tables
        ]
