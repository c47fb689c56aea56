"""The ways to the server's media that a client is to try, each by itself."""

from dataclasses import dataclass
from typing import Any, Literal

from turn_config import IceServer

PathName = Literal["udp", "turn_udp", "turn_tcp", "turn_tls"]


@dataclass(frozen=True, slots=True)
class Path:
    """One port of the firewall's page: the media port itself, or one of a relay."""

    name: PathName
    port: int
    relay: IceServer | None = None

    def fields(self) -> dict[str, Any]:
        """Write it as a client takes it: what `RTCPeerConnection` is to be made with."""
        servers = []
        if self.relay is not None:
            one = self.relay
            servers = [{"urls": list(one.urls), "username": one.username, "credential": one.credential}]
        return {
            "name": self.name,
            "port": self.port,
            "policy": "all" if self.relay is None else "relay",
            "ice_servers": servers,
        }
