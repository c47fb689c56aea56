"""What the page asks with a link in its hand; the link itself is the credential."""

from __future__ import annotations

from datetime import UTC, datetime

from control_api.join_schemas import JoinBody, JoinRequest, JoinRoomBody, PreviewBody, PreviewRequest
from control_api.operations import Call, Operation, Reply
from control_api.problems import Problem
from rooms import JoinRefused

_NEVER_STORED = {"Cache-Control": "no-store"}
_REFUSALS = ("not-found", "revoked", "too-early", "too-late", "full")


async def preview_join(call: Call) -> Reply:
    """Say where a link leads; a closed room says when it is open."""
    request: PreviewRequest = call.body
    try:
        found = await call.rooms.links.preview(request.link, now=call.now)
    except JoinRefused as refusal:
        raise await _explained(call, request.link, refusal) from refusal
    body = PreviewBody(
        room=JoinRoomBody.of(found.room),
        bound=found.identity is not None,
        name=found.name,
        role=found.role,
    )
    return Reply(200, body, _NEVER_STORED)


async def join(call: Call) -> Reply:
    """Exchange a link for a join token."""
    request: JoinRequest = call.body
    try:
        ticket = await call.rooms.links.join(
            request.link, now=call.now, name=request.name, guest_key=request.key
        )
    except JoinRefused as refusal:
        raise await _explained(call, request.link, refusal) from refusal
    body = JoinBody(
        token=ticket.token,
        ws_url=call.addresses.ws_url,
        identity=ticket.identity,
        name=ticket.name,
        role=ticket.role,
        wait=ticket.must_wait,
        expires_at=datetime.fromtimestamp(int(ticket.expires_at), tz=UTC),
        room=JoinRoomBody.of(ticket.room),
    )
    return Reply(200, body, _NEVER_STORED)


OPERATIONS = (
    Operation(
        "POST",
        "/v1/join/preview",
        preview_join,
        "Say where a link leads",
        None,
        body=PreviewRequest,
        answer=PreviewBody,
        refusals=_REFUSALS,
    ),
    Operation(
        "POST",
        "/v1/join",
        join,
        "Exchange a link for a join token",
        None,
        body=JoinRequest,
        answer=JoinBody,
        refusals=_REFUSALS,
    ),
)


async def _explained(call: Call, link: str, refusal: JoinRefused) -> Problem:
    headers = {"Retry-After": "2"} if refusal.http_status == 503 else {}
    if refusal.code not in {"too-early", "too-late"}:
        return Problem(refusal.code, headers=headers)
    room = JoinRoomBody.of(await call.rooms.links.room_of(link, now=call.now))
    return Problem(refusal.code, more={"room": room.model_dump(mode="json")})
