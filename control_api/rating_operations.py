"""Ratings: what people thought of the call, given by the application or by the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_api.idempotency import once, reply
from control_api.operations import Call, Operation, Query, Reply
from control_api.paging import LIMIT, next_page, read_limit, read_name_cursor, write_cursor
from control_api.rating_schemas import LinkRatingRequest, RatingBody, RatingPage, RatingRequest
from rooms import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rooms import Rating

_RATINGS = "/v1/rooms/{room}/ratings"


async def create_rating(call: Call) -> Reply:
    """Keep what a person thought of the call, also after it."""
    request: RatingRequest = call.body
    what = f"POST /v1/rooms/{call.path['room']}/ratings\n{request.model_dump_json()}"
    rating = await call.rooms.ratings.give(
        call.tenant,
        call.path["room"],
        request.identity,
        request.score,
        request.reasons,
        now=call.now,
        once=once(call, what, _rated),
    )
    return reply(rating, _rated)


def _rated(rating: Rating) -> Answer:
    return Answer(201, {}, RatingBody.of(rating).model_dump_json())


async def list_ratings(call: Call) -> Reply:
    """Read the ratings of a room."""
    cursor = call.query.get("cursor")
    limit = read_limit(call.query.get("limit"))
    found = await call.rooms.ratings.list(
        call.tenant,
        call.path["room"],
        after=None if cursor is None else read_name_cursor(cursor),
        limit=limit + 1,
    )
    return _page(call, found, limit)


async def rate_by_link(call: Call) -> Reply:
    """Keep what the holder of a link thought of the call, also after it."""
    request: LinkRatingRequest = call.body
    await call.rooms.links.rate(
        request.link, request.score, request.reasons, guest_key=request.key, now=call.now
    )
    return Reply(204)


OPERATIONS = (
    Operation(
        "POST",
        _RATINGS,
        create_rating,
        "Rate a call",
        "rooms:write",
        body=RatingRequest,
        answer=RatingBody,
        status=201,
        refusals=("full",),
        idempotent_by_key=True,
    ),
    Operation(
        "GET",
        _RATINGS,
        list_ratings,
        "List ratings",
        "rooms:read",
        answer=RatingPage,
        query=(
            Query("cursor", "Where the last page ended."),
            Query("limit", "Ratings a page.", LIMIT),
        ),
        gives=("Link",),
    ),
    Operation(
        "POST",
        "/v1/join/rating",
        rate_by_link,
        "Rate a call with a link",
        None,
        body=LinkRatingRequest,
        status=204,
        refusals=("full", "not-found"),
    ),
)


def _page(call: Call, found: Sequence[Rating], limit: int) -> Reply:
    shown = found[:limit]
    following = write_cursor(shown[-1].identity) if len(found) > limit else None
    page = RatingPage(items=[RatingBody.of(one) for one in shown], next=following)
    return Reply(200, page, next_page(f"/v1/rooms/{call.path['room']}/ratings", call.query, following))
