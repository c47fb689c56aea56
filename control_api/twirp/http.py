"""The service on aiohttp: reads requests, writes replies, decides nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from aiohttp import web

from control_api.http import read_body
from control_api.problems import Problem
from control_api.service import Request
from control_api.twirp.codec import MAX_BYTES
from control_api.twirp.errors import TwirpError, twirp_error
from control_api.twirp.service import TwirpApi, TwirpReply, error_reply

if TYPE_CHECKING:
    from collections.abc import Callable


def twirp_routes(api: TwirpApi, *, address_of: Callable[[web.Request], str]) -> list[web.RouteDef]:
    """Give the routes of the service; `address_of` says where a request comes from, proxies considered."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.method != "POST":
            return _response(error_reply(TwirpError("bad_route", "only POST is understood here")))
        try:
            body = await read_body(request, MAX_BYTES)
        except Problem as problem:
            response = _response(error_reply(twirp_error(problem)))
            response.force_close()  # the rest of the body is not read
            return response
        reply = await api.answer(
            request.match_info["path"],
            Request(
                address=address_of(request),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=body,
            ),
            now=time.time(),
        )
        return _response(reply)

    return [web.route("*", "/twirp/{path:.*}", handle)]


def _response(reply: TwirpReply) -> web.Response:
    # Without a charset: LiveKit's SDK for Node reads an error only where the type is just that.
    headers = {**reply.headers, "Content-Type": reply.media_type}
    return web.Response(status=reply.status, body=reply.body, headers=headers)
