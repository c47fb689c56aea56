"""Two people of aiortc in a call through one relay: give the URL, their tokens, the end of the relay's URL.

One shows a camera, the other decodes it; at the end it prints how many pictures had a whole watermark.
"""

import asyncio
import sys

import aiohttp
from av import VideoFrame

from loadtest.faithful.camera import MarkedCamera, mark_of
from loadtest.faithful.peer import Peer

PICTURES = 30


async def main(url: str, showing: str, watching: str, relay: str) -> None:
    """Hold the call."""
    async with aiohttp.ClientSession() as http:
        camera, viewer = Peer(relay), Peer(relay)
        try:
            await camera.join(http, url, showing)
            await viewer.join(http, url, watching)
            track = await viewer.watch(await camera.publish(MarkedCamera(), ["watching"]))
            whole = 0
            while whole < PICTURES:
                frame = await track.recv()
                assert isinstance(frame, VideoFrame)
                whole += mark_of(frame) is not None
            print(whole)
        finally:
            await viewer.close()
            await camera.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
