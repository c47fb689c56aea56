"""The process of the faithful participants: `python -m loadtest.faithful`, begun by the engine.

Theory of operation. It says `ready` when everything is loaded, so that the load of starting is over before
anybody joins. Then it reads one line, the order, does what it says until its end or until its input has
another line or ends, and writes the results as one line. Times in the order are of the clock that all
processes of a machine share. Network and watermarks are this process's loop, encoding and decoding
are threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import aiohttp
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from loadtest.engine.signalling import SignallingError
from loadtest.faithful.camera import MarkedCamera, mark_of
from loadtest.faithful.peer import Peer, use_loopback
from loadtest.faithful.viewing import Viewing

if TYPE_CHECKING:
    from aiortc import MediaStreamTrack

    from loadtest.results import FaithfulViewer

_LINE_MAX = 1 << 20


async def main() -> None:
    """Carry out one order."""
    orders = asyncio.StreamReader(limit=_LINE_MAX)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(orders), sys.stdin.buffer
    )
    use_loopback()
    # A packet that is missing is a figure, not a line on the terminal.
    logging.disable(logging.WARNING)
    print("ready", flush=True)
    if line := await orders.readline():
        await _carry_out(json.loads(line), orders)


async def _carry_out(order: dict[str, Any], orders: asyncio.StreamReader) -> None:
    began, busy = time.monotonic(), time.thread_time()
    publisher, *others = order["people"]
    sid: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with aiohttp.ClientSession() as http:
        viewers = [_Viewer(one["identity"], one["token"], order["begins"]) for one in others]
        camera = asyncio.create_task(
            _show(http, order["url"], publisher["token"], [one.identity for one in viewers], sid)
        )
        stays = [camera, *(asyncio.create_task(one.stay(http, order["url"], sid)) for one in viewers)]
        told = asyncio.create_task(orders.readline())
        await asyncio.wait({told}, timeout=max(0.0, order["ends"] - time.monotonic()))
        now = time.monotonic()
        result: dict[str, Any] = {
            "viewers": [asdict(one.result(min(now, order["ends"]))) for one in viewers],
            "busy": (time.thread_time() - busy) / max(1e-9, now - began),
        }
        print(json.dumps(result), flush=True)
        for task in (told, *stays):
            task.cancel()
        await asyncio.gather(told, *stays, return_exceptions=True)


async def _show(
    http: aiohttp.ClientSession, url: str, token: str, audience: list[str], sid: asyncio.Future[str]
) -> None:
    """Show the camera until cancelled; whoever waits for it is told when that cannot be done."""
    peer = Peer()
    try:
        await peer.join(http, url, token)
        sid.set_result(await peer.publish(MarkedCamera(), audience))
        await peer.until_ended()
    except SignallingError as error:
        if not sid.done():
            sid.set_exception(SignallingError(f"the faithful camera: {error}"))
            sid.exception()  # should nobody be waiting
    finally:
        await peer.close()


class _Viewer:
    """One who looks; what they saw is kept whatever becomes of them."""

    def __init__(self, identity: str, token: str, begins: float) -> None:
        self.identity = identity
        self._token = token
        self._viewing = Viewing(begins)
        self._error: str | None = "did not see the camera"

    async def stay(self, http: aiohttp.ClientSession, url: str, sid: asyncio.Future[str]) -> None:
        peer = Peer()
        try:
            await peer.join(http, url, self._token)
            track = await peer.watch(await asyncio.shield(sid))
            looking = asyncio.create_task(self._look(track))
            ended = asyncio.create_task(peer.until_ended())
            try:
                await asyncio.wait({looking, ended}, return_when=asyncio.FIRST_COMPLETED)
                self._error = ended.result() if ended.done() else "the picture ended"
            finally:
                looking.cancel()
                ended.cancel()
        except SignallingError as error:
            self._error = str(error)
        finally:
            await peer.close()

    async def _look(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, VideoFrame), "a track of pictures"  # noqa: S101
                now = time.monotonic()
                mark = mark_of(frame)
                self._error = None
                self._viewing.picture(now, None if mark is None else mark.age_ms(now))

    def result(self, until: float) -> FaithfulViewer:
        return self._viewing.result(self.identity, until=until, error=self._error)


if __name__ == "__main__":
    asyncio.run(main())
