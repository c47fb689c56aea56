"""The service without a network: rooms in a database, calls on a stage, tokens as LiveKit signs them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jwt
import pytest
from google.protobuf.message import Message

from control_api import Addresses, ApiSettings, ControlApi, Request, TwirpApi
from control_api.twirp.codec import JSON
from control_api.twirp.service import TwirpReply
from rooms import ApiKey, Room, RoomDraft, Rooms
from signalling.livekit.management import Management
from signalling.livekit.media import Clocks
from signalling.livekit.settings import SignalLimits
from tests.support.stage import Client as Person
from tests.support.stage import Stage
from tests.unit.control_api.conftest import KEY, NOW
from tests.unit.control_api.conftest import Client as RestClient


@dataclass(frozen=True)
class Reply:
    """An answer, read."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]

    @property
    def code(self) -> str:
        """The code of an error."""
        return str(self.body.get("code", ""))


class Twirp:
    """Asks as an application with LiveKit's SDK does."""

    def __init__(self, rest: RestClient, stage: Stage) -> None:
        self.rest = rest
        self.rooms: Rooms = rest.rooms
        self.stage = stage
        clocks = Clocks(now=lambda: stage.now, wall=lambda: rest.now)
        self.management = Management(stage.hub, rest.rooms, clocks, SignalLimits())
        rest.rooms.observe(stage.hub)
        self.api = TwirpApi(rest.api, rest.rooms, self.management)

    async def ask(
        self, method: str, body: object = None, *, grants: object = None, key: ApiKey = KEY, **headers: str
    ) -> Reply:
        """Ask in JSON, with the grants that the SDK would sign unless others are given."""
        fields = {} if body is None else body
        if grants is None and isinstance(fields, dict):
            grants = usual_grants(method, fields)
        content = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
        headers.setdefault("authorization", f"Bearer {token(grants, key)}")
        headers.setdefault("content_type", JSON)
        reply = await self.raw(f"livekit.RoomService/{method}", content, **headers)
        return Reply(reply.status, json.loads(reply.body), reply.headers)

    async def ask_binary(self, method: str, request: Message, answer: type[Message]) -> Any:
        """Ask in protobuf."""
        fields = {"room": getattr(request, "room", "")}
        reply = await self.raw(
            f"livekit.RoomService/{method}",
            request.SerializeToString(),
            content_type="application/protobuf",
            authorization=f"Bearer {token(usual_grants(method, fields))}",
        )
        assert (reply.status, reply.media_type) == (200, "application/protobuf"), reply.body
        return answer.FromString(reply.body)

    async def raw(self, path: str, body: bytes, *, address: str = "192.0.2.1", **headers: str) -> TwirpReply:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.api.answer(
            path, Request(address=address, headers=sent, body=body), now=self.rest.now
        )

    async def room(self, room_id: str = "visit", *, tenant: str = "default", **fields: Any) -> Room:
        """Make a room."""
        made = await self.rooms.create_room(tenant, RoomDraft(id=room_id, **fields), now=NOW)
        assert isinstance(made, Room)
        return made

    def joins(self, room: Room, identity: str, **changes: Any) -> Person:
        """Let a person into the call of a room."""
        return self.stage.joins(identity, room_id=room.uid, room_name=room.id, **changes)

    def limit(self, **limits: int) -> None:
        """Set the rate limits anew."""
        settings = ApiSettings(Addresses("https://visio.example"))
        self.rest.api.reconfigure(replace(settings, **limits))  # type: ignore[arg-type]


@pytest.fixture
def twirp(client: RestClient) -> Twirp:
    return Twirp(client, Stage())


@pytest.fixture
def api(client: RestClient) -> ControlApi:
    return client.api


def usual_grants(method: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Give what LiveKit's SDKs sign for a request."""
    match method:
        case "CreateRoom" | "DeleteRoom":
            return {"roomCreate": True}
        case "ListRooms":
            return {"roomList": True}
    grants = {"roomAdmin": True, "room": fields.get("room", "")}
    there = fields.get("destinationRoom", fields.get("destination_room"))
    return grants if there is None else {**grants, "destinationRoom": there}


def token(grants: object, key: ApiKey = KEY, *, now: float = NOW, **claims: object) -> str:
    """Sign a token as LiveKit's SDK does."""
    base = {"iss": key.key, "sub": "", "nbf": int(now), "exp": int(now) + 600, "video": grants}
    return jwt.encode({**base, **claims}, key.secret, "HS256")
