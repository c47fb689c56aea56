"""Whatever ends the server or fills its disk: what it answered is true, and nothing is half there.

`COLLOQUE_TEST_KILLS` says how many times it is killed (`make kills` does it 300 times), `COLLOQUE_TEST_SEED`
when.
"""

import asyncio
import os
import random
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from tests.support.eventually import until
from tests.support.ledger import Api, Story, write
from tests.support.postgresql import Cluster
from tests.support.server import Server
from tests.support.wal import read_wal

pytestmark = pytest.mark.integration

KILLS = int(os.environ.get("COLLOQUE_TEST_KILLS", "10"))
SEED = int(os.environ.get("COLLOQUE_TEST_SEED", "2031"))
WRITERS = 20
LONGEST = 0.4  # seconds from the first answer to the end
KILL_SECONDS = 6  # writing, a start, and reading everything back, twice; it takes a third
FILE = "rooms.sqlite3"


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "server"
    running = Server(folder, database=f"sqlite:///{folder / FILE}")
    yield running
    running.stop()


@pytest.mark.slow
@pytest.mark.timeout(30 + KILLS * KILL_SECONDS)
async def test_what_was_answered_is_true_however_often_and_whenever_the_server_is_killed(
    own_server: Server,
) -> None:
    chosen, stories, undecided = random.Random(SEED), list[Story](), 0
    own_server.start()
    for _ in range(KILLS):
        before = len(stories)
        await asyncio.gather(
            _killed_after(own_server, stories, before, chosen.uniform(0, LONGEST)),
            _writers(own_server, stories, chosen),
        )
        own_server.start()
        undecided += await _all_true(own_server, stories[before:])
    assert await _all_true(own_server, stories) == 0
    # The moments were such that requests were under way.
    assert undecided >= KILLS


async def test_of_a_log_whose_last_page_was_spoilt_only_the_last_commit_is_lost(
    own_server: Server, tmp_path: Path
) -> None:
    chosen, stories = random.Random(SEED), list[Story]()
    own_server.start()
    await asyncio.gather(
        _killed_after(own_server, stories, 0, LONGEST), _writers(own_server, stories, chosen)
    )
    spoilt = tmp_path / "spoilt"
    shutil.copytree(own_server.data_dir, spoilt)
    _spoil_last_page(spoilt / f"{FILE}-wal")
    damaged = Server(spoilt, database=f"sqlite:///{spoilt / FILE}")
    damaged.start()
    try:
        async with Api(damaged) as api:
            levels = {story.name: await story.check(api) for story in stories}
    finally:
        damaged.stop()
    own_server.start()
    async with Api(own_server) as api:
        whole = {story.name: await story.check(api) for story in stories}
    # Writers who wait at the same time share a commit, and none of them has more than one change in it.
    lost = {whole[name] - levels[name] for name in whole}
    assert lost == {0, 1}
    assert await _all_true(own_server, stories)


async def test_a_full_disk_is_busy_and_passes(own_server: Server) -> None:
    names = count()
    own_server.start()
    async with Api(own_server) as api:
        kept = Story("kept", chooses_id=True, is_deleted=False)
        while kept.done < kept.steps:
            await kept.go_on(api)
        with _no_file_grows(own_server):
            refused = await api.ask("POST", "/v1/rooms", {"metadata": {"a": "x" * 500}})
            while refused.status == 201:
                refused = await api.ask("POST", "/v1/rooms", {"id": f"r{next(names)}"})
            assert (refused.status, refused.body["code"]) == (503, "busy")
            assert refused.headers[-1] is not None
            last = f"r{next(names) - 1}"
            assert (await api.ask("GET", f"/v1/rooms/{last}")).status == 404
            assert await kept.check(api) == kept.done
        assert (await api.ask("POST", "/v1/rooms", {"id": last})).status == 201
        await kept.check_repetitions(api, kept.done)
    assert "store_unavailable" in own_server.read_log()


async def test_what_was_answered_is_true_when_the_database_server_crashes(
    tmp_path: Path, postgresql: Cluster
) -> None:
    await asyncio.to_thread(postgresql.make, "crashing")
    node = Server(tmp_path / "node", database=postgresql.loopback_url("crashing"))
    chosen, stories = random.Random(SEED), list[Story]()
    node.start()
    try:
        for _ in range(3):
            before = len(stories)
            writing = asyncio.create_task(_writers(node, stories, chosen))
            await until(partial(_grown, stories, before + WRITERS))
            await asyncio.sleep(chosen.uniform(0, LONGEST))
            await asyncio.to_thread(postgresql.stop)
            await writing
            await asyncio.to_thread(postgresql.start)
            await _all_true(node, stories[before:])
        assert await _all_true(node, stories) == 0
    finally:
        node.stop()


async def _writers(server: Server, stories: list[Story], chosen: random.Random) -> None:
    def new() -> Story:
        return Story(f"story-{len(stories)}", chosen.random() < 0.5, chosen.random() < 0.5)

    async with Api(server) as api:
        await asyncio.gather(*(write(api, stories, new) for _ in range(WRITERS)))


async def _killed_after(server: Server, stories: list[Story], before: int, seconds: float) -> None:
    await until(lambda: any(story.done for story in stories[before:]))
    await asyncio.sleep(seconds)
    server.kill()


async def _all_true(server: Server, stories: list[Story]) -> int:
    """See that every room is as was told, and take as found what nobody was told; say of how many steps."""
    undecided = sum(story.asked > story.done for story in stories)
    waiting = iter(stories)

    async def check_some(api: Api) -> None:
        for story in waiting:
            level = await story.check(api)
            assert level in {story.done, story.asked}, (story, level)
            await story.settle(api, level)
            await story.check_repetitions(api, level)

    async with Api(server) as api:
        await asyncio.gather(*(check_some(api) for _ in range(WRITERS)))
    return undecided


def _spoil_last_page(log: Path) -> None:
    wal, data = read_wal(log), bytearray(log.read_bytes())
    page = slice(wal.commits[-1] - wal.page_bytes // 2, wal.commits[-1])
    data[page] = bytes(byte ^ 0xA5 for byte in data[page])
    log.write_bytes(data)


@contextmanager
def _no_file_grows(server: Server) -> Iterator[None]:
    """Let no file of the server become larger than its log of changes is; no disk need be filled."""
    largest = (server.data_dir / f"{FILE}-wal").stat().st_size
    assert server.log_size() + 50_000 < largest
    kept = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (largest, kept[1]))
    try:
        yield
    finally:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, kept)


def _grown(stories: list[Story], to: int) -> bool:
    return len(stories) > to
