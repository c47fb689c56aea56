"""One WebSocket: a writer that sends what waits in the outbox, within bounds of bytes and time."""

import asyncio

from aiohttp import web

from signalling.livekit.outbox import Outbox, Sendable

DID_NOT_READ = 4000
_REASON_BYTES = 123  # RFC 6455, 5.5: what a close frame can carry


class Connection:
    """The way to one client (`participant.Outlet`). `run` must be running for anything to be sent."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport | None,
        *,
        max_queue_bytes: int,
        close_within: float,
    ) -> None:
        """Wrap a socket whose upgrade is done, and the transport below it."""
        self.text = False
        """Whether the client speaks JSON; set when its first text frame comes."""
        self._socket = socket
        self._transport = transport
        self._outbox = Outbox(max_queue_bytes)
        self._close_within = close_within
        self._news = asyncio.Event()
        self._closing: tuple[int, str] | None = None
        self._cut_off: asyncio.TimerHandle | None = None
        self._dead = False
        self.close_code: int | None = None
        """With which code the server closed it, if it did."""

    @property
    def waiting_bytes(self) -> int:
        """How much waits to be sent."""
        return self._outbox.waiting_bytes

    def send(self, message: Sendable) -> None:
        """Put a message at the end of what is to be sent; a client that does not read is cut off."""
        if self._closing is not None or self._dead:
            return
        if not self._outbox.put(message.frame(text=self.text), about=message.about):
            self.close_code = DID_NOT_READ
            self._abort()
        self._news.set()

    def close(self, code: int, reason: str) -> None:
        """Send what waits, then close; cut off if that takes too long."""
        if self._closing is None and not self._dead:
            self._closing = (code, reason)
            self.close_code = code
            self._cut_off = asyncio.get_running_loop().call_later(self._close_within, self._abort)
            self._news.set()

    async def run(self) -> None:
        """Send until the connection is closed."""
        try:
            while not self._dead:
                await self._news.wait()
                self._news.clear()
                await self._send_waiting()
                if self._closing is not None:
                    code, reason = self._closing
                    await self._socket.close(code=code, message=reason.encode()[:_REASON_BYTES])
                    return
        except (ConnectionError, RuntimeError):
            pass  # gone, or closing already: the reader sees it too
        finally:
            self._outbox.clear()
            self._abort()
            if self._cut_off is not None:
                self._cut_off.cancel()

    async def _send_waiting(self) -> None:
        while (frame := self._outbox.take()) is not None:
            if isinstance(frame, str):
                await self._socket.send_str(frame)
            else:
                await self._socket.send_bytes(frame)

    def _abort(self) -> None:
        """Drop the connection without a word, which also ends the reader."""
        self._dead = True
        if self._transport is not None:
            self._transport.abort()
