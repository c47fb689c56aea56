"""The firewall sheet of a running server, and its rules as the programs read them that load them."""

import asyncio
import csv
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings

from tests.data.firewall_sheets import stored
from tests.support.deployments import deployments
from tests.support.eventually import eventually
from tests.support.regional import TODAY
from tests.support.server import Ports, command, environment
from turn_config import Deployment
from turn_config.firewall import LANGUAGES, Form, Language, firewall_sheet

pytestmark = pytest.mark.integration

HOST = """
[[hosts]]
name = "visio.example"
ipv4 = { public = "127.0.0.1" }
"""
KNOCKING = Path(__file__).parents[1] / "support" / "knocking.py"
TYPES = {
    "html": "text/html; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
}


class Served:
    """A server from a settings file."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ports = folder, Ports.free()
        self.configure(self.ports.udp)
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [*command(), "serve"], cwd=folder, env=environment(), stdout=log, stderr=log
            )

    def configure(self, udp_port: int, more: str = "") -> None:
        (self.folder / "colloque.toml").write_text(
            f"""
            [server]
            public_url = "https://visio.example"
            listen = "127.0.0.1:{self.ports.http}"
            admin_listen = "127.0.0.1:{self.ports.admin}"
            [media]
            udp_port = {udp_port}
            [[api_keys]]
            key = "portal"
            secret = "{"s" * 32}"
            [store]
            url = "sqlite:///rooms.sqlite3"
            {more}
            """
        )

    def printed(self) -> str:
        return subprocess.run(
            [*command(), "turn", "firewall", "--format", "json"],
            cwd=self.folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=15,
            check=True,
        ).stdout

    async def said(self, event: str) -> None:
        async def look() -> bool:
            return event in (self.folder / "log").read_text()

        await eventually(look, within=15, what=event)

    async def get(self, path: str, accepted: str = "", status: int = 200) -> tuple[str, Any]:
        url = f"http://127.0.0.1:{self.ports.admin}{path}"
        async with (
            aiohttp.ClientSession() as http,
            http.get(url, headers={"Accept-Language": accepted}) as answer,
        ):
            assert answer.status == status
            return await answer.text(), answer.headers

    async def sheet(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads((await self.get("/firewall.json"))[0])
        return told


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    found = Served(tmp_path)
    yield found
    found.process.kill()
    found.process.wait()


async def test_each_form_is_served_in_the_language_of_the_browser_or_of_the_address(served: Served) -> None:
    await served.said("server_started")
    for form, kind in TYPES.items():
        french, headers = await served.get(f"/firewall.{form}")
        assert (headers["Content-Type"], headers["Content-Language"]) == (kind, "fr")
        assert (headers["Cache-Control"], headers["Vary"]) == ("no-store", "Accept-Language")
        english, _ = await served.get(f"/firewall.{form}", "en-GB,fr;q=0.5")
        assert "Sortant" in french
        assert "Outbound" in english
        assert (await served.get(f"/firewall.{form}?lang=en"))[0] == english
        assert (await served.get(f"/firewall.{form}?lang=fr", "en"))[0] == french
    refused, _ = await served.get("/firewall.html?lang=de", status=400)
    assert refused == "lang: must be one of fr, en\n"


async def test_a_printed_sheet_is_told_from_what_the_server_does_now(served: Served) -> None:
    await served.said("server_started")
    printed, running = json.loads(await asyncio.to_thread(served.printed)), await served.sheet()
    assert printed["fingerprint"] == running["fingerprint"]
    assert printed["rows"] == running["rows"]


async def test_a_signal_brings_the_sheet_up_to_date_with_what_the_server_does(served: Served) -> None:
    await served.said("server_started")
    before = await served.sheet()
    relays = '[turn]\nmode = "external"\nsecrets = ["a-relay-secret-of-the-tests-that-is-long"]\n'
    served.configure(served.ports.udp + 1, f"{relays}\n[firewall]\nseats = 77\n{HOST}")
    os.kill(served.process.pid, signal.SIGHUP)
    await served.said("settings_reloaded")
    after = await served.sheet()
    assert after["fingerprint"] != before["fingerprint"]
    assert (before["seats"], after["seats"]) == (10, 77)
    assert [row["port"] for row in before["rows"]] == [443, served.ports.udp, served.ports.udp]
    # Media stays on its port until the next start, and so does its row.
    ports = [443, served.ports.udp, 3478, 3478, 19302, 19302, served.ports.udp]
    assert [row["port"] for row in after["rows"]] == ports
    records = list(csv.reader(io.StringIO((await served.get("/firewall.csv"))[0], newline="")))
    assert [record[5] for record in records[1:]] == [str(port) for port in ports]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_rules_of_a_region_are_loaded_and_loaded_again(tmp_path: Path, language: Language) -> None:
    """In a network of its own, so that nothing of this machine changes."""
    nftables, iptables = (stored(form, language) for form in (Form.NFTABLES, Form.IPTABLES))
    script = f"""
        set -e
        nft -f {nftables}
        nft list table inet colloque > once
        nft -f {nftables}
        nft list table inet colloque > twice
        cmp once twice
        nft delete table inet colloque
        for family in iptables ip6tables; do
            $family-restore --noflush {iptables}
            $family -I INPUT -j COLLOQUE-INPUT
            $family -S > once
            $family-restore --noflush {iptables}
            $family -S > twice
            cmp once twice
            cat once
        done
    """
    loaded = alone(script, tmp_path)
    assert loaded.count("-A COLLOQUE-INPUT -d 10.20.0.1/32 -p tcp") == 3
    assert loaded.count("-A COLLOQUE-INPUT -d 2001:db8:20::3/128 -p udp") == 3
    # Calls on three hosts, by the address that clients know and by their own.
    assert loaded.count("-A COLLOQUE-OUTPUT -s 10.20.0.2/32") == 6


@pytest.mark.parametrize(("host", "call"), [("10.20.0.1", "10.20.0.2"), ("2001:db8:20::1", "2001:db8:20::2")])
@pytest.mark.parametrize("form", [Form.NFTABLES, Form.IPTABLES])
def test_with_the_rest_closed_a_host_is_reached_on_its_ports_alone(
    tmp_path: Path, form: Form, host: str, call: str
) -> None:
    rules = stored(form, "en").read_text()
    file = tmp_path / "rules"
    if form is Form.NFTABLES:
        file.write_text(rules.replace("# counter drop", "counter drop"))
        load = f"nft -f {file}"
    else:
        file.write_text(rules.replace("# -A COLLOQUE-INPUT -j DROP", "-A COLLOQUE-INPUT -j DROP"))
        load = " && ".join(
            f"{one}-restore --noflush {file} && {one} -I INPUT -j COLLOQUE-INPUT"
            for one in ("iptables", "ip6tables")
        )
    reached = json.loads(alone(f"{sys.executable} {KNOCKING} {host} {call} '{load}'"))
    open_ports = [port for port, heard in reached["udp"].items() if "knock" in heard]
    assert open_ports == ["10000", "3478", "19302"]
    assert reached["tcp"] == [443, 3478, 19302]
    # On a port of the relay nobody but the calls is heard.
    assert reached["udp"]["49152"] == ["media"]


@given(deployments())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_rules_of_any_deployment_are_accepted(deployment: Deployment) -> None:
    nftables, iptables = (
        firewall_sheet(deployment, form, "fr", today=TODAY) for form in (Form.NFTABLES, Form.IPTABLES)
    )
    # With the line that closes the rest taken at its word too.
    closed = nftables.replace("# counter drop", "counter drop")
    dropped = iptables.replace("# -A ", "-A ")
    assert (closed, dropped) != (nftables, iptables)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("nft1", nftables), ("nft2", closed), ("ipt1", iptables), ("ipt2", dropped)):
            (Path(folder) / name).write_text(text)
        restore = " && ".join(
            f"{program} --test {folder}/{name}"
            for program in ("iptables-restore", "ip6tables-restore")
            for name in ("ipt1", "ipt2")
        )
        alone(f"nft -c -f {folder}/nft1 && nft -c -f {folder}/nft2 && {restore}")


def alone(script: str, folder: Path | None = None) -> str:
    """Run a script in a network namespace that it shares with nobody."""
    found = subprocess.run(
        ["unshare", "--map-root-user", "--net", "sh", "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        # Debian keeps the programs of a firewall off the path of those who are not root.
        env=os.environ | {"PATH": f"{os.environ['PATH']}{os.pathsep}/usr/sbin"},
    )
    assert (found.returncode, found.stderr) == (0, ""), found.stderr
    return found.stdout
