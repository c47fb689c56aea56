"""Who calls, by a LiveKit token: a JWT signed with an API key, whose `video` grants say what it is for.

Two kinds of bearers come. An application signs a token for each request, with the grant that it needs. A
participant may show the token it joined with: `roomAdmin` in it is worth what the store says of the person
now, so that a host who was removed moderates nobody.
Grants are judged as in livekit `pkg/service/auth.go`; the scopes of the key bound them besides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from control_api.problems import Problem
from control_api.twirp.errors import TwirpError
from control_api.twirp.methods import known_room
from rooms import JoinRefused, NotFound
from rooms.tokens import InvalidTokenError, read_claims

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rooms import Admission, ApiKey, Cause, Rooms

Grant = Literal["roomCreate", "roomList", "roomAdmin"]


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller and the grants of its token."""

    key: ApiKey
    video: Mapping[str, Any]
    person: Admission | None = None
    """The participant whose join token it is."""

    @property
    def tenant(self) -> str:
        """Whose rooms the caller sees."""
        return self.key.tenant

    @property
    def cause(self) -> Cause:
        """Who brings about what is asked for, as the event log has it."""
        return "api" if self.person is None else "host"


async def authenticate(authorization: str | None, rooms: Rooms, *, now: float) -> Caller:
    """Check an `Authorization` header; raise `Problem`, the same for every token that is not valid."""
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip() if scheme.lower() == "bearer" else ""
    try:
        key, claims = read_claims(token, rooms.keys, now=now)
    except InvalidTokenError as error:
        raise Problem("unauthenticated", "a valid token is needed") from error
    video = claims.get("video")
    if not isinstance(video, dict):
        video = {}
    if video.get("roomJoin") is not True:
        return Caller(key, video)
    return Caller(key, video, await _participant(token, key, video, rooms, now=now))


def require(
    caller: Caller, grant: Grant, scope: str, *, room: str = "", destination: str | None = None
) -> None:
    """Refuse a caller without the grant, for this room where it is about one, or a key without the scope."""
    allowed = caller.video.get(grant) is True
    if grant == "roomAdmin":
        allowed = allowed and bool(room) and caller.video.get("room") == room
        if caller.person is not None:
            allowed = allowed and caller.person.grants.room_admin
    if destination is not None:
        allowed = allowed and caller.video.get("destinationRoom") == destination
    if not allowed:
        raise TwirpError("unauthenticated", "permissions denied")
    if caller.person is None and scope not in caller.key.scopes:
        raise TwirpError("permission_denied", f"the scope {scope} of the API key is needed")


async def _participant(
    token: str, key: ApiKey, video: Mapping[str, Any], rooms: Rooms, *, now: float
) -> Admission | None:
    try:
        await known_room(rooms, key.tenant, str(video.get("room")))
    except NotFound:
        return None  # and to ask at its door could make it
    try:
        return await rooms.verify_join(token, now=now)
    except JoinRefused as refusal:
        if refusal.code == "busy":
            raise
        raise Problem("unauthenticated", refusal.text) from refusal
