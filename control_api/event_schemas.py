"""Events as webhooks and `GET /v1/events` tell them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, WithJsonSchema

from control_api.schema_types import moment
from rooms import EVENT_TYPES, EventType, RoomEvent


class EventBody(BaseModel):
    """Something that happened in a room."""

    id: str = Field(
        description="The same at every delivery; also the `webhook-id`.",
        examples=["evt_ot2ntnaxhhk6fgxhbnsgqsmxxe"],
    )
    # Known types are told in words: clients made from this file would refuse to read an event of a new one.
    type: Annotated[EventType, WithJsonSchema({"type": "string"})] = Field(
        description=f"More may come: pass over what you do not know. Now one of: {', '.join(EVENT_TYPES)}.",
        examples=["room.planned"],
    )
    room: str = Field(description="The room's id.", examples=["rdv-2031"])
    sid: str = Field(
        description="Tells rooms apart that had the same id one after the other.",
        examples=["RM_orkuhpvjm3a54ksbeaabdxnlxu"],
    )
    seq: int = Field(description="1, 2, 3 … within the room.", examples=[1])
    position: int = Field(
        description="Rises over all rooms; where to go on reading, as `after`.", examples=[2031]
    )
    occurred_at: datetime = Field(examples=["2031-05-06T07:00:00Z"])
    data: dict[str, Any] = Field(
        description="Ids, states and numbers, by the type; no names or addresses.", examples=[{"by": "api"}]
    )

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
            occurred_at=moment(event.occurred_at),
            data=dict(event.data),
        )


class EventPageBody(BaseModel):
    """Some events, in order."""

    items: list[EventBody]
    last: int = Field(description="Give it as `after` to go on, now or later.", examples=[2031])
    missed: bool = Field(description="Events after the position given were deleted already, for their age.")
