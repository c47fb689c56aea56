"""What an application does about a call: the same as hosts may (`rooms.Moderation`), and moving people."""

from __future__ import annotations

from control_api.operations import Call, Operation, Reply, tag
from control_api.participant_schemas import AnnouncementRequest, HandBody, HandsBody, MoveRequest, MuteRequest
from control_api.problems import Problem
from control_api.room_schemas import RestraintsBody, RoomBody
from rooms import JoinRefused, Room

_ROOM = "/v1/rooms/{room}"
_PARTICIPANT = f"{_ROOM}/participants/{{identity}}"


async def mute_participant(call: Call) -> Reply:
    """Mute what a person publishes; they may switch it on again unless `may_unmute` was taken away."""
    request: MuteRequest = call.body
    await call.rooms.moderation.mute(call.application, call.path["identity"], request.sources, now=call.now)
    return Reply(204)


async def mute_all(call: Call) -> Reply:
    """Mute everybody who does not moderate; with the source `camera`, cut all pictures."""
    request: MuteRequest = call.body
    await call.rooms.moderation.mute(call.application, None, request.sources, now=call.now)
    return Reply(204)


async def restrain_participant(call: Call) -> Reply:
    """Say what is taken away from a person; an empty object gives everything back."""
    return await _restrain(call, call.path["identity"])


async def restrain_room(call: Call) -> Reply:
    """Say what is taken away from everybody who does not moderate, also from those who come later."""
    return await _restrain(call, None)


async def list_hands(call: Call) -> Reply:
    """List the raised hands in the order in which the server heard of them."""
    room = await call.rooms.get_room(call.tenant, call.path["room"])
    await call.rooms.check_here(room.uid)
    hands = enumerate(call.calls.hands(room.uid), start=1)
    items = [
        HandBody.model_validate({"identity": identity, "position": position, "raised_at": raised_at})
        for position, (identity, raised_at) in hands
    ]
    return Reply(200, HandsBody(items=items))


async def lower_hand(call: Call) -> Reply:
    """Lower a person's hand."""
    await call.rooms.moderation.lower_hand(call.application, call.path["identity"], now=call.now)
    return Reply(204)


async def lower_all_hands(call: Call) -> Reply:
    """Lower every hand."""
    await call.rooms.moderation.lower_hand(call.application, None, now=call.now)
    return Reply(204)


async def lock_room(call: Call) -> Reply:
    """Let nobody new enter or wait; those who were in the call come back, those who are admitted enter."""
    return _room(await call.rooms.moderation.lock(call.application, now=call.now))


async def unlock_room(call: Call) -> Reply:
    """Let people in again as before the lock."""
    return _room(await call.rooms.moderation.unlock(call.application, now=call.now))


async def announce(call: Call) -> Reply:
    """Show a sentence at once to everybody in the call and in its sub-groups; it is kept nowhere."""
    request: AnnouncementRequest = call.body
    await call.rooms.announcements.make(call.application, request.text, now=call.now)
    return Reply(204)


async def move_participant(call: Call) -> Reply:
    """Have a person in the call go on in another room, with the connection and the tracks that they have."""
    request: MoveRequest = call.body
    room = await call.rooms.get_room(call.tenant, call.path["room"])
    there = await call.rooms.get_room(call.tenant, request.room)
    await call.rooms.check_here(room.uid)
    try:
        await call.calls.move(room.uid, call.path["identity"], there.id)
    except JoinRefused as refused:
        if refused.code in {"revoked", "unauthenticated"}:  # of the person, not of the caller
            text = "the participant was removed from that room; PUT them there again first"
            raise Problem("invalid-transition", text, more={"state": "removed"}) from refused
        raise
    return Reply(204)


OPERATIONS = (
    Operation(
        "POST",
        f"{_PARTICIPANT}/mute",
        mute_participant,
        "Mute a participant",
        "participants:admit",
        body=MuteRequest,
        body_optional=True,
        status=204,
    ),
    Operation(
        "POST",
        f"{_ROOM}/mute-all",
        mute_all,
        "Mute everybody who does not moderate",
        "participants:admit",
        body=MuteRequest,
        body_optional=True,
        status=204,
    ),
    Operation(
        "PUT",
        f"{_PARTICIPANT}/restraints",
        restrain_participant,
        "Say what is taken away from a participant",
        "participants:admit",
        body=RestraintsBody,
        answer=RestraintsBody,
    ),
    Operation(
        "PUT",
        f"{_ROOM}/restraints",
        restrain_room,
        "Say what is taken away from everybody",
        "participants:admit",
        body=RestraintsBody,
        answer=RestraintsBody,
    ),
    Operation(
        "GET",
        f"{_ROOM}/hands",
        list_hands,
        "List raised hands",
        "rooms:read",
        answer=HandsBody,
        refusals=("elsewhere",),
    ),
    Operation(
        "POST",
        f"{_PARTICIPANT}/lower-hand",
        lower_hand,
        "Lower a participant's hand",
        "participants:admit",
        status=204,
        refusals=("elsewhere",),
    ),
    Operation(
        "POST",
        f"{_ROOM}/lower-hands",
        lower_all_hands,
        "Lower every hand",
        "participants:admit",
        status=204,
        refusals=("elsewhere",),
    ),
    Operation(
        "POST",
        f"{_ROOM}/lock",
        lock_room,
        "Lock a room",
        "participants:admit",
        answer=RoomBody,
        gives=("ETag",),
    ),
    Operation(
        "POST",
        f"{_ROOM}/unlock",
        unlock_room,
        "Unlock a room",
        "participants:admit",
        answer=RoomBody,
        gives=("ETag",),
    ),
    Operation(
        "POST",
        f"{_ROOM}/announce",
        announce,
        "Say something to everybody in a call and its sub-groups",
        "participants:admit",
        body=AnnouncementRequest,
        status=204,
        refusals=("elsewhere", "invalid-transition"),
    ),
    Operation(
        "POST",
        f"{_PARTICIPANT}/move",
        move_participant,
        "Move a participant to another room",
        "participants:admit",
        body=MoveRequest,
        status=204,
        refusals=("elsewhere", "full", "invalid-transition", "not-admitted", "too-early", "too-late"),
    ),
)


async def _restrain(call: Call, identity: str | None) -> Reply:
    request: RestraintsBody = call.body
    after = await call.rooms.moderation.restrain(
        call.application, identity, forbidden=request.forbidden, may_unmute=request.may_unmute, now=call.now
    )
    return Reply(200, RestraintsBody.of(after))


def _room(room: Room) -> Reply:
    return Reply(200, RoomBody.of(room), {"ETag": tag(room.version, room.uid)})
