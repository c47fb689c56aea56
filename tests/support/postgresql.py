"""A private PostgreSQL of the system's own package, in a folder of its own."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg

from rooms import KeyRing, Rooms
from rooms.tables import Base

PASSWORD = "a/pass:word@with#all?of%it"
WRITTEN_PASSWORD = "a%2Fpass%3Aword%40with%23all%3Fof%25it"
_WITHIN = 20  # seconds; it takes under one


class Cluster:
    """A PostgreSQL server, reached through a Unix socket (trusted) and on loopback (with the password)."""

    def __init__(self, folder: Path, port: int | None) -> None:
        """Make a cluster in this folder, which belongs to `owner()`; it listens from `start` on.

        Without a port there is only the socket, and nothing waits for the disk; else it is durable as in
        production.
        """
        self.folder = folder
        self.port = port
        self.names = set[str]()
        self._data = folder / "data"
        secret = folder / "secret"
        secret.write_text(PASSWORD)
        self._call(
            *("initdb", "--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={secret}"),
            *("--username=colloque", "--encoding=UTF8", "--locale=C.UTF-8", "--pgdata", str(self._data)),
        )

    @property
    def pid(self) -> int:
        """The postmaster."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def start(self) -> None:
        """Start it and wait until it answers."""
        # With no port, nothing waits for the disk either: what was written outlives a crash, no power cut.
        alone = "-c listen_addresses= -c fsync=off"
        loopback = alone if self.port is None else f"-p {self.port} -h 127.0.0.1"
        options = f"{loopback} -c unix_socket_directories={self.folder}"
        self._pg_ctl("start", "--log", str(self.folder / "log"), "--options", options)

    def stop(self, mode: str = "immediate") -> None:
        """Stop it: `immediate` as a crash does, `fast` in order."""
        self._pg_ctl("stop", "--mode", mode)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop every process of it where it stands: it accepts connections and never answers."""
        stopped = [self.pid, *_children(self.pid)]
        for pid in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in stopped:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def socket_url(self, name: str) -> str:
        """Give the URL of a database through the Unix socket."""
        port = "" if self.port is None else f"&port={self.port}"
        return f"postgresql://colloque@/{name}?host={self.folder}{port}"

    def loopback_url(self, name: str, password: str = WRITTEN_PASSWORD) -> str:
        """Give the URL of a database over TCP, with the password as a URL writes it."""
        return f"postgresql://colloque:{password}@127.0.0.1:{self.port}/{name}"

    def make(self, name: str, *options: str) -> None:
        """Make an empty database."""
        asyncio.run(self._execute("postgres", f"CREATE DATABASE {name} {' '.join(options)}"))
        self.names.add(name)

    def execute(self, name: str, statement: str) -> Any:
        """Run one statement in a database and give the first value of its answer."""
        return asyncio.run(self._execute(name, statement))

    def run(self, name: str, statements: str) -> None:
        """Run several statements in a database, as one transaction."""
        asyncio.run(self._run_all(name, statements))

    async def _run_all(self, name: str, statements: str) -> None:
        connection = await asyncpg.connect(self.socket_url(name))
        try:
            await connection.execute(statements)
        finally:
            await connection.close()

    async def _execute(self, name: str, statement: str) -> Any:
        connection = await asyncpg.connect(self.socket_url(name))
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    def _pg_ctl(self, verb: str, *arguments: str) -> None:
        self._call(
            "pg_ctl",
            verb,
            "--wait",
            f"--timeout={_WITHIN}",
            "--silent",
            "--pgdata",
            str(self._data),
            *arguments,
        )

    def _call(self, program: str, *arguments: str) -> None:
        # Into a file: a server that was started keeps its standard output open.
        with (self.folder / "commands").open("a+b") as said:
            done = subprocess.run(
                [str(_programs() / program), *arguments],
                user=owner(), group=owner(), extra_groups=[] if owner() else None,
                stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT,
                cwd=self.folder, check=False,
            )  # fmt: skip
            if done.returncode:
                said.seek(0)
                raise RuntimeError(f"{program} failed:\n{said.read().decode(errors='replace')}")


@contextmanager
def cluster(port: int | None = None) -> Iterator[Cluster]:
    """Give a running cluster in a folder with a short path (a Unix socket's has 107 bytes at most)."""
    folder = Path(tempfile.mkdtemp(prefix="colloque-pg-"))
    try:
        if name := owner():
            shutil.chown(folder, name, name)
        made = Cluster(folder, port)
        made.start()
        try:
            yield made
        finally:
            with contextlib.suppress(RuntimeError):  # a test may have stopped it
                made.stop()
    finally:
        shutil.rmtree(folder)


def owner() -> str | None:
    """Give the user that runs the server: it refuses to be root. None is the one who runs the tests."""
    return "postgres" if os.geteuid() == 0 else None


def emptied(on: Cluster, name: str) -> str:
    """Give the socket URL of a database as it is when new, made at its first use."""
    url = on.socket_url(name)
    tables = Base.metadata.sorted_tables
    if name not in on.names:
        on.make(name)
        asyncio.run(_make_tables(url))
        copies = "; ".join(f"CREATE TABLE new.{one.name} AS TABLE {one.name}" for one in tables)
        on.run(name, f"CREATE SCHEMA new; {copies}")
    # Cheaper than TRUNCATE, which makes new files, and than a new database.
    emptying = [f"DELETE FROM {one.name}" for one in reversed(tables)]
    filling = [f"INSERT INTO {one.name} SELECT * FROM new.{one.name}" for one in tables]
    on.run(name, "; ".join(emptying + filling))
    return url


async def _make_tables(url: str) -> None:
    await (await Rooms.open(url, keys=KeyRing([]))).close()


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _programs() -> Path:
    on_path = shutil.which("initdb")
    # Debian keeps them off the path, one folder for each version.
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda one: int(one.parts[-3]))
    if on_path is None and not found:
        raise RuntimeError("the tests need PostgreSQL's server; on Debian: apt-get install postgresql")
    return Path(on_path).parent if on_path is not None else found[-1].parent
