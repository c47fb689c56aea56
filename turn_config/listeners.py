"""The ports of a host that clients send to: one list, of which every file and page is made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from turn_config.deployment import Deployment
    from turn_config.settings import Host

Protocol = Literal["tcp", "udp"]


class Program(StrEnum):
    """What listens on a port."""

    COLLOQUE = "colloque"
    COTURN = "coturn"


class Purpose(StrEnum):
    """What a port is for."""

    WEB = "web"
    """The page, the WebSockets and the REST interface."""
    MEDIA = "media"
    TURN = "turn"
    TURN_SECOND = "turn_second"
    """The same relay on a port that sites may have opened already."""
    TURN_TLS = "turn_tls"


@dataclass(frozen=True, slots=True)
class Listener:
    """A port on which a program of the deployment answers."""

    protocol: Protocol
    port: int
    purpose: Purpose
    program: Program
    place: str
    """The setting that chooses the port."""


def listeners(deployment: Deployment, host: Host) -> tuple[Listener, ...]:
    """List the ports of a host, in the order in which a firewall's page names them."""
    found = []
    if "calls" in host.serves:
        found.append(Listener("tcp", deployment.web_port, Purpose.WEB, Program.COLLOQUE, "server.public_url"))
        found.append(
            Listener("udp", deployment.media_port, Purpose.MEDIA, Program.COLLOQUE, "media.udp_port")
        )
    if host in deployment.relays:
        turn = deployment.turn
        for number, (port, purpose) in enumerate(
            zip(turn.ports, (Purpose.TURN, Purpose.TURN_SECOND), strict=False)
        ):
            place = f"turn.ports[{number}]"
            found.append(Listener("udp", port, purpose, Program.COTURN, place))
            found.append(Listener("tcp", port, purpose, Program.COTURN, place))
        if turn.tls_port:
            found.append(Listener("tcp", turn.tls_port, Purpose.TURN_TLS, Program.COTURN, "turn.tls_port"))
    return tuple(found)
