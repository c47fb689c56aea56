"""Events as webhooks and `GET /v1/events` tell them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, Field

from rooms import EventType, RoomEvent


class EventBody(BaseModel):
    """Something that happened in a room."""

    id: str = Field(description="The same at every delivery; also the `webhook-id`.")
    type: EventType
    room: str = Field(description="The room's id.")
    sid: str = Field(description="Tells rooms apart that had the same id one after the other.")
    seq: int = Field(description="1, 2, 3 … within the room.")
    position: int = Field(description="Rises over all rooms; where to go on reading, as `after`.")
    occurred_at: datetime
    data: dict[str, Any] = Field(description="Ids, states and numbers, by the type; no names or addresses.")

    @classmethod
    def of(cls, event: RoomEvent) -> EventBody:
        """Write an event."""
        return cls(
            id=event.id,
            type=event.type,
            room=event.room_id,
            sid=event.room_uid,
            seq=event.seq,
            position=event.position,
            occurred_at=datetime.fromtimestamp(round(event.occurred_at, 3), tz=UTC),
            data=dict(event.data),
        )


class EventPageBody(BaseModel):
    """Some events, in order."""

    items: list[EventBody]
    last: int = Field(description="Give it as `after` to go on, now or later.")
    missed: bool = Field(description="Events after the position given were deleted already, for their age.")
