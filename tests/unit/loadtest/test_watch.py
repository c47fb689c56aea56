"""The server's process is seen as long as it lives, and not taken for a later one."""

from pathlib import Path

import pytest

from loadtest.errors import RunError
from loadtest.target import HttpTarget
from loadtest.watch import ProcessSource, ServerGone


def process(proc: Path, *, started: int = 5, pages: int = 100) -> None:
    folder = proc / "77"
    folder.mkdir(exist_ok=True)
    (folder / "stat").write_text(f"77 (x) S {'0 ' * 10}250 50 0 0 20 0 9 0 {started} 0 0")
    (folder / "statm").write_text(f"9000 {pages} 0 0 0 0 0")


async def test_cpu_time_and_memory_of_a_process_are_read(tmp_path: Path) -> None:
    process(tmp_path)
    sample = await ProcessSource(77, tmp_path).read(3.0)
    assert sample is not None
    assert sample.at == 3.0
    assert sample.cpu_seconds
    assert sample.memory_bytes


def test_a_process_that_is_not_there_is_said_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="--server-pid 77: there is no such process"):
        ProcessSource(77, tmp_path)


@pytest.mark.parametrize("change", [{"started": 6}, {"pages": 0}, None])
async def test_an_end_of_the_process_is_seen(tmp_path: Path, change: dict[str, int] | None) -> None:
    process(tmp_path)
    source = ProcessSource(77, tmp_path)
    if change is None:
        (tmp_path / "77" / "stat").unlink()
    else:
        process(tmp_path, **change)
    with pytest.raises(ServerGone, match="process 77 has ended"):
        await source.read(1.0)


@pytest.mark.parametrize(
    ("url", "clients"),
    [
        ("ws://127.0.0.1:8080", "ws://127.0.0.1:8080"),
        ("http://127.0.0.1:8080/", "ws://127.0.0.1:8080"),
        ("https://visio.example", "wss://visio.example"),
    ],
)
def test_the_address_may_be_written_as_clients_or_as_browsers_know_it(url: str, clients: str) -> None:
    assert HttpTarget(url, "k", "s").url == clients


@pytest.mark.parametrize("url", ["visio.example", "ftp://visio.example", "ws://"])
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(RunError, match=r"--url .*must be like ws://"):
        HttpTarget(url, "k", "s")
