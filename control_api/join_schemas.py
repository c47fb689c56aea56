"""The bodies of tokens and links, and of what the page asks with a link in its hand."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from control_api.room_schemas import BandwidthBody, FeaturesBody
from control_api.schema_types import Strict, Time, Title, moment_or_none
from rooms import Link, Role, Room, RoomKind, RoomState, closes_at, opens_at


class TokenRequest(Strict):
    """A join token to be made."""

    ttl_seconds: int | None = Field(default=None, ge=10, le=86400, examples=[900])
    name: Title | None = Field(
        default=None,
        description="Display name where none is stored for the participant.",
        examples=["P. 17"],
    )


class TokenBody(BaseModel):
    """A short-lived join token and where to take it."""

    token: str = Field(examples=["eyJhbGciOiJIUzI1NiJ9.…"])
    url: str = Field(description="The server's address for browsers.", examples=["https://visio.example"])
    ws_url: str = Field(
        description="The server's address for LiveKit client SDKs.", examples=["wss://visio.example"]
    )
    expires_at: datetime = Field(examples=["2031-05-06T07:15:00Z"])


class LinkRequest(Strict):
    """A link for one participant."""

    expires_at: Time | None = Field(default=None, examples=["2031-05-06T10:00:00+02:00"])


class GuestLinkRequest(LinkRequest):
    """A link for anybody who holds it."""

    role: Literal["guest", "patient", "observer"] = "guest"


class LinkBody(BaseModel):
    """A link to the page; `url` is shown this once."""

    id: str = Field(
        description="By which the link is deleted; it opens nothing.",
        examples=["link_2gfwqd2vqmyxvurdtgqg3dqnli"],
    )
    url: str = Field(examples=["https://visio.example/r/mxptodmdhr2crx6xm7bhcc6nmi"])
    identity: str | None = Field(examples=["p-17"])
    role: Role = Field(examples=["patient"])
    expires_at: datetime | None = Field(examples=[None])

    @classmethod
    def of(cls, link: Link, url: str) -> LinkBody:
        """Write a new link."""
        return cls(
            id=link.id,
            url=url,
            identity=link.identity,
            role=link.role,
            expires_at=moment_or_none(link.expires_at),
        )


class PreviewRequest(Strict):
    """The last part of a link's address."""

    link: Annotated[str, StringConstraints(min_length=1, max_length=128)] = Field(
        examples=["mxptodmdhr2crx6xm7bhcc6nmi"]
    )


class JoinRequest(PreviewRequest):
    """A link to be exchanged for a join token."""

    name: Title | None = Field(default=None, description="Pseudonym; not stored.", examples=["P. 17"])
    key: Annotated[str, StringConstraints(min_length=16, max_length=128)] | None = Field(
        default=None,
        description="A secret of the browser: on a guest link the same key is the same person again.",
        examples=["hk3v7c2mkaq4xwy5tb6r"],
    )


class JoinRoomBody(BaseModel):
    """What the holder of a link may know of the room."""

    name: str | None = Field(examples=["Follow-up"])
    kind: RoomKind
    state: RoomState
    features: FeaturesBody
    bandwidth: BandwidthBody
    starts_at: datetime | None = Field(examples=["2031-05-06T07:00:00Z"])
    ends_at: datetime | None = Field(examples=["2031-05-06T07:20:00Z"])
    opens_at: datetime | None = Field(examples=["2031-05-06T06:30:00Z"])
    closes_at: datetime | None = Field(examples=["2031-05-06T08:20:00Z"])

    @classmethod
    def of(cls, room: Room) -> JoinRoomBody:
        """Write a room for the holder of a link."""
        return cls(
            name=room.name,
            kind=room.kind,
            state=room.state,
            features=FeaturesBody.of(room),
            bandwidth=BandwidthBody.of(room),
            starts_at=moment_or_none(room.starts_at),
            ends_at=moment_or_none(room.ends_at),
            opens_at=moment_or_none(opens_at(room)),
            closes_at=moment_or_none(closes_at(room)),
        )


class PreviewBody(BaseModel):
    """Where a link leads."""

    room: JoinRoomBody
    bound: bool = Field(description="The link belongs to one participant.", examples=[True])
    name: str | None = Field(examples=["P. 17"])
    role: Role = Field(examples=["patient"])


class JoinBody(BaseModel):
    """A join token for the page."""

    token: str = Field(examples=["eyJhbGciOiJIUzI1NiJ9.…"])
    ws_url: str = Field(examples=["wss://visio.example"])
    identity: str = Field(examples=["p-17"])
    name: str = Field(examples=["P. 17"])
    role: Role = Field(examples=["patient"])
    wait: bool = Field(description="To be admitted first: until then the token opens the waiting room only.")
    expires_at: datetime = Field(examples=["2031-05-06T07:15:00Z"])
    room: JoinRoomBody
