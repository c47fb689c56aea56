"""The waiting room: admit, deny, admit all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_api.operations import Call, Operation, Reply, tag
from control_api.participant_schemas import AdmittedBody, ParticipantBody

if TYPE_CHECKING:
    from rooms import Participant

_PARTICIPANT = "/v1/rooms/{room}/participants/{identity}"


async def admit_participant(call: Call) -> Reply:
    """Let a person in who waits or will come; once admitted, they come back without waiting."""
    admitted = await call.rooms.waiting_room.admit(
        call.tenant, call.path["room"], call.path["identity"], now=call.now
    )
    return _participant(admitted)


async def deny_participant(call: Call) -> Reply:
    """Turn a person away until admitted or put again; one who is in the call is to be removed instead."""
    denied = await call.rooms.waiting_room.deny(
        call.tenant, call.path["room"], call.path["identity"], now=call.now
    )
    return _participant(denied)


async def admit_all(call: Call) -> Reply:
    """Let everybody in who waits now."""
    admitted = await call.rooms.waiting_room.admit_all(call.tenant, call.path["room"], now=call.now)
    return Reply(200, AdmittedBody(items=[ParticipantBody.of(one) for one in admitted]))


OPERATIONS = (
    Operation(
        "POST",
        f"{_PARTICIPANT}/admit",
        admit_participant,
        "Admit a participant",
        "participants:admit",
        answer=ParticipantBody,
        refusals=("invalid-transition", "full"),
        gives=("ETag",),
    ),
    Operation(
        "POST",
        f"{_PARTICIPANT}/deny",
        deny_participant,
        "Deny a participant",
        "participants:admit",
        answer=ParticipantBody,
        refusals=("invalid-transition", "full"),
        gives=("ETag",),
    ),
    Operation(
        "POST",
        "/v1/rooms/{room}/admit-all",
        admit_all,
        "Admit everybody who waits",
        "participants:admit",
        answer=AdmittedBody,
    ),
)


def _participant(participant: Participant) -> Reply:
    headers = {"ETag": tag(participant.version, participant.room_uid)}
    return Reply(200, ParticipantBody.of(participant), headers)
