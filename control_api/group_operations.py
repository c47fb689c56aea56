"""Sub-groups: open, place people, close."""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_api.group_schemas import GroupBody, GroupRequest, GroupsBody, MembersRequest
from control_api.idempotency import once, reply
from control_api.operations import Call, Operation, Reply
from rooms import Answer, Group, GroupDraft

if TYPE_CHECKING:
    from collections.abc import Sequence

_GROUPS = "/v1/rooms/{room}/groups"


async def open_group(call: Call) -> Reply:
    """Open a sub-group; those who are in the call move there without joining again."""
    request: GroupRequest = call.body
    what = f"POST /v1/rooms/{call.path['room']}/groups\n{request.model_dump_json()}"
    closes_at = None if request.minutes is None else call.now + request.minutes * 60.0
    made = await call.rooms.groups.open(
        call.application,
        [GroupDraft(request.name, request.members)],
        closes_at=closes_at,
        now=call.now,
        once=once(call, what, _opened),
    )
    return reply(made, _opened)


def _opened(groups: Sequence[Group]) -> Answer:
    return Answer(201, {}, GroupBody.of(groups[0]).model_dump_json())


async def list_groups(call: Call) -> Reply:
    """List the open sub-groups of a room."""
    found = await call.rooms.groups.list(call.tenant, call.path["room"])
    return Reply(200, GroupsBody(items=[GroupBody.of(one) for one in found]))


async def place_in_group(call: Call) -> Reply:
    """Say who is in a sub-group from now on."""
    request: MembersRequest = call.body
    group = await call.rooms.groups.place(
        call.application, call.path["group"], request.identities, now=call.now
    )
    return Reply(200, GroupBody.of(group))


async def close_group(call: Call) -> Reply:
    """Close a sub-group: everybody in it returns to the room; again is no error."""
    group = await call.rooms.groups.close(call.application, call.path["group"], now=call.now)
    return Reply(200, GroupBody.of(group))


OPERATIONS = (
    Operation(
        "POST",
        _GROUPS,
        open_group,
        "Open a sub-group",
        "rooms:write",
        body=GroupRequest,
        body_optional=True,
        answer=GroupBody,
        status=201,
        refusals=("full", "invalid-transition"),
        makes={"group": "$response.body#/id"},
        idempotent_by_key=True,
    ),
    Operation("GET", _GROUPS, list_groups, "List sub-groups", "rooms:read", answer=GroupsBody),
    Operation(
        "PUT",
        f"{_GROUPS}/{{group}}/members",
        place_in_group,
        "Place people in a sub-group",
        "rooms:write",
        body=MembersRequest,
        answer=GroupBody,
        refusals=("full", "invalid-transition"),
    ),
    Operation(
        "POST",
        f"{_GROUPS}/{{group}}/close",
        close_group,
        "Close a sub-group",
        "rooms:write",
        answer=GroupBody,
        refusals=("invalid-transition",),
    ),
)
