"""`colloque loadtest run` as a person starts it, against a real server, with an engine that sends nothing."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.eventually import eventually
from tests.support.management import Management
from tests.support.server import Server, command, environment

pytestmark = [pytest.mark.integration, pytest.mark.slow]
TESTER = Path(__file__).parents[1] / "support" / "load_tester.py"


@asynccontextmanager
async def started(server: Server, folder: Path, *extra: str, how: str = "--quick") -> AsyncIterator[Process]:
    """Start the command; it is killed at the end should it still run."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(TESTER), how,
        "loadtest", "run", "group-8", "--url", server.ws_url, "--key", server.key, "--secret", server.secret,
        "--report", str(folder / "report"), *extra,
        stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=PIPE, cwd=folder,
        env=environment(),
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def end_of(process: Process) -> tuple[int, str, str]:
    out, error = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), error.decode()


async def run(server: Server, folder: Path, *extra: str) -> tuple[int, str, str]:
    async with started(server, folder, *extra) as process:
        return await end_of(process)


async def rooms(management: Management) -> list[str]:
    answer = await management.ask("GET", "/v1/rooms?limit=100")
    return [room["id"] for room in answer["items"] if room["name"] == "Load test"]


async def running(folder: Path) -> None:
    """Wait until the engine runs."""

    async def look() -> bool:
        return (folder / "running").exists()

    await eventually(look, within=15.0, what="a run of the engine")


async def test_a_run_writes_its_report_and_is_quiet_in_a_pipe(server: Server, tmp_path: Path) -> None:
    ended = await run(server, tmp_path, "--server-pid", str(server.pid))
    assert ended[0] == 0, ended
    assert ended[1].startswith("Every objective was met.")
    assert ended[2] == ""
    assert json.loads((tmp_path / "report" / "report.json").read_text())["outcome"] == "met"


async def test_the_command_sends_and_receives_real_media(server: Server, tmp_path: Path) -> None:
    scenario = tmp_path / "small.toml"
    scenario.write_text(
        'kind = "broadcast"\ntitle = "Small"\nviewers = 3\nsends = ["video"]\nseconds = 2\n'
        "[objectives]\nloss_ratio = 0.0\n"
    )
    process = await asyncio.create_subprocess_exec(
        *command(), "loadtest", "run", str(scenario), "--json", "--check-every", "4",
        "--url", server.ws_url, "--key", server.key, "--secret", server.secret,
        stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=PIPE, cwd=tmp_path, env=environment(),
    )  # fmt: skip
    code, out, error = await end_of(process)
    assert (code, error) == (0, ""), out
    measured = json.loads(out)["stages"][0]["result"]
    assert measured["packets_received"] > 100
    assert measured["payloads_checked"] == pytest.approx(measured["packets_received"] / 4, rel=0.1)
    assert measured["payload_errors"] == 0


async def test_the_servers_version_is_taken_from_its_metrics(server: Server, tmp_path: Path) -> None:
    code, out, _ = await run(server, tmp_path, "--admin-url", server.admin_url, "--json")
    assert code == 0
    assert json.loads(out)["machine"]["server version"].startswith("colloque ")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_stopping_leaves_a_report_that_is_marked_and_nothing_else(
    own_server: Server, tmp_path: Path, how: signal.Signals
) -> None:
    async with (
        Management(own_server) as management,
        started(own_server, tmp_path, how="--endless") as process,
    ):
        await running(tmp_path)
        process.send_signal(how)
        code, out, error = await end_of(process)
        assert (code, error) == (1, "")
        assert out.startswith("Stopped early: this report is partial.")
        assert json.loads((tmp_path / "report" / "report.json").read_text())["partial"] is True
        assert await rooms(management) == []


async def test_stopping_twice_ends_at_once_and_still_deletes_the_rooms(
    own_server: Server, tmp_path: Path
) -> None:
    async with Management(own_server) as management, started(own_server, tmp_path, how="--deaf") as process:
        await running(tmp_path)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        code, out, error = await end_of(process)
        assert (code, out, error) == (1, "", "colloque: interrupted twice: nothing is reported\n")
        assert await rooms(management) == []


async def test_a_server_that_dies_ends_the_run_with_its_reason(own_server: Server, tmp_path: Path) -> None:
    async with started(own_server, tmp_path, how="--endless") as process:
        await running(tmp_path)
        own_server.kill()
        code, out, error = await end_of(process)
    assert (code, error) == (1, "")
    assert out.startswith("The run failed: this report is partial. The server has gone: nobody listens")


async def test_a_wrong_secret_is_one_line(server: Server, tmp_path: Path) -> None:
    code, out, error = await run(server, tmp_path, "--secret", "another-one-than-the-servers")
    assert (code, out) == (1, "")
    assert error == "colloque: --key, --secret: the server does not accept them\n"


async def test_a_process_that_is_not_there_is_one_line(server: Server, tmp_path: Path) -> None:
    code, out, error = await run(server, tmp_path, "--server-pid", "999999999")
    assert (code, out) == (1, "")
    assert error == "colloque: --server-pid 999999999: there is no such process\n"
