"""The waiting room's channel over real sockets: for those who wait, and for those who let them in."""

import asyncio
import base64
import time
from typing import Any

import aiohttp
import pytest
from livekit.protocol import rtc

from rooms import KeyRing, Rooms
from signalling.waiting import WAITING_VERBS
from tests.figures.knocks import crowd
from tests.support.eventually import eventually
from tests.support.management import Management
from tests.support.server import Server
from tests.support.waiting_client import WaitingClient

pytestmark = pytest.mark.integration

CROWD = 60  # `tests.figures.knocks` measures 300, on a machine that has nothing else to do
CROWD_ROOMS = 20


async def test_a_patient_waits_until_the_host_lets_them_in(management: Management) -> None:
    server = management.server
    room = await management.room(waiting_room=True)
    patient = await management.token(room, "patient", role="patient")
    host = await management.token(room, "doctor", role="host")
    assert await _validate(server, patient) == (403, "not-admitted")
    async with WaitingClient(server, patient) as waiting, WaitingClient(server, host) as attending:
        state = await waiting.hears("waiting", attended=True)
        assert (state["position"], state["message"], state["late"]) == (1, None, None)
        while not (people := (await attending.hears("people"))["waiting"]):
            pass
        assert [(one["identity"], one["name"], one["here"]) for one in people] == [
            ("patient", "Patient", True)
        ]
        assert people[0]["since"] == state["since"]
        assert (await attending.ask("late_notice", minutes=10))["type"] == "done"
        assert (await waiting.hears("waiting"))["late"]["minutes"] == 10
        assert (await attending.ask("message", text="Bonjour", identity="patient"))["type"] == "done"
        assert (await waiting.hears("waiting"))["message"]["text"] == "Bonjour"
        assert (await attending.ask("admit", identity="patient"))["type"] == "done"
        token = (await waiting.hears("admitted"))["token"]
        assert await waiting.ends() == 1000
        await attending.hears("people", waiting=[])
    assert await _validate(server, token) == (400, "join_request is missing")
    events = (await management.ask("GET", f"/v1/events?room={room}"))["items"]
    told = [(one["type"], one["data"].get("by")) for one in events if one["data"].get("cause") == "host"]
    assert told == [
        ("waiting_room.late_notice", "doctor"),
        ("waiting_room.message", "doctor"),
        ("participant.admitted", "doctor"),
    ]
    assert "Bonjour" not in str(events)


async def test_no_description_reaches_somebody_who_was_not_admitted(management: Management) -> None:
    server = management.server
    room = await management.room(waiting_room=True)
    token = await management.token(room, "patient", role="patient")
    async with WaitingClient(server, token) as waiting:
        await waiting.hears("waiting")
        wrapped = rtc.WrappedJoinRequest(
            join_request=rtc.JoinRequest(publisher_offer=_OFFER).SerializeToString()
        )
        query = {"join_request": base64.urlsafe_b64encode(wrapped.SerializeToString()).decode()}
        async with aiohttp.ClientSession() as http:
            for headers in ({"Authorization": f"Bearer {token}"}, {}):
                url = f"{server.url}/rtc/v1"
                upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", **headers}
                upgrade |= {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
                asked = query if headers else {**query, "access_token": token}
                async with http.get(url, params=asked, headers=upgrade) as answer:
                    assert (answer.status, await answer.read()) == (403, b"not-admitted")
        assert "v=0" not in str(waiting.heard)


_OFFER = rtc.SessionDescription(type="offer", sdp="v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", id=1)


async def test_an_admission_by_rest_is_heard_at_once(management: Management) -> None:
    room = await management.room(waiting_room=True)
    token = await management.token(room, "patient", role="patient")
    async with WaitingClient(management.server, token) as waiting:
        await waiting.hears("waiting")
        await management.ask("POST", f"/v1/rooms/{room}/participants/patient/admit")
        await waiting.hears("admitted")


async def test_the_place_outlives_a_crash_of_the_server(own_server: Server) -> None:
    async with Management(own_server) as management:
        room = await management.room(waiting_room=True)
        tokens = [await management.token(room, name, role="patient") for name in ("first", "second")]
        async with WaitingClient(own_server, tokens[0]) as first:
            since = (await first.hears("waiting"))["since"]
            async with WaitingClient(own_server, tokens[1]) as second:
                assert (await second.hears("waiting"))["position"] == 2
                own_server.kill()
        own_server.start()
        async with (
            WaitingClient(own_server, tokens[1]) as second,
            WaitingClient(own_server, tokens[0]) as first,
        ):
            assert (await second.hears("waiting"))["position"] == 2
            again = await first.hears("waiting")
            assert (again["position"], again["since"]) == (1, since)


async def test_an_admission_at_another_server_on_the_same_database_is_heard(own_server: Server) -> None:
    async with Management(own_server) as management:
        room = await management.room(waiting_room=True)
        token = await management.token(room, "patient", role="patient")
        async with WaitingClient(own_server, token) as waiting:
            await waiting.hears("waiting")
            await asyncio.sleep(1.2)  # by then the server follows what others write
            other = await Rooms.open(f"sqlite:///{own_server.data_dir}/colloque.sqlite3", keys=KeyRing([]))
            await other.waiting_room.admit("default", room, "patient", now=time.time())
            await other.close()
            await waiting.hears("admitted")


async def test_what_lives_is_counted_and_goes(own_server: Server) -> None:
    async with Management(own_server) as management:
        room = await management.room(waiting_room=True)
        token = await management.token(room, "patient", role="patient")
        async with WaitingClient(own_server, token) as waiting:
            await waiting.hears("waiting")
            during = (await management.debug_state())["waiting"]
            assert (during["waiting"], during["connections"]) == (1, 1)
            assert 'colloque_waiting_objects{kind="waiting"} 1.0' in await management.metrics()
            await waiting.say(type="leave")
            await waiting.ends()

        async def gone() -> bool:
            left = (await management.debug_state())["waiting"]
            return not any(
                left[kind] for kind in ("waiting", "connections", "sockets", "addresses", "absent")
            )

        await eventually(gone)


async def test_who_waits_is_sent_away_gently_when_the_server_stops(own_server: Server) -> None:
    async with Management(own_server) as management:
        room = await management.room(waiting_room=True)
        token = await management.token(room, "patient", role="patient")
        async with WaitingClient(own_server, token) as waiting:
            await waiting.hears("waiting")
            stopping = asyncio.to_thread(own_server.stop)
            close_code, exit_code = await asyncio.gather(waiting.ends(), stopping)
            assert (close_code, exit_code) == (1001, 0)
            assert waiting.heard[-1] == {"type": "again", "retry_after": 2}


@pytest.mark.parametrize(
    ("end", "type_", "fields", "code"),
    [
        ("finish", "closed", {"reason": "finished"}, 4005),
        ("cancel", "closed", {"reason": "cancelled"}, 4005),
        ("delete", "closed", {"reason": "deleted"}, 4005),
        ("deny", "denied", {}, 4004),
        ("remove", "refused", {"code": "revoked"}, 4004),
        ("forget", "refused", {"code": "revoked"}, 4004),
        ("open", "admitted", {}, 1000),
        ("promote", "admitted", {}, 1000),
    ],
)
async def test_whatever_ends_the_wait_is_told(
    management: Management, end: str, type_: str, fields: dict[str, str], code: int
) -> None:
    room = await management.room(waiting_room=True)
    person = f"/v1/rooms/{room}/participants/patient"
    token = await management.token(room, "patient", role="patient")
    async with WaitingClient(management.server, token) as waiting:
        await waiting.hears("waiting")
        verb, path, body = {
            "finish": ("POST", f"/v1/rooms/{room}/finish", None),
            "cancel": ("POST", f"/v1/rooms/{room}/cancel", None),
            "delete": ("DELETE", f"/v1/rooms/{room}", None),
            "deny": ("POST", f"{person}/deny", None),
            "remove": ("POST", f"{person}/remove", None),
            "forget": ("DELETE", person, None),
            "open": ("PATCH", f"/v1/rooms/{room}", {"waiting_room": False}),
            "promote": ("PUT", person, {"role": "delegate"}),
        }[end]
        await management.ask(verb, path, body)
        await waiting.hears(type_, **fields)
        assert await waiting.ends() == code


async def test_only_hosts_and_delegates_may_act(management: Management) -> None:
    assert {verb for verb, _ in _EVERY_VERB} == set(WAITING_VERBS)
    room = await management.room(waiting_room=True)
    tokens = {
        role: await management.token(room, role, role=role) for role in ("patient", "guest", "delegate")
    }
    async with WaitingClient(management.server, tokens["patient"]) as waiting:
        await waiting.hears("waiting")
        for verb, fields in _EVERY_VERB:
            answer = await waiting.ask(verb, **fields)
            assert (answer["type"], answer["code"]) == ("error", "forbidden"), verb
        async with WaitingClient(management.server, tokens["delegate"]) as attending:
            await attending.hears("people")
            for verb, fields in _EVERY_VERB:
                answer = await attending.ask(verb, **fields)
                assert answer["type"] == "done" or answer["code"] == "not-found", (verb, answer)
            assert (await attending.ask("dance"))["code"] == "unknown-verb"
            assert (await attending.ask("admit"))["code"] == "invalid-field"
            assert (await attending.ask("late_notice", minutes=True))["code"] == "invalid-field"
            assert (await attending.ask("message", text="x" * 501))["code"] == "invalid-field"
            assert (await attending.ask("admit", identity="patient", role="host"))["code"] == "invalid-field"


_EVERY_VERB: list[tuple[str, dict[str, Any]]] = [
    ("admit", {"identity": "nobody"}),
    ("deny", {"identity": "nobody"}),
    ("message", {"text": "hello"}),
    ("late_notice", {"minutes": 5}),
    ("admit_all", {}),
]


async def test_tokens_that_open_nothing_are_refused_with_a_word(management: Management) -> None:
    server = management.server
    room = await management.room(waiting_room=True)
    token = await management.token(room, "patient", role="patient")
    other = await management.room(waiting_room=True)
    foreign = management.foreign_token(other, "somebody")
    for bad in ("", "x", token[:-2], "a.b.c"):
        async with WaitingClient(server, bad) as waiting:
            assert (await waiting.next()) == {"type": "refused", "code": "unauthenticated"}
            assert await waiting.ends() == 4010
    async with WaitingClient(server, foreign) as waiting:
        await waiting.hears("waiting", position=1)
    async with WaitingClient(server) as waiting:
        await waiting.say(type="hello", v=2, token=token)
        assert (await waiting.next())["code"] == "unsupported-version"
    log = server.read_log()
    assert token not in log
    assert foreign not in log


async def test_who_says_nothing_or_nonsense_is_closed(management: Management) -> None:
    for text in (
        "",
        "[]",
        "null",
        "[" * 9000,
        '{"type":7}',
        '{"type":"admit"}',
        '{"type":"hello"}',
        "x" * 20_000,
    ):
        async with WaitingClient(management.server) as waiting:
            await waiting.socket.send_str(text)
            assert await waiting.ends() in {1008, 1009}, text[:20]
    async with WaitingClient(management.server) as waiting:
        assert await waiting.ends() == 1008  # after five seconds without a hello


async def _validate(server: Server, token: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{server.url}/rtc/v1/validate", params={"access_token": token}) as answer,
    ):
        return answer.status, await answer.text()


async def test_a_crowd_that_knocks_within_a_second_has_its_places(
    own_server: Server,
) -> None:
    async with Management(own_server) as management:
        rooms = [await management.room(waiting_room=True) for _ in range(CROWD_ROOMS)]
        tokens = [
            management.foreign_token(rooms[number % CROWD_ROOMS], f"patient-{number}")
            for number in range(CROWD)
        ]
        answers, _ = await crowd(own_server, tokens, within=1.0)
        assert answers == {"waiting": CROWD}
        events = (await management.ask("GET", f"/v1/events?room={rooms[0]}&limit=200"))["items"]
        came = [one for one in events if one["type"] == "participant.waiting"]
        assert len(came) == CROWD // CROWD_ROOMS
