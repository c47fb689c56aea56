"""Participants: put, list, read, change, forget, remove, and what lets them in."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from control_api.body import patched
from control_api.idempotency import retold
from control_api.join_schemas import GuestLinkRequest, LinkBody, LinkRequest, TokenBody, TokenRequest
from control_api.operations import Call, Operation, Query, Reply, tag, wanted_version
from control_api.paging import LIMIT, next_page, read_limit, read_name_cursor, write_cursor
from control_api.participant_schemas import ParticipantBody, ParticipantPage, ParticipantRequest

if TYPE_CHECKING:
    from rooms import Participant

_PARTICIPANT = "/v1/rooms/{room}/participants/{identity}"


async def list_participants(call: Call) -> Reply:
    """List the people of a room."""
    cursor = call.query.get("cursor")
    limit = read_limit(call.query.get("limit"))
    found = await call.rooms.participants.list(
        call.tenant,
        call.path["room"],
        after=None if cursor is None else read_name_cursor(cursor),
        limit=limit + 1,
    )
    shown = found[:limit]
    following = write_cursor(shown[-1].identity) if len(found) > limit else None
    page = ParticipantPage(items=[ParticipantBody.of(one) for one in shown], next=following)
    path = f"/v1/rooms/{call.path['room']}/participants"
    return Reply(200, page, next_page(path, call.query, following))


async def put_participant(call: Call) -> Reply:
    """Make or replace a participant; one who was removed is let in again."""
    request: ParticipantRequest = call.body
    room = await call.rooms.get_room(call.tenant, call.path["room"])
    participant, made = await call.rooms.participants.put(
        call.tenant,
        room.id,
        call.path["identity"],
        request.draft(),
        now=call.now,
        if_version=wanted_version(call, room.uid),
    )
    return _participant(participant, status=201 if made else 200)


async def get_participant(call: Call) -> Reply:
    """Read a participant."""
    return _participant(
        await call.rooms.participants.get(call.tenant, call.path["room"], call.path["identity"])
    )


async def patch_participant(call: Call) -> Reply:
    """Change a participant by a JSON merge patch; one who was removed stays removed."""
    participant = await call.rooms.participants.get(call.tenant, call.path["room"], call.path["identity"])
    version = wanted_version(call, participant.room_uid)
    body = json.loads(ParticipantBody.of(participant).model_dump_json())
    current = {name: body[name] for name in ParticipantRequest.model_fields}
    request = patched(ParticipantRequest, current, call.body)
    changed, _ = await call.rooms.participants.put(
        call.tenant,
        call.path["room"],
        participant.identity,
        request.draft(),
        now=call.now,
        if_version=participant.version if version is None else version,
        put_back=False,
    )
    return _participant(changed)


async def delete_participant(call: Call) -> Reply:
    """Forget a participant: earlier tokens are dead, what was stored is gone."""
    await call.rooms.participants.forget(call.tenant, call.path["room"], call.path["identity"], now=call.now)
    return Reply(204)


async def remove_participant(call: Call) -> Reply:
    """Throw a person out, who stays out until put again; every token given so far is dead."""
    return _participant(
        await call.rooms.participants.remove(
            call.tenant, call.path["room"], call.path["identity"], now=call.now
        )
    )


async def create_token(call: Call) -> Reply:
    """Make a short-lived join token."""
    request: TokenRequest = call.body
    ticket = await call.rooms.participants.mint_token(
        call.caller.key,
        call.path["room"],
        call.path["identity"],
        now=call.now,
        ttl_seconds=request.ttl_seconds,
        name=request.name,
    )
    return Reply(
        200,
        TokenBody(
            token=ticket.token,
            url=call.addresses.public_url,
            ws_url=call.addresses.ws_url,
            expires_at=datetime.fromtimestamp(int(ticket.expires_at), tz=UTC),
        ),
        _NEVER_STORED,
    )


async def create_link(call: Call) -> Reply:
    """Make a link to the page, bound to the participant."""
    request: LinkRequest = call.body
    room_id, identity = call.path["room"], call.path["identity"]
    what = f"POST /v1/rooms/{room_id}/participants/{identity}/link\n{request.model_dump_json()}"
    link, secret = await call.rooms.links.create_for_participant(
        call.tenant,
        room_id,
        identity,
        now=call.now,
        expires_at=None if request.expires_at is None else request.expires_at.timestamp(),
        retold=retold(call, what),
    )
    return Reply(201, LinkBody.of(link, call.addresses.link(secret)), _NEVER_STORED)


async def create_guest_link(call: Call) -> Reply:
    """Make a link to the page for anybody who holds it."""
    request: GuestLinkRequest = call.body
    what = f"POST /v1/rooms/{call.path['room']}/links\n{request.model_dump_json()}"
    link, secret = await call.rooms.links.create_for_guests(
        call.tenant,
        call.path["room"],
        role=request.role,
        now=call.now,
        expires_at=None if request.expires_at is None else request.expires_at.timestamp(),
        retold=retold(call, what),
    )
    return Reply(201, LinkBody.of(link, call.addresses.link(secret)), _NEVER_STORED)


async def delete_link(call: Call) -> Reply:
    """End a link; tokens it gave end by themselves."""
    await call.rooms.links.delete(call.tenant, call.path["link"])
    return Reply(204)


OPERATIONS = (
    Operation(
        "GET",
        "/v1/rooms/{room}/participants",
        list_participants,
        "List participants",
        "rooms:read",
        answer=ParticipantPage,
        gives=("Link",),
        query=(
            Query("cursor", "Where the last page ended."),
            Query("limit", "Participants a page.", LIMIT),
        ),
    ),
    Operation(
        "PUT",
        _PARTICIPANT,
        put_participant,
        "Make or replace a participant",
        "rooms:write",
        body=ParticipantRequest,
        body_optional=True,
        answer=ParticipantBody,
        status_if_new=201,
        refusals=("full",),
        gives=("ETag",),
        makes={"identity": "$response.body#/identity"},
        versioned=True,
    ),
    Operation(
        "GET",
        _PARTICIPANT,
        get_participant,
        "Read a participant",
        "rooms:read",
        answer=ParticipantBody,
        gives=("ETag",),
    ),
    Operation(
        "PATCH",
        _PARTICIPANT,
        patch_participant,
        "Change a participant",
        "rooms:write",
        body=ParticipantRequest,
        merge_patch=True,
        answer=ParticipantBody,
        gives=("ETag",),
        versioned=True,
    ),
    Operation("DELETE", _PARTICIPANT, delete_participant, "Forget a participant", "rooms:write", status=204),
    Operation(
        "POST",
        f"{_PARTICIPANT}/remove",
        remove_participant,
        "Remove a participant from the call, who stays out",
        "participants:admit",
        answer=ParticipantBody,
        refusals=("full",),
        gives=("ETag",),
    ),
    Operation(
        "POST",
        f"{_PARTICIPANT}/token",
        create_token,
        "Make a join token",
        "rooms:write",
        body=TokenRequest,
        body_optional=True,
        answer=TokenBody,
        refusals=("invalid-transition",),
    ),
    Operation(
        "POST",
        f"{_PARTICIPANT}/link",
        create_link,
        "Make a link for a participant",
        "rooms:write",
        body=LinkRequest,
        body_optional=True,
        answer=LinkBody,
        status=201,
        idempotent_by_key=True,
        refusals=("full", "invalid-transition"),
        makes={"link": "$response.body#/id"},
    ),
    Operation(
        "POST",
        "/v1/rooms/{room}/links",
        create_guest_link,
        "Make a link for guests",
        "rooms:write",
        body=GuestLinkRequest,
        body_optional=True,
        answer=LinkBody,
        status=201,
        idempotent_by_key=True,
        refusals=("full",),
        makes={"link": "$response.body#/id"},
    ),
    Operation("DELETE", "/v1/links/{link}", delete_link, "End a link", "rooms:write", status=204),
)

_NEVER_STORED = {"Cache-Control": "no-store"}


def _participant(participant: Participant, *, status: int = 200) -> Reply:
    headers = {"ETag": tag(participant.version, participant.room_uid)}
    return Reply(status, ParticipantBody.of(participant), headers)
