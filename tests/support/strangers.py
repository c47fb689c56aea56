"""Programs that know the REST interface by its OpenAPI file alone, from an environment that is not ours."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

_TOP = Path(__file__).parents[2]
CLIENTS = _TOP / "tests/integration/clients"
PYTHON = _TOP / ".venv-strangers/bin/python"
_MISSING = "the programs of strangers are not set up: make .make/strangers"


def python_program(name: str) -> str:
    """Give the path of a program that was written in Python."""
    program = PYTHON.with_name(name)
    assert program.exists(), _MISSING
    return str(program)


def node_program(name: str) -> str:
    """Give the path of a program that was written in JavaScript."""
    program = CLIENTS / "node_modules/.bin" / name
    assert program.exists(), _MISSING
    return str(program)


def done(*command: str, folder: Path, env: Mapping[str, str] | None = None, within: float = 60.0) -> str:
    """Run a program to its end and give back what it printed; fail with that if it failed."""
    ended = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=within, check=False
    )
    assert ended.returncode == 0, f"{command[0]} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}"
    return ended.stdout
