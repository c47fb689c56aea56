"""How fast the waiting room takes in a crowd: many people knock within one second (nine o'clock).

One server on SQLite, its database on this disk. `--rooms 1` puts all of them at one door. Run it with
`python -m tests.figures.knocks`.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections import Counter
from pathlib import Path

import aiohttp

from loadtest.tokens import join_token
from tests.support.management import Management
from tests.support.server import Server

PEOPLE = 300
ROOMS = 150
WITHIN = 1.0
_PATIENCE = 30.0


async def knock(http: aiohttp.ClientSession, server: Server, token: str) -> str:
    """Connect, say hello, and give the type of the first answer, with the code of a refusal."""
    async with asyncio.timeout(_PATIENCE), http.ws_connect(f"{server.ws_url}/waiting") as socket:
        await socket.send_str(json.dumps({"type": "hello", "v": 1, "token": token}))
        message = await socket.receive_json()
        return str(message["type"] if message["type"] == "waiting" else message.get("code", message["type"]))


async def crowd(server: Server, tokens: list[str], *, within: float) -> tuple[Counter[str], list[float]]:
    """Let everybody knock at an even pace; give the answers and the seconds until each was seated."""
    took: list[float] = []
    answers: Counter[str] = Counter()
    began = time.perf_counter()

    async def one(number: int, token: str) -> None:
        due = began + number * within / len(tokens)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        answer = await knock(http, server, token)
        answers[answer] += 1
        took.append(time.perf_counter() - due)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        await asyncio.gather(*(one(number, token) for number, token in enumerate(tokens)))
    return answers, sorted(took)


def processor_seconds(server: Server) -> float:
    """Give the processor time that the server has used so far."""
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def main(people: int, rooms: int, within: float, folder: Path) -> None:
    """Measure and print."""
    server = Server(folder, database=f"sqlite:///{folder / 'rooms.sqlite3'}")
    server.start()
    try:
        async with Management(server) as management:
            names = [await management.room(waiting_room=True) for _ in range(rooms)]
        tokens = [
            join_token(
                server.key,
                server.secret,
                room=names[number % rooms],
                identity=f"patient-{number}",
                now=time.time(),
                ttl_seconds=600,
            )
            for number in range(people)
        ]
        before = processor_seconds(server)
        answers, took = await crowd(server, tokens, within=within)
        each = (processor_seconds(server) - before) * 1000 / people
        print(
            f"{people} people at {rooms} doors within {within:g} s: {dict(answers)}, seated after "
            f"{took[len(took) // 2]:.2f} s (median), {took[int(len(took) * 0.99)]:.2f} s (99 %), "
            f"{took[-1]:.2f} s (the last), {each:.1f} ms of the server's processor for each"
        )
    finally:
        server.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--rooms", type=int, default=ROOMS)
    parser.add_argument("--within", type=float, default=WITHIN)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(main(chosen.people, chosen.rooms, chosen.within, Path(made)))
