"""A real `colloque doctor` on settings that a test writes, and what a person reads of it."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.server import Ports, command, environment

SECRET = "a-secret-that-only-the-tests-know-0123456789"
RELAY_SECRET = "a-relay-secret-that-only-the-tests-know-0123456789"
_WITHIN = 50  # seconds: a run takes two, 18 where something hangs, and more beside a busy neighbour


@dataclass(frozen=True, slots=True)
class Examined:
    """How a run ended."""

    code: int
    lines: list[str]
    errors: str

    def line(self, code: str) -> str:
        """Give the one line of this code, which a person would see."""
        found = [line for line in self.lines if line.endswith(f"[{code}]")]
        assert len(found) == 1, f"{code} is not once in:\n{self}"
        return found[0]

    @property
    def failures(self) -> list[str]:
        """Give the codes of all that failed."""
        return [line.rpartition("[")[2].rstrip("]") for line in self.lines if line.startswith("fail")]

    def __str__(self) -> str:
        return "\n".join([*self.lines, self.errors])


def settings(folder: Path, ports: Ports, *, more: str = "", server: str = "", media: str = "") -> Path:
    """Write settings of a server on loopback; `server` and `media` go into their sections, `more` after."""
    file = folder / "colloque.toml"
    media = media or 'addresses = [{ bind = "127.0.0.1", announce = "127.0.0.1" }]'
    url = "" if "public_url" in server else f'public_url = "http://127.0.0.1:{ports.http}"'
    listen = "" if "\nlisten" in f"\n{server}" else f'listen = "127.0.0.1:{ports.http}"'
    store = "" if "[store]" in more else f'[store]\nurl = "sqlite:///{folder}/colloque.sqlite3"'
    file.write_text(
        f"""
[server]
{url}
{listen}
admin_listen = "127.0.0.1:{ports.admin}"
{server}
[media]
udp_port = {ports.udp}
{media}
[[api_keys]]
key = "portal"
secret = "{SECRET}"
{store}
{more}
"""
    )
    return file


def doctor(
    file: Path, *arguments: str, before: tuple[str, ...] = (), env: dict[str, str] | None = None
) -> Examined:
    """Run it; `before` is the command that it is run by, for another namespace or fewer rights."""
    done = subprocess.run(
        [*before, *command(), "doctor", "--config", str(file), *arguments],
        capture_output=True,
        text=True,
        timeout=_WITHIN,
        cwd=file.parent,
        env={**environment(), "LANG": "C.UTF-8", "LC_ALL": "", "PYTHONUNBUFFERED": "1", **(env or {})},
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    for secret in (SECRET, RELAY_SECRET):
        assert secret not in done.stdout + done.stderr
    return Examined(done.returncode, done.stdout.splitlines(), done.stderr)


def document(file: Path, *arguments: str) -> dict[str, Any]:
    """Run it with `--json` and give what it wrote."""
    examined = doctor(file, "--json", *arguments)
    read: dict[str, Any] = json.loads("\n".join(examined.lines))
    return read


def may_isolate() -> bool:
    """Say whether namespaces can be made here, which needs root."""
    return os.geteuid() == 0
