"""A hospital's network behind a firewall, and the data centre with server and relay on the other side.

Two network namespaces and a wire between them. In the data centre run the real server and Debian's coturn,
both from one settings file; in the hospital a browser and other clients, of which the firewall lets out only
what a test says.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from colloque.config import load
from colloque.deployment import deployment
from rooms.rights import EVERYTHING
from rooms.tokens import mint_join_token
from tests.support.browsers.chromium import Chromium, ChromiumPage
from tests.support.coturn import certificate, coturn
from tests.support.namespace import Namespace
from tests.support.participant import Participant
from tests.support.server import KEY, SECRET, command, environment
from tests.support.static_site import StaticSite
from turn_config.coturn import OLDEST, relay_rules, turnserver_conf

HOST = "192.0.2.1"
_HTTP, _ADMIN = 8080, 9090
_TLS = 5349
_START_WITHIN = 30.0  # seconds
_BROWSER_WITHIN = 60.0
_RELAY_SECRET = "the-secret-of-the-relay-that-only-tests-know"


class Hospital:
    """The network with everything in it that runs."""

    def __init__(self, site: Namespace, page_url: str, folder: Path, chain: Path) -> None:
        """Keep what belongs to it."""
        self._site = site
        self._page_url = page_url
        self._folder = folder
        self._chain = chain
        self._browser: Chromium | None = None

    @property
    def url(self) -> str:
        """Where the server's page is for people in the hospital."""
        return f"http://{HOST}:{_HTTP}"

    @property
    def ws_url(self) -> str:
        """Where clients in the hospital connect."""
        return f"ws://{HOST}:{_HTTP}"

    @property
    def database(self) -> str:
        """The URL of the server's database."""
        return _database(self._folder)

    def lets_out(self, *also: str) -> None:
        """Let the firewall pass the page, the signalling, and these ports, like `3478/udp`."""
        page = self._page_url.rsplit(":", 1)[1].strip("/")
        accepted = [f"tcp dport {{ {_HTTP}, {page} }} accept"]
        for one in also:
            port, _, protocol = one.partition("/")
            accepted.append(f"{protocol} dport {port} accept")
        rules = f"""
            flush ruleset
            table inet firewall {{
              chain out {{
                type filter hook output priority 0; policy drop;
                oifname "lo" accept
                {"; ".join(accepted)}
              }}
            }}
        """
        self._site.run("nft", "-f", "-", text=rules)

    def token(self, room: str, identity: str) -> str:
        """Sign a join token as an application does."""
        return mint_join_token(
            KEY, SECRET, room=room, identity=identity, grants=EVERYTHING, now=time.time(), ttl_seconds=600
        )

    async def joins(self, room: str, identity: str, **connect: Any) -> Participant:
        """Open a page in the hospital's browser and connect; `connect` goes to the client."""
        person = Participant(identity, await (await self._chromium()).open(self._page_url))
        await person.join(self.ws_url, self.token(room, identity), connect=connect)
        return person

    async def opens(self, path: str) -> ChromiumPage:
        """Open this path of the server's own page in the hospital's browser."""
        return await (await self._chromium()).open(self.url + path)

    async def end_browser(self) -> None:
        """End the browser, if one was started."""
        if self._browser is not None:
            await self._browser.close()
            self._browser = None

    async def run(self, script: Path, *arguments: str, within: float) -> str:
        """Run a Python program in the hospital that trusts the relay's certificate; give what it printed."""
        process = await asyncio.create_subprocess_exec(
            str(self._inside(sys.executable)),
            *(str(script), *arguments),
            cwd=self._folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment() | {"SSL_CERT_FILE": str(self._chain)},
        )
        try:
            async with asyncio.timeout(within):
                out, errors = await process.communicate()
        except TimeoutError:
            process.kill()
            out, errors = await process.communicate()
        assert process.returncode == 0, f"{script}: {out.decode()}{errors.decode()}"
        return out.decode()

    async def _chromium(self) -> Chromium:
        if self._browser is None:
            # Media needs a page that is safe; one over plain HTTP is taken as such by name.
            flags = (
                f"--unsafely-treat-insecure-origin-as-secure={self._page_url.strip('/')},{self.url}",
                "--ignore-certificate-errors",
            )
            async with asyncio.timeout(_BROWSER_WITHIN):
                self._browser = await Chromium.start(str(self._inside("chromium")), *flags)
        return self._browser

    def _inside(self, program: str) -> Path:
        """Write a command that runs a program in the hospital."""
        script = self._folder / f"inside-{Path(program).name}"
        script.write_text(f'#!/bin/sh\nexec nsenter --net={self._site.path} -- {program} "$@"\n')
        script.chmod(0o755)
        return script


@contextmanager
def hospital(page: Path) -> Iterator[Hospital]:
    """Build the networks and start server, relay and the web server of this page in the data centre."""
    with ExitStack() as stack:
        site, centre = Namespace(), Namespace()
        stack.callback(site.close)
        stack.callback(centre.close)
        _wire(site, centre)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hospital-")))
        folder.chmod(0o755)
        tls = folder / "tls"
        tls.mkdir()
        chain, key = certificate(tls, HOST)
        settings = folder / "colloque.toml"
        settings.write_text(_settings(folder, chain, key))
        whole = deployment(load(settings, {}))
        host = whole.hosts[0]
        centre.run("nft", "-f", "-", text=relay_rules(whole, host))
        stack.enter_context(_server(centre, settings, folder))
        stack.enter_context(coturn(centre, turnserver_conf(whole, host, OLDEST), HOST, 3478))
        with centre.entered():
            site_of_page = StaticSite(page, HOST)
        stack.enter_context(site_of_page)
        yield Hospital(site, site_of_page.url, folder, chain)


def _wire(site: Namespace, centre: Namespace) -> None:
    site.run("ip", "link", "add", "wan0", "type", "veth", "peer", "name", "dmz0", "netns", str(centre.path))
    centre.add_address(HOST)
    for namespace, name, address in ((site, "wan0", "203.0.113.9"), (centre, "dmz0", "203.0.113.1")):
        namespace.run("ip", "address", "add", f"{address}/24", "dev", name)
        namespace.run("ip", "link", "set", name, "up")
    site.run("ip", "route", "add", "default", "via", "203.0.113.1")


@contextmanager
def _server(centre: Namespace, settings: Path, folder: Path) -> Iterator[None]:
    log = folder / "server.log"
    with log.open("wb") as out, centre.entered():
        process = subprocess.Popen(
            [*command(), "serve", "--config", str(settings)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment(),
        )
    try:
        end = time.monotonic() + _START_WITHIN
        while True:
            assert process.poll() is None, log.read_text()
            try:
                centre.tcp(HOST, HOST, _HTTP).close()
                break
            except ConnectionRefusedError:
                assert time.monotonic() < end, log.read_text()
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)


def _settings(folder: Path, chain: Path, key: Path) -> str:
    return f"""
        [server]
        public_url = "http://{HOST}:{_HTTP}"
        listen = "{HOST}:{_HTTP}"
        admin_listen = "127.0.0.1:{_ADMIN}"
        [media]
        addresses = [{{ bind = "{HOST}", announce = "{HOST}" }}]
        [turn]
        mode = "external"
        secrets = ["{_RELAY_SECRET}"]
        tls_port = {_TLS}
        tls_certificate = "{chain}"
        tls_key = "{key}"
        [[api_keys]]
        key = "{KEY}"
        secret = "{SECRET}"
        [store]
        url = "{_database(folder)}"
        [rooms]
        create_on_join = true
        """


def _database(folder: Path) -> str:
    return f"sqlite:///{folder}/rooms.sqlite3"
