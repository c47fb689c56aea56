"""What the calling application does with the state of a room: start, finish, cancel, reopen."""

from __future__ import annotations

from control_api.idempotency import once, reply
from control_api.operations import Call, Operation, Reply, tag
from control_api.room_schemas import RoomBody
from rooms import Answer, Room, RoomAct


async def start_room(call: Call) -> Reply:
    """Say that the call has begun; it begins by itself when a host comes, or two people."""
    return await _act(call, RoomAct.START)


async def finish_room(call: Call) -> Reply:
    """End the call for everybody; nobody enters any more."""
    return await _act(call, RoomAct.FINISH)


async def cancel_room(call: Call) -> Reply:
    """Call off a room in which no call has begun; who waits is sent home."""
    return await _act(call, RoomAct.CANCEL)


async def reopen_room(call: Call) -> Reply:
    """Open a room again that is over, before `closes_at`."""
    return await _act(call, RoomAct.REOPEN)


async def _act(call: Call, act: RoomAct) -> Reply:
    room_id = call.path["room"]
    repeated = once(call, f"POST /v1/rooms/{room_id}/{act}", _answer)
    done = await call.rooms.act(call.tenant, room_id, act, now=call.now, once=repeated)
    return reply(done, _answer)


def _answer(room: Room) -> Answer:
    return Answer(200, {"ETag": tag(room.version, room.uid)}, RoomBody.of(room).model_dump_json())


OPERATIONS = tuple(
    Operation(
        "POST",
        f"/v1/rooms/{{room}}/{act}",
        handler,
        summary,
        "rooms:write",
        answer=RoomBody,
        refusals=("invalid-transition",),
        gives=("ETag",),
        idempotent_by_key=True,
    )
    for act, handler, summary in (
        (RoomAct.START, start_room, "Start a room"),
        (RoomAct.FINISH, finish_room, "Finish a room"),
        (RoomAct.CANCEL, cancel_room, "Cancel a room"),
        (RoomAct.REOPEN, reopen_room, "Reopen a room"),
    )
)
