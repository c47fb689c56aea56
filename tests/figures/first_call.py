"""How quick a call is, measured with unmodified clients on this machine: run `make figures`.

Every figure is the median of repeated trials on loopback with one server, one Chromium and the Python SDK.
"""

import argparse
import asyncio
import contextlib
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.browsers import Browsers
from tests.support.line import Line
from tests.support.management import Management
from tests.support.meeting import Meeting
from tests.support.participant import CAMERA, MICROPHONE
from tests.support.sdk import SdkParticipant
from tests.support.server import Server
from tests.support.static_site import StaticSite

BUNDLE = Path(__file__).parents[1] / "integration" / "browser" / "dist"


@dataclass
class Figure:
    """One thing measured, in milliseconds, and the median it should stay under."""

    name: str
    target: float
    trials: list[float] = field(default_factory=list)

    def line(self) -> str:
        """Give one row of the report."""
        if not self.trials:
            return f"{self.name:52} no trial"
        ordered = sorted(self.trials)
        median, ninth = statistics.median(ordered), ordered[int(len(ordered) * 0.9)]
        verdict = "ok" if median <= self.target else "over"
        return f"{self.name:52} {median:8.1f} {ninth:8.1f} {ordered[-1]:8.1f} {self.target:8.0f}  {verdict}"


Trial = Callable[[Meeting], Awaitable[dict[str, float]]]


async def sdk_connect(meeting: Meeting) -> dict[str, float]:
    """Time the Python SDK from connect to connected."""
    token = await meeting.token("robot")
    async with SdkParticipant() as robot:
        before = time.perf_counter()
        await robot.join(meeting.server.ws_url, token)
        return {"Python SDK: connect to connected": (time.perf_counter() - before) * 1000}


async def late_joiner(meeting: Meeting) -> dict[str, float]:
    """Time Chromium from connect to connected, and from there to the first picture of who is there."""
    alice = await meeting.join("alice")
    await alice.publish(CAMERA)
    await _sent(alice)
    bob = await meeting.open("bob")
    token = await meeting.token("bob")
    took = await bob.join(meeting.server.ws_url, token)
    connected = await bob.happened("connected")
    first = await bob.happened("firstFrame", identity="alice")
    return {
        "Chromium: connect to connected": took,
        "Chromium: connected to first picture of a late joiner": first["at"] - connected["at"],
        "Chromium: connect to first picture of a late joiner": first["at"] - connected["at"] + took,
    }


async def mute(meeting: Meeting) -> dict[str, float]:
    """Time from a click on mute until another browser knows."""
    alice = await meeting.join("alice")
    bob = await meeting.join("bob")
    await alice.publish(MICROPHONE)
    await bob.hears("alice")
    at = await alice.now()
    await alice.do("microphone", False)
    seen = await bob.happened("trackMuted", identity="alice")
    return {"Chromium: mute to seen by another": seen["at"] - at}


async def switch(meeting: Meeting) -> dict[str, float]:
    """Time simulcast switches both ways, and the longest gap between pictures around them."""
    alice = await meeting.join("alice")
    bob = await meeting.join("bob")
    await alice.publish(CAMERA)
    await bob.width("alice", CAMERA, 1280, within=15)
    took = {}
    start = await bob.now()
    for quality, width in (("low", 320), ("high", 1280)):
        mark, asked = await bob.mark(), await bob.now()
        await bob.do("quality", "alice", CAMERA, quality)
        took[quality] = (await bob.width("alice", CAMERA, width, since=mark))["at"] - asked
    await bob.sees("alice", frames=10)
    return {
        "Chromium: simulcast switch down": took["low"],
        "Chromium: simulcast switch up": took["high"],
        "Chromium: longest gap between pictures in switches": await bob.longest_gap("alice", CAMERA, start),
    }


async def resume(meeting: Meeting) -> dict[str, float]:
    """Cut signalling, let it back at once, and time until it works; media must not notice."""
    alice = await meeting.join("alice")
    await alice.publish(CAMERA)
    async with Line(meeting.server.ports.http) as line:
        bob = await meeting.join("bob", url=line.ws_url)
        await bob.sees("alice")
        mark, start = await bob.mark(), await bob.now()
        line.cut()
        line.mend()
        back = await bob.happened("reconnected", since=mark, within=15)
        await bob.sees("alice", frames=10)
        return {
            "Chromium: signalling cut to control back": back["at"] - start,
            "Chromium: longest gap between pictures in a cut": await bob.longest_gap("alice", CAMERA, start),
        }


TARGETS = {
    "Python SDK: connect to connected": 100,
    "Chromium: connect to connected": 250,
    "Chromium: connected to first picture of a late joiner": 120,
    "Chromium: connect to first picture of a late joiner": 370,
    "Chromium: mute to seen by another": 10,
    "Chromium: simulcast switch down": 200,
    "Chromium: simulcast switch up": 200,
    "Chromium: longest gap between pictures in switches": 200,
    "Chromium: signalling cut to control back": 2500,
    "Chromium: longest gap between pictures in a cut": 200,
}
TRIALS: tuple[Trial, ...] = (sdk_connect, late_joiner, mute, switch, resume)


async def _sent(person: object) -> None:
    await asyncio.sleep(1)  # let the encoder settle: the figure is the server's, not the camera's


async def measure(server: Server, trials: int) -> list[Figure]:
    """Run every trial this many times, each in a room of its own."""
    figures = {name: Figure(name, target) for name, target in TARGETS.items()}
    with StaticSite(BUNDLE) as site:
        browsers = Browsers()
        async with Management(server) as management:
            for trial in TRIALS:
                for _ in range(trials):
                    meeting = Meeting(server, management, await management.room(), site.url, browsers)
                    try:
                        for name, value in (await trial(meeting)).items():
                            figures[name].trials.append(value)
                    finally:
                        await meeting.close()
        await browsers.close()
    return list(figures.values())


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        server = Server(Path(folder))
        server.start()
        stack.callback(server.stop)
        figures = asyncio.run(measure(server, options.trials))
    print(f"{'milliseconds':52} {'median':>8} {'90 %':>8} {'worst':>8} {'target':>8}")
    for figure in figures:
        print(figure.line())


if __name__ == "__main__":
    main()
