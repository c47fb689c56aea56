"""Sub-groups: open, place people, close."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from control_api.operations import Call, Operation, Reply
from control_api.schema_types import Strict, Title
from rooms import Group

_GROUPS = "/v1/rooms/{room}/groups"
Identity = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^/]*$")]
Identities = Annotated[list[Identity], Field(max_length=200)]


class GroupRequest(Strict):
    """A sub-group to be opened."""

    name: Title | None = Field(
        default=None, description="A title for people, seen in the call.", examples=["Table 1"]
    )
    members: Identities = Field(
        default=[], description="Who is placed there; they leave other groups.", examples=[["patient-1"]]
    )
    minutes: int | None = Field(
        default=None, ge=1, le=1440, description="It closes by itself after so long; null: it does not."
    )


class MembersRequest(Strict):
    """Who is in the sub-group from now on; everybody else in it returns to the room."""

    identities: Identities = Field(examples=[["patient-1", "patient-2"]])


class GroupBody(BaseModel):
    """A sub-group."""

    id: str = Field(examples=["GR_orkuhpvjm3a54ksb"])
    name: str | None = Field(examples=["Table 1"])
    members: list[str] = Field(
        description="Who belongs there, in the call or not; nobody once it is closed.",
        examples=[["patient-1"]],
    )
    opened_at: datetime
    closes_at: datetime | None = Field(description="When it closes by itself.")
    closed_at: datetime | None

    @classmethod
    def of(cls, group: Group) -> GroupBody:
        """Write a group."""
        return cls(
            id=group.id,
            name=group.name,
            members=list(group.members),
            opened_at=_moment(group.opened_at),
            closes_at=None if group.closes_at is None else _moment(group.closes_at),
            closed_at=None if group.closed_at is None else _moment(group.closed_at),
        )


class GroupsBody(BaseModel):
    """The open sub-groups of a room, in the order in which they were opened."""

    items: list[GroupBody]


async def open_group(call: Call) -> Reply:
    """Open a sub-group; those who are in the call move there without joining again."""
    request: GroupRequest = call.body
    group = await call.rooms.groups.open(
        call.tenant,
        call.path["room"],
        name=request.name,
        members=request.members,
        closes_at=None if request.minutes is None else call.now + request.minutes * 60.0,
        now=call.now,
    )
    return Reply(201, GroupBody.of(group))


async def list_groups(call: Call) -> Reply:
    """List the open sub-groups of a room."""
    found = await call.rooms.groups.list(call.tenant, call.path["room"])
    return Reply(200, GroupsBody(items=[GroupBody.of(one) for one in found]))


async def place_in_group(call: Call) -> Reply:
    """Say who is in a sub-group from now on."""
    request: MembersRequest = call.body
    group = await call.rooms.groups.place(
        call.tenant, call.path["room"], call.path["group"], request.identities, now=call.now
    )
    return Reply(200, GroupBody.of(group))


async def close_group(call: Call) -> Reply:
    """Close a sub-group: everybody in it returns to the room; again is no error."""
    group = await call.rooms.groups.close(call.tenant, call.path["room"], call.path["group"], now=call.now)
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


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(round(seconds, 3), tz=UTC)
