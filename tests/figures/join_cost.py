"""What coming into a call and leaving it cost the server's processor: `make figures-join`.

Twenty-one are in the room, one of whom sends a picture and sound. Then, again and again, twenty more come,
five a second, stay a while, and leave at the same pace. What the server takes while they come, beyond the
mean of what the call takes before and after, is divided by twenty; so is what it takes while they leave. The
server has one core and the synthetic participants another; nothing else may run on them.

From hour to hour a machine's figures differ by a third, and those of two builds by less. `--against` has the
`colloque` of another build serve the same beside it, on the same core and at the same time, so that whatever
disturbs one disturbs both. Whose people come first has it a little dearer, so they take turns at that.
"""

import argparse
import asyncio
import itertools
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from loadtest.engine import run
from loadtest.plan import AudioPlan, PersonPlan, RunPlan, VideoPlan
from loadtest.tokens import join_token
from tests.support.management import Management
from tests.support.server import Server

ROOM = "meeting"
WATCHERS = 20
GUESTS = 20
PER_SECOND = 5.0
QUIET_SECONDS = 4.0
_FILLED_AFTER = 3.5
_MOVING_SECONDS = GUESTS / PER_SECOND + 1.0  # and until all of it is written down
_ROUND_SECONDS = 2 * (_MOVING_SECONDS + QUIET_SECONDS)
_PICTURE = VideoPlan(encodings=((1280, 720, 2500),), packets_per_frame=10, packet_bytes=1160)


@dataclass(frozen=True, slots=True)
class Costs:
    """Milliseconds of one run: of the processor for each, and until the first packet of a picture."""

    coming: list[float]
    leaving: list[float]
    pictures: list[float]


def processor_seconds(pid: int) -> float:
    """Read what all threads of a process have taken, to the nanosecond."""
    taken = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        try:
            taken += int((thread / "schedstat").read_text().split()[0])
        except OSError:  # it has just ended
            continue
    return taken / 1e9


def begins(number: int) -> float:
    """Give when people begin to come in a round, in seconds after the start."""
    return _FILLED_AFTER + QUIET_SECONDS + number * _ROUND_SECONDS


def call_of(server: Server, rounds: int) -> RunPlan:
    """Plan the call: who stays for all of it, and who comes and goes in each round."""

    def person(name: str, at: float, until: float | None = None, *, speaks: bool = False) -> PersonPlan:
        token = join_token(
            server.key, server.secret, room=ROOM, identity=name, now=time.time(), ttl_seconds=900
        )
        sound, picture = (AudioPlan(), _PICTURE) if speaks else (None, None)
        return PersonPlan(ROOM, name, token, at, until, audio=sound, video=picture)

    people = [person("speaker", 0.0, speaks=True)]
    people += [person(f"watcher-{number}", 0.5 + number * 0.05) for number in range(WATCHERS)]
    for number in range(rounds):
        for guest in range(GUESTS):
            comes = begins(number) + guest / PER_SECOND
            goes = comes + _MOVING_SECONDS + QUIET_SECONDS
            people.append(person(f"guest-{number}-{guest}", comes, goes))
    return RunPlan(server.ws_url, tuple(people), _FILLED_AFTER, begins(rounds) - _FILLED_AFTER, 1)


async def measure(server: Server, rounds: int) -> Costs:
    """Let the call happen, and read the server's processor time at each turn of it."""
    call = asyncio.ensure_future(run(call_of(server, rounds)))
    began = time.monotonic()

    async def reading(at: float) -> float:
        await asyncio.sleep(began + at - time.monotonic())
        return processor_seconds(server.pid)

    read = [await reading(_FILLED_AFTER)]
    for number in range(rounds):
        for half in range(2):
            moves = begins(number) + half * (_MOVING_SECONDS + QUIET_SECONDS) - 0.1
            read += [await reading(moves), await reading(moves + _MOVING_SECONDS)]
    read.append(await reading(begins(rounds) - 0.2))
    result = await call
    taken = [after - before for before, after in itertools.pairwise(read)]
    beyond = [
        (moving - (before + after) / 2 / QUIET_SECONDS * _MOVING_SECONDS) / GUESTS * 1000
        for before, moving, after in zip(taken[0::2], taken[1::2], taken[2::2], strict=False)
    ]
    guests = result.joins[1 + WATCHERS :]
    if not all(one.ok for one in guests):
        raise RuntimeError("not everybody could join")
    pictures = [one.first_video_ms for one in guests if one.first_video_ms is not None]
    return Costs(beyond[0::2], beyond[1::2], pictures)


def _row(name: str, values: list[float]) -> str:
    return f"{name:28} {statistics.median(values):6.1f} ms ({min(values):.1f} to {max(values):.1f})"


async def side_by_side(servers: list[Server], rounds: int) -> list[Costs]:
    """Measure servers at the same time, between whose people there is as much time as can be."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})

    async def one(server: Server, after: float) -> Costs:
        await asyncio.sleep(after)
        async with Management(server) as management:
            await management.room(id=ROOM)
            return await measure(server, rounds)

    apart = 1 / PER_SECOND / len(servers)
    try:
        return await asyncio.gather(*(one(server, n * apart) for n, server in enumerate(servers)))
    finally:
        os.sched_setaffinity(0, cores)


def started(folder: Path, programs: list[str | None]) -> list[Server]:
    """Start a server of each program on the first core."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[0]})
    servers: list[Server] = []
    try:
        for number, program in enumerate(programs):
            server = Server(folder / str(number))
            server.start(program=program)
            servers.append(server)
    except BaseException:
        stop(servers)
        raise
    finally:
        os.sched_setaffinity(0, cores)
    return servers


def stop(servers: list[Server]) -> None:
    """Stop all of them."""
    for server in servers:
        server.stop()


async def alone(rounds: int, folder: Path) -> None:
    """Measure this build and print it."""
    servers = started(folder, [None])
    try:
        [costs] = await side_by_side(servers, rounds)
    finally:
        stop(servers)
    print(f"{rounds} rounds of {GUESTS} people: median (lowest to highest round)")
    print(_row("processor time, coming", costs.coming))
    print(_row("processor time, leaving", costs.leaving))
    print(_row("first packet of a picture", costs.pictures))


async def against(other: str, rounds: int, folder: Path) -> None:
    """Measure this build beside another one and print how they compare."""
    mine, theirs = Costs([], [], []), Costs([], [], [])
    for turn, programs in enumerate([[None, other], [other, None]]):
        servers = started(folder / str(turn), programs)
        try:
            measured = await side_by_side(servers, rounds)
        finally:
            stop(servers)
        for program, costs in zip(programs, measured, strict=True):
            told = mine if program is None else theirs
            told.coming.extend(costs.coming)
            told.leaving.extend(costs.leaving)
            told.pictures.extend(costs.pictures)
    print(
        f"twice {rounds} rounds of {GUESTS} people, both at the same time: median (lowest to highest round)"
    )
    for name, costs in (("this build", mine), ("the other", theirs)):
        print(_row(f"{name}, coming", costs.coming))
        print(_row(f"{name}, leaving", costs.leaving))
    ratios = [ours / beside for ours, beside in zip(mine.coming, theirs.coming, strict=True)]
    print(f"{'coming, as a share of its':28} {statistics.median(ratios):6.2f}    ", end="")
    print(f"({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--against", metavar="COLLOQUE", help="the installed command of another build")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        if chosen.against is None:
            asyncio.run(alone(chosen.rounds, Path(made)))
        else:
            asyncio.run(against(str(Path(chosen.against).absolute()), chosen.rounds, Path(made)))
