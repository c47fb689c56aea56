"""What stands in the `data` of events, by their type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from rooms import Cause, Role, RoomState

if TYPE_CHECKING:
    from collections.abc import Mapping


class RoomMovedData(BaseModel):
    """A room came into another state."""

    before: RoomState | None = Field(description="null: the room was made.")
    state: RoomState
    cause: Cause


class RoomDeletedData(BaseModel):
    """A room is gone."""

    before: RoomState
    cause: Cause


class PersonDecidedData(BaseModel):
    """Somebody stands before the door, or it was decided about them."""

    identity: str
    role: Role
    cause: Cause


DATA_MODELS: Mapping[str, type[BaseModel]] = {
    "room.planned": RoomMovedData,
    "room.waiting": RoomMovedData,
    "room.in_progress": RoomMovedData,
    "room.finished": RoomMovedData,
    "room.cancelled": RoomMovedData,
    "room.not_held": RoomMovedData,
    "room.reopened": RoomMovedData,
    "room.deleted": RoomDeletedData,
    "participant.waiting": PersonDecidedData,
    "participant.admitted": PersonDecidedData,
    "participant.denied": PersonDecidedData,
    "participant.removed": PersonDecidedData,
}
"""Types that are not here have `data` without a model."""
