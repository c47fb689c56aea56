"""The whole server but its listeners, in virtual time: rooms, waiting room, signalling, media, and a network.

The packet core is the real one. Its worker, the peers and the network between them are a simulation; every
datagram that leaves the server is noted with the person it went to.
"""

import asyncio
import math
import types
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast
from unittest import mock

from aiohttp import web

import signalling.livekit.server
import signalling.waiting.server
from colloque.clockwork import Clockwork
from rooms import ApiKey, KeyRing, Rooms, RoomsSettings
from sfu import MediaAddress, Sfu, SfuConfig
from sfu._core import Simulation
from sfu.bridge import Core, CoreLike, make_core
from signalling.livekit import LiveKitServer
from signalling.waiting import WaitingServer
from tests.support.pretended_socket import PretendedSocket
from tests.support.virtual_time import VirtualLoop, sleep

KEY = ApiKey("portal", "a-secret-of-the-tests-that-is-long-enough")
EPOCH = 1_900_000_000.0
_NODE = "node"


class House:
    """One server after another on the same database, each until it crashes."""

    def __init__(self, loop: VirtualLoop, url: str, settings: RoomsSettings, *, seed: int) -> None:
        """Take a loop that nobody else uses, and a database that is up to date."""
        self.loop = loop
        self.sent: list[tuple[float, str, str]] = []
        """Datagrams that left the server since this was emptied: when (`wall`), to whom, of which kind."""
        self.figures: Counter[str] = Counter()
        self.simulation: Simulation
        self.people: dict[int, str] = {}
        """Identities by the number of their peer in the present simulation."""
        self._url = url
        self._settings = settings
        self._seed = seed
        self._turning = False
        self._next_turn: asyncio.TimerHandle | None = None
        self._reader = -1

    def wall(self) -> float:
        """Return the time of day in virtual seconds."""
        return EPOCH + self.loop.time()

    @contextmanager
    def current(self) -> Iterator[None]:
        """Have the server's shells use virtual time and pretended sockets."""
        clock = types.SimpleNamespace(time=self.wall)
        shells = (signalling.livekit.server, signalling.waiting.server)
        with (
            self.loop.current(),
            mock.patch.object(web, "WebSocketResponse", PretendedSocket),
            mock.patch.object(shells[0], "time", clock),
            mock.patch.object(shells[1], "time", clock),
        ):
            yield

    # --- its life ---

    async def start(self) -> None:
        """Start a server as `colloque serve` does."""
        self.rooms = await Rooms.open(self._url, keys=KeyRing([KEY]), settings=self._settings)
        journal = self.rooms.leg_journal(self.wall, node=_NODE)
        await journal.close_left_open()
        self._running = [
            self.loop.create_task(journal.run()),
            self.loop.create_task(Clockwork(self.rooms, wall=self.wall).run()),
        ]
        config = SfuConfig(udp_port=0, addresses=(MediaAddress("192.0.2.1", "192.0.2.1"),))
        self.sfu = Sfu(config, make_core=self._make_core)
        await self.sfu.start()
        self.signalling = LiveKitServer(self.sfu, self.rooms, legs=journal)
        self.rooms.events.follow(self.signalling.event_written)
        self.waiting = WaitingServer(self.rooms, node=_NODE)
        await self.waiting.start()

    async def close(self) -> None:
        """End the server in good order, then whatever is left of its clients."""
        await self.waiting.close()
        await self.signalling.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self.rooms.close()
        await self.crash()

    async def crash(self) -> None:
        """End the server between two instructions: nothing is said to anybody and nothing more is written."""
        self.turn()
        self.loop.end_of_a_process()
        self.loop.remove_reader(self._reader)
        # In every turn: what ends begins something here and there, or makes an error of its end and goes on.
        while others := [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]:
            for task in others:
                task.cancel()
            await sleep(0)
        with suppress(asyncio.CancelledError):  # of who writes
            await self.rooms.close()
        self.loop.end_of_a_process()  # what was due to whom has just ended
        self._turning, self._next_turn = False, None
        self.people.clear()

    # --- the network ---

    def turn_soon(self) -> None:
        """Let the core and its peers work once the present turn of the loop is over."""
        if not self._turning:
            self._turning = True
            self.loop.call_soon(self.turn)

    def turn(self) -> None:
        """Let the core and its peers work up to now, and note what was sent."""
        self._turning = False
        self.simulation.run_until(round(self.loop.time() * 1e6))
        for micros, peer, kind in self.simulation.take_sent():
            self.sent.append((EPOCH + micros / 1e6, self.people[peer], kind))
            self.figures[kind] += 1
        if self._next_turn is not None:
            self._next_turn.cancel()
        due = self.simulation.next_due()
        if due is not None:
            self._next_turn = self.loop.call_at(math.ceil(due) / 1e6, self.turn)

    def _make_core(self, config: SfuConfig) -> CoreLike:
        return cast("CoreLike", _SimulatedCore(self, config))

    def _begin(self, core: Core) -> None:
        self.simulation = Simulation(
            core, seed=self._seed, delay_ms=8, jitter_ms=25, loss=0.02, duplicate=0.05
        )
        self._reader = core.fileno()
        self.turn()


class _SimulatedCore:
    """The core, whose worker is let work whenever something was ordered."""

    def __init__(self, house: House, config: SfuConfig) -> None:
        self._house = house
        self._core = cast("Core", make_core(config))

    def start(self) -> None:
        self._house._begin(self._core)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._core, name)
        if not callable(value):
            return value

        def ordered(*args: Any, **kwargs: Any) -> Any:
            given = value(*args, **kwargs)
            if name != "drain":
                self._house.turn_soon()
            return given

        return ordered
