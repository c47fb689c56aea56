"""Debian's coturn in a network namespace, run as its package runs it: as `turnserver`, from one file."""

import itertools
import os
import pwd
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.namespace import Namespace
from tests.support.turn_client import TurnClient

USER = "turnserver"
Way = Literal["udp", "tcp", "tls"]
_START_WITHIN = 20.0  # seconds; it takes half of one, on a machine with a busy neighbour more
_STOP_WITHIN = 5.0
_RETRY_AFTER = 0.6


class Coturn:
    """A running relay."""

    def __init__(self, namespace: Namespace, process: subprocess.Popen[bytes], log: Path) -> None:
        """Keep what belongs to it."""
        self.namespace = namespace
        self._process = process
        self._log = log
        # A port that comes again within minutes has the allocation of whoever had it before.
        self._ports = itertools.count(20_000)

    @property
    def log(self) -> str:
        """What it has said so far."""
        return self._log.read_text(errors="replace")

    def client(
        self,
        way: Way,
        source: str,
        target: str,
        port: int,
        *,
        username: str = "",
        password: str = "",
        context: ssl.SSLContext | None = None,
    ) -> TurnClient:
        """Come to it from this address."""
        if way == "udp":
            opened = self.namespace.udp(source, next(self._ports), timeout=_RETRY_AFTER)
            return TurnClient(opened, (target, port), username, password)
        stream: socket.socket = self.namespace.tcp(source, target, port)
        if way == "tls":
            try:
                stream = (context or trusting()).wrap_socket(stream)
            except OSError:
                stream.close()
                raise
        return TurnClient(stream, None, username, password)

    def wait_until_it_answers(self, address: str, port: int) -> None:
        """Wait until it takes connections at this port."""
        end = time.monotonic() + _START_WITHIN
        while True:
            assert self._process.poll() is None, self.log
            try:
                self.namespace.tcp(address, address, port).close()
            except ConnectionRefusedError:
                assert time.monotonic() < end, self.log
                time.sleep(0.02)
            else:
                return


@contextmanager
def coturn(namespace: Namespace, conf: str, address: str, port: int) -> Iterator[Coturn]:
    """Start one with this settings file, and wait until it answers at this address and port."""
    account = pwd.getpwnam(USER)
    with tempfile.TemporaryDirectory(prefix="coturn-") as name:
        folder = Path(name)
        file, log = folder / "turnserver.conf", folder / "log"
        file.write_text(conf)
        file.chmod(0o600)
        for path in (folder, file):
            os.chown(path, account.pw_uid, account.pw_gid)
        with log.open("wb") as out, namespace.entered():
            process = subprocess.Popen(
                ["turnserver", "-c", str(file), "--pidfile="],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                user=account.pw_uid,
                group=account.pw_gid,
                extra_groups=[],
            )
        try:
            running = Coturn(namespace, process, log)
            running.wait_until_it_answers(address, port)
            yield running
        finally:
            process.terminate()
            try:
                process.wait(_STOP_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def certificate(folder: Path, *addresses: str) -> tuple[Path, Path]:
    """Write a certificate, also for these addresses, and its key for the relay to read; give their paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "relay.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    x509.DNSName("relay.example"),
                    *(x509.IPAddress(ip_address(one)) for one in addresses),
                ]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    account = pwd.getpwnam(USER)
    chain, private = folder / "fullchain.pem", folder / "privkey.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    for path in (folder, chain, private):
        os.chown(path, account.pw_uid, account.pw_gid)
    return chain, private


def trusting() -> ssl.SSLContext:
    """Make what takes the relay's certificate without asking who signed it."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
