"""One WebSocket: what can be sent is sent at once, the rest waits in an outbox bounded by bytes and time.

Whoever comes into a full call is told to everybody at once. A frame that the kernel will take is therefore
written where it comes up, which costs half of what it costs to wake a task for it.
"""

import asyncio
from collections.abc import Coroutine

from aiohttp import web

from signalling.livekit.messages import Frame
from signalling.livekit.outbox import Outbox, Sendable

DID_NOT_READ = 4000
_REASON_BYTES = 123  # RFC 6455, 5.5: what a close frame can carry
_AT_ONCE_BYTES = 16_384
"""With more in the transport's buffer, frames wait in the outbox; far below the mark at which it says so."""


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
        if self._takes_at_once():
            self._write(message.frame(text=self.text))
            return
        for part in message.parts or (message,):
            if not self._outbox.put(part.frame(text=self.text), about=part.about):
                self.close_code = DID_NOT_READ
                self._abort()
                break
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

    def _takes_at_once(self) -> bool:
        return (
            not self._outbox
            and self._transport is not None
            and self._transport.get_write_buffer_size() < _AT_ONCE_BYTES
        )

    def _write(self, frame: Frame) -> None:
        """Send a frame that need not wait: then sending it does not either, and ends at the first step."""
        sending = self._sending(frame)
        try:
            sending.send(None)
        except StopIteration:
            pass
        except (ConnectionError, RuntimeError):
            self._abort()  # gone, or closing already: the reader sees it too
            self._news.set()
        finally:
            sending.close()

    def _sending(self, frame: Frame) -> Coroutine[object, None, None]:
        if isinstance(frame, str):
            return self._socket.send_str(frame)
        return self._socket.send_bytes(frame)

    async def _send_waiting(self) -> None:
        while (frame := self._outbox.take()) is not None:
            await self._sending(frame)

    def _abort(self) -> None:
        """Drop the connection without a word, which also ends the reader."""
        self._dead = True
        if self._transport is not None:
            self._transport.abort()
