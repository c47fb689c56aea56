"""The quick start of docs/webhooks.md works as it stands: command line, Python and TypeScript."""

import asyncio
import json
import os
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.support.eventually import eventually
from tests.support.management import Management, room_name

pytestmark = pytest.mark.integration

PAGE = Path(__file__).parents[2] / "docs" / "webhooks.md"
ESBUILD = Path(__file__).parent / "browser" / "node_modules" / ".bin" / "esbuild"


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(found)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def typescript(folder: Path) -> list[str]:
    (folder / "receiver.ts").write_text(block("ts"))
    built = folder / "receiver.mjs"
    options = ("--platform=node", "--format=esm", f"--outfile={built}", "--log-level=error")
    process = await asyncio.create_subprocess_exec(ESBUILD, folder / "receiver.ts", *options)
    assert await process.wait() == 0
    return ["node", str(built)]


async def python(folder: Path) -> list[str]:
    (folder / "receiver.py").write_text(block("python"))
    return [sys.executable, str(folder / "receiver.py")]


@asynccontextmanager
async def running(command: list[str], port: int, secret: str, output: Path) -> AsyncIterator[None]:
    environment = {**os.environ, "PORT": str(port), "WEBHOOK_SECRET": secret}
    with output.open("wb") as out:
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=out)
        try:
            yield
        finally:
            process.terminate()
            await process.wait()


@pytest.mark.parametrize("prepare", [python, typescript], ids=lambda one: one.__name__)
async def test_the_receivers_of_the_quick_start_verify_and_take_events(
    management: Management, tmp_path: Path, prepare: object
) -> None:
    command, port, output = await prepare(tmp_path), free_port(), tmp_path / "output"  # type: ignore[operator]
    url = f"http://127.0.0.1:{port}/events"
    webhook = await management.ask("POST", "/v1/webhooks", {"url": url})
    async with running(command, port, webhook["secret"], output):
        path = f"/v1/webhooks/{webhook['id']}"

        async def tested() -> bool:
            return bool((await management.ask("POST", f"{path}/test"))["delivered"])

        await eventually(tested)
        room = room_name()
        await management.room(id=room)
        await management.ask("POST", f"/v1/rooms/{room}/start")

        async def told() -> bool:
            lines = [line.split()[:2] for line in output.read_text().splitlines()]
            return [line[0] for line in lines if line[1:] == [room]] == ["room.planned", "room.in_progress"]

        await eventually(told)
        await refuses_others(url)
    await management.ask("DELETE", path)


async def refuses_others(url: str) -> None:
    forged = {
        "webhook-id": "evt_x",
        "webhook-timestamp": "1900000000",
        "webhook-signature": "v1,AAAA",
    }
    async with aiohttp.ClientSession() as http:
        for headers in (forged, {**forged, "webhook-signature": "nonsense"}, {}):
            async with http.post(url, data=b'{"id": "evt_x"}', headers=headers) as answer:
                assert answer.status == 401, headers


async def test_the_command_of_the_quick_start_makes_a_webhook(management: Management) -> None:
    server = management.server
    environment = {**os.environ, "KEY": server.key, "SECRET": server.secret, "COLLOQUE": server.url}
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", block("sh")),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    answer, _ = await process.communicate()
    webhook = json.loads(answer)
    assert webhook["secret"].startswith("whsec_")
    await management.ask("DELETE", f"/v1/webhooks/{webhook['id']}")
