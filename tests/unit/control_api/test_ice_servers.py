"""Relays for the holder of a join token, and for nobody else."""

from typing import Any

import pytest

from rooms.rights import EVERYTHING
from rooms.tokens import mint_join_token
from tests.unit.control_api.conftest import KEY, NOW, Client, basic
from turn_config import IceServer, IceServers

RELAYS = IceServers((IceServer(("turn:visio.example:3478?transport=udp",), "1:r", "secret"),), 600)


def bearer(room: str = "rdv", now: float = NOW) -> str:
    token = mint_join_token(
        KEY.key, KEY.secret, room=room, identity="p1", grants=EVERYTHING, now=now, ttl_seconds=60
    )
    return f"Bearer {token}"


async def test_who_may_come_in_gets_the_relays_of_the_server(client: Client) -> None:
    client.api._ice_servers = lambda: RELAYS
    await client.ask("POST", "/v1/rooms", {"id": "rdv"})
    reply = await client.ask("POST", "/v1/ice-servers", authorization=bearer())
    assert reply.status == 200
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.body == {
        "ice_servers": [
            {"urls": ["turn:visio.example:3478?transport=udp"], "username": "1:r", "credential": "secret"}
        ],
        "ttl_seconds": 600,
    }


async def test_without_relays_there_are_none_and_no_third_partys(client: Client) -> None:
    await client.ask("POST", "/v1/rooms", {"id": "rdv"})
    reply = await client.ask("POST", "/v1/ice-servers", authorization=bearer())
    assert reply.body == {"ice_servers": [], "ttl_seconds": 14_400}


@pytest.mark.parametrize(
    ("authorization", "status", "code"),
    [
        (None, 401, "unauthenticated"),
        (basic(KEY.key, KEY.secret), 401, "unauthenticated"),
        ("Bearer nonsense", 401, "unauthenticated"),
        (bearer(now=NOW - 3600), 401, "unauthenticated"),
        (bearer("elsewhere"), 404, "not-found"),
        (bearer("closed"), 403, "too-early"),
        (bearer("waiting"), 403, "not-admitted"),
    ],
)
async def test_nobody_else_gets_any(
    client: Client, authorization: str | None, status: int, code: str
) -> None:
    client.api._ice_servers = lambda: RELAYS
    times = {"starts_at": "2040-01-01T10:00:00Z", "ends_at": "2040-01-01T11:00:00Z"}
    await client.ask("POST", "/v1/rooms", {"id": "closed", **times})
    await client.ask("POST", "/v1/rooms", {"id": "waiting", "waiting_room": True})
    await client.ask("PUT", "/v1/rooms/waiting/participants/p1", {"role": "patient"})
    headers: dict[str, Any] = {} if authorization is None else {"authorization": authorization}
    reply = await client.ask("POST", "/v1/ice-servers", key=None, **headers)
    assert (reply.status, reply.body["code"]) == (status, code)
    assert reply.headers.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)
    assert "secret" not in reply.text


async def test_guessing_is_counted(client: Client) -> None:
    for _ in range(120):
        await client.ask("POST", "/v1/ice-servers", key=None, authorization="Bearer guess")
    reply = await client.ask("POST", "/v1/ice-servers", key=None, authorization="Bearer guess")
    assert reply.status == 429
    assert int(reply.headers["Retry-After"]) > 0
