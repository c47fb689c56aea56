"""The shell of signalling on real sockets, over a live side without media: the door and those behind it."""

import asyncio
import base64
import gzip
import json
import os
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer
from livekit.protocol import models, rtc

from rooms import Admission, Grants, JoinRefused, RefusalCode, RoomObserver
from signalling.livekit import LiveKitServer, LiveKitSettings, SignalLimits, SignalTimes
from signalling.livekit.hub import Seat
from tests.support.eventually import eventually
from tests.support.live_side import FakeSfu
from tests.support.stage import ALL_RIGHTS, Legs, admission, rights

pytestmark = pytest.mark.integration
QUICK = SignalTimes(ping_interval=1, ping_timeout=1, resume_window=0.5, close_within=0.5)


class FakeGate:
    """Lets in whoever names themselves; a token that is a refusal code is refused with it."""

    def __init__(self) -> None:
        self.observers: list[RoomObserver] = []
        self.grants: Grants = ALL_RIGHTS
        self.before_answer: asyncio.Event | None = None
        self.removed: set[str] = set()

    async def verify_join(self, token: str, *, now: float) -> Admission:
        if not token:
            raise JoinRefused("unauthenticated")
        if token.startswith("!"):
            code: RefusalCode = token[1:]  # type: ignore[assignment]
            raise JoinRefused(code)
        if token in self.removed:
            raise JoinRefused("revoked")
        return admission(token, self.grants, expires_at=now + 600)

    async def refresh_token(self, admission: Admission, *, now: float) -> str:
        return f"fresh-{admission.identity}"

    async def transfer(self, admission: Admission, room_id: str, *, now: float) -> tuple[Admission, str]:
        raise JoinRefused("not-found")

    async def place(self, admission: Admission, *, now: float) -> tuple[Admission, str]:
        return admission, f"fresh-{admission.identity}"

    def observe(self, observer: RoomObserver) -> None:
        self.observers.append(observer)


class House:
    """A running shell and a way to knock at it."""

    def __init__(self, client: TestClient[Any, Any], server: LiveKitServer, gate: FakeGate) -> None:
        self.client = client
        self.server = server
        self.gate = gate

    @property
    def counted(self) -> Any:
        return self.server._hub.counters

    async def open(self, token: str, request: rtc.JoinRequest | None = None, **options: Any) -> "Caller":
        socket = await self.client.ws_connect(
            "/rtc/v1", params=params(token, request), max_msg_size=0, **options
        )
        return Caller(socket)


class Caller:
    """One client connection."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse[Any]) -> None:
        self.socket = socket

    async def next(self) -> rtc.SignalResponse:
        message = await self.socket.receive(timeout=3)
        assert message.type is WSMsgType.BINARY, message
        return rtc.SignalResponse.FromString(message.data)

    async def until(self, kind: str) -> Any:
        while True:
            response = await self.next()
            if response.WhichOneof("message") == kind:
                return getattr(response, kind)

    async def says(self, **message: Any) -> None:
        await self.socket.send_bytes(rtc.SignalRequest(**message).SerializeToString())

    async def close_code(self) -> int | None:
        while (await self.socket.receive(timeout=3)).type in {WSMsgType.BINARY, WSMsgType.TEXT}:
            pass
        return self.socket.close_code


def params(token: str, request: rtc.JoinRequest | None = None) -> dict[str, str]:
    request = request or rtc.JoinRequest(connection_settings=rtc.ConnectionSettings(auto_subscribe=True))
    packed = gzip.compress(request.SerializeToString())
    wrapped = rtc.WrappedJoinRequest(compression=rtc.WrappedJoinRequest.GZIP, join_request=packed)
    return {
        "access_token": token,
        "join_request": base64.urlsafe_b64encode(wrapped.SerializeToString()).decode(),
    }


@asynccontextmanager
async def running(settings: LiveKitSettings | None = None) -> AsyncIterator[House]:
    gate = FakeGate()
    server = LiveKitServer(FakeSfu(), gate, settings, legs=Legs())
    app = web.Application()
    app.add_routes(server.routes())
    app.on_shutdown.append(lambda _app: server.close())
    async with TestClient(TestServer(app)) as client:
        yield House(client, server, gate)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with running() as one:
        yield one


async def test_a_client_joins_and_is_answered_in_binary(house: House) -> None:
    caller = await house.open("ada")
    join = await caller.until("join")
    assert join.participant.identity == "ada"
    await caller.says(ping_req=rtc.Ping(timestamp=5))
    assert (await caller.until("pong_resp")).last_ping_timestamp == 5


async def test_a_client_that_speaks_json_is_answered_in_json(house: House) -> None:
    caller = await house.open("ada")
    await caller.until("join")
    await caller.socket.send_str('{"pingReq": {"timestamp": "5"}}')
    while (message := await caller.socket.receive(timeout=3)).type is WSMsgType.BINARY:
        pass
    assert json.loads(message.data)["pongResp"]["lastPingTimestamp"] == "5"


async def test_the_token_may_be_in_the_header(house: House) -> None:
    query = params("")
    del query["access_token"]
    headers = {"Authorization": "Bearer ada"}
    async with house.client.ws_connect("/rtc/v1", params=query, headers=headers) as socket:
        assert (await Caller(socket).until("join")).participant.identity == "ada"


@pytest.mark.parametrize(
    ("token", "status", "text"),
    [
        ("", 401, "invalid or expired token"),
        ("!unauthenticated", 401, "invalid or expired token"),
        ("!revoked", 401, "revoked"),
        ("!too-early", 403, "too-early"),
        ("!too-late", 403, "too-late"),
        ("!not-admitted", 403, "not-admitted"),
        ("!not-found", 403, "requested room does not exist"),
        ("!rate-limited", 429, "rate-limited"),
        ("!busy", 503, "busy"),
    ],
)
async def test_a_refusal_comes_before_the_upgrade_and_validate_says_the_same(
    house: House, token: str, status: int, text: str
) -> None:
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    upgrade["Sec-WebSocket-Key"] = base64.b64encode(os.urandom(16)).decode()
    for path, headers in (("/rtc/v1", upgrade), ("/rtc/v1/validate", {})):
        async with house.client.get(path, params=params(token), headers=headers) as answer:
            assert (answer.status, await answer.text()) == (status, text)
            assert ("Retry-After" in answer.headers) is (status in {429, 503})
            assert answer.headers["Cache-Control"] == "no-store"


async def test_somebody_who_guesses_has_to_wait_and_others_at_the_same_address_come_in() -> None:
    async with running(LiveKitSettings(limits=SignalLimits(refusals_per_minute_per_address=3))) as house:
        seen = [
            (await house.client.get("/rtc/v1/validate", params=params(token))).status
            for token in ("!revoked", "!not-found", "", "!revoked", "ada", "")
        ]
        assert seen == [401, 403, 401, 429, 200, 429]
        caller = await house.open("ada")
        await caller.until("join")


async def test_validate_says_success_where_a_join_would_succeed(house: House) -> None:
    async with house.client.get("/rtc/v1/validate", params=params("ada")) as answer:
        assert (answer.status, await answer.text()) == (200, "success")
    assert house.server.debug_state()["objects"]["participants"] == 0


@pytest.mark.parametrize("path", ["/rtc/v1", "/rtc/v1/validate"])
@pytest.mark.parametrize("join_request", [None, "", "!!!", "x" * 5000])
async def test_a_bad_join_request_is_no_404(house: House, path: str, join_request: str | None) -> None:
    query = {"access_token": "ada"} | ({} if join_request is None else {"join_request": join_request})
    async with house.client.get(path, params=query) as answer:
        assert answer.status == 400


async def test_a_request_that_is_no_upgrade_is_told_so(house: House) -> None:
    async with house.client.get("/rtc/v1", params=params("ada")) as answer:
        assert answer.status == 426


async def test_pages_of_other_origins_are_turned_away_where_there_is_a_list() -> None:
    settings = LiveKitSettings(allowed_origins=("https://visit.example",))
    async with running(settings) as house:
        for origin in (
            "https://evil.example",
            "null",
            "https://visit.example.evil.example",
            "http://visit.example",
        ):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await house.open("ada", headers={"Origin": origin})
            assert refused.value.status == 403
            answer = await house.client.get(
                "/rtc/v1/validate", params=params("ada"), headers={"Origin": origin}
            )
            assert answer.status == 403
            assert "Access-Control-Allow-Origin" not in answer.headers
        caller = await house.open("ada", headers={"Origin": "https://visit.example"})
        await caller.until("join")


async def test_a_full_room_is_refused_before_the_upgrade() -> None:
    async with running(LiveKitSettings(limits=SignalLimits(legs_per_call=1))) as house:
        caller = await house.open("ada")
        await caller.until("join")
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await house.open("bob")
        assert refused.value.status == 403
        again = await house.open("ada")
        await again.until("join")


async def test_somebody_removed_between_the_check_and_the_call_does_not_get_in(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = web.WebSocketResponse.prepare

    async def removed_meanwhile(self: web.WebSocketResponse, request: Any) -> Any:
        outcome = await prepare(self, request)
        house.gate.removed.add("ada")
        house.gate.observers[0].participant_removed("RM_room", "ada")
        return outcome

    monkeypatch.setattr(web.WebSocketResponse, "prepare", removed_meanwhile)
    caller = await house.open("ada")
    leave = await caller.until("leave")
    assert leave.reason == models.DisconnectReason.PARTICIPANT_REMOVED
    assert house.server.debug_state()["objects"]["participants"] == 0


async def test_rights_taken_away_between_the_check_and_the_call_are_not_had_in_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = web.WebSocketResponse.prepare

    async def changed_meanwhile(self: web.WebSocketResponse, request: Any) -> Any:
        outcome = await prepare(self, request)
        house.gate.grants = rights(can_publish=False)
        house.gate.observers[0].participant_changed("RM_room", "ada", house.gate.grants, "", {})
        return outcome

    monkeypatch.setattr(web.WebSocketResponse, "prepare", changed_meanwhile)
    join = await (await house.open("ada")).until("join")
    assert not join.participant.permission.can_publish


async def test_a_lost_connection_is_resumed_by_another(house: House) -> None:
    caller = await house.open("ada")
    sid = (await caller.until("join")).participant.sid
    _transport(caller).abort()
    await eventually(lambda: _adrift(house))
    again = await house.open("ada", rtc.JoinRequest(reconnect=True, participant_sid=sid))
    assert (await again.next()).WhichOneof("message") == "reconnect"
    update = await again.until("update")
    assert [one.sid for one in update.participants] == [sid]
    assert await again.until("refresh_token") == "fresh-ada"


async def _adrift(house: House) -> bool:
    return bool(house.server.debug_state()["objects"]["adrift"])


async def test_a_place_that_is_not_kept_any_more_means_a_fresh_join() -> None:
    async with running(LiveKitSettings(times=QUICK)) as house:
        caller = await house.open("ada")
        sid = (await caller.until("join")).participant.sid
        await caller.socket.close()
        await eventually(lambda: _nobody(house))
        again = await house.open("ada", rtc.JoinRequest(reconnect=True, participant_sid=sid))
        leave = await again.until("leave")
        assert leave.action == rtc.LeaveRequest.RECONNECT
        assert leave.reason == models.DisconnectReason.STATE_MISMATCH
        assert await again.close_code() == 4007


async def _nobody(house: House) -> bool:
    return not house.server.debug_state()["objects"]["participants"]


async def _closed_by_code(house: House, code: str) -> bool:
    return bool(house.counted.closed[code])


async def test_a_client_that_says_nothing_is_cut_off() -> None:
    async with running(LiveKitSettings(times=QUICK)) as house:
        caller = await house.open("ada")
        assert await caller.close_code() == 4002


async def test_a_shutdown_has_clients_join_again() -> None:
    async with running() as house:
        caller = await house.open("ada")
        await caller.until("join")
        closing = asyncio.create_task(house.server.close())
        leave = await caller.until("leave")
        assert leave.action == rtc.LeaveRequest.RECONNECT
        assert await caller.close_code() == 1001
        await closing
        async with house.client.get("/rtc/v1/validate", params=params("ada")) as answer:
            assert (answer.status, await answer.text()) == (503, "draining")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\xff" * 10, 1007),
        ("{", 1007),
        ("[" * 200_000, 1007),
        (b"\0" * (640 * 1024 + 1), 1009),
        ("x" * (640 * 1024 + 1), 1009),
    ],
)
async def test_a_client_that_breaks_the_rules_is_sent_away_with_a_code_and_its_room_mates_stay(
    house: House, frame: bytes | str, code: int
) -> None:
    mate = await house.open("bob")
    bad = await house.open("mallory")
    await bad.until("join")
    before = time.monotonic()
    await (bad.socket.send_bytes(frame) if isinstance(frame, bytes) else bad.socket.send_str(frame))
    assert await bad.close_code() == code
    assert time.monotonic() - before < 2
    await mate.says(ping_req=rtc.Ping(timestamp=5))
    await mate.until("pong_resp")
    assert house.server.debug_state()["objects"]["participants"] == 1


async def test_text_that_is_not_utf8_is_refused(house: House) -> None:
    bad = await house.open("mallory")
    await bad.until("join")
    _raw(bad, 0x81, b"\xff\xfe")
    assert await bad.close_code() == 1007
    assert house.server.debug_state()["objects"]["participants"] == 0


async def test_fragments_without_end_are_cut_off(house: House) -> None:
    bad = await house.open("mallory")
    await bad.until("join")
    _raw(bad, 0x02, b"\0" * 60_000)
    for _ in range(11):
        _raw(bad, 0x00, b"\0" * 60_000)
    assert await bad.close_code() == 1009


def _transport(caller: Caller) -> asyncio.Transport:
    connection = caller.socket._response.connection
    assert connection is not None
    assert isinstance(connection.transport, asyncio.Transport)
    return connection.transport


def _raw(caller: Caller, first: int, payload: bytes) -> None:
    """Write a frame as a client does, with a mask of zeros."""
    assert len(payload) < 65_536
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack("!H", len(payload))
    _transport(caller).write(bytes([first]) + size + b"\0\0\0\0" + payload)


async def test_compression_is_not_agreed_to(house: House) -> None:
    caller = await house.open("ada", compress=15)
    assert not caller.socket.compress


async def test_a_flood_is_cut_off_and_costs_room_mates_little(house: House) -> None:
    mate = await house.open("bob")
    await mate.until("join")
    bad = await house.open("mallory")
    ping = rtc.SignalRequest(ping=1).SerializeToString()
    for _ in range(1000):
        await bad.socket.send_bytes(ping)
    assert await bad.close_code() == 1008
    before = time.monotonic()
    await mate.says(ping_req=rtc.Ping(timestamp=5))
    await mate.until("pong_resp")
    assert time.monotonic() - before < 0.2


async def test_others_have_their_turn_between_frames_that_came_together(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = 0
    handled: list[int] = []
    handle = Seat.handle

    def note(seat: Seat, request: rtc.SignalRequest, *, now: float) -> None:
        handled.append(turns)
        handle(seat, request, now=now)

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(Seat, "handle", note)
    caller = await house.open("ada")
    await caller.until("join")
    counting = asyncio.create_task(count_turns())
    await asyncio.gather(*(caller.says(ping_req=rtc.Ping(timestamp=number)) for number in range(50)))
    for _ in range(50):
        await caller.until("pong_resp")
    counting.cancel()
    assert len(handled) == len(set(handled)) == 50


async def test_a_client_that_does_not_read_is_cut_off_within_its_bound() -> None:
    limits = SignalLimits(updates_per_second=1000, updates_burst=1000, messages_per_second=1000)
    async with running(LiveKitSettings(limits=limits)) as house:
        await _fill(house)


async def _fill(house: House) -> None:
    slow = await house.open("slow")
    transport = _transport(slow)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    transport.pause_reading()
    # Of one person only the newest word waits, so it takes several.
    chatty = [await house.open(f"chatty-{number}") for number in range(8)]
    for one in chatty:
        await one.until("join")
    most = 0
    for number in range(1200):
        attributes = {"text": f"{number:06}" + "x" * 60_000}
        await chatty[number % 8].says(update_metadata=rtc.UpdateParticipantMetadata(attributes=attributes))
        await chatty[number % 8].until("request_response")
        most = max(most, house.server.debug_state()["waiting_bytes"])
        if house.server.debug_state()["objects"]["adrift"]:
            break
        await asyncio.sleep(0)
    else:
        pytest.fail("the slow client was never cut off")
    assert most <= 2 * 256 * 1024
    await eventually(lambda: _closed_by_code(house, "4000"))
    transport.abort()
