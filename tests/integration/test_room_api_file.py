"""Whatever is sent, the room API answers as its OpenAPI file says."""

import re
from pathlib import Path

import pytest

from tests.support.management import Management
from tests.support.server import Server
from tests.support.strangers import CLIENTS, done, python_program

pytestmark = pytest.mark.integration

_WITHIN = 90.0  # seconds; a run takes about 20


@pytest.mark.timeout(_WITHIN + 10)
async def test_every_answer_is_one_that_the_file_describes(own_server: Server, tmp_path: Path) -> None:
    async with Management(own_server) as management:
        # By the names that the examples of the file have.
        for room in ("rdv-2031", "rdv-2032"):
            await management.room(id=room)
            for identity in ("p-17", "p-18"):
                await management.ask("PUT", f"/v1/rooms/{room}/participants/{identity}")
        described = await management.ask("GET", "/v1/openapi.json")
    told = done(
        *(python_program("schemathesis"), "--config-file", str(CLIENTS / "schemathesis.toml"), "run"),
        *(f"{own_server.url}/v1/openapi.json", "--auth", f"{own_server.key}:{own_server.secret}"),
        folder=tmp_path,
        within=_WITHIN,
    )
    operations = sum(map(len, described["paths"].values()))
    assert re.findall(r"Tested: (\d+)", told) == [str(operations)]
    assert "request_failed" not in own_server.read_log()
