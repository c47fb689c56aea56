"""What the room API holds beside a call, and what planned rooms cost: run `make figures-api`.

One server on SQLite, its database on this disk, and one client that keeps to its timetable: a late answer delays
no later question, and each is timed from the moment it was due.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from loadtest.engine import run
from loadtest.plan import AudioPlan, PersonPlan, RunPlan, VideoPlan
from loadtest.tokens import join_token
from tests.support.management import Management
from tests.support.server import Server

READS_PER_SECOND = 300
CREATIONS_PER_SECOND = 100
PEOPLE = 10
PLANNED = 10_000
_MAKERS = 20
_MEGABYTE = 1_000_000


async def plan_rooms(management: Management, rooms: int) -> float:
    """Plan this many rooms for tomorrow, twenty at a time; give the seconds it took."""
    tomorrow = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86_400))
    numbers = iter(range(rooms))

    async def maker() -> None:
        for number in numbers:
            await management.room(id=f"planned-{number}", starts_at=tomorrow)

    began = time.perf_counter()
    await asyncio.gather(*(maker() for _ in range(_MAKERS)))
    return time.perf_counter() - began


async def timetable(per_second: int, seconds: float, ask: Callable[[int], Awaitable[object]]) -> list[float]:
    """Ask at an even pace; give for each answer the milliseconds since it was due."""
    took: list[float] = []
    began = time.perf_counter()

    async def one(number: int) -> None:
        await ask(number)
        took.append((time.perf_counter() - began - number / per_second) * 1000)

    questions = []
    for number in range(int(per_second * seconds)):
        await asyncio.sleep(max(0.0, began + number / per_second - time.perf_counter()))
        questions.append(asyncio.ensure_future(one(number)))
    await asyncio.gather(*questions)
    return sorted(took)


def call_of(people: int, server: Server, room: str, seconds: float) -> RunPlan:
    """Plan a meeting in which everybody sends sound and a picture and gets all the others'."""

    def person(number: int) -> PersonPlan:
        identity = f"person-{number}"
        token = join_token(
            server.key, server.secret, room=room, identity=identity, now=time.time(), ttl_seconds=600
        )
        picture = VideoPlan(encodings=((640, 360, 500),))
        return PersonPlan(room, identity, token, 0.1 * number, None, audio=AudioPlan(), video=picture)

    return RunPlan(server.ws_url, tuple(map(person, range(people))), 3.0, seconds, 1)


def _memory(server: Server) -> int:
    for line in Path(f"/proc/{server.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the kernel does not say how much memory the server has")


def _row(name: str, took: list[float]) -> str:
    return f"{name:28} {took[len(took) // 2]:8.1f} {took[int(len(took) * 0.99)]:8.1f} {took[-1]:8.1f} ms"


async def main(seconds: float, folder: Path) -> None:
    """Measure and print."""
    server = Server(folder, database=f"sqlite:///{folder / 'rooms.sqlite3'}")
    server.start()
    empty = _memory(server)
    async with Management(server) as management:
        took = await plan_rooms(management, PLANNED)
        print(f"{PLANNED} rooms planned in {took:.1f} s, {PLANNED / took:.0f} a second")
        await asyncio.sleep(1)
    grown = _memory(server)
    server.stop()
    began = time.perf_counter()
    server.start()
    print(f"ready {time.perf_counter() - began:.2f} s after the start")
    again = _memory(server)
    print(
        f"memory: {empty / _MEGABYTE:.0f} MB without rooms, {grown / _MEGABYTE:.0f} MB after planning them, "
        f"{again / _MEGABYTE:.0f} MB after a restart"
    )
    try:
        async with Management(server) as management:
            room = await management.room(id="meeting")
            for quiet in (True, False):
                await measure(server, management, room, seconds, quiet=quiet)
    finally:
        server.stop()


async def measure(server: Server, management: Management, room: str, seconds: float, *, quiet: bool) -> None:
    """Measure a call by itself, or with the API in use beside it."""
    meeting = asyncio.ensure_future(run(call_of(PEOPLE, server, room, seconds + 4)))
    await asyncio.sleep(4)
    if not quiet:
        reads, creations = await asyncio.gather(
            timetable(
                READS_PER_SECOND,
                seconds,
                lambda number: management.ask("GET", f"/v1/rooms/planned-{number % PLANNED}"),
            ),
            timetable(
                CREATIONS_PER_SECOND,
                seconds,
                lambda _: management.ask("POST", "/v1/rooms", {"kind": "group"}),
            ),
        )
        print(f"{'from due to answer':28} {'median':>8} {'99 %':>8} {'worst':>8}")
        print(_row(f"{READS_PER_SECOND} reads a second", reads))
        print(_row(f"{CREATIONS_PER_SECOND} creations a second", creations))
    result = await meeting
    print(
        f"call of {PEOPLE}, {'by itself' if quiet else 'beside them'}: "
        f"{result.packets_received} packets, {result.packets_lost} lost, "
        f"latency {result.latency.percentile(0.5)} and {result.latency.percentile(0.99)} ms, "
        f"{sum(join.ok for join in result.joins)} of {PEOPLE} joined"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(main(chosen.seconds, Path(made)))
