"""The room API over real HTTP: what only a socket can show."""

import asyncio
import gzip
import json
import time
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.management import Management, Refused, room_name
from tests.support.server import Server

pytestmark = pytest.mark.integration

HOUR = 3600


async def test_the_first_steps_of_the_readme_let_a_person_in(management: Management) -> None:
    room = (await management.ask("POST", "/v1/rooms", {"kind": "consultation", "name": "Demo"}))["id"]
    await management.ask("PUT", f"/v1/rooms/{room}/participants/p1", {"role": "patient", "name": "P."})
    made = await management.ask("POST", f"/v1/rooms/{room}/participants/p1/token")
    assert made["ws_url"] == management.server.ws_url
    assert await _validate(management.server, made["token"]) == (400, "join_request is missing")


async def test_a_link_leads_to_the_page_and_into_the_room(management: Management) -> None:
    room = await management.room()
    link = await management.ask("POST", f"/v1/rooms/{room}/links", {"role": "patient"})
    assert link["url"].startswith(f"{management.server.url}/r/")
    async with aiohttp.ClientSession() as page:
        body = {"link": link["url"].rpartition("/")[2]}
        async with page.post(f"{management.server.url}/v1/join/preview", json=body) as answer:
            assert (answer.status, (await answer.json())["bound"]) == (200, False)
        body |= {"name": "Léa", "key": "k" * 22}
        origin = {"Origin": management.server.url.replace("127.0.0.1", "localhost")}
        async with page.post(f"{management.server.url}/v1/join", json=body, headers=origin) as answer:
            joined = await answer.json()
    assert joined["name"] == "Léa"
    assert joined["ws_url"] == management.server.ws_url.replace("127.0.0.1", "localhost")


async def test_a_removed_persons_token_is_refused_with_the_reason(management: Management) -> None:
    room = await management.room()
    token = await management.token(room, "p1")
    await management.remove(room, "p1")
    assert await _validate(management.server, token) == (401, "revoked")


async def test_a_room_that_is_not_open_says_so_to_its_own_people_only(management: Management) -> None:
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 24 * HOUR))
    room = await management.room(starts_at=later)
    token = await management.token(room, "p1")
    assert await _validate(management.server, token) == (403, "too-early")
    head, _, signature = token.rpartition(".")
    forged = f"{head}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
    assert await _validate(management.server, forged) == (401, "invalid or expired token")


async def test_what_is_sent_too_large_too_deep_or_packed_is_refused(management: Management) -> None:
    for raw, headers, status in (
        (b"x" * 70_000, {}, 413),
        (b"[" * 60_000, {}, 400),
        (gzip.compress(b" " * 10_000_000), {"Content-Encoding": "gzip"}, 413),
        (gzip.compress(b"{}"), {"Content-Encoding": "gzip"}, 415),
        (b"{}", {"Content-Type": "text/plain"}, 415),
    ):
        async with management._http.post(
            "/v1/rooms", data=raw, headers={"Content-Type": "application/json", **headers}
        ) as answer:
            assert answer.status == status
            assert answer.content_type == "application/problem+json"


async def test_a_body_that_never_ends_is_cut_off_without_being_kept(server: Server) -> None:
    head = b"POST /v1/rooms HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = await _raw(server, head, repeat=b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
    assert b" 413 " in answer.split(b"\r\n")[0]


async def test_connections_that_send_nothing_or_a_byte_at_a_time_are_closed(server: Server) -> None:
    opened = [await asyncio.open_connection("127.0.0.1", server.ports.http) for _ in range(50)]
    _, slow = opened[0]
    for byte in b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ":
        slow.write(bytes([byte]))
    ended = await asyncio.wait_for(asyncio.gather(*(reader.read() for reader, _ in opened)), 20)
    assert set(ended) == {b""}
    for _, writer in opened:
        writer.transport.abort()


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/rooms HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"POST /v1/rooms HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\n{}",
        b"GET /v1/rooms HTTP/1.1\r\nHost: x\r\nX-A: a\x00b\r\n\r\n",
        b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=["both lengths", "two lengths", "signed length", "NUL", "long line", "TLS to a plain port"],
)
async def test_a_request_that_two_readers_could_read_differently_is_refused(
    server: Server, head: bytes
) -> None:
    assert (await _raw(server, head)).split(b" ")[1] == b"400"


@pytest.mark.parametrize("method", ["TRACE", "PUT", "PROPFIND"])
async def test_other_methods_are_not_allowed(management: Management, method: str) -> None:
    async with management._http.request(method, "/v1/rooms/x/links") as answer:
        assert answer.status == 405


async def test_monitoring_is_not_on_the_public_listener(management: Management) -> None:
    for path in (
        "/metrics",
        "/livez",
        "/readyz",
        "/debug/state",
        "/firewall.html",
        "/admin/drain",
        "/.git/config",
    ):
        async with management._http.get(path) as answer:
            assert answer.status == 404


async def test_no_figure_is_given_twice(management: Management) -> None:
    await management.room()
    figures = [
        (sample.name, *sorted(sample.labels.items()))
        for family in text_string_to_metric_families(await management.metrics())
        for sample in family.samples
    ]
    assert len(set(figures)) == len(figures)
    names = {str(name) for name, *_ in figures}
    assert {"colloque_rooms", "colloque_build_info", "colloque_event_loop_lag_seconds_count"} <= names
    # The process's own use of the machine has the names that every client library gives it.
    assert all(name.startswith(("colloque_", "process_")) for name in names)


async def test_every_answer_forbids_the_browser_what_it_need_not_do(management: Management) -> None:
    for path in ("/", "/r/x", "/v1/rooms", "/v1/nowhere", "/nowhere"):
        async with management._http.get(path) as answer:
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Server"] == "colloque"


async def test_the_description_is_packed_for_who_can_unpack_it(management: Management) -> None:
    for path in ("/v1/openapi.json", "/v1/docs"):
        texts = set()
        for encoding, sent in (("gzip", "gzip"), ("identity", None)):
            async with management._http.get(path, headers={"Accept-Encoding": encoding}) as answer:
                assert answer.headers.get("Content-Encoding") == sent
                assert answer.headers["Vary"] == "Accept-Encoding"
                texts.add(await answer.text())
        assert len(texts) == 1


async def test_a_page_of_another_origin_may_not_call(management: Management) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    async with management._http.options("/v1/rooms", headers=headers) as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers
    async with management._http.get("/v1/rooms", headers=headers) as answer:
        assert answer.status == 403


async def test_the_openapi_file_names_this_server(management: Management) -> None:
    file = await management.ask("GET", "/v1/openapi.json")
    assert file["servers"] == [{"url": management.server.url}]


async def test_many_callers_at_once_are_all_answered(management: Management) -> None:
    rooms = await asyncio.gather(*(management.room() for _ in range(50)))
    assert len(set(rooms)) == 50


async def test_a_repeated_request_makes_one_room(management: Management) -> None:
    headers = {"Idempotency-Key": room_name()}

    async def ask() -> tuple[int, Any]:
        async with management._http.post("/v1/rooms", json={"name": "A"}, headers=headers) as answer:
            return answer.status, await answer.json()

    answers = await asyncio.gather(*(ask() for _ in range(10)))
    assert {status for status, _ in answers} == {201}
    assert len({json.dumps(body) for _, body in answers}) == 1


async def test_nothing_about_people_is_in_the_log(management: Management) -> None:
    server = management.server
    start = server.log_size()
    room = await management.room(name="Mme Personne", metadata={"nir": "184127645108946"})
    token = await management.token(room, "canary-identity", attributes={"phone": "0612345678"})
    await _validate(server, token)
    with pytest.raises(Refused):
        await management.ask("GET", "/v1/rooms/canary-room")
    await management.remove(room, "canary-identity")
    written = server.read_log(since=start)
    for canary in ("Personne", "184127645108946", "0612345678", "anary", token, server.secret):
        assert canary not in written


async def _validate(server: Server, token: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{server.url}/rtc/v1/validate", params={"access_token": token}) as answer,
    ):
        return answer.status, await answer.text()


async def _raw(server: Server, request: bytes, *, repeat: bytes = b"") -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.ports.http)
    writer.write(request)
    try:
        for _ in range(100 if repeat else 0):
            writer.write(repeat)
            await writer.drain()
    except ConnectionError:
        pass  # it stopped reading, which is the point
    try:
        return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    except (ConnectionResetError, asyncio.IncompleteReadError):
        return b""
    finally:
        writer.transport.abort()
