"""The service as a function of values: a request in, a reply out, errors as Twirp writes them."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from control_api.problems import Problem
from control_api.twirp import participant_methods, room_methods
from control_api.twirp.auth import Caller, authenticate, require
from control_api.twirp.codec import JSON, PROTOBUF, decode, encode
from control_api.twirp.errors import TwirpError, twirp_error
from control_api.twirp.methods import Call, Method

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control_api.live import LiveRooms
    from control_api.service import ControlApi, Request
    from rooms import Rooms

log = logging.getLogger("control_api.twirp")

SERVICE = "livekit.RoomService"
METHODS: Mapping[str, Method] = {
    one.name: one for one in (*room_methods.METHODS, *participant_methods.METHODS)
}
NOT_OFFERED: Mapping[str, str] = {
    "ForwardParticipant": "a participant is in one room at a time here; MoveParticipant changes which",
    "PerformRpc": "remote calls go between participants here",
}


@dataclass(frozen=True, slots=True)
class TwirpReply:
    """One answer."""

    status: int
    body: bytes
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


class TwirpApi:
    """Answers requests on the rooms of a `ControlApi`, whose rate limits, origins and counters it shares."""

    def __init__(self, api: ControlApi, rooms: Rooms, live: LiveRooms) -> None:
        """Serve these rooms and the calls in them."""
        self._api = api
        self._rooms = rooms
        self._live = live

    async def answer(self, path: str, request: Request, *, now: float) -> TwirpReply:
        """Carry out one request (`path` is what follows `/twirp/`); never raises."""
        service, _, name = path.partition("/")
        known = service == SERVICE and (name in METHODS or name in NOT_OFFERED)
        operation = f"twirp.{name}" if known else "twirp"
        try:
            reply = await self._answer(name if known else None, request, now=now)
        except Exception as error:
            problem = twirp_error(error)
            if problem.code == "internal":
                log.exception("request_failed", extra={"operation": operation})
            self._api.metrics.problems[problem.code] += 1
            reply = error_reply(problem)
        self._api.metrics.answers[operation, reply.status] += 1
        return reply

    async def _answer(self, name: str | None, request: Request, *, now: float) -> TwirpReply:
        self._api.check_address(request.address, request.headers.get("origin"), now=now)
        if name is None:
            raise TwirpError("bad_route", f"there is no such method; {SERVICE} is served")
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type not in {JSON, PROTOBUF} or "content-encoding" in request.headers:
            raise TwirpError("bad_route", f"send {JSON} or {PROTOBUF}, not compressed")
        caller = await self._caller(request, now=now)
        if name in NOT_OFFERED:
            raise TwirpError("unimplemented", NOT_OFFERED[name])
        method = METHODS[name]
        message = decode(method.request, request.body, media_type)
        _check_rights(caller, method, message)
        answer = await method.handler(Call(self._rooms, self._live, caller, now), message)
        return TwirpReply(200, encode(answer, media_type), media_type)

    async def _caller(self, request: Request, *, now: float) -> Caller:
        try:
            caller = await authenticate(request.headers.get("authorization"), self._rooms, now=now)
        except Problem:
            self._api.count_failure(request.address, now=now)
            raise
        if caller.person is None:
            self._api.check_caller(caller.key.key, now=now)
        else:
            self._api.check_person(f"{caller.person.room_id} {caller.person.identity}", now=now)
        return caller


def error_reply(error: TwirpError) -> TwirpReply:
    """Write an error; JSON whatever the request was."""
    body = json.dumps({"code": error.code, "msg": error.msg}, ensure_ascii=False).encode()
    return TwirpReply(error.status, body, JSON, {"Cache-Control": "no-store", **error.headers})


def _check_rights(caller: Caller, method: Method, message: Any) -> None:
    room = getattr(message, "room", "") if method.grant == "roomAdmin" else ""
    destination = getattr(message, "destination_room", None)
    require(caller, method.grant, method.scope, room=room, destination=destination)
