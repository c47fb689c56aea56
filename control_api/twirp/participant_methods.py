"""People in calls: listed, removed, muted, changed, moved, and written to."""

from __future__ import annotations

from livekit.protocol import models, room

from control_api.twirp.errors import TwirpError
from control_api.twirp.methods import Call, Method
from rooms import NotFound
from rooms.ids import is_usable_id

_NONCE_BYTES = 16


async def list_participants(
    call: Call, request: room.ListParticipantsRequest
) -> room.ListParticipantsResponse:
    """List who is in the call; in a room that does not exist there is nobody."""
    try:
        uid = (await call.live_room(request.room)).uid
    except NotFound:
        return room.ListParticipantsResponse()
    return room.ListParticipantsResponse(participants=call.live.participants(uid))


async def get_participant(call: Call, request: room.RoomParticipantIdentity) -> models.ParticipantInfo:
    """Give one person in the call."""
    found = await call.live_room(request.room)
    return call.live.participant(found.uid, request.identity)


async def remove_participant(
    call: Call, request: room.RoomParticipantIdentity
) -> room.RemoveParticipantResponse:
    """Throw somebody out, and end the tokens made so far.

    A stored participant is kept out until put back, as by the REST interface. Somebody known from tokens
    alone comes back with a new one, which the application would not make for a person it does not want.
    """
    found = await call.room(request.room)
    if await _is_stored(call, request):
        await call.rooms.participants.remove(
            call.tenant, found.id, request.identity, now=call.now, cause=call.caller.cause
        )
    else:
        if not await call.rooms.is_elsewhere(found.uid):
            call.live.participant(found.uid, request.identity)
        await call.rooms.participants.end_tokens(
            call.tenant, found.id, request.identity, now=call.now, cause=call.caller.cause
        )
    return room.RemoveParticipantResponse()


async def mute_published_track(call: Call, request: room.MuteRoomTrackRequest) -> room.MuteRoomTrackResponse:
    """Mute a track; nobody is unmuted by others."""
    if not request.muted:
        raise TwirpError(
            "failed_precondition", "remote unmute not enabled: only the participant can unmute a track"
        )
    found = await call.live_room(request.room)
    track = call.live.mute(found.uid, request.identity, request.track_sid)
    return room.MuteRoomTrackResponse(track=track)


async def update_participant(call: Call, request: room.UpdateParticipantRequest) -> models.ParticipantInfo:
    """Change a person's name, metadata, attributes and rights, for this stay."""
    if call.caller.person is not None and request.permission.hidden:
        raise TwirpError("permission_denied", "permission.hidden: only the application can hide a person")
    found = await call.live_room(request.room)
    return call.live.update_participant(found.uid, request)


async def update_subscriptions(
    call: Call, request: room.UpdateSubscriptionsRequest
) -> room.UpdateSubscriptionsResponse:
    """Start or stop the delivery of tracks to a person."""
    found = await call.live_room(request.room)
    call.live.update_subscriptions(found.uid, request)
    return room.UpdateSubscriptionsResponse()


async def send_data(call: Call, request: room.SendDataRequest) -> room.SendDataResponse:
    """Send a message to everybody in the call, or to those who are named."""
    if len(request.nonce) not in {0, _NONCE_BYTES}:
        raise TwirpError("invalid_argument", f"nonce: {_NONCE_BYTES} bytes, or none")
    if request.kind not in models.DataPacket.Kind.values():
        raise TwirpError("invalid_argument", "kind: RELIABLE or LOSSY")
    found = await call.live_room(request.room)
    call.live.send_data(found.uid, request)
    return room.SendDataResponse()


async def move_participant(call: Call, request: room.MoveParticipantRequest) -> room.MoveParticipantResponse:
    """Have a person go on in another room, with the connection and the tracks that they have."""
    if request.room == request.destination_room:
        raise TwirpError("invalid_argument", "destination_room: is the room itself")
    found = await call.live_room(request.room)
    there = await call.room(request.destination_room)
    await call.live.move(found.uid, request.identity, there.id)
    return room.MoveParticipantResponse()


METHODS = (
    Method("ListParticipants", room.ListParticipantsRequest, list_participants, "roomAdmin", "rooms:read"),
    Method("GetParticipant", room.RoomParticipantIdentity, get_participant, "roomAdmin", "rooms:read"),
    Method(
        "RemoveParticipant",
        room.RoomParticipantIdentity,
        remove_participant,
        "roomAdmin",
        "participants:admit",
    ),
    Method(
        "MutePublishedTrack",
        room.MuteRoomTrackRequest,
        mute_published_track,
        "roomAdmin",
        "participants:admit",
    ),
    Method(
        "UpdateParticipant", room.UpdateParticipantRequest, update_participant, "roomAdmin", "rooms:write"
    ),
    Method(
        "UpdateSubscriptions",
        room.UpdateSubscriptionsRequest,
        update_subscriptions,
        "roomAdmin",
        "rooms:write",
    ),
    Method("SendData", room.SendDataRequest, send_data, "roomAdmin", "rooms:write"),
    Method("MoveParticipant", room.MoveParticipantRequest, move_participant, "roomAdmin", "rooms:write"),
)


async def _is_stored(call: Call, request: room.RoomParticipantIdentity) -> bool:
    if not is_usable_id(request.identity):
        return False
    try:
        stored = await call.rooms.participants.get(call.tenant, request.room, request.identity)
    except NotFound:
        return False
    return stored.state != "removed"
