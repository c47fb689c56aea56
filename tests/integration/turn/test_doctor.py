"""`colloque doctor` beside a relay that runs from the file of `colloque turn coturn`: both agree."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from colloque.config import load
from colloque.deployment import deployment
from tests.support.coturn import certificate, coturn
from tests.support.doctor_run import RELAY_SECRET, Examined, doctor
from tests.support.namespace import Namespace
from turn_config.coturn import OLDEST, turnserver_conf

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

CALLS, RELAY = ("192.0.2.2", "2001:db8::2"), ("192.0.2.1", "2001:db8::1")


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    made = Namespace()
    yield made
    made.close()


@pytest.fixture
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    for one in (folder, *folder.parents[:2]):
        one.chmod(0o755)  # for coturn's own user
    return certificate(folder)


def settings(folder: Path, files: tuple[Path, Path], *, relay: tuple[str, str]) -> Path:
    hosts = [("visio1.example", CALLS, '["calls", "relay"]' if relay == CALLS else '["calls"]')]
    if relay != CALLS:
        hosts.append(("turn1.example", relay, '["relay"]'))
    tables = [
        f"""
[[hosts]]
name = "{name}"
ipv4 = {{ public = "{v4}" }}
ipv6 = {{ public = "{v6}" }}
serves = {serves}
"""
        for name, (v4, v6), serves in hosts
    ]
    media = ", ".join(f'{{ bind = "{one}", announce = "{one}" }}' for one in CALLS)
    file = folder / "colloque.toml"
    file.write_text(
        f"""
[server]
public_url = "https://visio1.example"
[media]
addresses = [{media}]
[[api_keys]]
key = "portal"
secret = "{RELAY_SECRET}"
[store]
url = "sqlite:///{folder}/colloque.sqlite3"
[turn]
mode = "external"
tls_port = 5349
tls_certificate = "{files[0]}"
tls_key = "{files[1]}"
secrets = ["{RELAY_SECRET}"]
"""
        + "\n".join(tables)
    )
    return file


def examined(namespace: Namespace, file: Path, relay: tuple[str, str]) -> Examined:
    """Start the relay from the generated file, and have the doctor look at it."""
    namespace.add_address(*relay)
    whole = deployment(load(file, {}))
    host = next(one for one in whole.relays if str(one.addresses[0].own) == relay[0])
    with coturn(namespace, turnserver_conf(whole, host, OLDEST), relay[0], 3478), namespace.entered():
        return doctor(file)


@pytest.mark.parametrize("relay", [CALLS, RELAY], ids=["one host", "a host of its own"])
def test_the_generated_file_is_well_on_every_port(
    namespace: Namespace, files: tuple[Path, Path], tmp_path: Path, relay: tuple[str, str]
) -> None:
    found = examined(namespace, settings(tmp_path, files, relay=relay), relay)
    for address in relay:
        for place in ("3478/UDP", "3478/TCP", "19302/UDP", "19302/TCP", "5349/TCP (TLS)"):
            line = f"ok    The relay on {place} at {address} takes our credentials and reaches our media, and"
            assert any(one.startswith(line) for one in found.lines), str(found)
    is_alone = "This host is turn1.example, which only relays"
    assert (is_alone in str(found)) is (relay == RELAY)
    assert ("(media.udp_port)" in str(found)) is (relay == CALLS)


def test_relays_elsewhere_are_not_looked_for_here(
    namespace: Namespace, files: tuple[Path, Path], tmp_path: Path
) -> None:
    namespace.add_address(*CALLS)
    with namespace.entered():
        found = doctor(settings(tmp_path, files, relay=RELAY))
    assert "ok    The relays are on other hosts: turn1.example." in found.lines
    assert "relay." not in str([line for line in found.lines if not line.startswith("ok")])
