"""Nothing is served that is not in the table of who may do what."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from colloque.server import Server
from colloque.settings import Settings
from colloque.silence import Silence
from colloque.wiring import api_settings
from control_api import OPERATIONS, ControlApi
from control_api.twirp.service import METHODS
from rooms import KeyRing, Rooms
from signalling.livekit import LiveKitServer
from signalling.probe import ProbeServer
from signalling.waiting import WaitingServer
from tests.support.access import rows
from tests.support.live_side import FakeSfu
from tests.support.rooms_database import empty_database
from tests.support.stage import Legs

_CLASSIFY = "say in tests/data/access.toml who may do this"


@pytest.fixture
def url(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return empty_database(tmp_path / "rooms.sqlite3", tmp_path_factory.getbasetemp() / "template.sqlite3")


async def test_every_route_that_is_served_is_in_the_table(url: str) -> None:
    settings = Settings()
    server = Server(settings)
    server._rooms = rooms = await Rooms.open(url, keys=KeyRing([]))
    app = server._public_app(
        ControlApi(rooms, api_settings(settings), version="1"),
        LiveKitServer(FakeSfu(), rooms, legs=Legs()),
        WaitingServer(rooms),
        ProbeServer(FakeSfu(), rooms.connection_tests, paths=list),
        Silence(CollectorRegistry(), max_connections=10),
    )
    served = {
        f"{route.method} {route.resource.canonical}"
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    await rooms.close()
    listed = {row.name for row in rows() if row.of == "routes"}
    assert served - {"* /twirp/{path}"} == listed, _CLASSIFY


def test_every_method_of_livekits_service_is_in_the_table() -> None:
    listed = {row.name: (row.needs, row.grant) for row in rows() if row.of == "twirp"}
    assert listed == {name: (method.scope, method.grant) for name, method in METHODS.items()}, _CLASSIFY


def test_the_scopes_of_operations_are_those_of_the_table() -> None:
    listed = {row.name: row.needs for row in rows()}
    for operation in OPERATIONS:
        opened_by = "a join token" if operation.by_join_token else operation.scope or "a link"
        assert listed[f"{operation.method} {operation.path}"] == opened_by, _CLASSIFY
