"""Who may call, how often, and from where; who may do what is in tests/data/access.toml."""

import base64
from dataclasses import replace
from typing import Any

import jwt
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from control_api import Addresses, ApiSettings
from control_api.rate import MAX_CALLERS, RateLimiter
from rooms import ApiKey
from rooms.rights import EVERYTHING
from rooms.tokens import mint_join_token
from tests.unit.control_api.conftest import KEY, NOW, READER, STRANGER, Client, basic


def bearer(claims: dict[str, Any], key: ApiKey = KEY) -> str:
    return "Bearer " + jwt.encode(claims, key.secret, "HS256")


async def test_a_key_with_fewer_scopes_cannot_write(client: Client) -> None:
    assert (await client.ask("GET", "/v1/rooms", key=READER)).status == 200
    assert (await client.ask("POST", "/v1/rooms", {}, key=READER)).status == 403


async def test_a_token_cannot_have_more_scopes_than_its_key(client: Client) -> None:
    token = bearer({"iss": "reader", "exp": NOW + 60, "scope": "rooms:read rooms:write"}, READER)
    assert (await client.ask("POST", "/v1/rooms", {}, authorization=token)).status == 403


async def test_a_signed_token_calls_like_its_key(client: Client) -> None:
    token = bearer({"iss": "portal", "exp": NOW + 60, "jti": "1", "iat": NOW, "nbf": NOW})
    assert (await client.ask("POST", "/v1/rooms", {}, authorization=token)).status == 201


async def test_the_token_of_a_participant_is_no_key(client: Client) -> None:
    join = mint_join_token(
        KEY.key, KEY.secret, room="rdv", identity="host", grants=EVERYTHING, now=NOW, ttl_seconds=60
    )
    assert (await client.ask("GET", "/v1/rooms", authorization=f"Bearer {join}")).status == 401
    named = bearer({"iss": "portal", "exp": NOW + 60, "sub": "p1"})
    assert (await client.ask("GET", "/v1/rooms", authorization=named)).status == 401


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"portal").decode(),
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        basic("portal", "wrong"),
        basic("portal", ""),
        basic("", ""),
        basic("nobody", KEY.secret),
        basic("reader", KEY.secret),
        basic("Portal", KEY.secret),
        "Bearer",
        "Bearer x.y.z",
        bearer({"iss": "portal"}),
        bearer({"iss": "portal", "exp": NOW - 60}),
        bearer({"iss": "portal", "exp": NOW + 60}, STRANGER),
        bearer({"iss": "portal", "exp": NOW + 60, "scope": ["rooms:read"]}),
        bearer({"iss": "portal", "exp": NOW + 60, "admin": True}),
        "Digest username=portal",
        KEY.secret,
    ],
)
async def test_every_failed_authentication_gets_the_same_answer(client: Client, authorization: str) -> None:
    refused = await client.ask("GET", "/v1/rooms", authorization=authorization)
    usual = await client.ask("GET", "/v1/rooms", key=None)
    assert refused.status == 401
    assert {**refused.body, "trace_id": ""} == {**usual.body, "trace_id": ""}
    assert refused.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://visio.example", 200),
        ("https://portal.example", 200),
        ("null", 403),
        ("https://evil.example", 403),
        ("https://visio.example.evil.example", 403),
        ("http://visio.example", 403),
        ("https://visio.example:444", 403),
    ],
)
async def test_pages_of_other_origins_may_not_call(client: Client, origin: str, status: int) -> None:
    assert (await client.ask("GET", "/v1/rooms", origin=origin)).status == status


class TestRates:
    def test_saved_up_requests_may_come_at_once_and_then_at_the_rate(self) -> None:
        limiter = RateLimiter(60)
        assert [limiter.take("a", now=0.0) for _ in range(60)] == [None] * 60
        assert limiter.take("a", now=0.0) == 1
        assert limiter.take("b", now=0.0) is None
        assert limiter.take("a", now=1.0) is None
        assert limiter.take("a", now=1.0) == 1

    def test_the_wait_that_is_told_is_enough(self) -> None:
        limiter = RateLimiter(2)
        limiter.take("a", now=0.0)
        limiter.take("a", now=0.0)
        wait = limiter.take("a", now=0.0)
        assert wait == 30
        assert limiter.take("a", now=wait) is None

    def test_a_clock_set_back_takes_nothing_away(self) -> None:
        limiter = RateLimiter(60)
        limiter.take("a", now=1000.0)
        assert limiter.take("a", now=0.0) is None

    def test_callers_are_remembered_within_a_bound(self) -> None:
        limiter = RateLimiter(1)
        for number in range(MAX_CALLERS + 10):
            limiter.take(str(number), now=0.0)
        assert len(limiter) == MAX_CALLERS

    def test_no_limit_is_no_limit(self) -> None:
        limiter = RateLimiter(0)
        assert [limiter.take("a", now=0.0) for _ in range(100)] == [None] * 100

    async def test_a_caller_over_its_rate_is_told_when_to_come_back(self, client: Client) -> None:
        client.api.reconfigure(_settings(requests_per_minute_per_key=2))
        answers = [await client.ask("GET", "/v1/rooms", address=str(n)) for n in range(3)]
        assert [one.status for one in answers] == [200, 200, 429]
        assert (answers[2].body["code"], answers[2].headers["Retry-After"]) == ("rate-limited", "30")
        client.now += 30
        assert (await client.ask("GET", "/v1/rooms")).status == 200

    async def test_guessing_links_is_slowed_down_and_using_them_is_not(self, client: Client) -> None:
        client.api.reconfigure(_settings(failures_per_minute_per_address=3))
        await client.ask("POST", "/v1/rooms", {"id": "rdv"})
        secret = (await client.ask("POST", "/v1/rooms/rdv/links")).body["url"].rpartition("/")[2]
        guesses = [
            (await client.ask("POST", "/v1/join", {"link": f"guess{n}"}, key=None)).status for n in range(5)
        ]
        assert guesses == [404, 404, 404, 429, 429]
        assert (await client.ask("POST", "/v1/join", {"link": secret}, key=None)).status == 200

    async def test_guessing_keys_is_slowed_down(self, client: Client) -> None:
        client.api.reconfigure(_settings(failures_per_minute_per_address=1))
        answers = [
            (await client.ask("GET", "/v1/rooms", authorization=basic("portal", str(n)))).status
            for n in range(3)
        ]
        assert answers == [401, 429, 429]


async def test_answers_and_errors_are_counted(client: Client) -> None:
    await client.ask("POST", "/v1/rooms", {})
    await client.ask("POST", "/v1/rooms", {"x": 1})
    await client.ask("GET", "/v1/rooms", key=None)
    registry = CollectorRegistry()
    registry.register(client.api.metrics)
    figures = generate_latest(registry).decode()
    assert 'colloque_api_requests_total{operation="create_room",status="201"} 1.0' in figures
    assert 'colloque_api_problems_total{code="invalid-field"} 1.0' in figures
    assert 'colloque_api_problems_total{code="unauthenticated"} 1.0' in figures
    assert 'colloque_api_rate_callers{limit="key"} 1.0' in figures


async def test_a_defect_of_ours_is_an_error_without_its_text(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr(client.rooms, "list_rooms", broken)
    refused = await client.ask("GET", "/v1/rooms")
    assert (refused.status, refused.body["code"]) == (500, "failed")
    assert "hunter2" not in refused.text
    assert "request_failed" in caplog.messages


def _settings(**limits: int) -> ApiSettings:
    return replace(ApiSettings(Addresses("https://visio.example")), **limits)  # type: ignore[arg-type]
