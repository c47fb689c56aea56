"""How fast a burst of events of one room reaches a webhook that answers at once.

One demonstration server and one receiver on this machine; the events wait while the webhook is disabled.
Run it with `python -m tests.figures.webhook_lane`.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from tests.support.management import Management
from tests.support.receiver import Receiver
from tests.support.server import Server

EVENTS = 400
_PATIENCE = 120.0


async def main(events: int, folder: Path) -> None:
    """Measure and print."""
    server = Server(folder)
    server.start()
    try:
        async with Management(server) as management, Receiver() as receiver:
            webhook = await management.ask("POST", "/v1/webhooks", {"url": receiver.url})
            path = f"/v1/webhooks/{webhook['id']}"
            await management.ask("PATCH", path, {"enabled": False})
            room = await management.room()
            await management.ask("POST", f"/v1/rooms/{room}/start")
            for number in range(events - 2):
                await management.ask("POST", f"/v1/rooms/{room}/{('finish', 'reopen')[number % 2]}")
            began = time.perf_counter()
            await management.ask("PATCH", path, {"enabled": True})
            async with asyncio.timeout(_PATIENCE):
                while len(receiver.deliveries) < events:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
            took = time.perf_counter() - began
            assert receiver.told(room) == list(range(1, events + 1))
            print(f"{events} events of one room in {took:.2f} s: {events / took:.0f} a second")
    finally:
        server.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=EVENTS)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(main(chosen.events, Path(made)))
