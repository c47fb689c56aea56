"""WebSockets without a network: what the server's handlers are given, and the client's end."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from aiohttp import WSMessage, WSMsgType, web

from tests.support.virtual_time import sleep

Frame = str | bytes


class Line:
    """One client's connection to a handler of the server."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        hear: Callable[["Line", Frame], None],
        *,
        upgrade_turns: int = 0,
    ) -> None:
        """Call `hear` with every frame that the server sends; the upgrade takes so many turns of the loop."""
        self.open = True
        self.close_code: int | None = None
        """With which code the server closed it."""
        self.refused: int | None = None
        """The status of the answer that came instead of an upgrade."""
        self.upgraded = False
        self.upgrade_turns = upgrade_turns
        self.said: list[Frame] = []
        self._loop = loop
        self._hear = hear
        self._to_server: asyncio.Queue[WSMessage | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def dial(
        self, serve: Callable[[Any], Coroutine[Any, Any, web.StreamResponse]], query: dict[str, str]
    ) -> None:
        """Connect; the first frames may be said at once."""
        self._task = self._loop.create_task(self._run(serve, query))

    def say(self, frame: Frame) -> None:
        """Send a frame."""
        if self.open:
            self.said.append(frame)
            kind = WSMsgType.TEXT if isinstance(frame, str) else WSMsgType.BINARY
            self._to_server.put_nowait(WSMessage(kind, frame, None))

    def drop(self) -> None:
        """Be gone without a word."""
        self.open = False
        self._to_server.put_nowait(None)

    async def _run(self, serve: Callable[[Any], Coroutine[Any, Any, Any]], query: dict[str, str]) -> None:
        answer = await serve(_Request(self, query))
        self.open = False
        if isinstance(answer, web.Response):
            self.refused = answer.status


class PretendedSocket:
    """The server's end (`aiohttp.web.WebSocketResponse`)."""

    def __init__(self, **_: object) -> None:
        self.close_code: int | None = None
        self._line: Line | None = None

    def can_prepare(self, request: Any) -> bool:
        self._line = request.line
        return True

    async def prepare(self, request: Any) -> None:
        for _ in range(request.line.upgrade_turns):
            await sleep(0)
        request.line.upgraded = True

    def __aiter__(self) -> "PretendedSocket":
        return self

    async def __anext__(self) -> WSMessage:
        assert self._line is not None
        message = None if self.close_code is not None else await self._line._to_server.get()
        if message is None:
            raise StopAsyncIteration
        return message

    async def send_str(self, text: str) -> None:
        self._deliver(text)

    async def send_bytes(self, data: bytes) -> None:
        self._deliver(data)

    async def close(self, *, code: int, message: bytes) -> None:
        del message
        assert self._line is not None
        await sleep(0)  # what was sent before is heard before
        self.close_code = self.close_code or code
        self._line.close_code = self._line.close_code or code
        self._line.drop()

    def _deliver(self, frame: Frame) -> None:
        assert self._line is not None
        if not self._line.open:
            raise ConnectionResetError
        # The client hears it after the server has done what it was about, as over a network.
        self._line._loop.call_soon(self._line._hear, self._line, frame)


class _Transport:
    def __init__(self, line: Line) -> None:
        self._line = line

    def abort(self) -> None:
        self._line.drop()

    def get_write_buffer_size(self) -> int:
        return 0  # these clients read all they are sent


class _Request:
    def __init__(self, line: Line, query: dict[str, str]) -> None:
        self.line = line
        self.query = query
        self.headers: dict[str, str] = {}
        self.remote = "192.0.2.7"
        self.transport = _Transport(line)
