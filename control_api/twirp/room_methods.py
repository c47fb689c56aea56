"""Rooms: made, listed, changed and deleted as LiveKit's server does it, on ours, which are durable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from livekit.protocol import models, room

from control_api.twirp.errors import TwirpError
from control_api.twirp.methods import Call, Method
from rooms import NotFound, Room, RoomDraft, RoomFilter, Taken, call_rules

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from control_api.live import LiveRooms

METADATA_MAX_BYTES = 64 * 1024
PARTICIPANTS_MAX = 1000
LISTED_MAX = 10_000
_PAGE = 500
# What would change what the application gets, without being done.
_NOT_OFFERED = {
    "egress": "this server does not record",
    "agents": "this server has no agents",
    "room_preset": "this server has no presets of rooms",
}


async def create_room(call: Call, request: room.CreateRoomRequest) -> models.Room:
    """Make a room; one that is there is given back, with the limits and metadata that are named."""
    for field, sentence in _NOT_OFFERED.items():
        if any(field == one.name for one, _ in request.ListFields()):
            raise TwirpError("unimplemented", f"{field}: {sentence}")
    _check_metadata(request.metadata)
    if request.max_participants > PARTICIPANTS_MAX:
        raise TwirpError("invalid_argument", f"max_participants: at most {PARTICIPANTS_MAX}")
    try:
        made = await call.rooms.create_room(call.tenant, _draft(request), now=call.now)
        assert isinstance(made, Room), "without an idempotency key there is no earlier answer"  # noqa: S101
    except Taken:
        made = await _changed(call, request)
    return room_message(made, call.live)


async def list_rooms(call: Call, request: room.ListRoomsRequest) -> room.ListRoomsResponse:
    """List the rooms that are open now, or those of the names that exist."""
    found = [one async for one in _named(call, request)] if request.names else await _open(call)
    return room.ListRoomsResponse(rooms=[room_message(one, call.live) for one in found])


async def delete_room(call: Call, request: room.DeleteRoomRequest) -> room.DeleteRoomResponse:
    """Delete a room and end its call."""
    found = await call.room(request.room)
    await call.rooms.delete_room(call.tenant, found.id, now=call.now)
    return room.DeleteRoomResponse()


async def update_room_metadata(call: Call, request: room.UpdateRoomMetadataRequest) -> models.Room:
    """Show a text to everybody in the call; an empty one brings back what the server says of the room."""
    _check_metadata(request.metadata)
    found = await call.room(request.room)
    changed = await call.rooms.share_metadata(call.tenant, found.id, request.metadata or None, now=call.now)
    return room_message(changed, call.live)


METHODS = (
    Method("CreateRoom", room.CreateRoomRequest, create_room, "roomCreate", "rooms:write"),
    Method("ListRooms", room.ListRoomsRequest, list_rooms, "roomList", "rooms:read"),
    Method("DeleteRoom", room.DeleteRoomRequest, delete_room, "roomCreate", "rooms:write"),
    Method(
        "UpdateRoomMetadata",
        room.UpdateRoomMetadataRequest,
        update_room_metadata,
        "roomAdmin",
        "rooms:write",
    ),
)


def room_message(found: Room, live: LiveRooms) -> models.Room:
    """Write a room as LiveKit's clients know it."""
    people, publishers = live.head_count(found.uid)
    return models.Room(
        sid=found.uid,
        name=found.id,
        max_participants=found.max_participants or 0,
        creation_time=int(found.created_at),
        creation_time_ms=int(found.created_at * 1000),
        metadata=call_rules(found).text,
        num_participants=people,
        num_publishers=publishers,
    )


def _draft(request: room.CreateRoomRequest) -> RoomDraft:
    return RoomDraft(
        id=request.name,
        kind="group",
        max_participants=request.max_participants or None,
        shared_metadata=request.metadata or None,
    )


async def _changed(call: Call, request: room.CreateRoomRequest) -> Room:
    found = await call.room(request.name)
    if request.max_participants not in {0, found.max_participants}:
        # Only this is changed, whatever a room knows besides.
        kept = {name: getattr(found, name) for name in RoomDraft.__dataclass_fields__}
        draft = RoomDraft(**{**kept, "max_participants": request.max_participants})
        found = await call.rooms.replace_room(
            call.tenant, found.id, draft, now=call.now, if_version=found.version
        )
    if request.metadata not in {"", found.shared_metadata}:
        found = await call.rooms.share_metadata(call.tenant, found.id, request.metadata, now=call.now)
    return found


async def _named(call: Call, request: room.ListRoomsRequest) -> AsyncIterator[Room]:
    for name in dict.fromkeys(request.names):
        try:
            yield await call.room(name)
        except NotFound:
            continue


async def _open(call: Call) -> list[Room]:
    found: list[Room] = []
    after = None
    while True:
        page, after = await call.rooms.list_rooms(
            call.tenant, RoomFilter(open_at=call.now), after=after, limit=_PAGE
        )
        found += page
        if after is None:
            return found
        if len(found) >= LISTED_MAX:
            raise TwirpError(
                "resource_exhausted",
                f"more than {LISTED_MAX} rooms are open: name those you want, or page by GET /v1/rooms",
            )


def _check_metadata(text: str) -> None:
    if len(text.encode()) > METADATA_MAX_BYTES:
        raise TwirpError("invalid_argument", f"metadata: at most {METADATA_MAX_BYTES} bytes")
    if "\0" in text:
        raise TwirpError("invalid_argument", "metadata: must not have the character U+0000")
