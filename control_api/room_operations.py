"""Rooms: make, list, read, change, delete."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, get_args
from urllib.parse import quote

from control_api.body import patched
from control_api.idempotency import once, reply
from control_api.operations import Call, Operation, Query, Reply, invalid_query, tag, wanted_version
from control_api.paging import LIMIT, next_page, read_agenda_cursor, read_limit, write_cursor
from control_api.room_schemas import RoomBody, RoomPage, RoomRequest, RoomRules
from control_api.table import CONTENT_TYPE as CSV
from control_api.table import rooms_as_csv, wants_csv
from rooms import Answer, Room, RoomFilter, RoomState, StaleVersion

_PATCH_TRIES = 5
_TIME = {"type": "string", "format": "date-time"}
_STATES: tuple[RoomState, ...] = get_args(RoomState)


async def create_room(call: Call) -> Reply:
    """Make a room; a repeated `Idempotency-Key` gets the first answer again."""
    request: RoomRequest = call.body
    repeated = once(call, f"POST /v1/rooms\n{request.model_dump_json()}", _created)
    made = await call.rooms.create_room(call.tenant, request.draft(request.id), now=call.now, once=repeated)
    return reply(made, _created)


async def list_rooms(call: Call) -> Reply:
    """List rooms in the order of the agenda; with `Accept: text/csv` as a table."""
    cursor = call.query.get("cursor")
    limit = read_limit(call.query.get("limit"))
    found, position = await call.rooms.list_rooms(
        call.tenant,
        _filter(call),
        after=None if cursor is None else read_agenda_cursor(cursor),
        limit=limit,
    )
    following = None if position is None else write_cursor(*position)
    page = RoomPage(items=[RoomBody.of(room) for room in found], next=following)
    headers = {"Vary": "Accept", **next_page("/v1/rooms", call.query, following)}
    if wants_csv(call.headers.get("accept", "")):
        return Reply(200, rooms_as_csv(page.items), {**headers, "Content-Type": CSV})
    return Reply(200, page, headers)


async def get_room(call: Call) -> Reply:
    """Read a room."""
    return _room(await call.rooms.get_room(call.tenant, call.path["room"]))


async def patch_room(call: Call) -> Reply:
    """Change a room by a JSON merge patch; with `If-Match` only if nobody else did."""
    for tries_left in reversed(range(_PATCH_TRIES)):
        room = await call.rooms.get_room(call.tenant, call.path["room"])
        version = wanted_version(call, room.uid)
        rules = patched(RoomRules, _rules(room), call.body)
        try:
            changed = await call.rooms.replace_room(
                call.tenant,
                room.id,
                rules.draft(),
                now=call.now,
                # The patch was applied to this version, so it may not land on another one.
                if_version=room.version if version is None else version,
            )
        except StaleVersion:
            # People change a room by coming and going; who named no version need not know.
            if version is not None or tries_left == 0:
                raise
        else:
            return _room(changed)
    raise AssertionError("the last try ends in one way or the other")


async def delete_room(call: Call) -> Reply:
    """Delete a room, its participants and links; a call in it ends."""
    room = await call.rooms.get_room(call.tenant, call.path["room"])
    version = wanted_version(call, room.uid)
    await call.rooms.delete_room(call.tenant, room.id, now=call.now, if_version=version)
    return Reply(204)


OPERATIONS = (
    Operation(
        "POST",
        "/v1/rooms",
        create_room,
        "Make a room",
        "rooms:write",
        body=RoomRequest,
        answer=RoomBody,
        status=201,
        refusals=("taken",),
        gives=("ETag", "Location"),
        makes={"room": "$response.body#/id"},
        idempotent_by_key=True,
    ),
    Operation(
        "GET",
        "/v1/rooms",
        list_rooms,
        "List rooms",
        "rooms:read",
        answer=RoomPage,
        gives=("Link",),
        also_csv=True,
        query=(
            Query("state", "Only rooms in this state.", {"type": "string", "enum": list(_STATES)}),
            Query(
                "from", "Only rooms that start (or, without a start, were made) at this time or later.", _TIME
            ),
            Query("to", "Only rooms that start (or, without a start, were made) before this time.", _TIME),
            Query("metadata.*", "Only rooms whose metadata has this value under that name."),
            Query("cursor", "Where the last page ended."),
            Query("limit", "Rooms a page.", LIMIT),
        ),
    ),
    Operation(
        "GET", "/v1/rooms/{room}", get_room, "Read a room", "rooms:read", answer=RoomBody, gives=("ETag",)
    ),
    Operation(
        "PATCH",
        "/v1/rooms/{room}",
        patch_room,
        "Change a room",
        "rooms:write",
        body=RoomRules,
        merge_patch=True,
        answer=RoomBody,
        gives=("ETag",),
        versioned=True,
    ),
    Operation(
        "DELETE", "/v1/rooms/{room}", delete_room, "Delete a room", "rooms:write", status=204, versioned=True
    ),
)


def _room(room: Room) -> Reply:
    return Reply(200, RoomBody.of(room), {"ETag": tag(room.version, room.uid)})


def _created(room: Room) -> Answer:
    headers = {"ETag": tag(room.version, room.uid), "Location": f"/v1/rooms/{quote(room.id, safe='')}"}
    return Answer(201, headers, RoomBody.of(room).model_dump_json())


def _rules(room: Room) -> dict[str, Any]:
    body = json.loads(RoomBody.of(room).model_dump_json())
    return {name: value for name, value in body.items() if name in RoomRules.model_fields}


def _filter(call: Call) -> RoomFilter:
    return RoomFilter(
        state=_state(call.query.get("state")),
        starts_from=_time(call, "from"),
        starts_before=_time(call, "to"),
        metadata={
            name.removeprefix("metadata."): value
            for name, value in call.query.items()
            if name.startswith("metadata.")
        },
    )


def _state(text: str | None) -> RoomState | None:
    if text is None:
        return None
    for state in _STATES:
        if text == state:
            return state
    raise invalid_query("state", "must be one of " + ", ".join(_STATES))


def _time(call: Call, name: str) -> float | None:
    text = call.query.get(name)
    if text is None:
        return None
    problem = invalid_query(name, "must be a time with a zone, like 2031-05-06T09:00:00Z")
    try:
        # A plus sign in a query is a space to most readers of one.
        time = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError as error:
        raise problem from error
    if time.tzinfo is None or not 1 < time.year < 9999:
        raise problem
    return time.timestamp()
