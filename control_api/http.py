"""The REST interface on aiohttp: reads requests, writes replies, decides nothing."""

from __future__ import annotations

import asyncio
import gzip
import secrets
import time
from functools import lru_cache
from typing import TYPE_CHECKING

from aiohttp import web
from pydantic import BaseModel

from control_api.body import MAX_BYTES
from control_api.manual import Manual
from control_api.problems import Problem
from control_api.service import OPERATIONS, ControlApi, Request, problem_reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.typedefs import Handler, Middleware

    from control_api.operations import Operation, Reply

PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, If-Match, Traceparent",
    "Access-Control-Max-Age": "600",
}
BODY_TIMEOUT_SECONDS = 10.0  # longer is a slow attack, not a slow line: a body is 64 kB at most


def routes(api: ControlApi, *, address_of: Callable[[web.Request], str]) -> list[web.RouteDef]:
    """Give the routes of the interface; `address_of` says where a request comes from, proxies considered."""
    found = [
        web.route(operation.method, operation.path, _handler(api, operation, address_of))
        for operation in OPERATIONS
    ]
    described = {"/v1/openapi.json": Manual.openapi, "/v1/docs": Manual.page}
    found += [web.get(path, _description(api, give), allow_head=False) for path, give in described.items()]
    return found


def middleware(api: ControlApi) -> Middleware:
    """Give what surrounds the routes: errors of one kind below `/v1/`, and CORS for pages that may call."""

    @web.middleware
    async def surround(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith("/v1/"):
            return await handler(request)
        shared = api.cross_origin_headers(request.headers.get("Origin"))
        if shared and request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            return web.Response(status=204, headers={**shared, **PREFLIGHT})
        try:
            response = await handler(request)
        except web.HTTPMethodNotAllowed as error:
            allowed = {"Allow": ", ".join(sorted(error.allowed_methods))}
            response = _problem(Problem("method-not-allowed", headers=allowed))
        except web.HTTPNotFound:
            response = _problem(Problem("not-found"))
        response.headers.update(shared)
        return response

    return surround


def _handler(api: ControlApi, operation: Operation, address_of: Callable[[web.Request], str]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            body = await read_body(request, MAX_BYTES)
        except Problem as problem:
            return _problem(problem)
        reply = await api.answer(
            operation,
            Request(
                address=address_of(request),
                path=dict(request.match_info),
                query=tuple(request.query.items()),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=body,
            ),
            now=time.time(),
        )
        return _response(reply)

    return handle


def _description(api: ControlApi, give: Callable[[Manual], Reply]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        reply = await asyncio.to_thread(give, api.manual)
        response = _response(reply)
        response.headers["Vary"] = "Accept-Encoding"
        if isinstance(reply.body, str) and "gzip" in request.headers.get("Accept-Encoding", ""):
            response.body = _packed(reply.body)
            response.headers["Content-Encoding"] = "gzip"
        return response

    return handle


@lru_cache(maxsize=4)
def _packed(text: str) -> bytes:
    """Compress what is the same for everybody, who may ask without a key, only once."""
    return gzip.compress(text.encode(), mtime=0)


async def read_body(request: web.Request, max_bytes: int) -> bytes:
    """Read a body within bounds of size and time; raise `Problem`."""
    if (request.content_length or 0) > max_bytes:
        raise Problem("too-large", f"at most {max_bytes} bytes")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > max_bytes:
                    raise Problem("too-large", f"at most {max_bytes} bytes")
    except TimeoutError as error:
        raise Problem("malformed", "the body took too long to come") from error
    return bytes(body)


def _problem(problem: Problem) -> web.Response:
    return _response(problem_reply(problem, secrets.token_hex(16)))


def _response(reply: Reply) -> web.Response:
    text = reply.body.model_dump_json() if isinstance(reply.body, BaseModel) else reply.body
    response = web.Response(status=reply.status, headers=reply.headers)
    if text is not None:
        response.body = text.encode()
        response.headers.setdefault("Content-Type", "application/json")
    if reply.status == 413:
        response.force_close()
    return response
