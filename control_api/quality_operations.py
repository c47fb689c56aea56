"""How the connections of the people in a call are just now."""

from __future__ import annotations

from control_api.operations import Call, Operation, Reply
from control_api.quality_schemas import LegQualityBody, QualityBody


async def read_quality(call: Call) -> Reply:
    """Read how the connections of a room and its sub-groups are; nobody in the call is an empty list."""
    room = await call.rooms.get_room(call.tenant, call.path["room"])
    await call.rooms.check_here(room.uid)
    return Reply(200, QualityBody(items=[LegQualityBody.of(one) for one in call.calls.quality(room.uid)]))


OPERATIONS = (
    Operation(
        "GET",
        "/v1/rooms/{room}/quality",
        read_quality,
        "Read how connections are",
        "rooms:read",
        answer=QualityBody,
        refusals=("elsewhere",),
    ),
)
