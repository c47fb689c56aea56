"""The real server for every integration test; its log stands under a test that fails."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.management import Management
from tests.support.postgresql import Cluster, cluster
from tests.support.server import Ports, Server

_LOG_TAIL = 20_000  # characters: a failed test's last seconds, not the whole suite's


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give one server that all tests share; each test makes rooms of its own."""
    running = Server(tmp_path_factory.mktemp("server"))
    running.start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """Give a server to a test that freezes, kills, fills or counts it."""
    running = Server(tmp_path / "own-server")
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """Give a PostgreSQL server on loopback that tests share; each makes a database of its own."""
    with cluster(Ports.free().http) as running:
        yield running


@pytest.fixture
async def management(server: Server) -> AsyncIterator[Management]:
    """Give the room API of the shared server."""
    async with Management(server) as client:
        yield client


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    result = yield
    for name in ("server", "own_server"):
        running = getattr(item, "funcargs", {}).get(name)
        if isinstance(running, Server):
            item.stash.setdefault(_LOGS, []).append((running, running.log_size() if name == "server" else 0))
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if call.when == "call" and call.excinfo is not None:
        for running, since in item.stash.get(_LOGS, []):
            report.sections.append(("server log", running.read_log(since)[-_LOG_TAIL:]))  # type: ignore[attr-defined]
    return report


_LOGS: pytest.StashKey[list[tuple[Server, int]]] = pytest.StashKey()
