"""Connection tests: made and read by applications, opened and reported by the page that does them."""

from __future__ import annotations

from typing import get_args

from control_api.auth import asking_for_a_token
from control_api.connection_test_schemas import (
    ConnectionTestBody,
    ConnectionTestPage,
    ConnectionTestRequest,
    ProbeReportRequest,
    ProbeRequest,
    ProbeTicketBody,
    VerdictBody,
)
from control_api.connection_test_table import connection_test_as_csv
from control_api.idempotency import retold
from control_api.operations import Call, Operation, Query, Reply, invalid_query
from control_api.paging import LIMIT, next_page, read_agenda_cursor, read_limit, write_cursor
from control_api.problems import Problem
from control_api.table import CONTENT_TYPE as CSV
from control_api.table import wants_csv
from rooms import ConnectionTestFilter, ConnectionTestState, JoinRefused

_TESTS = "/v1/connection-tests"
_NEVER_STORED = {"Cache-Control": "no-store"}
_STATES: tuple[ConnectionTestState, ...] = get_args(ConnectionTestState)
_LATE = {
    "test": "the connection test has expired; ask whoever sent it for another one",
    "link": "the room is over, so there is nothing to test for",
}


async def create_connection_test(call: Call) -> Reply:
    """Make a connection test; its address is shown this once."""
    request: ConnectionTestRequest = call.body
    test, secret = await call.rooms.connection_tests.create(
        call.tenant,
        room_id=request.room,
        identity=request.identity,
        valid_minutes=request.valid_minutes,
        now=call.now,
        retold=retold(call, f"POST {_TESTS}\n{request.model_dump_json()}"),
    )
    body = ConnectionTestBody.of(test, url=call.addresses.connection_test(secret))
    return Reply(201, body, {**_NEVER_STORED, "Location": f"{_TESTS}/{test.id}"})


async def list_connection_tests(call: Call) -> Reply:
    """List connection tests, the newest first."""
    cursor = call.query.get("cursor")
    found, position = await call.rooms.connection_tests.list(
        call.tenant,
        ConnectionTestFilter(call.query.get("room"), call.query.get("identity"), _state(call)),
        now=call.now,
        after=None if cursor is None else read_agenda_cursor(cursor),
        limit=read_limit(call.query.get("limit")),
    )
    following = None if position is None else write_cursor(*position)
    page = ConnectionTestPage(items=[ConnectionTestBody.of(one) for one in found], next=following)
    return Reply(200, page, next_page(_TESTS, call.query, following))


async def get_connection_test(call: Call) -> Reply:
    """Read a connection test; with `Accept: text/csv` as a table for whoever opens ports."""
    test = await call.rooms.connection_tests.get(call.tenant, call.path["test"], now=call.now)
    body = ConnectionTestBody.of(test)
    if wants_csv(call.headers.get("accept", "")):
        return Reply(200, connection_test_as_csv(body), {"Vary": "Accept", "Content-Type": CSV})
    return Reply(200, body, {"Vary": "Accept"})


async def open_connection_test(call: Call) -> Reply:
    """Get a token to do a connection test with: the one that an address names, or a new one by a link."""
    request: ProbeRequest = call.body
    tests = call.rooms.connection_tests
    try:
        if request.test is not None:
            ticket = await tests.open(request.test, now=call.now)
        else:
            ticket = await tests.open_by_link(str(request.link), now=call.now)
    except JoinRefused as refusal:
        if refusal.code == "too-late":
            raise Problem("too-late", _LATE["link" if request.test is None else "test"]) from refusal
        raise
    return Reply(200, ProbeTicketBody.of(ticket, f"{call.addresses.ws_url}/probe"), _NEVER_STORED)


async def report_connection_test(call: Call) -> Reply:
    """Tell what a connection test found and hear the verdict; the newest result is kept."""
    request: ProbeReportRequest = call.body
    try:
        judged = await call.rooms.connection_tests.finish(request.token, request.result.value(), now=call.now)
    except JoinRefused as refusal:
        if refusal.code == "too-late":
            raise Problem("too-late", _LATE["test"]) from refusal
        raise asking_for_a_token(refusal.code) from refusal
    return Reply(200, VerdictBody.of(judged), _NEVER_STORED)


OPERATIONS = (
    Operation(
        "POST",
        _TESTS,
        create_connection_test,
        "Make a connection test",
        "rooms:write",
        body=ConnectionTestRequest,
        body_optional=True,
        answer=ConnectionTestBody,
        status=201,
        refusals=("not-found",),
        gives=("Location",),
        makes={"test": "$response.body#/id"},
        idempotent_by_key=True,
    ),
    Operation(
        "GET",
        _TESTS,
        list_connection_tests,
        "List connection tests",
        "rooms:read",
        answer=ConnectionTestPage,
        gives=("Link",),
        query=(
            Query("room", "Only tests of the room with this id."),
            Query("identity", "Only tests of participants with this identity."),
            Query("state", "Only tests in this state.", {"type": "string", "enum": list(_STATES)}),
            Query("cursor", "Where the last page ended."),
            Query("limit", "Tests a page.", LIMIT),
        ),
    ),
    Operation(
        "GET",
        _TESTS + "/{test}",
        get_connection_test,
        "Read a connection test",
        "rooms:read",
        answer=ConnectionTestBody,
        also_csv=True,
    ),
    Operation(
        "POST",
        "/v1/join/connection-tests",
        open_connection_test,
        "Open a connection test",
        None,
        body=ProbeRequest,
        answer=ProbeTicketBody,
        refusals=("not-found", "revoked", "too-late"),
    ),
    Operation(
        "POST",
        "/v1/join/connection-tests/result",
        report_connection_test,
        "Report a connection test",
        None,
        body=ProbeReportRequest,
        answer=VerdictBody,
        refusals=("unauthenticated", "not-found", "too-late"),
    ),
)


def _state(call: Call) -> ConnectionTestState | None:
    text = call.query.get("state")
    if text is None:
        return None
    for state in _STATES:
        if text == state:
            return state
    raise invalid_query("state", "must be one of " + ", ".join(_STATES))
