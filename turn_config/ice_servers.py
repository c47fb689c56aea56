"""The list of relays that a client gets: those of this deployment, never a third party's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from turn_config.credentials import Credential, issue
from turn_config.listeners import Purpose, listeners

if TYPE_CHECKING:
    from turn_config.deployment import Deployment
    from turn_config.listeners import Protocol
    from turn_config.settings import Host

MAX_URLS = 5
"""Browsers warn of more, and take longer to gather candidates (Firefox says so from five servers on)."""

_ORDER: tuple[tuple[Purpose, Protocol], ...] = (
    (Purpose.TURN, "udp"),
    (Purpose.TURN_SECOND, "udp"),
    (Purpose.TURN, "tcp"),
    (Purpose.TURN_TLS, "tcp"),
)


@dataclass(frozen=True, slots=True)
class IceServer:
    """Relays with one set of credentials, as `RTCIceServer` of WebRTC has them."""

    urls: tuple[str, ...]
    username: str
    credential: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class IceServers:
    """What a client is told, and how long it holds."""

    servers: tuple[IceServer, ...]
    ttl_seconds: int


def urls(deployment: Deployment) -> tuple[str, ...]:
    """List the relays' URLs (RFC 7065), the best first: those of this host, then the first of each other."""
    relays = deployment.relays
    found = [url for host in relays[:1] for url in _urls(deployment, host)]
    found += [url for host in relays[1:] for url in _urls(deployment, host)[:1]]
    return tuple(found[:MAX_URLS])


def ice_servers(deployment: Deployment, *, now: float, random: bytes) -> IceServers:
    """Give one client its relays and credentials; no server where relays are off."""
    turn, found = deployment.turn, urls(deployment)
    if not found:
        return IceServers((), turn.credential_ttl_seconds)
    secrets = [secret.get_secret_value() for secret in turn.secrets]
    credential: Credential = issue(secrets, turn.credential_ttl_seconds, now=now, random=random)
    return IceServers(
        (IceServer(found, credential.username, credential.password),), turn.credential_ttl_seconds
    )


def browser_shape(told: IceServers) -> dict[str, Any]:
    """Write it as `RTCPeerConnection` takes it."""
    return {
        "iceServers": [
            {"urls": list(one.urls), "username": one.username, "credential": one.credential}
            for one in told.servers
        ]
    }


def classic_shape(told: IceServers) -> dict[str, Any]:
    """Write it as the TURN REST draft has it; without a relay only the list of none and the ttl."""
    if not told.servers:
        return {"ttl": told.ttl_seconds, "uris": []}
    (one,) = told.servers
    return {
        "username": one.username,
        "password": one.credential,
        "ttl": told.ttl_seconds,
        "uris": list(one.urls),
    }


def url_of(host: Host, purpose: Purpose, protocol: Protocol, port: int) -> str:
    """Write the URL of one port of a relay (RFC 7065)."""
    name = f"[{host.name}]" if ":" in host.name else host.name
    scheme = "turns" if purpose is Purpose.TURN_TLS else "turn"
    return f"{scheme}:{name}:{port}?transport={protocol}"


def _urls(deployment: Deployment, host: Host) -> list[str]:
    ports = {(one.purpose, one.protocol): one.port for one in listeners(deployment, host)}
    return [url_of(host, *which, ports[which]) for which in _ORDER if which in ports]
