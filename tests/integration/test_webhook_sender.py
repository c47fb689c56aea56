"""One attempt to deliver: where it goes, where it never goes, and how it ends, whatever the answer."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web

from control_api.webhooks import Sender, Targets
from rooms import Outcome
from tests.support.receiver import Receiver, never

pytestmark = pytest.mark.integration

NOW = 1_900_000_000.0
LOOPBACK = "127.0.0.0/8"
Sending = Callable[..., Any]


@pytest.fixture
async def senders() -> AsyncIterator[list[Sender]]:
    opened: list[Sender] = []
    yield opened
    for sender in opened:
        await sender.close()


async def sent(senders: list[Sender], url: str, *targets: str, seconds: float = 5.0) -> Outcome:
    sender = Sender(Targets(targets), version="1", attempt_seconds=seconds)
    sender.open()
    senders.append(sender)
    return await sender.send(url, {"webhook-id": "evt_x"}, "{}", now=NOW)


@pytest.mark.parametrize(
    ("status", "code"),
    [(200, "delivered"), (204, "delivered"), (299, "delivered"), (301, "redirected"), (307, "redirected"),
     (304, "redirected"),
     (400, "refused"), (404, "refused"), (429, "refused"), (410, "gone"), (500, "failed"),
     (503, "failed")],
)  # fmt: skip
async def test_an_answer_is_known_by_its_status(senders: list[Sender], status: int, code: str) -> None:
    async with Receiver(lambda _: status) as receiver:
        outcome = await sent(senders, receiver.url, LOOPBACK)
    assert (outcome.code, outcome.status) == (code, status)
    (delivery,) = receiver.deliveries
    assert delivery.body == "{}"
    assert delivery.headers["webhook-id"] == "evt_x"
    assert delivery.headers["User-Agent"] == "Colloque/1"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (format_datetime(datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(datetime.fromtimestamp(NOW, UTC) - timedelta(seconds=90), usegmt=True), 0.0),
        ("soon", None),
        ("-5", None),
        ("1" * 30, None),
        ("٣", None),
    ],
)
async def test_a_pause_that_is_asked_for_is_read(
    senders: list[Sender], header: str, seconds: float | None
) -> None:
    async with Receiver(lambda _: web.Response(status=503, headers={"Retry-After": header})) as receiver:
        outcome = await sent(senders, receiver.url, LOOPBACK)
    assert outcome == Outcome("failed", 503, seconds)


async def test_a_listed_name_at_an_address_that_is_not_listed_is_not_called(senders: list[Sender]) -> None:
    async with Receiver() as receiver:
        url = f"http://localhost:{receiver.port}/"
        assert await sent(senders, url, "http://localhost:*") == Outcome("not_allowed")
        assert receiver.deliveries == []
        assert (await sent(senders, url, "http://localhost:*", LOOPBACK)).code == "delivered"


async def test_a_name_that_changes_its_address_leads_to_no_other(
    senders: list[Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int, *_: object, **__: object) -> list[Any]:
        asked.append(host)
        addresses = ["10.0.0.1", "127.0.0.1"] if len(asked) == 1 else ["127.0.0.2", "169.254.169.254"]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    async with Receiver() as receiver:
        url = f"http://portal.example:{receiver.port}/"
        outcome = await sent(senders, url, "http://portal.example:*", "127.0.0.1/32")
        assert outcome.code == "delivered"
        assert asked == ["portal.example"]
        again = await sent(senders, url, "http://portal.example:*", "127.0.0.1/32")
        assert again == Outcome("not_allowed")
    assert len(receiver.deliveries) == 1


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "0", "[::ffff:7f00:1]", "127.0.0.1"])
async def test_however_an_address_is_written_it_is_checked(senders: list[Sender], host: str) -> None:
    async with Receiver() as receiver:
        url = f"http://{host}:{receiver.port}/"
        assert await sent(senders, url, "10.0.0.0/8") == Outcome("not_allowed")
        if host not in {"[::ffff:7f00:1]", "127.0.0.1"}:  # listed as a name, which does not list its address
            assert not (await sent(senders, url, f"http://{host}:*")).answered
    assert receiver.deliveries == []


async def test_a_pattern_of_names_lists_no_address(senders: list[Sender]) -> None:
    async with Receiver() as receiver:
        assert await sent(senders, receiver.url, "http://*.0.0.1:*") == Outcome("not_allowed")
    assert receiver.deliveries == []


async def test_a_proxy_of_the_environment_is_not_used(
    senders: list[Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Receiver() as proxy, Receiver() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert (await sent(senders, receiver.url, LOOPBACK)).code == "delivered"
    assert proxy.deliveries == []


async def test_nobody_who_answers_is_waited_for_no_longer_than_the_bound(senders: list[Sender]) -> None:
    async with Receiver(never) as receiver:
        assert await sent(senders, receiver.url, LOOPBACK, seconds=0.3) == Outcome("timed_out")


@pytest.mark.parametrize(
    "answer",
    [b"", b"\x00\xff" * 100, b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000,
     b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", b"SSH-2.0-x\r\n"],
)  # fmt: skip
async def test_what_is_no_http_is_no_answer(senders: list[Sender], answer: bytes) -> None:
    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(respond, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        outcome = await sent(senders, url, LOOPBACK, seconds=2.0)
    assert outcome.code in {"unreachable", "timed_out"}


async def test_a_certificate_that_nobody_vouches_for_is_no_answer(senders: list[Sender]) -> None:
    async with Receiver() as receiver:  # it does not even speak TLS
        outcome = await sent(senders, f"https://127.0.0.1:{receiver.port}/", LOOPBACK, seconds=2.0)
    assert outcome.code == "unreachable"
    assert receiver.deliveries == []


@pytest.mark.parametrize("url", ["", "http://", "http://[", "http://127.0.0.1:99999/", "\x00"])
async def test_what_is_no_address_is_not_called(senders: list[Sender], url: str) -> None:
    assert await sent(senders, url, LOOPBACK) == Outcome("not_allowed")
