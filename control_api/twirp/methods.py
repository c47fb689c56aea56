"""A method of the service as a value, and what its handler is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rooms import NotFound
from rooms.ids import is_usable_id

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from control_api.live import LiveRooms
    from control_api.twirp.auth import Caller, Grant
    from rooms import Room, Rooms


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way to a handler."""

    rooms: Rooms
    live: LiveRooms
    caller: Caller
    now: float

    @property
    def tenant(self) -> str:
        """Whose rooms are meant."""
        return self.caller.tenant

    async def room(self, name: str) -> Room:
        """Give a room by the name that LiveKit's clients know, which is our id; raise `NotFound`."""
        return await known_room(self.rooms, self.tenant, name)

    async def live_room(self, name: str) -> Room:
        """Do the same for what happens in its call only; raise `Elsewhere` if that is not here."""
        room = await self.room(name)
        await self.rooms.check_here(room.uid)
        return room


Handler = Callable[[Call, Any], Awaitable["Message"]]


@dataclass(frozen=True, slots=True)
class Method:
    """One row of the service."""

    name: str
    request: type[Message]
    handler: Handler
    grant: Grant
    scope: str
    """Of the API key."""


async def known_room(rooms: Rooms, tenant: str, name: str) -> Room:
    """Give a tenant's room; raise `NotFound`, also for a name that no room can have."""
    if not is_usable_id(name):
        raise NotFound("room")
    return await rooms.get_room(tenant, name)
