"""A client of the waiting room's channel over a real socket, as the page is one."""

import asyncio
import json
from typing import Any, Self

import aiohttp

from tests.support.server import Server

PATIENCE = 8.0  # seconds


class WaitingClient:
    """One connection. Use as an async context manager."""

    def __init__(self, server: Server, token: str | None = None, *, origin: str | None = None) -> None:
        """Connect to this server; a token is said at once."""
        self._server = server
        self._token = token
        self._headers = {} if origin is None else {"Origin": origin}
        self._http = aiohttp.ClientSession()
        self._numbers = iter(range(1, 1000))
        self.heard: list[dict[str, Any]] = []

    async def __aenter__(self) -> Self:
        """Connect, and say hello."""
        try:
            self.socket = await self._http.ws_connect(
                f"{self._server.ws_url}/waiting", headers=self._headers, autoping=True
            )
        except BaseException:
            await self._http.close()
            raise
        if self._token is not None:
            await self.say(type="hello", v=1, token=self._token)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Go without a word, as a browser whose window is closed."""
        await self.socket.close()
        await self._http.close()

    async def say(self, **message: Any) -> None:
        """Send a message."""
        await self.socket.send_str(json.dumps(message))

    async def ask(self, verb: str, **fields: Any) -> dict[str, Any]:
        """Send a verb and give back its answer."""
        number = next(self._numbers)
        await self.say(type=verb, id=number, **fields)
        while True:
            message = await self.next()
            if message.get("id") == number:
                return message

    async def next(self) -> dict[str, Any]:
        """Give the next message; raise when the connection is closed."""
        message = await self.socket.receive(PATIENCE)
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionResetError(f"{message.type.name} {self.socket.close_code}")
        value: dict[str, Any] = json.loads(message.data)
        self.heard.append(value)
        return value

    async def hears(self, type_: str, **fields: Any) -> dict[str, Any]:
        """Wait for a message of this type with these fields, passing over others."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message = await self.next()
                if message["type"] == type_ and all(message.get(key) == one for key, one in fields.items()):
                    return message

    async def ends(self) -> int:
        """Read what is left and give the code of the close."""
        while True:
            try:
                await self.next()
            except ConnectionResetError:
                return self.socket.close_code or 0
