"""`colloque doctor` and Debian's coturn: as it should be, and in each way in which it may be wrong."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.authority import self_signed
from tests.support.doctor_run import RELAY_SECRET, Examined, doctor, settings
from tests.support.server import Ports

pytestmark = pytest.mark.timeout(120)  # several programs start in turn, each slow beside a busy neighbour

_START_WITHIN = 15.0  # seconds; it takes under one
DENY = ("denied-peer-ip=0.0.0.0-255.255.255.255", "denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
ALLOW = ("allow-loopback-peers", "allowed-peer-ip=127.0.0.1", "allowed-peer-ip=::1")


class Relay:
    """The ports and files of a relay on loopback, and settings that name it."""

    def __init__(self, folder: Path, *addresses: str) -> None:
        self.folder = folder
        self.addresses = addresses
        first, second = Ports.free(), Ports.free()
        self.ports, self.tls_port = [first.http, first.admin], second.http
        self.certificate, self.key = self_signed("localhost", folder)

    def settings(self, *, media: str = "") -> Path:
        more = f"""
[turn]
mode = "external"
ports = {self.ports}
tls_port = {self.tls_port}
tls_certificate = "{self.certificate}"
tls_key = "{self.key}"
secrets = ["{RELAY_SECRET}"]
relay_ports = {{ first = 40000, last = 40099 }}
allocations = 50
"""
        addresses = ", ".join(
            f'{{ bind = "{bind}", announce = "{media or bind}" }}' for bind in self.addresses
        )
        ports = Ports.free()
        server = f'public_url = "http://localhost:{ports.http}"'
        return settings(self.folder, ports, server=server, media=f"addresses = [{addresses}]", more=more)

    def examined(self, **how: str) -> Examined:
        return doctor(self.settings(**how))

    @contextmanager
    def running(
        self, *more: str, secret: tuple[str, ...] = ("use-auth-secret", f"static-auth-secret={RELAY_SECRET}")
    ) -> Iterator[None]:
        lines = (
            *(f"listening-ip={one}" for one in self.addresses),
            *(f"relay-ip={one}" for one in self.addresses),
            *(f"aux-server={_bracketed(one)}:{self.ports[1]}" for one in self.addresses),
            "realm=test", "no-cli", "no-dtls", f"listening-port={self.ports[0]}",
            f"tls-listening-port={self.tls_port}", f"cert={self.certificate}", f"pkey={self.key}",
            "min-port=40000", "max-port=40099", *secret, *more,
            f"pidfile={self.folder}/turnserver.pid", "log-file=stdout", f"userdb={self.folder}/turndb",
        )  # fmt: skip
        file = self.folder / "turnserver.conf"
        file.write_text("\n".join(lines) + "\n")
        with (self.folder / "coturn.log").open("wb") as log:
            process = subprocess.Popen(["turnserver", "-c", str(file)], stdout=log, stderr=log)
        try:
            for port in (*self.ports, self.tls_port):
                self._wait_for(port, process)
            yield
        finally:
            process.terminate()
            process.wait(10)

    def _wait_for(self, port: int, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + _START_WITHIN
        while True:
            assert process.poll() is None, (self.folder / "coturn.log").read_text()
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                assert time.monotonic() < until, (self.folder / "coturn.log").read_text()
                time.sleep(0.05)
            else:
                return


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


@pytest.fixture
def relay(tmp_path: Path) -> Relay:
    return Relay(tmp_path, "127.0.0.1")


def of_code(found: Examined, code: str) -> list[str]:
    return [line for line in found.lines if line.endswith(f"[{code}]")]


def test_a_relay_that_is_as_it_should_be_is_well_on_every_port(relay: Relay) -> None:
    with relay.running(*DENY, *ALLOW):
        found = relay.examined()
    assert (found.code, found.failures) == (0, []), str(found)
    first, second = relay.ports
    for place in (
        f"{first}/UDP", f"{first}/TCP", f"{second}/UDP", f"{second}/TCP", f"{relay.tls_port}/TCP (TLS)",
    ):  # fmt: skip
        line = f"ok    The relay on {place} at 127.0.0.1 takes our credentials and reaches our media,"
        assert any(one.startswith(line) for one in found.lines), str(found)
    assert "is signed by itself" in str(found)


def test_both_families_of_a_relay_are_examined(tmp_path: Path) -> None:
    relay = Relay(tmp_path, "127.0.0.1", "::1")
    with relay.running(*DENY, *ALLOW):
        found = relay.examined()
    well = [line for line in found.lines if line.startswith("ok    The relay on")]
    assert [sum(f" at {one} takes" in line for line in well) for one in relay.addresses] == [5, 5], str(found)


def test_a_relay_that_is_stopped_is_a_failure_on_every_port(relay: Relay) -> None:
    found = relay.examined()
    assert found.code == 1
    assert len(of_code(found, "relay.closed")) == 5
    assert f"Nothing listens on {relay.ports[0]}/UDP at 127.0.0.1 (turn.ports[0])" in str(found)
    assert "systemctl start coturn" in str(found)


def test_a_relay_with_another_secret_is_a_failure_that_says_where_to_look(relay: Relay) -> None:
    with relay.running(
        *DENY, *ALLOW, secret=("use-auth-secret", "static-auth-secret=another-secret-of-another-time")
    ):
        found = relay.examined()
    assert found.code == 1
    assert len(of_code(found, "relay.wrong_secret")) == 5
    assert "Give coturn the secrets of turn.secrets" in str(found)


def test_a_relay_that_denies_our_media_is_a_failure_with_the_line_to_add(relay: Relay) -> None:
    with relay.running(*DENY):
        found = relay.examined(media="192.0.2.5")
    assert found.code == 1
    assert "allowed-peer-ip=192.0.2.5" in of_code(found, "relay.media_refused")[0]
    assert "relay.open" not in str(found)


def test_a_relay_that_denies_nobody_is_a_failure_with_whom_it_reaches(relay: Relay) -> None:
    with relay.running():
        found = relay.examined(media="192.0.2.5")
    assert found.code == 1
    assert "10.255.255.254, 169.254.169.254, 192.0.2.1" in of_code(found, "relay.open")[0]
    assert "relay.media_refused" not in str(found)


def test_another_program_on_a_port_of_the_relay_is_a_failure(relay: Relay) -> None:
    with (
        socket.create_server(("127.0.0.1", relay.ports[0])),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute,
    ):
        mute.bind(("127.0.0.1", relay.ports[0]))
        found = relay.examined()
    assert found.code == 1
    assert len(of_code(found, "relay.silent")) == 2
    assert f"{relay.ports[0]}/UDP at 127.0.0.1 (turn.ports[0]) does not answer as a relay does" in str(found)


def test_a_relay_that_asks_nobody_for_credentials_is_a_failure(relay: Relay) -> None:
    with relay.running("no-auth", *DENY, *ALLOW, secret=()):
        found = relay.examined()
    assert found.code == 1
    assert "asks nobody for credentials" in of_code(found, "relay.for_anybody")[0]
