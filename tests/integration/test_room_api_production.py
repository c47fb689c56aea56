"""`colloque serve` with a settings file: TLS, a renewed certificate, settings read again, an orderly end."""

import asyncio
import os
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.support.eventually import eventually
from tests.support.server import Ports, command

pytestmark = pytest.mark.integration

SECRET = "a-secret-that-only-the-tests-know-0123456789"
RENEWED = "another-secret-that-only-the-tests-know-012345"


@dataclass
class Installation:
    """A folder with a settings file and a certificate, and the server that runs from it."""

    folder: Path
    ports: Ports
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.ports.http}"

    def log(self) -> str:
        return (self.folder / "log").read_text()

    async def said(self, event: str) -> None:
        async def look() -> bool:
            return event in self.log()

        await eventually(look, within=15, what=event)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    ports = Ports.free()
    write_certificate(tmp_path, "first")
    write_settings(tmp_path, ports, SECRET)
    with running(tmp_path, ports) as installed:
        yield installed


async def test_the_public_listener_speaks_modern_tls_only(installation: Installation) -> None:
    await installation.said("server_started")
    async with https(installation) as http, http.get("/v1/openapi.json") as answer:
        assert answer.status == 200
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
        assert (await answer.json())["servers"] == [{"url": "https://visio.example"}]
    newest = await shake_hands(installation, ssl.TLSVersion.TLSv1_3)
    assert (newest.version(), newest.selected_alpn_protocol()) == ("TLSv1.3", "http/1.1")
    assert (await shake_hands(installation, ssl.TLSVersion.TLSv1_2)).version() == "TLSv1.2"
    with pytest.warns(DeprecationWarning, match="TLS"), pytest.raises((ssl.SSLError, ConnectionResetError)):
        await shake_hands(installation, ssl.TLSVersion.TLSv1_1)


async def test_a_handshake_that_never_comes_is_not_waited_for(installation: Installation) -> None:
    await installation.said("server_started")
    reader, writer = await asyncio.open_connection("127.0.0.1", installation.ports.http)
    assert await asyncio.wait_for(reader.read(1), 20) == b""
    writer.close()


async def test_a_renewed_certificate_and_key_are_taken_up_without_a_restart(
    installation: Installation,
) -> None:
    await installation.said("server_started")
    assert await served_name(installation) == "first"
    write_certificate(installation.folder, "second")
    write_settings(installation.folder, installation.ports, RENEWED)
    os.kill(installation.process.pid, signal.SIGHUP)
    await installation.said("settings_reloaded")
    assert await served_name(installation) == "second"
    assert await status_for(installation, SECRET) == 401
    assert await status_for(installation, RENEWED) == 200


async def test_settings_that_are_wrong_change_nothing(installation: Installation) -> None:
    await installation.said("server_started")
    (installation.folder / "colloque.toml").write_text("[media]\nudp_prot = 1\n")
    os.kill(installation.process.pid, signal.SIGHUP)
    await installation.said("settings_not_reloaded")
    assert "media.udp_prot: there is no such setting" in installation.log()
    (installation.folder / "colloque.toml").unlink()
    assert await status_for(installation, SECRET) == 200


async def test_a_certificate_that_is_broken_leaves_the_old_one_in_use(installation: Installation) -> None:
    await installation.said("server_started")
    (installation.folder / "cert.pem").write_text("nonsense")
    os.kill(installation.process.pid, signal.SIGHUP)
    await installation.said("settings_not_reloaded")
    assert await served_name(installation) == "first"


@pytest.mark.parametrize("one", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_signal_ends_it_in_order(installation: Installation, one: signal.Signals) -> None:
    await installation.said("server_started")
    os.kill(installation.process.pid, one)
    assert await asyncio.to_thread(installation.process.wait, 10) == 0
    assert "server_stopped" in installation.log()
    assert "Traceback" not in installation.log()
    assert sorted(path.name for path in (installation.folder / "data").iterdir()) == ["rooms.sqlite3"]


async def test_the_demonstrations_key_opens_nothing_in_production(installation: Installation) -> None:
    await installation.said("server_started")
    assert await status_for(installation, SECRET, key="devkey") == 401


def test_without_a_key_it_does_not_start(tmp_path: Path) -> None:
    ports = Ports.free()
    (tmp_path / "colloque.toml").write_text(f'[server]\nlisten = "127.0.0.1:{ports.http}"\n')
    ended = subprocess.run(
        [*command(), "serve"],
        cwd=tmp_path,
        env=absolute_path(),
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr == "api_keys: at least one key is needed, or nobody can make a room\n"


def test_settings_are_shown_without_secrets_and_checked(tmp_path: Path) -> None:
    write_certificate(tmp_path, "first")
    write_settings(tmp_path, Ports.free(), SECRET)
    for arguments, found in ((("config", "show"), "udp_port"), (("config", "check"), "can be used")):
        ended = subprocess.run(
            [*command(), *arguments],
            cwd=tmp_path,
            env=absolute_path(),
            capture_output=True,
            text=True,
            timeout=15,
            check=True,
        )
        assert found in ended.stdout
        assert SECRET not in ended.stdout + ended.stderr


def write_settings(folder: Path, ports: Ports, secret: str) -> None:
    (folder / "colloque.toml").write_text(
        f"""
        [server]
        public_url = "https://visio.example"
        listen = "127.0.0.1:{ports.http}"
        admin_listen = "127.0.0.1:{ports.admin}"
        tls_certificate = "cert.pem"
        tls_key = "key.pem"
        [media]
        udp_port = {ports.udp}
        [[api_keys]]
        key = "portal"
        secret = "{secret}"
        [store]
        url = "sqlite:///data/rooms.sqlite3"
        """
    )


def write_certificate(folder: Path, name: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@contextmanager
def running(folder: Path, ports: Ports) -> Iterator[Installation]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command(), "serve"], cwd=folder, env=absolute_path(), stdout=log, stderr=log
        )
    try:
        yield Installation(folder, ports, process)
    finally:
        process.kill()
        process.wait()


def absolute_path() -> dict[str, str]:
    entries = [str(Path(one).resolve()) for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(entries)}


def https(installation: Installation) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(base_url=installation.url, connector=aiohttp.TCPConnector(ssl=False))


async def status_for(installation: Installation, secret: str, *, key: str = "portal") -> int:
    credentials = aiohttp.encode_basic_auth(key, secret)
    async with (
        https(installation) as http,
        http.get("/v1/rooms", headers={"Authorization": credentials}) as answer,
    ):
        return answer.status


async def served_name(installation: Installation) -> str:
    der = (await shake_hands(installation, ssl.TLSVersion.TLSv1_3)).getpeercert(binary_form=True)
    assert der is not None
    (name,) = x509.load_der_x509_certificate(der).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(name.value)


async def shake_hands(installation: Installation, newest: ssl.TLSVersion) -> ssl.SSLObject:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.minimum_version, context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, newest
    # A client that would take anything, so that it is the server who refuses.
    context.set_ciphers("ALL:@SECLEVEL=0")
    _, writer = await asyncio.open_connection("127.0.0.1", installation.ports.http, ssl=context)
    session: ssl.SSLObject = writer.get_extra_info("ssl_object")
    writer.close()
    await writer.wait_closed()
    return session
