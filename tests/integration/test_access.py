"""Everybody asks for everything: who may do what on the public listener, over real HTTP.

The rows are tests/data/access.toml. What each caller is answered follows from what a row needs: `expected`.
"""

import asyncio
import base64
import json
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import aiohttp
import jwt
import pytest

from rooms.rights import EVERYTHING
from rooms.tokens import mint_join_token
from tests.support.access import BY_JOIN_TOKEN, BY_LINK, BY_NOTHING, Row, rows
from tests.support.eventually import eventually
from tests.support.management import room_name
from tests.support.server import Ports, command, environment

pytestmark = pytest.mark.integration

SCOPES = ("rooms:read", "rooms:write", "participants:admit", "events:read", "ops")
ROLES = ("guest", "patient", "delegate", "host")
WRONG = "a-secret-that-nobody-has-0123456789abcdef"


@dataclass(frozen=True)
class Caller:
    """Somebody who asks."""

    kind: Literal["nobody", "wrong", "key", "signed", "elsewhere", "person", "expired", "removed"]
    what: str = ""
    """The scope of a key, the role of a person."""

    def __str__(self) -> str:
        return f"{self.kind} {self.what}".strip()


CALLERS = (
    Caller("nobody"),
    Caller("wrong"),
    *(Caller("key", scope) for scope in SCOPES),
    *(Caller("signed", scope) for scope in SCOPES),
    Caller("elsewhere"),
    *(Caller("person", role) for role in ROLES),
    Caller("expired"),
    Caller("removed"),
)


def expected(row: Row, caller: Caller) -> int:
    """Say how a caller is answered."""
    if row.needs in (BY_LINK, BY_NOTHING):
        return row.done
    if caller.kind == "person" and row.needs == BY_JOIN_TOKEN:
        return row.done
    if caller.kind == "person" and row.grant == "roomAdmin" and caller.what in ("delegate", "host"):
        return row.hosts or row.done
    if caller.kind in ("key", "signed") and row.needs != BY_JOIN_TOKEN:
        if row.of == "twirp" and caller.kind == "signed":
            return row.done  # LiveKit's tokens have grants and no scopes; this key has every scope
        return row.done if caller.what == row.needs else 403
    if caller.kind == "elsewhere" and row.needs != BY_JOIN_TOKEN:
        return row.elsewhere
    return 401


@dataclass
class Scene:
    """A room to ask about, with everybody in it."""

    names: dict[str, str]
    """What fills the braces."""
    tokens: dict[str, str]


class House:
    """A server with a key for each scope and one of another tenant."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.http = http

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        headers.setdefault("Authorization", basic("whole"))
        async with self.http.request(method, path, json=body, headers=headers) as answer:
            assert answer.status < 300, (method, path, await answer.text())
            return await answer.json() if answer.status != 204 else None

    async def scene(self, row: Row, key: str = "whole") -> Scene:
        authorization = {"Authorization": basic(key)}
        room = room_name()
        at = f"/v1/rooms/{room}"
        await self.ask("POST", "/v1/rooms", {"id": room}, **authorization)
        await self.ask("PUT", f"{at}/participants/p1", {"role": "patient"}, **authorization)
        link = await self.ask("POST", f"{at}/links", **authorization)
        tokens = {
            identity: await self._token(f"{at}/participants/{identity}", role, authorization)
            for identity, role in (*zip(ROLES, ROLES, strict=True), ("removed", "host"))
            if row.needs not in (BY_LINK, BY_NOTHING)
        }
        if "removed" in tokens:
            await self.ask("POST", f"{at}/participants/removed/remove", **authorization)
        if row.first:
            await self.ask("POST", f"{at}/{row.first}", **authorization)
        secret = link["url"].rpartition("/")[2]
        names = {"room": room, "identity": "p1", "link": link["id"], "secret": secret, "name": "none.js"}
        return Scene(names | await self._made(row, at, secret, authorization), tokens)

    async def _made(self, row: Row, at: str, secret: str, authorization: dict[str, str]) -> dict[str, str]:
        """Make what only this row asks for; there may be but a few webhooks at a time."""
        if "connection-tests" in row.name:
            probe = await self.ask("POST", "/v1/join/connection-tests", {"link": secret})
            return {"test": probe["id"], "probe": probe["token"]}
        if "{group}" in row.name:
            return {"group": (await self.ask("POST", f"{at}/groups", **authorization))["id"]}
        if "{webhook}" in row.name:
            for old in (await self.ask("GET", "/v1/webhooks", **authorization))["items"]:
                await self.ask("DELETE", f"/v1/webhooks/{old['id']}", **authorization)
            target = {"url": "http://127.0.0.1:9/events"}
            return {"webhook": (await self.ask("POST", "/v1/webhooks", target, **authorization))["id"]}
        return {}

    async def answer(
        self, row: Row, scene: Scene, authorization: str | None
    ) -> tuple[int, dict[str, str], str]:
        """Ask for a row; give the status, the headers and the body, without what differs at each answer."""
        method, _, path = row.name.partition(" ")
        if row.of == "twirp":
            method, path = "POST", f"/twirp/livekit.RoomService/{row.name}"
        body = None if row.body is None else filled(row.body, scene.names)
        headers = {} if authorization is None else {"Authorization": authorization}
        async with self.http.request(
            method, path.format(**scene.names), json=body, headers=headers
        ) as answer:
            text = await answer.text()
            told = {name: value for name, value in answer.headers.items() if name != "Date"}
            if answer.content_type == "application/problem+json":
                text = json.dumps({**json.loads(text), "trace_id": ""})
            return answer.status, told, text

    async def _token(self, path: str, role: str, authorization: dict[str, str]) -> str:
        await self.ask("PUT", path, {"role": role}, **authorization)
        return str((await self.ask("POST", f"{path}/token", **authorization))["token"])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, ports = tmp_path_factory.mktemp("access"), Ports.free()
    keys: list[tuple[str, str, tuple[str, ...]]] = [
        ("whole", "default", SCOPES),
        ("elsewhere", "elsewhere", SCOPES),
    ]
    keys += [(scope, "default", (scope,)) for scope in SCOPES]
    tables = "".join(
        f"""
        [[api_keys]]
        key = "{name_of(key)}"
        secret = "{secret_of(key)}"
        tenant = "{tenant}"
        scopes = {json.dumps(list(scopes))}
        """
        for key, tenant, scopes in keys
    )
    (folder / "colloque.toml").write_text(
        f"""
        [server]
        public_url = "http://127.0.0.1:{ports.http}"
        listen = "127.0.0.1:{ports.http}"
        admin_listen = "127.0.0.1:{ports.admin}"
        [media]
        udp_port = {ports.udp}
        [limits]
        api_requests_per_minute_per_address = 0
        failures_per_minute_per_address = 0
        [store]
        url = "sqlite:///rooms.sqlite3"
        [webhooks]
        allowed_targets = ["http://127.0.0.1:9"]
        {tables}
        """
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command(), "serve"], cwd=folder, env=environment(), stdout=log, stderr=log
        )
    try:
        asyncio.run(_ready(ports, folder / "log"))
        yield f"http://127.0.0.1:{ports.http}"
    finally:
        process.terminate()
        process.wait(10)
    assert "request_failed" not in (folder / "log").read_text()


@pytest.fixture
async def house(served: str) -> AsyncIterator[House]:
    async with aiohttp.ClientSession(base_url=served) as http:
        yield House(http)


@pytest.mark.parametrize("row", rows(), ids=str)
async def test_everybody_gets_the_answer_that_the_table_says(house: House, row: Row) -> None:
    shared = await house.scene(row)
    for caller in CALLERS:
        wanted = expected(row, caller)
        # What was done once may not be possible again.
        scene = await house.scene(row) if wanted == row.done and not row.name.startswith("GET ") else shared
        status, headers, text = await house.answer(row, scene, authorization(row, caller, scene))
        assert status == wanted, (str(caller), text)
        if status == 401 and row.of == "routes":
            assert "WWW-Authenticate" in headers


@pytest.mark.parametrize(
    "row", [row for row in rows() if row.needs in SCOPES and row.names_something], ids=str
)
async def test_what_exists_elsewhere_looks_like_what_does_not_exist(house: House, row: Row) -> None:
    theirs = await house.scene(row, key="elsewhere")
    names = {**theirs.names, "room": room_name(), "link": "link_nowhere", "test": "test_nowhere"}
    nothing = Scene(names, {})
    caller = Caller("key", row.needs)
    there = await house.answer(row, theirs, authorization(row, caller, theirs))
    nowhere = await house.answer(row, nothing, authorization(row, caller, nothing))
    assert there[0] == row.elsewhere
    assert there == nowhere
    still = await house.answer(Row("GET /v1/rooms/{room}", "rooms:read"), theirs, basic("elsewhere"))
    assert json.loads(still[2])["id"] == theirs.names["room"]


async def test_a_key_takes_no_id_away_from_another_tenant_and_hears_nothing_of_it(house: House) -> None:
    row = Row("GET /v1/rooms/{room}", "rooms:read")
    theirs = await house.scene(row, key="elsewhere")
    made = await house.ask("POST", "/v1/rooms", {"id": theirs.names["room"]})
    assert made["id"] == theirs.names["room"]
    events = await house.ask("GET", f"/v1/events?room={made['id']}")
    assert {event["sid"] for event in events["items"]} == {made["sid"]}


def authorization(row: Row, caller: Caller, scene: Scene) -> str | None:
    """Write the header that a caller sends."""
    room = scene.names["room"]
    video = {str(row.grant): True, "room": room, "destinationRoom": "there"}
    match caller.kind:
        case "nobody":
            return None
        case "person":
            return f"Bearer {scene.tokens.get(caller.what)}"
        case "removed":
            return f"Bearer {scene.tokens.get('removed')}"
        case "expired":
            return "Bearer " + mint_join_token(
                *("whole", secret_of("whole")),
                room=room,
                identity="host",
                grants=EVERYTHING,
                now=time.time() - 3600,
                ttl_seconds=900,
            )
        case "wrong" if row.of == "routes" and row.needs != BY_JOIN_TOKEN:
            return basic("whole", WRONG)
        case "wrong":
            return bearer("whole", WRONG, sub="host", video={**video, "roomJoin": row.of == "routes"})
        case "signed" if row.of == "routes":
            return bearer("whole", scope=caller.what)
    key = {"elsewhere": "elsewhere", "signed": "whole"}.get(caller.kind, caller.what)
    return bearer(key, video=video) if row.of == "twirp" else basic(key)


def basic(key: str, secret: str | None = None) -> str:
    return "Basic " + base64.b64encode(f"{name_of(key)}:{secret or secret_of(key)}".encode()).decode()


def bearer(key: str, secret: str | None = None, **claims: object) -> str:
    claims = {"iss": name_of(key), "exp": int(time.time()) + 600, **claims}
    return "Bearer " + jwt.encode(claims, secret or secret_of(key), "HS256")


def name_of(key: str) -> str:
    return key.replace(":", "-")


def secret_of(key: str) -> str:
    return f"the-secret-of-{name_of(key)}-0123456789abcdef"


def filled(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, str):
        return value.format(**names)
    if isinstance(value, dict):
        return {name: filled(one, names) for name, one in value.items()}
    return value


async def _ready(ports: Ports, log: Path) -> None:
    async def look() -> bool:
        async with aiohttp.ClientSession() as http:
            try:
                async with http.get(f"http://127.0.0.1:{ports.admin}/readyz") as answer:
                    return answer.status == 200
            except aiohttp.ClientError:
                return False

    await eventually(look, within=15, what=f"a server that is ready; {log}")
