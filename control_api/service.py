"""The REST interface as a function of values: a request in, a reply out, errors with stable codes."""

from __future__ import annotations

import json
import logging
import re
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from control_api import (
    admission_operations,
    connection_test_operations,
    event_operations,
    group_operations,
    ice_operations,
    join_operations,
    moderation_operations,
    participant_operations,
    quality_operations,
    rating_operations,
    room_operations,
    room_state_operations,
    webhook_operations,
)
from control_api.auth import Caller, asking_for_a_token, authenticate, bearer, require
from control_api.body import read_json, validated
from control_api.manual import Manual
from control_api.metrics import ApiMetrics
from control_api.operations import Addresses, Call, Operation, Reply, invalid_query, no_ice_servers
from control_api.problems import CONTENT_TYPE, FieldError, Problem
from control_api.rate import RateLimiter
from rooms import InvalidTransition, InvalidValue, JoinRefused, Rooms, RoomsError, TooOften
from sfu import PeerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import BaseModel

    from control_api.live import LiveRooms
    from control_api.webhooks import Courier
    from turn_config import IceServers

log = logging.getLogger("control_api")

OPERATIONS: tuple[Operation, ...] = (
    *room_operations.OPERATIONS,
    *room_state_operations.OPERATIONS,
    *participant_operations.OPERATIONS,
    *admission_operations.OPERATIONS,
    *group_operations.OPERATIONS,
    *moderation_operations.OPERATIONS,
    *quality_operations.OPERATIONS,
    *event_operations.OPERATIONS,
    *rating_operations.OPERATIONS,
    *webhook_operations.OPERATIONS,
    *join_operations.OPERATIONS,
    *ice_operations.OPERATIONS,
    *connection_test_operations.OPERATIONS,
)
_JSON_TYPES = ("application/json", "application/merge-patch+json")


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Choices of the operator; a limit of 0 is no limit."""

    addresses: Addresses
    own_origins: frozenset[str] = frozenset()
    """Origins under which this server serves its page."""
    allowed_origins: frozenset[str] = frozenset()
    """Other origins whose pages may call; a request without `Origin` does not come from a page."""
    requests_per_minute_per_key: int = 6000
    requests_per_minute_per_person: int = 300
    requests_per_minute_per_address: int = 1200
    failures_per_minute_per_address: int = 120


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came."""

    address: str
    path: Mapping[str, str] = field(default_factory=dict)
    """The variable parts of the path, decoded."""
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""


class ControlApi:
    """Answers requests; owns nothing but the counters of its rate limits."""

    def __init__(
        self,
        rooms: Rooms,
        settings: ApiSettings,
        *,
        version: str,
        courier: Courier | None = None,
        live: LiveRooms | None = None,
        ice_servers: Callable[[], IceServers] = no_ice_servers,
    ) -> None:
        """Serve these rooms and the calls in them; without a courier, no webhooks."""
        self._ice_servers = ice_servers
        self._rooms = rooms
        self._courier = courier
        self._live = live
        self._version = version
        self.metrics = ApiMetrics(verdicts=rooms.connection_tests.verdicts)
        self.reconfigure(settings)

    def reconfigure(self, settings: ApiSettings) -> None:
        """Use other settings from now on; rate limits start afresh."""
        self._settings = settings
        self._by_key = RateLimiter(settings.requests_per_minute_per_key)
        self._by_person = RateLimiter(settings.requests_per_minute_per_person)
        self._by_address = RateLimiter(settings.requests_per_minute_per_address)
        self._failures = RateLimiter(settings.failures_per_minute_per_address)
        self.metrics.limiters = {
            "key": self._by_key,
            "person": self._by_person,
            "address": self._by_address,
            "failures": self._failures,
        }
        self.manual = Manual(OPERATIONS, version=self._version, server=settings.addresses.public_url)

    def cross_origin_headers(self, origin: str | None) -> dict[str, str]:
        """Give what lets a browser hand an answer to a page of another origin, if that may call."""
        if origin not in self._settings.allowed_origins:
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Expose-Headers": "ETag, Link, Location, Retry-After",
            "Vary": "Origin",
        }

    async def answer(self, operation: Operation, request: Request, *, now: float) -> Reply:
        """Carry out one request; never raises."""
        trace_id = _trace_id(request.headers.get("traceparent"))
        try:
            reply = await self._answer(operation, request, now=now)
        except Exception as error:
            problem = _problem_of(error)
            if problem.code == "failed":
                log.exception("request_failed", extra={"operation": operation.name, "trace_id": trace_id})
            self.metrics.problems[problem.code] += 1
            reply = problem_reply(problem, trace_id)
        self.metrics.answers[operation.name, reply.status] += 1
        return reply

    def check_address(self, address: str, origin: str | None, *, now: float) -> None:
        """Count a request of an address; refuse one too many, and pages that may not call."""
        _within(self._by_address, address, now=now)
        if origin is not None and origin not in self._settings.own_origins | self._settings.allowed_origins:
            raise Problem("forbidden", "pages of another origin may not call")

    def check_caller(self, caller: str, *, now: float) -> None:
        """Count a request of an API key; refuse one too many."""
        _within(self._by_key, caller, now=now)

    def check_person(self, person: str, *, now: float) -> None:
        """Count a request of a participant, which must not use up what the key of the application has."""
        _within(self._by_person, person, now=now)

    def count_failure(self, address: str, *, now: float) -> None:
        """Count a guess that was wrong; refuse one too many."""
        _within(self._failures, address, now=now)

    async def _answer(self, operation: Operation, request: Request, *, now: float) -> Reply:
        origin = request.headers.get("origin")
        self.check_address(request.address, origin, now=now)
        call = Call(
            rooms=self._rooms,
            addresses=self._addresses_for(origin),
            now=now,
            path=request.path,
            query=_query(operation, request),
            headers=request.headers,
            caller_or_none=self._caller(operation, request, now=now),
            courier_or_none=self._courier,
            ice_servers=self._ice_servers,
            live=self._live,
        )
        if operation.by_join_token:
            await self._check_join_token(request, now=now)
        if any("\0" in one for one in request.path.values()):
            raise Problem("not-found")  # no id has one, and not every database can be asked for it
        call = replace(call, body=_body(operation, request))
        try:
            return await operation.handler(call)
        except (JoinRefused, Problem) as refusal:
            if operation.scope is None and refusal.code == "not-found":
                self.count_failure(request.address, now=now)
            raise

    def _caller(self, operation: Operation, request: Request, *, now: float) -> Caller | None:
        if operation.scope is None:
            return None
        try:
            caller = authenticate(request.headers.get("authorization"), self._rooms.keys, now=now)
        except Problem:
            self.count_failure(request.address, now=now)
            raise
        self.check_caller(caller.key.key, now=now)
        require(caller, operation.scope)
        return caller

    async def _check_join_token(self, request: Request, *, now: float) -> None:
        try:
            token = bearer(request.headers.get("authorization"))
            admission = await self._rooms.verify_join(token, now=now)
        except (JoinRefused, Problem) as refusal:
            if refusal.code != "busy":
                self.count_failure(request.address, now=now)
            raise asking_for_a_token(refusal.code) from refusal
        self.check_person(f"{admission.room_id} {admission.identity}", now=now)

    def _addresses_for(self, origin: str | None) -> Addresses:
        # A page that was opened under another name of this server must connect under that name too.
        return Addresses(origin) if origin in self._settings.own_origins else self._settings.addresses


def problem_reply(problem: Problem, trace_id: str) -> Reply:
    """Write a problem as an answer."""
    headers = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store", **problem.headers}
    return Reply(problem.status, json.dumps(problem.body(trace_id), ensure_ascii=False), headers)


def _within(limiter: RateLimiter, caller: str, *, now: float) -> None:
    wait = limiter.take(caller, now=now)
    if wait is not None:
        raise Problem("rate-limited", f"try again in {wait} s", headers={"Retry-After": str(wait)})


def _query(operation: Operation, request: Request) -> dict[str, str]:
    known = {one.name for one in operation.query}
    found: dict[str, str] = {}
    for name, value in request.query:
        family = f"{name.partition('.')[0]}.*" if "." in name else name
        if not {name, family} & known or name in found:
            detail = "is not known here or comes twice"
            raise Problem(
                "invalid-field", f"{name}: {detail}", errors=(FieldError(f"?{name}", "extra", detail),)
            )
        if "\0" in value:
            raise invalid_query(name, "must not have the character U+0000")
        found[name] = value
    return found


def _body(operation: Operation, request: Request) -> BaseModel | Any:
    if operation.body is None:
        if request.body:
            raise Problem("invalid-field", "this request has no body")
        return None
    if not request.body and operation.body_optional:
        return operation.body()
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in _JSON_TYPES or "content-encoding" in request.headers:
        raise Problem("unsupported-media-type", "send application/json, not compressed")
    value = read_json(request.body)
    if operation.merge_patch:
        if not isinstance(value, dict):
            raise Problem("invalid-field", "a merge patch is an object")
        return value
    return validated(operation.body, value)


def _problem_of(error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case JoinRefused(code=code):
            return Problem(code)
        case PeerError(code=code):
            return _live_problem(code, error.text)
        case InvalidValue(field=name):
            return Problem(
                "invalid-field", f"{name}: {error}", errors=(FieldError(f"/{name}", "invalid", str(error)),)
            )
        case RoomsError(code="busy"):
            return Problem("busy", headers={"Retry-After": "2"})
        case RoomsError(code="not-found"):
            return Problem("not-found")  # without saying what, so that absent and not allowed look alike
        case TooOften(retry_after=wait):
            return Problem("rate-limited", str(error), headers={"Retry-After": str(wait)})
        case InvalidTransition(state=state):
            return Problem("invalid-transition", str(error), more={"state": state})
        case RoomsError(code=code):
            return Problem(code, str(error))
        case _:
            return Problem("failed")


def _live_problem(code: str, text: str) -> Problem:
    match code:
        case "participant-gone":
            return Problem("not-found")
        case "full":
            return Problem("full", text)
        case "unreachable":
            return Problem("busy", text, headers={"Retry-After": "2"})
        case "same-room":
            return Problem("invalid-field", text, errors=(FieldError("/room", "invalid", text),))
        case _:
            return Problem("failed")


def _trace_id(traceparent: str | None) -> str:
    # W3C Trace Context: version, trace id, parent id, flags.
    parts = (traceparent or "").split("-")
    if len(parts) >= 4 and re.fullmatch(r"[0-9a-f]{32}", parts[1]) and parts[1].strip("0"):
        return parts[1]
    return secrets.token_hex(16)
