"""What happens in rooms of the real server is recorded, and played again by synthetic people."""

import asyncio
import signal
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Self

import pytest

from loadtest.engine import run
from loadtest.plan import AudioPlan, Change, PersonPlan, RunPlan, VideoPlan
from loadtest.planning import addressed, plan
from loadtest.recording import Recording, read_recording
from loadtest.scenario import Replay
from loadtest.scenario_file import parse_scenario
from tests.support.eventually import eventually
from tests.support.management import Management
from tests.support.server import command, environment

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SMALL = VideoPlan(encodings=((320, 180, 150),))


class Recorder:
    """`colloque loadtest record` in a process of its own. Use as a context manager."""

    def __init__(self, management: Management, out: Path, *rooms: str, extra: tuple[str, ...] = ()) -> None:
        self._server = management.server
        self._out = out
        self._arguments = [part for room in rooms for part in ("--room", room)] + list(extra)
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        server = self._server
        self._process = await asyncio.create_subprocess_exec(
            *command(), "loadtest", "record", "--url", server.ws_url, "--key", server.key,
            "--secret", server.secret, "--out", str(self._out), *self._arguments,
            stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=PIPE, env=environment(),
        )  # fmt: skip
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
            await self._process.communicate()

    async def end(self, how: signal.Signals | None = signal.SIGINT) -> tuple[int, str, str]:
        assert self._process is not None
        if how is not None:
            self._process.send_signal(how)
        out, error = await self._process.communicate()
        return self._process.returncode or 0, out.decode(), error.decode()


def person(management: Management, room: str, identity: str, **fields: object) -> PersonPlan:
    token = management.foreign_token(room, identity)
    return PersonPlan(room, identity, token, **{"joins_at": 0.0, "leaves_at": None, **fields})  # type: ignore[arg-type]


def text(out: Path) -> str:
    return out.read_text() if out.exists() else ""


async def has(out: Path, event: str, times: int = 1) -> None:
    async def look() -> bool:
        return text(out).count(f'"event": "{event}"') >= times

    await eventually(look, within=15.0, what=f"{times} recorded {event}")


def events(recording: Recording, person_: int) -> list[str]:
    return [event.what for event in recording.events if event.person == person_]


@pytest.mark.timeout(60)  # 20 to 26 s in a quiet hour
async def test_a_room_is_recorded_and_played_again(management: Management, tmp_path: Path) -> None:
    room, out = await management.room(), tmp_path / "r.jsonl"
    changes = (
        Change(0.0, 1, "publish", AudioPlan()),
        Change(7.5, 2, "publish", SMALL),
        Change(9.5, 1, "mute"),
        Change(10.5, 1, "unmute"),
    )
    people = (
        person(management, room, "there", audio=AudioPlan()),
        # Long after the recorder: of two who are there when it comes it cannot tell who came first.
        person(management, room, "busy", joins_at=7.0, leaves_at=11.5, later=changes),
    )
    original = asyncio.ensure_future(run(RunPlan(management.server.ws_url, people, 1.0, 11.5, seed=1)))
    await asyncio.sleep(1.0)
    async with Recorder(management, out, room) as recorder:
        result = await original
        await has(out, "leave", 2)
        code, said, error = await recorder.end()
    assert (code, error) == (0, "")
    assert " events of 2 people in " in said
    assert [join.error for join in result.joins] == [None, None]
    recording = read_recording(out.read_text(), "r")
    assert "busy" not in out.read_text()
    assert events(recording, 1) == ["join", "publish", "leave"]
    assert events(recording, 2) == ["join", "publish", "publish", "mute", "unmute", "leave"]

    scenario = parse_scenario(
        'kind = "replay"\ntitle = "x"\nrecording = "r.jsonl"\nspeed = 2\n', "s.toml", folder=tmp_path
    )
    assert isinstance(scenario, Replay)
    again = await management.room()
    sent = addressed(
        plan(scenario, 1),
        management.server.ws_url,
        [again],
        management.foreign_token,
    )
    async with Recorder(management, tmp_path / "again.jsonl", again) as recorder:
        replayed = await run(sent)
        await has(tmp_path / "again.jsonl", "leave", 2)
        await recorder.end()
    assert [join.error for join in replayed.joins] == [None, None]
    assert (replayed.packets_lost, replayed.payload_errors) == (0, 0)
    assert replayed.packets_received > 50
    recorded = read_recording((tmp_path / "again.jsonl").read_text(), "again")
    for number in (1, 2):
        assert events(recorded, number) == events(recording, number)
    spans = [
        next(event.at for event in one.events if event.what == "unmute")
        - next(event.at for event in one.events if event.what == "mute")
        for one in (recording, recorded)
    ]
    assert spans[0] == pytest.approx(1.0, abs=0.3)
    assert spans[1] == pytest.approx(0.5, abs=0.3)


async def test_a_muted_microphone_sends_nothing(management: Management) -> None:
    room = await management.room()
    changes = (Change(0.0, 1, "publish", AudioPlan()), Change(0.0, 1, "mute"))
    people = (person(management, room, "muted", later=changes), person(management, room, "listener"))
    result = await run(RunPlan(management.server.ws_url, people, 2.0, 1.0, seed=1))
    assert [join.error for join in result.joins] == [None, None]
    assert (result.packets_sent, result.packets_received) == (0, 0)


async def test_several_rooms_are_recorded_for_some_seconds(management: Management, tmp_path: Path) -> None:
    rooms = [await management.room() for _ in range(2)]
    people = tuple(person(management, room, "same-name") for room in rooms)
    out = tmp_path / "r.jsonl"
    async with Recorder(management, out, *rooms, extra=("--seconds", "5")) as recorder:
        await run(RunPlan(management.server.ws_url, people, 0.0, 3.0, seed=1))
        code, _, error = await recorder.end(None)
    assert (code, error) == (0, "")
    recording = read_recording(out.read_text(), "r")
    assert recording.seconds == pytest.approx(5, abs=1.5)
    assert {(event.room, event.person) for event in recording.events} in ({(1, 1), (2, 2)}, {(1, 2), (2, 1)})


async def test_nobody_sees_who_records(management: Management, tmp_path: Path) -> None:
    room, out, enough = await management.room(), tmp_path / "r.jsonl", asyncio.Event()
    async with Recorder(management, out, room):
        stay = RunPlan(management.server.ws_url, (person(management, room, "alone"),), 0.0, 60.0, seed=1)
        running = asyncio.ensure_future(run(stay, stop=enough))
        await has(out, "join")
        async with Recorder(management, tmp_path / "second.jsonl", room) as second:
            await has(tmp_path / "second.jsonl", "join")
            await second.end()
        enough.set()
        await running
    assert events(read_recording((tmp_path / "second.jsonl").read_text(), "s"), 1) == ["join"]


async def test_why_nothing_can_be_recorded_is_one_line(management: Management, tmp_path: Path) -> None:
    room = await management.room()
    async with Recorder(management, tmp_path / "r.jsonl", room, extra=("--secret", "not-it")) as recorder:
        code, out, error = await recorder.end(None)
    assert (code, out) == (1, "")
    assert error == f"colloque: --room {room}: the server answered 401: invalid or expired token\n"


async def test_a_file_that_exists_is_not_written_over(management: Management, tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    out.write_text("precious")
    async with Recorder(management, out, "x") as recorder:
        code, _, error = await recorder.end(None)
    assert (code, error) == (1, f"colloque: --out {out}: exists already\n")
    assert out.read_text() == "precious"
