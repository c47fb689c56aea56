"""The ways to the relays one at a time, for whoever tries which of them a network lets through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from turn_config.credentials import RANDOM_BYTES, issue
from turn_config.ice_servers import IceServer, url_of
from turn_config.listeners import Listener, Program, Purpose, listeners

if TYPE_CHECKING:
    from collections.abc import Callable

    from turn_config.deployment import Deployment
    from turn_config.settings import Host

WayName = Literal["turn_udp", "turn_tcp", "turn_tls"]

MOST_WAYS = 8
"""Each takes somebody who tries them some seconds where it is closed."""


@dataclass(frozen=True, slots=True)
class Way:
    """One port of one relay, with credentials of its own."""

    name: WayName
    port: int
    server: IceServer
    """Has one URL."""


def ways(deployment: Deployment, *, now: float, random: Callable[[int], bytes]) -> tuple[Way, ...]:
    """List every port of this host's relay, then the first of each other; none where relays are off.

    Credentials are made as for a call; `random` gives so many fresh bytes. A relay counts allocations by
    user name, and what one try leaves behind must not spoil the next: each way has a user of its own.
    """
    turn = deployment.turn
    secrets = [secret.get_secret_value() for secret in turn.secrets]
    found = []
    for number, host in enumerate(deployment.relays):
        ports = [one for one in listeners(deployment, host) if one.program is Program.COTURN]
        for listener in ports if number == 0 else ports[:1]:
            made = issue(secrets, turn.credential_ttl_seconds, now=now, random=random(RANDOM_BYTES))
            found.append(_way(host, listener, made.username, made.password))
    return tuple(found[:MOST_WAYS])


def _way(host: Host, listener: Listener, username: str, password: str) -> Way:
    url = url_of(host, listener.purpose, listener.protocol, listener.port)
    name: WayName = "turn_udp" if listener.protocol == "udp" else "turn_tcp"
    if listener.purpose is Purpose.TURN_TLS:
        name = "turn_tls"
    return Way(name, listener.port, IceServer((url,), username, password))
