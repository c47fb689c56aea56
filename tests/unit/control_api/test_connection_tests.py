"""Connection tests by REST: what applications make and read, and what the page does with a secret."""

import csv
import io
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from control_api.body import validated
from control_api.connection_test_schemas import ProbeReportRequest
from control_api.problems import Problem
from tests.unit.control_api.conftest import STRANGER, Client, Reply

TESTS = "/v1/connection-tests"
STEP = {
    "target_kbps": 1200,
    "kbps_up": 1150,
    "kbps_down": 1140,
    "loss_up": 0.01,
    "loss_down": 0,
    "rtt_ms": 40,
}
RESULT: dict[str, Any] = {
    "browser": {"name": "firefox", "version": 128, "os": "linux", "webrtc": True},
    "signalling": {"https_rtt_ms": 20, "wss": True, "wss_rtt_ms": 21.5, "proxied": False},
    "paths": [
        {"name": "udp", "port": 10000, "outcome": "blocked", "connect_ms": None, "ipv6": None},
        {"name": "turn_udp", "port": 3478, "outcome": "ok", "connect_ms": 400, "ipv6": False},
    ],
    "media": {"path": "turn_udp", "port": 3478, "first_frame_ms": 600, "steps": [{**STEP, "jitter_ms": 3}]},
    "devices": {"microphone": "ok", "camera": "ok", "speaker": "heard"},
}
ADVICE = [{"code": "open_udp_media", "ports": ["10000/udp"]}]


async def room(client: Client) -> str:
    """Make a room with a patient, and give the secret of the patient's link."""
    await client.ask("POST", "/v1/rooms", {"id": "rdv"})
    await client.ask("PUT", "/v1/rooms/rdv/participants/p", {"role": "patient"})
    link = await client.ask("POST", "/v1/rooms/rdv/participants/p/link")
    return str(link.body["url"].rpartition("/")[2])


async def opened(client: Client, **shown: str) -> Reply:
    return await client.ask("POST", "/v1/join/connection-tests", shown, key=None)


async def report(client: Client, token: str, result: object = None) -> Reply:
    body = {"token": token, "result": RESULT if result is None else result}
    return await client.ask("POST", "/v1/join/connection-tests/result", body, key=None)


async def test_a_test_is_made_done_and_read(client: Client) -> None:
    await room(client)
    made = await client.ask("POST", TESTS, {"room": "rdv", "identity": "p", "valid_minutes": 60})
    assert (made.status, made.headers["Location"]) == (201, f"{TESTS}/{made.body['id']}")
    assert made.body["url"].startswith("https://visio.example/t/")
    secret = made.body["url"].rpartition("/")[2]
    waiting = (await client.ask("GET", made.headers["Location"])).body
    assert waiting == {**made.body, "url": None}
    assert (waiting["state"], waiting["room"], waiting["identity"]) == ("open", "rdv", "p")
    assert [waiting[name] for name in ("verdict", "reason", "advice", "result", "finished_at")] == [None] * 5

    ticket = await opened(client, test=secret)
    assert ticket.status == 200
    assert (ticket.body["id"], ticket.body["ws_url"]) == (made.body["id"], "wss://visio.example/probe")
    assert ticket.headers["Cache-Control"] == "no-store"
    client.now += 30
    told = await report(client, ticket.body["token"])
    judged = {"verdict": "video_good", "reason": "relay_only", "advice": ADVICE}
    assert (told.status, told.body) == (200, judged)

    done = (await client.ask("GET", made.headers["Location"])).body
    assert {name: done[name] for name in judged} == judged
    assert (done["state"], done["result"]) == ("finished", RESULT)
    assert done["url"] is None
    events = (await client.ask("GET", "/v1/events?room=rdv")).body["items"]
    last = events[-1]
    assert (last["type"], last["occurred_at"]) == ("connection_test.finished", done["finished_at"])
    assert last["data"] == {
        "id": done["id"], "identity": "p", "verdict": "video_good", "reason": "relay_only",
    }  # fmt: skip


async def test_a_test_that_is_tied_to_nothing_makes_no_event(client: Client) -> None:
    made = await client.ask("POST", TESTS)
    assert (made.body["room"], made.body["identity"]) == (None, None)
    ticket = await opened(client, test=made.body["url"].rpartition("/")[2])
    assert (await report(client, ticket.body["token"])).status == 200
    assert (await client.ask("GET", "/v1/events")).body["items"] == []
    assert (await client.ask("GET", f"{TESTS}/{made.body['id']}")).body["state"] == "finished"


async def test_whoever_tries_again_replaces_the_result_and_each_time_is_an_event(client: Client) -> None:
    ticket = (await opened(client, link=await room(client))).body
    await report(client, ticket["token"])
    client.now += 60
    again = await report(client, ticket["token"], {"devices": {"microphone": "denied"}})
    assert again.body["verdict"] == "phone"
    test = (await client.ask("GET", f"{TESTS}/{ticket['id']}")).body
    assert (test["verdict"], test["reason"]) == ("phone", "incomplete")
    assert test["result"]["paths"] == []
    events = (await client.ask("GET", "/v1/events?room=rdv")).body["items"]
    verdicts = [one["data"]["verdict"] for one in events if one["type"] == "connection_test.finished"]
    assert verdicts == ["video_good", "phone"]


async def test_results_without_end_are_refused(client: Client) -> None:
    ticket = (await opened(client, link=await room(client))).body
    answers = [await report(client, ticket["token"], {}) for _ in range(21)]
    assert [one.status for one in answers] == [200] * 20 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 3600


async def test_a_day_of_tests_that_all_had_a_result_is_enough_for_a_person(client: Client) -> None:
    link = await room(client)
    for _ in range(20):
        await report(client, (await opened(client, link=link)).body["token"], {})
    refused = await opened(client, link=link)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "86400")
    client.now += 86400
    assert (await opened(client, link=link)).status == 200


async def test_what_opens_no_test_is_refused(client: Client) -> None:
    link = await room(client)
    join = (await client.ask("POST", "/v1/join", {"link": link}, key=None)).body["token"]
    for token in (join, "x.y.z"):
        refused = await report(client, token)
        assert (refused.status, refused.body["code"]) == (401, "unauthenticated")
        assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert (await opened(client, test="nowhere")).status == 404
    assert (await opened(client, link="nowhere")).status == 404
    assert (await opened(client, test=link)).status == 404  # a link is no test's secret
    for shown in ({}, {"test": "a", "link": "b"}):
        refused = await opened(client, **shown)
        assert (refused.status, refused.body["code"]) == (422, "invalid-field")


async def test_a_token_of_a_test_opens_nothing_else_of_the_interface(client: Client) -> None:
    bearer = f"Bearer {(await opened(client, link=await room(client))).body['token']}"
    relays = await client.ask("POST", "/v1/ice-servers", authorization=bearer)
    assert (relays.status, relays.body["code"]) == (403, "test-only")
    for path in ("/v1/rooms", TESTS):
        assert (await client.ask("GET", path, authorization=bearer)).status == 401


async def test_late_is_told_apart_from_nowhere(client: Client) -> None:
    link = await room(client)
    made = await client.ask("POST", TESTS, {"valid_minutes": 5})
    secret = made.body["url"].rpartition("/")[2]
    token = (await opened(client, test=secret)).body["token"]
    client.now += 301
    for refused in (await opened(client, test=secret), await report(client, token)):
        assert (refused.status, refused.body["code"]) == (403, "too-late")
        assert "ask whoever sent it" in refused.body["detail"]
    assert (await client.ask("GET", f"{TESTS}/{made.body['id']}")).body["state"] == "expired"
    await client.ask("POST", "/v1/rooms/rdv/cancel")
    refused = await opened(client, link=link)
    assert (refused.status, refused.body["code"]) == (403, "too-late")
    assert "room is over" in refused.body["detail"]


async def test_tests_of_others_look_like_tests_that_are_not_there(client: Client) -> None:
    await room(client)
    made = await client.ask("POST", TESTS, {"room": "rdv"})
    theirs = await client.ask("GET", f"{TESTS}/{made.body['id']}", key=STRANGER)
    nowhere = await client.ask("GET", f"{TESTS}/test_nowhere", key=STRANGER)
    assert theirs.status == nowhere.status == 404
    assert {**theirs.body, "trace_id": ""} == {**nowhere.body, "trace_id": ""}
    assert (await client.ask("GET", TESTS, key=STRANGER)).body["items"] == []
    for body in ({"room": "rdv"}, {"room": "rdv", "identity": "p"}, {"room": "nowhere"}):
        assert (await client.ask("POST", TESTS, body, key=STRANGER)).status == 404
    assert (await client.ask("POST", TESTS, {"room": "rdv", "identity": "nobody"})).status == 404
    unnamed = await client.ask("POST", TESTS, {"identity": "p"})
    assert [one["pointer"] for one in unnamed.body["errors"]] == ["/identity"]


async def test_tests_are_listed_newest_first_in_pages_and_by_what_they_are_of(client: Client) -> None:
    link = await room(client)
    ids = []
    for body in ({}, {"room": "rdv"}, {"room": "rdv", "identity": "p"}, {"valid_minutes": 5}):
        ids.append((await client.ask("POST", TESTS, body)).body["id"])
        client.now += 10
    by_link = (await opened(client, link=link)).body
    await report(client, by_link["token"])
    newest_first = [by_link["id"], *reversed(ids)]

    async def listed(query: str = "") -> list[str]:
        return [one["id"] for one in (await client.ask("GET", f"{TESTS}?{query}")).body["items"]]

    assert await listed() == newest_first
    assert await listed("room=rdv") == [newest_first[0], ids[2], ids[1]]
    assert await listed("room=rdv&identity=p") == [newest_first[0], ids[2]]
    assert await listed("state=finished") == [newest_first[0]]
    assert await listed("room=elsewhere") == []
    client.now += 300
    assert await listed("state=expired") == [ids[3]]
    assert await listed("state=open") == [ids[2], ids[1], ids[0]]
    assert (await client.ask("GET", f"{TESTS}?state=done")).status == 422
    client.now += 2 * 86400
    assert await listed("state=expired") == newest_first[1:]  # what has a result does not expire
    assert await listed("state=finished") == [newest_first[0]]

    seen, cursor = [], ""
    while True:
        page = (await client.ask("GET", f"{TESTS}?limit=2{cursor}")).body
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == newest_first


async def test_pages_of_tests_that_were_made_at_one_moment_leave_none_out(client: Client) -> None:
    ids = {(await client.ask("POST", TESTS)).body["id"] for _ in range(5)}
    first = (await client.ask("GET", f"{TESTS}?limit=3")).body
    rest = (await client.ask("GET", f"{TESTS}?limit=3&cursor={first['next']}")).body
    assert {one["id"] for one in (*first["items"], *rest["items"])} == ids


async def test_a_test_is_a_table_for_whoever_opens_ports(client: Client) -> None:
    ticket = (await opened(client, link=await room(client))).body
    await report(client, ticket["token"])
    answer = await client.ask("GET", f"{TESTS}/{ticket['id']}", accept="text/csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    said = [(one["check"], one["name"], one["port"], one["outcome"]) for one in rows]
    assert ("verdict", "relay_only", "", "video_good") in said
    assert ("advice", "open_udp_media", "10000/udp", "") in said
    assert ("path", "udp", "10000/udp", "blocked") in said
    assert ("path", "turn_udp", "3478/udp", "ok") in said
    assert ("device", "microphone", "", "ok") in said
    (step,) = [one for one in rows if one["check"] == "media"]
    assert (step["target_kbps"], step["kbps_up"], step["loss_up"]) == ("1200.0", "1150.0", "0.01")


async def test_a_test_without_a_result_is_a_short_table(client: Client) -> None:
    made = await client.ask("POST", TESTS)
    answer = await client.ask("GET", f"{TESTS}/{made.body['id']}", accept="text/csv")
    assert len(answer.text.splitlines()) == 2


async def test_results_are_counted_by_verdict(client: Client) -> None:
    token = (await opened(client, link=await room(client))).body["token"]
    await report(client, token)
    await report(client, token, {"browser": {**RESULT["browser"], "webrtc": False}})
    registry = CollectorRegistry()
    registry.register(client.api.metrics)
    figures = generate_latest(registry).decode()
    assert 'colloque_connection_tests_total{verdict="video_good"} 1.0' in figures
    assert 'colloque_connection_tests_total{verdict="impossible"} 1.0' in figures
    assert 'colloque_connection_tests_total{verdict="phone"} 0.0' in figures


async def test_the_secret_of_a_test_that_is_asked_for_again_is_the_same_and_not_stored(
    client: Client,
) -> None:
    first = await client.ask("POST", TESTS, {}, idempotency_key="again")
    client.now += 3600
    again = await client.ask("POST", TESTS, {}, idempotency_key="again")
    assert again.body == first.body
    assert len((await client.ask("GET", TESTS)).body["items"]) == 1
    secret = first.body["url"].rpartition("/")[2]
    assert (await opened(client, test=secret)).body["id"] == first.body["id"]


@pytest.mark.parametrize(
    ("part", "value", "pointer"),
    [
        ("user_agent", "Mozilla/5.0", "/result/user_agent"),
        ("browser", {**RESULT["browser"], "name": "netscape"}, "/result/browser/name"),
        ("browser", {**RESULT["browser"], "language": "fr"}, "/result/browser/language"),
        ("paths", [RESULT["paths"][0]] * 17, "/result/paths"),
        ("paths", [{**RESULT["paths"][0], "port": 0}], "/result/paths/0/port"),
        ("paths", [{**RESULT["paths"][0], "address": "192.0.2.1"}], "/result/paths/0/address"),
        ("media", {**RESULT["media"], "steps": [STEP] * 9}, "/result/media/steps"),
        ("media", {**RESULT["media"], "steps": [{**STEP, "loss_up": 1.1}]}, "/result/media/steps/0/loss_up"),
        ("media", {**RESULT["media"], "steps": [{**STEP, "kbps_up": -1}]}, "/result/media/steps/0/kbps_up"),
        ("devices", {"microphone": "loud"}, "/result/devices/microphone"),
    ],
)
def test_a_result_beyond_its_bounds_is_refused_with_the_field(part: str, value: object, pointer: str) -> None:
    with pytest.raises(Problem) as refused:
        validated(ProbeReportRequest, {"token": "t", "result": {**RESULT, part: value}})
    assert [one.pointer for one in refused.value.errors] == [pointer]
