"""The event log: what webhooks tell, to be read again."""

from __future__ import annotations

from control_api.event_schemas import EventBody, EventPageBody
from control_api.operations import Call, Operation, Query, Reply, invalid_query
from control_api.paging import LIMIT, read_limit

_POSITION_MAX = 2**63 - 1


async def list_events(call: Call) -> Reply:
    """Read what happened, in order; go on with `last` as the next `after`."""
    page = await call.rooms.events.read(
        after=_position(call.query.get("after")),
        tenant=call.tenant,
        room_id=call.query.get("room"),
        limit=read_limit(call.query.get("limit")),
    )
    items = [EventBody.of(event) for event in page.items]
    return Reply(200, EventPageBody(items=items, last=page.last, missed=page.missed))


OPERATIONS = (
    Operation(
        "GET",
        "/v1/events",
        list_events,
        "Read events",
        "events:read",
        answer=EventPageBody,
        query=(
            Query(
                "after",
                "Only events after this position; 0 is from the oldest that is kept.",
                {"type": "integer", "minimum": 0, "maximum": _POSITION_MAX, "default": 0},
            ),
            Query("room", "Only events of rooms with this id."),
            Query("limit", "Events a page.", LIMIT),
        ),
    ),
)


def _position(text: str | None) -> int:
    if text is None:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) > _POSITION_MAX:
        raise invalid_query("after", "must be a position that an event has, or 0")
    return int(text)
