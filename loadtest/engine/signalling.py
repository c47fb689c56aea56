"""A LiveKit v1 connection as a client has it: the door, frames and pings."""

from __future__ import annotations

import asyncio
import base64
import gzip
import os
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import aiohttp
from livekit.protocol import models, rtc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# The generation of the client protocol that single-connection clients speak.
_PROTOCOL = 16
_CONNECT_WITHIN = 10.0  # seconds
_MAX_REASON = 200  # bytes
_MAX_MESSAGE = 4 * 1024 * 1024  # a roster of thousands


class SignallingError(Exception):
    """The server did not let us in, or the connection ended; the text says why."""


async def _reason(
    http: aiohttp.ClientSession, url: str, query: dict[str, str], headers: dict[str, str]
) -> str:
    """Ask for the words that a refused upgrade does not carry."""
    door = f"http{url.rstrip('/').removeprefix('ws')}/rtc/v1/validate"
    try:
        async with asyncio.timeout(_CONNECT_WITHIN), http.get(door, params=query, headers=headers) as answer:
            said = (await answer.content.read(_MAX_REASON)).decode(errors="replace").strip()
            return f": {said}" if answer.status >= HTTPStatus.BAD_REQUEST and said else ""
    except (aiohttp.ClientError, OSError, TimeoutError):
        return ""


class Signalling:
    """An open connection."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    @classmethod
    async def open(
        cls, http: aiohttp.ClientSession, url: str, token: str, request: rtc.JoinRequest
    ) -> Signalling:
        """Knock with everything that is known so far; raise `SignallingError`."""
        request.client_info.CopyFrom(
            models.ClientInfo(sdk=models.ClientInfo.SDK.UNKNOWN, protocol=_PROTOCOL, version="1")
        )
        wrapped = rtc.WrappedJoinRequest(
            compression=rtc.WrappedJoinRequest.Compression.GZIP,
            join_request=gzip.compress(request.SerializeToString(), 1),
        )
        query = {"join_request": base64.urlsafe_b64encode(wrapped.SerializeToString()).decode()}
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with asyncio.timeout(_CONNECT_WITHIN):
                socket = await http.ws_connect(
                    f"{url.rstrip('/')}/rtc/v1", params=query, headers=headers, max_msg_size=_MAX_MESSAGE
                )
        except aiohttp.WSServerHandshakeError as error:
            why = await _reason(http, url, query, headers)
            raise SignallingError(f"the server answered {error.status}{why}") from None
        except (aiohttp.ClientError, OSError) as error:  # a timeout is an OSError
            why = (
                os.strerror(error.errno)
                if isinstance(error, OSError) and error.errno
                else type(error).__name__
            )
            raise SignallingError(f"the server cannot be reached ({why})") from None
        return cls(socket)

    async def messages(self) -> AsyncIterator[rtc.SignalResponse]:
        """Yield what the server says until it ends the connection."""
        async for frame in self._socket:
            if frame.type is aiohttp.WSMsgType.BINARY:
                yield rtc.SignalResponse.FromString(frame.data)

    @property
    def close_code(self) -> int | None:
        """Why the connection ended, as the server told."""
        return self._socket.close_code

    async def send(self, **message: Any) -> None:
        """Send one message, given as its field of SignalRequest; nothing on a connection that ended."""
        if not self._socket.closed:
            await self._socket.send_bytes(rtc.SignalRequest(**message).SerializeToString())

    async def ping(self, interval: float) -> None:
        """Show for ever that we are there; `interval` is in seconds."""
        while True:
            await asyncio.sleep(interval)
            await self.send(ping_req=rtc.Ping(timestamp=int(time.time() * 1000)))

    async def leave(self) -> None:
        """Say goodbye and close."""
        await self.send(leave=rtc.LeaveRequest(reason=models.DisconnectReason.CLIENT_INITIATED))
        await self._socket.close()
