"""Relays for somebody with a join token: what `RTCPeerConnection` is made with."""

from __future__ import annotations

from pydantic import BaseModel, Field

from control_api.operations import Call, Operation, Reply
from turn_config import IceServers

_URLS = ["turn:visio.example:3478?transport=udp", "turns:visio.example:5349?transport=tcp"]
_NEVER_STORED = {"Cache-Control": "no-store"}


class IceServerBody(BaseModel):
    """Relays with one set of credentials; give it to `RTCPeerConnection` as it stands."""

    urls: list[str] = Field(description="The best way first.", examples=[_URLS])
    username: str = Field(examples=["1800014400:8f14e45fceea167a5a36dedd"])
    credential: str = Field(examples=["8LyGvG0hYVNzgAqOWa9yXBBdzqY="])


class IceServersBody(BaseModel):
    """Relays of this server, never a third party's; none where media needs no relay."""

    ice_servers: list[IceServerBody]
    ttl_seconds: int = Field(description="Ask again before that many seconds.", examples=[14_400])

    @classmethod
    def of(cls, told: IceServers) -> IceServersBody:
        """Write what a client is told."""
        return cls(
            ice_servers=[
                IceServerBody(urls=list(one.urls), username=one.username, credential=one.credential)
                for one in told.servers
            ],
            ttl_seconds=told.ttl_seconds,
        )


async def create_ice_servers(call: Call) -> Reply:
    """Make credentials for the relays of this server, for the holder of a join token who may come in now."""
    return Reply(200, IceServersBody.of(call.ice_servers()), _NEVER_STORED)


OPERATIONS = (
    Operation(
        "POST",
        "/v1/ice-servers",
        create_ice_servers,
        "Get relays",
        None,
        by_join_token=True,
        answer=IceServersBody,
        refusals=("revoked", "too-early", "too-late", "not-admitted", "locked", "test-only", "not-found"),
    ),
)
