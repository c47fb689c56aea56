"""Relays of Debian's coturn from generated files, each in a network of its own with all hosts' addresses."""

import itertools
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path

from tests.support.coturn import Coturn, Way, certificate, coturn
from tests.support.namespace import Namespace
from tests.support.turn_client import TurnClient
from turn_config import Deployment, Host, MediaAddress, TurnSettings, issue
from turn_config.coturn import OLDEST, CoturnVersion, relay_rules, turnserver_conf

CLIENT = {4: "203.0.113.9", 6: "2001:db8:ff::9"}
TODAY, YESTERDAY = "the-secret-of-today-that-is-for-tests-alone", "the-secret-of-yesterday-for-tests-alone"


@dataclass(frozen=True)
class Relay:
    """A running relay, and the settings that it was started from."""

    deployment: Deployment
    host: Host
    coturn: Coturn
    namespace: Namespace
    clients: list[TurnClient] = field(default_factory=list)
    """Those of the running test."""
    _names: Iterator[int] = field(default_factory=itertools.count)

    def client(
        self,
        way: Way = "udp",
        port: int = 3478,
        *,
        family: int = 4,
        secret: str = TODAY,
        ttl_seconds: int = 600,
        password: str | None = None,
        user: bytes | None = None,
    ) -> TurnClient:
        """Come to it with credentials of this secret."""
        name = f"somebody {next(self._names)}".encode() if user is None else user
        made = issue([secret], ttl_seconds, now=time.time(), random=name)
        target = next(one.own for one in self.host.addresses if one.own.version == family)
        client = self.coturn.client(
            way,
            CLIENT[family],
            str(target),
            port,
            username=made.username,
            password=made.password if password is None else password,
        )
        self.clients.append(client)
        return client


class RelayStarter:
    """Starts relays, and ends all of them at once."""

    def __init__(self) -> None:
        """Start none yet."""
        self._stack = ExitStack()
        self._running: list[Relay] = []

    def close(self) -> None:
        """End them."""
        self._stack.close()

    def leave(self) -> None:
        """Close the clients of a test."""
        for one in self._running:
            while one.clients:
                one.clients.pop().close()

    def __call__(
        self, deployment: Deployment, *, rules: bool = True, version: CoturnVersion = OLDEST
    ) -> Relay:
        """Start the first relay of a deployment, in a network with the addresses of all its hosts."""
        namespace = Namespace()
        self._stack.callback(namespace.close)
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="relay-tls-")))
        chain, key = certificate(folder)
        turn = deployment.turn.model_copy(update={"tls_certificate": chain, "tls_key": key})
        whole = replace(deployment, turn=turn)
        host = whole.relays[0]
        namespace.add_address(*CLIENT.values())
        for other in whole.hosts:
            namespace.add_address(*(one.own for one in other.addresses))
        if rules:
            namespace.run("nft", "-f", "-", text=relay_rules(whole, host))
        conf = turnserver_conf(whole, host, version)
        own = str(host.addresses[0].own)
        running = self._stack.enter_context(coturn(namespace, conf, own, turn.ports[0]))
        self._running.append(Relay(whole, host, running, namespace))
        return self._running[-1]


def two_hosts(**turn: object) -> Deployment:
    """Make a deployment of two hosts with both families and nothing translated."""
    hosts = [
        Host.model_validate(
            {
                "name": f"visio{number}.example",
                "ipv4": {"public": f"192.0.2.{number}"},
                "ipv6": {"public": f"2001:db8::{number}"},
            }
        )
        for number in (1, 2)
    ]
    values = {
        "mode": "external",
        "tls_port": 5349,
        "tls_certificate": "/there/will/be/one.pem",
        "tls_key": "/there/will/be/one.pem",
        "secrets": [TODAY, YESTERDAY],
        "allocations_per_user": 3,
    }
    return Deployment(
        public_url="https://visio.example",
        media_port=10_000,
        media_addresses=tuple(
            MediaAddress(ip_address(one), ip_address(one)) for one in ("192.0.2.1", "2001:db8::1")
        ),
        named_hosts=tuple(hosts),
        turn=TurnSettings.model_validate(values | turn),
    )
