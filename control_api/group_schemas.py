"""The bodies of sub-groups."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from control_api.schema_types import Identity, Strict, Title, moment, moment_or_none
from rooms import Group

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
            opened_at=moment(group.opened_at),
            closes_at=moment_or_none(group.closes_at),
            closed_at=moment_or_none(group.closed_at),
        )


class GroupsBody(BaseModel):
    """The open sub-groups of a room, in the order in which they were opened."""

    items: list[GroupBody]
