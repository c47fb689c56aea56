"""The server under test as HTTP shows it: whether it is there, whether it takes the key, and its rooms."""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import ssl
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from loadtest.errors import RunError

_ANSWER_SECONDS = 10.0
_LOOK_SECONDS = 2.0
_TRIES = 10  # of a request that the server puts off
_VALIDATE = ("/rtc/v1/validate", "/rtc/validate")  # of the present protocol, and of older servers
_ABOUT = {"kind": "group", "name": "Load test"}


class HttpTarget:
    """A LiveKit-protocol server; if it is Colloque it is asked for rooms. Use as a context manager."""

    def __init__(self, url: str, key: str, secret: str) -> None:
        """Take the address as clients or as browsers know it; raise `RunError` if it is none."""
        parts = urlsplit(url)
        if parts.scheme not in {"ws", "wss", "http", "https"} or not parts.hostname:
            raise RunError(f"--url {url}: must be like ws://127.0.0.1:8080 or wss://visio.example")
        over_tls = parts.scheme in {"wss", "https"}
        self.url = urlunsplit(parts._replace(scheme="wss" if over_tls else "ws")).rstrip("/")
        self._base = urlunsplit(parts._replace(scheme="https" if over_tls else "http")).rstrip("/")
        pair = base64.b64encode(f"{key}:{secret}".encode()).decode()
        self._credentials = {"Authorization": f"Basic {pair}"}
        self._made: list[str] = []
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open what requests need; nothing is sent yet."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_ANSWER_SECONDS))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def check(self) -> None:
        """See that somebody answers; raise `RunError`."""
        await self._ask("GET", "/")

    async def is_there(self) -> bool:
        """Say whether somebody listens; a server that is slow to answer is there."""
        try:
            await self._ask("GET", "/", seconds=_LOOK_SECONDS)
        except RunError as error:
            return not isinstance(error.__cause__, aiohttp.ClientConnectorError)
        return True

    async def make_rooms(self, count: int) -> list[str]:
        """Make rooms and give their ids; on a server without our REST interface, ids that joining makes."""
        rooms: list[str] = []
        while len(rooms) < count:
            status, body = await self._ask("POST", "/v1/rooms", _ABOUT, credentials=True)
            if status == 201 and isinstance(body, dict) and isinstance(body.get("id"), str):
                rooms.append(body["id"])
                self._made.append(body["id"])
            elif status == 401 and body is not None:  # LiveKit says so in plain text, to whatever is no token
                raise RunError("--key, --secret: the server does not accept them")
            elif status == 403:
                raise RunError("--key: it may not make rooms on this server (scope rooms:write)")
            elif rooms or status >= 500:
                raise RunError(f"{self._base}/v1/rooms: the server answered {status}")
            else:
                run = secrets.token_hex(4)
                return [f"load-{run}-{number}" for number in range(1, count + 1)]
        return rooms

    async def remove_rooms(self) -> None:
        """Delete the rooms that were made; a server that has gone is no mistake any more."""
        while self._made:
            room = self._made.pop()
            try:
                await self._ask("DELETE", f"/v1/rooms/{room}", credentials=True, seconds=_LOOK_SECONDS)
            except RunError:
                self._made.clear()

    async def admit(self, token: str) -> None:
        """See that a token would be let in, where the server can say; raise `RunError`."""
        for path in _VALIDATE:
            status, _ = await self._ask("GET", path, query={"access_token": token})
            if status in {401, 403}:
                raise RunError("--key, --secret: the server does not accept tokens signed with them")
            if status != 404:
                return

    async def _ask(
        self,
        verb: str,
        path: str,
        body: object = None,
        *,
        query: dict[str, str] | None = None,
        credentials: bool = False,
        seconds: float = _ANSWER_SECONDS,
    ) -> tuple[int, Any]:
        assert self._session is not None, "use as a context manager"  # noqa: S101
        for _ in range(_TRIES):
            try:
                async with self._session.request(
                    verb,
                    self._base + path,
                    json=body,
                    params=query,
                    headers=self._credentials if credentials else None,
                    timeout=aiohttp.ClientTimeout(total=seconds),
                    allow_redirects=False,
                ) as answer:
                    if answer.status not in {429, 503} or not credentials:
                        return answer.status, await _json(answer)
                    wait = answer.headers.get("Retry-After", "1")
            except (aiohttp.ClientError, TimeoutError) as error:
                raise RunError(f"--url {self._base}: cannot be reached: {reason(error)}") from error
            await asyncio.sleep(min(float(wait), 60.0) if wait.isdigit() else 1.0)
        raise RunError(f"{self._base}{path}: the server is too busy to answer")


def reason(error: BaseException) -> str:
    """Say in a few words why there was no answer."""
    match error:
        case TimeoutError():
            return "no answer in time"
        case aiohttp.ClientConnectorDNSError():
            return "there is no host of this name"
        case aiohttp.ClientConnectorCertificateError(certificate_error=ssl.SSLCertVerificationError() as why):
            return f"its certificate is not trusted: {why.verify_message}"
        case aiohttp.ClientConnectorError(os_error=OSError(errno=int() as number)):
            return os.strerror(number)
        case _:
            return str(error).partition("\n")[0] or type(error).__name__


async def _json(answer: aiohttp.ClientResponse) -> Any:
    if not answer.content_type.endswith("json"):
        return None
    try:
        return await answer.json(content_type=None)
    except ValueError:
        return None
