"""The REST interface without a network: requests and replies are values."""

import base64
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from control_api import OPERATIONS, Addresses, ApiSettings, ControlApi, Courier, Request, Targets
from rooms import ApiKey, KeyRing, Outcome, Rooms, RoomsSettings
from tests.support.postgresql import emptied
from tests.support.rooms_database import empty_database

NOW = 1_900_000_000.0
KEY = ApiKey("portal", "a-secret-of-the-tests-that-is-long-enough")
READER = ApiKey("reader", "another-secret-of-the-tests-that-is-long", scopes=frozenset({"rooms:read"}))
_BEFORE_A_DATABASE = ("test_access", "test_forbidden_fields", "test_openapi", "test_reference")
STRANGER = ApiKey("stranger", "a-third-secret-of-the-tests-that-is-long", tenant="elsewhere")


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: Any
    text: str


class FakeSender:
    """Sends nothing, remembers what it was given, and says what it was told to say."""

    def __init__(self, targets: Targets) -> None:
        self.targets = targets
        self.outcome = Outcome("delivered", 204)
        self.sent: list[tuple[str, Mapping[str, str], str]] = []

    async def send(self, address: str, headers: Mapping[str, str], body: str, *, now: float) -> Outcome:
        self.sent.append((address, headers, body))
        return self.outcome


class Client:
    """Asks as somebody with an API key would; `now` may be moved."""

    def __init__(self, api: ControlApi, rooms: Rooms, sender: "FakeSender") -> None:
        self.api = api
        self.rooms = rooms
        self.sender = sender
        self.now = NOW

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: ApiKey | None = KEY,
        raw: bytes | None = None,
        address: str = "192.0.2.1",
        **headers: str,
    ) -> Reply:
        """Send a request; `path` may have a query, header names are written with underscores."""
        operation, variables = _find(method, path.partition("?")[0])
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None and "authorization" not in sent:
            sent["authorization"] = basic(key.key, key.secret)
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        if content:
            sent.setdefault("content-type", "application/json")
        query = tuple(_pair(one) for one in path.partition("?")[2].split("&") if one)
        reply = await self.api.answer(
            operation,
            Request(address, variables, query, sent, content),
            now=self.now,
        )
        text = reply.body.model_dump_json() if isinstance(reply.body, BaseModel) else reply.body or ""
        return Reply(reply.status, dict(reply.headers), _value(text), text)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what reads and writes on both databases; what is decided before either is asked, on one."""
    if "url" in metafunc.fixturenames:
        kinds = (
            ["sqlite"] if metafunc.module.__name__.endswith(_BEFORE_A_DATABASE) else ["sqlite", "postgresql"]
        )
        metafunc.parametrize("url", kinds, indirect=True)


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    if request.param == "postgresql":
        return emptied(request.getfixturevalue("postgresql"), "rooms")
    return empty_database(tmp_path / "rooms.sqlite3", tmp_path_factory.getbasetemp() / "template.sqlite3")


@pytest.fixture
async def client(url: str) -> AsyncIterator[Client]:
    rooms = await Rooms.open(url, keys=KeyRing([KEY, READER, STRANGER]), settings=RoomsSettings())
    settings = ApiSettings(
        Addresses("https://visio.example"),
        own_origins=frozenset({"https://visio.example"}),
        allowed_origins=frozenset({"https://portal.example"}),
    )
    sender = FakeSender(Targets(["portal.example", "http://10.1.2.3:8080"]))
    courier = Courier(rooms, sender, wall=lambda: NOW)
    yield Client(ControlApi(rooms, settings, version="1", courier=courier), rooms, sender)
    await rooms.close()


def _value(text: str) -> Any:
    return json.loads(text) if text.startswith(("{", "[")) else None


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def _find(method: str, path: str) -> tuple[Any, dict[str, str]]:
    parts = path.split("/")
    for operation in OPERATIONS:
        pattern = operation.path.split("/")
        if operation.method == method and len(pattern) == len(parts):
            variables = {
                wanted[1:-1]: part for wanted, part in zip(pattern, parts, strict=True) if wanted[:1] == "{"
            }
            if all(wanted[:1] == "{" or wanted == part for wanted, part in zip(pattern, parts, strict=True)):
                return operation, variables
    raise AssertionError(f"no operation for {method} {path}")
