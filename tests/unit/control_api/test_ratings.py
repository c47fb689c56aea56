"""Ratings by REST, from the application and from the page."""

from typing import Any

import pytest

from tests.unit.control_api.conftest import Client

RATINGS = "/v1/rooms/rdv/ratings"
KEY = "k" * 16


async def rated(client: Client) -> list[dict[str, Any]]:
    items = (await client.ask("GET", RATINGS)).body["items"]
    return [{name: one[name] for name in ("identity", "score", "reasons")} for one in items]


async def test_a_rating_is_kept_told_and_replaced_by_the_next(client: Client) -> None:
    await client.ask("POST", "/v1/rooms", {"id": "rdv"})
    first = await client.ask("POST", RATINGS, {"identity": "p", "score": 2, "reasons": ["audio_echo"]})
    assert (first.status, first.body["score"], first.body["created_at"]) == (201, 2, "2030-03-17T17:46:40Z")
    await client.ask("POST", RATINGS, {"identity": "a", "score": 5})
    await client.ask("POST", RATINGS, {"identity": "p", "score": 4, "reasons": ["other", "other"]})
    assert await rated(client) == [
        {"identity": "a", "score": 5, "reasons": []},
        {"identity": "p", "score": 4, "reasons": ["other"]},
    ]
    events = (await client.ask("GET", "/v1/events")).body["items"][1:]
    assert [event["type"] for event in events] == ["rating.created"] * 3
    assert events[0]["data"] == {"identity": "p", "score": 2, "reasons": ["audio_echo"]}


async def test_ratings_come_in_pages(client: Client) -> None:
    await client.ask("POST", "/v1/rooms", {"id": "rdv"})
    for name in "bca":
        await client.ask("POST", RATINGS, {"identity": name, "score": 3})
    first = await client.ask("GET", f"{RATINGS}?limit=2")
    assert [one["identity"] for one in first.body["items"]] == ["a", "b"]
    rest = await client.ask("GET", f"{RATINGS}?limit=2&cursor={first.body['next']}")
    assert ([one["identity"] for one in rest.body["items"]], rest.body["next"]) == (["c"], None)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"identity": "p", "score": 0}, "/score"),
        ({"identity": "p", "score": 6}, "/score"),
        ({"identity": "p", "score": 4.5}, "/score"),
        ({"identity": "p", "score": 4, "reasons": ["the doctor was rude"]}, "/reasons/0"),
        ({"identity": "p", "score": 4, "comment": "x"}, "/comment"),
        ({"identity": "a/b", "score": 4}, "/identity"),
        ({"identity": "a\nb", "score": 4}, "/identity"),
    ],
)
async def test_a_rating_that_makes_no_sense_is_refused(
    client: Client, body: dict[str, Any], pointer: str
) -> None:
    await client.ask("POST", "/v1/rooms", {"id": "rdv"})
    refused = await client.ask("POST", RATINGS, body)
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, pointer)
    assert await rated(client) == []


async def test_people_rate_with_their_link_also_when_the_room_is_over(client: Client) -> None:
    await client.ask("POST", "/v1/rooms", {"id": "rdv"})
    await client.ask("PUT", "/v1/rooms/rdv/participants/p", {})
    own = (await client.ask("POST", "/v1/rooms/rdv/participants/p/link")).body["url"].rpartition("/")[2]
    shared = (await client.ask("POST", "/v1/rooms/rdv/links")).body["url"].rpartition("/")[2]
    guest = (await client.ask("POST", "/v1/join", {"link": shared, "key": KEY}, key=None)).body["identity"]
    await client.ask("POST", "/v1/rooms/rdv/cancel")
    for body in ({"link": own, "score": 1}, {"link": shared, "key": KEY, "score": 5}):
        assert (await client.ask("POST", "/v1/join/rating", body, key=None)).status == 204
    assert await rated(client) == [
        {"identity": guest, "score": 5, "reasons": []},
        {"identity": "p", "score": 1, "reasons": []},
    ]


async def test_nobody_rates_who_was_not_there(client: Client) -> None:
    await client.ask("POST", "/v1/rooms", {"id": "rdv"})
    shared = (await client.ask("POST", "/v1/rooms/rdv/links")).body["url"].rpartition("/")[2]
    for body in ({"link": "guess"}, {"link": shared}, {"link": shared, "key": KEY}):
        refused = await client.ask("POST", "/v1/join/rating", {**body, "score": 3}, key=None)
        assert (refused.status, refused.body["code"]) == (404, "not-found")
    assert await rated(client) == []
