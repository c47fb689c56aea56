"""A real `colloque demo`, or `serve` with a database server, in a process of its own."""

import contextlib
import os
import random
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

KEY = "testkey"
SECRET = "a-secret-that-only-the-tests-know-0123456789"
_START_WITHIN = 15.0  # seconds; a start takes under one, on a machine with a busy neighbour too
_STOP_WITHIN = 10.0
_POLL = 0.02
# Below the ports that the kernel gives to whoever asks for any, as browsers and clients do meanwhile.
_FOR_SERVERS = range(10_240, 32_768)
_ports = random.Random(os.getpid())  # tests that run at the same time look at different ones


@dataclass(frozen=True, slots=True)
class Ports:
    """The three ports a server listens on, all on loopback."""

    http: int
    admin: int
    udp: int

    @classmethod
    def free(cls) -> Self:
        """Find three that nobody uses now, and that the kernel gives to nobody who asks for any."""
        with (
            _bound(socket.SOCK_STREAM) as http,
            _bound(socket.SOCK_STREAM) as admin,
            _bound(socket.SOCK_DGRAM) as udp,
        ):
            return cls(http, admin, udp)


class Server:
    """A running server and what is needed to talk to it."""

    def __init__(self, data_dir: Path, ports: Ports | None = None, *, database: str | None = None) -> None:
        """Prepare a server that keeps its state in this folder; nothing runs until `start`.

        With the URL of a database it is one of production, without it the demonstration.
        """
        self.data_dir = data_dir
        self.ports = ports or Ports.free()
        self.key = KEY
        self.secret = SECRET
        self.log = data_dir / "server.log"
        self._database = database
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the page and the REST interface are."""
        return f"http://127.0.0.1:{self.ports.http}"

    @property
    def ws_url(self) -> str:
        """Where client SDKs connect."""
        return f"ws://127.0.0.1:{self.ports.http}"

    @property
    def admin_url(self) -> str:
        """Where metrics, health and debug state are."""
        return f"http://127.0.0.1:{self.ports.admin}"

    @property
    def pid(self) -> int:
        """The process, for tests that freeze or kill it."""
        assert self._process is not None, "the server was never started"
        return self._process.pid

    def start(
        self,
        *extra: str,
        freezable: bool = False,
        scattered: bool = False,
        around: tuple[str, ...] = (),
        program: str | None = None,
    ) -> None:
        """Start it and wait until it says that it is ready.

        See freezable.py and scattered.py for what these add; who is scattered is freezable too. `around` is
        a command that becomes the server (small_disk.py); `program` is another build's `colloque`.
        """
        this = [program] if program is not None else command(freezable=freezable, scattered=scattered)
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*around, *this, *self._arguments(), *extra],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.data_dir,
                env=environment(),
            )
        deadline = time.monotonic() + _START_WITHIN
        while not self._ready():
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended with {self._process.returncode}:\n{self.read_log()}")
            if time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the server was not ready after {_START_WITHIN} s:\n{self.read_log()}")
            time.sleep(_POLL)

    def stop(self) -> int:
        """Ask it to end as a service manager does, and give back its exit code."""
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            return self._process.wait(_STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise RuntimeError(
                f"the server did not end within {_STOP_WITHIN} s:\n{self.read_log()}"
            ) from None

    def kill(self) -> None:
        """End it as a power cut does: it gets no chance to write anything more."""
        assert self._process is not None, "the server was never started"
        self._process.kill()
        self._process.wait()

    def read_log(self, since: int = 0) -> str:
        """Give what it printed, from this byte on."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(since)
            return log.read().decode(errors="replace")

    def log_size(self) -> int:
        """Give the number of bytes it has printed so far."""
        return self.log.stat().st_size if self.log.exists() else 0

    def _arguments(self) -> list[str]:
        if self._database is not None:
            settings = self.data_dir / "colloque.toml"
            settings.write_text(self._settings(self._database))
            return ["serve", "--config", str(settings)]
        return [
            "demo",
            *("--port", str(self.ports.http)),
            *("--admin-port", str(self.ports.admin)),
            *("--udp-port", str(self.ports.udp)),
            *("--data-dir", str(self.data_dir)),
            *("--key", self.key),
            *("--secret", self.secret),
        ]

    def _settings(self, database: str) -> str:
        return f"""
        [server]
        public_url = "{self.url}"
        listen = "127.0.0.1:{self.ports.http}"
        admin_listen = "127.0.0.1:{self.ports.admin}"
        [media]
        udp_port = {self.ports.udp}
        addresses = [{{ bind = "127.0.0.1", announce = "127.0.0.1" }}]
        [[api_keys]]
        key = "{self.key}"
        secret = "{self.secret}"
        [store]
        url = "{database}"
        [limits]
        api_requests_per_minute_per_key = 0
        api_requests_per_minute_per_address = 0
        failures_per_minute_per_address = 0
        """

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.admin_url}/readyz", timeout=1) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def command(*, freezable: bool = False, scattered: bool = False) -> list[str]:
    """Give the installed command, or the sources where a developer runs the tests without a wheel."""
    if freezable or scattered:
        name = "scattered.py" if scattered else "freezable.py"
        return [sys.executable, str(Path(__file__).with_name(name))]
    installed = Path(sys.executable).with_name("colloque")
    return [str(installed)] if installed.exists() else [sys.executable, "-m", "colloque.cli"]


def environment() -> dict[str, str]:
    """Give this process's environment without settings of a server, and usable from another folder."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COLLOQUE_")}
    return plain | {"PYTHONPATH": os.pathsep.join(filter(None, map(_absolute, _source_path())))}


def _source_path() -> list[str]:
    return os.environ.get("PYTHONPATH", "").split(os.pathsep)


def _absolute(entry: str) -> str:
    return str(Path(entry).resolve()) if entry else ""


@contextmanager
def _bound(kind: socket.SocketKind) -> Iterator[int]:
    with socket.socket(socket.AF_INET, kind) as probe:
        while True:
            port = _ports.choice(_FOR_SERVERS)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                break
        yield port
