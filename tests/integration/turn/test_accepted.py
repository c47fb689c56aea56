"""coturn takes the generated file, whatever the settings are, without a word of complaint."""

import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.data.relays import FOLDER
from tests.support.coturn import Coturn, certificate, coturn
from tests.support.deployments import deployments
from tests.support.namespace import Namespace
from tests.support.turn_client import Refused
from turn_config import Deployment, issue, listeners
from turn_config.coturn import OLDEST, relay_rules, turnserver_conf
from turn_config.coturn.options import names

pytestmark = pytest.mark.integration

UNAUTHORIZED, NO_ALLOCATION = 401, 437

_PROGRAM = Path("/usr/bin/turnserver")
_NO_PROMETHEUS = ("Bad configuration format: prometheus", "Bad configuration format: prometheus-port")
"""Debian builds coturn without it."""


@pytest.mark.timeout(180)
@given(deployments(relays=True))
@settings(
    max_examples=15,
    deadline=None,
    # Each example starts a relay: a smaller one that fails is not worth the minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_valid_settings_give_a_file_that_coturn_accepts(
    tmp_path_factory: pytest.TempPathFactory, drawn: Deployment
) -> None:
    folder = Path("/tmp") / f"relay-{tmp_path_factory.getbasetemp().name}"
    folder.mkdir(exist_ok=True)
    namespace = Namespace()
    try:
        chain, key = certificate(folder)
        turn = drawn.turn.model_copy(update={"tls_certificate": chain, "tls_key": key})
        whole = replace(drawn, turn=turn)
        host = whole.relays[-1]
        namespace.add_address(*(one.own for one in host.addresses))
        namespace.run("sysctl", "-qw", "net.ipv4.ip_unprivileged_port_start=0")
        namespace.run("nft", "-f", "-", text=relay_rules(whole, host))
        conf = turnserver_conf(whole, host, OLDEST)
        own = [str(one.own) for one in host.addresses]
        with coturn(namespace, conf, own[0], turn.ports[0]) as running:
            expected = {(one.protocol, one.port) for one in listeners(whole, host) if one.program == "coturn"}
            for address in own:
                for protocol, port in expected:
                    if protocol == "tcp":
                        running.wait_until_it_answers(address, port)
            for secret in turn.secrets:
                assert _answer(running, own[0], turn.ports[0], secret.get_secret_value()) == NO_ALLOCATION
            assert _answer(running, own[0], turn.ports[0], "x" * 40) == UNAUTHORIZED
            complaints = [
                line
                for line in running.log.splitlines()
                if any(word in line for word in ("Bad configuration", "ERROR", "WARNING", "Wrong", "cannot"))
                and not line.endswith(_NO_PROMETHEUS)
                and "check_stun_auth" not in line
            ]
        assert complaints == []
    finally:
        namespace.close()
        shutil.rmtree(folder, ignore_errors=True)


def test_the_options_that_we_say_debians_coturn_knows_are_in_it() -> None:
    program = _PROGRAM.read_bytes()
    unknown = {name for name in names(OLDEST) if f"{name}\0".encode() not in program}
    assert unknown == {"prometheus", "prometheus-port", "prometheus-username-labels", "mongo-userdb"}


def test_the_version_is_the_oldest_that_is_supported() -> None:
    said = subprocess.run([_PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout
    assert said.strip() >= str(OLDEST)


def test_systemd_takes_the_drop_in(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("NO systemd-analyze, so the drop-in is not checked")
    unit = tmp_path / "coturn.service"
    unit.write_text(Path("/lib/systemd/system/coturn.service").read_text())
    (tmp_path / "coturn.service.d").mkdir()
    (tmp_path / "coturn.service.d" / "colloque.conf").write_text(
        (FOLDER / "coturn.service.d.conf").read_text()
    )
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    ours = [line for line in done.stderr.splitlines() if "coturn" in line or "colloque" in line]
    assert ours == []


def _answer(running: Coturn, address: str, port: int, secret: str) -> int:
    """Ask to keep an allocation that is not there: who is known is told that it is not."""
    made = issue([secret], 600, now=time.time(), random=b"someone")
    client = running.client("tcp", address, address, port, username=made.username, password=made.password)
    try:
        client.refresh(600)
    except Refused as refused:
        return refused.code
    finally:
        client.close()
    raise AssertionError("an allocation that was never made")
