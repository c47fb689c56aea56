"""docs/quick-start.md is run as it stands: with curl, and by the clients that stock generators write."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import Server
from tests.support.strangers import CLIENTS, PYTHON, done, node_program, python_program

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

PAGE = (Path(__file__).parents[2] / "docs/quick-start.md").read_text()
TOLD = """\
room planned True
link True patient
change True None consultation
change 412 stale-version
problem 409 taken
problem /name /max_participants
rooms 5
event 1 room.planned
event 2 room.updated
"""
TSCONFIG = {
    "compilerOptions": {
        "target": "es2022",
        "module": "nodenext",
        "strict": True,
        "noUncheckedIndexedAccess": True,
        "noPropertyAccessFromIndexSignature": True,
        "types": ["node"],
        "outDir": "built",
        # Of the generated file too.
        "skipLibCheck": False,
    },
    "files": ["quick_start.mts", "colloque.d.ts"],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give the folder of a developer who has installed what the page says."""
    (tmp_path / "node_modules").symlink_to(CLIENTS / "node_modules")
    (tmp_path / "openapi.yaml").write_text(
        "post_hooks: []\n"
    )  # it would format what it wrote, with our tools
    (tmp_path / "tsconfig.json").write_text(json.dumps(TSCONFIG))
    return tmp_path


@pytest.fixture
def env(own_server: Server) -> dict[str, str]:
    programs = (str(PYTHON.parent), os.environ["PATH"])
    return {
        **os.environ,
        "PATH": os.pathsep.join(programs),
        "COLLOQUE": own_server.url,
        "KEY": own_server.key,
        "SECRET": own_server.secret,
    }


def test_the_page_works_with_curl_in_python_and_in_typescript(folder: Path, env: dict[str, str]) -> None:
    for name, language in (("quick_start.py", "python"), ("quick_start.mts", "typescript")):
        (folder / name).write_text("\n".join(blocks(language)))
    (_, by_python, by_node, *curl) = blocks("sh")
    answers = done("sh", "-euc", "\n".join(curl).replace("curl ", "curl -sS "), folder=folder, env=env)
    last = json.loads(answers[answers.rindex('{"items":') :])
    assert [event["type"] for event in last["items"]] == ["room.planned", "room.updated", "room.cancelled"]
    assert '"code": "taken"' in answers
    assert "visit-1,,consultation,planned" in answers

    # Four rooms more, so that a list has pages.
    asked = 'curl -sSfu "$KEY:$SECRET" -H "Content-Type: application/json" -d "$0" "$COLLOQUE/v1/rooms"'
    fields = json.dumps({"metadata": {"ward": "cardiology"}})
    done("sh", "-euc", f"for n in 1 2 3 4; do {asked}; done", fields, folder=folder, env=env)
    quiet = by_python.replace("generate", "generate --fail-on-warning --config openapi.yaml")
    done("sh", "-euc", quiet, folder=folder, env=env)
    done("sh", "-euc", by_node, folder=folder, env=env)

    done(python_program("mypy"), "--strict", "--follow-imports=silent", "quick_start.py", folder=folder)
    assert done(str(PYTHON), "quick_start.py", folder=folder, env=env) == TOLD.replace("rooms 5", "rooms 6")
    done(node_program("tsc"), "--project", ".", folder=folder)
    told = done("node", "built/quick_start.mjs", folder=folder, env=env)
    assert told == TOLD.replace("rooms 5", "rooms 7").replace("True", "true").replace("None", "null")


def blocks(language: str) -> Iterator[str]:
    yield from re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
