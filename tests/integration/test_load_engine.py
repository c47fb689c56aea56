"""The load engine's synthetic people in a call on the real server."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from loadtest.engine import run
from loadtest.plan import AudioPlan, PersonPlan, RunPlan, VideoPlan
from loadtest.results import EngineResult, Progress
from tests.support.management import Management
from tests.support.server import Server

pytestmark = [pytest.mark.integration, pytest.mark.slow]

AUDIO_PACKETS, VIDEO_PACKETS = 50, 30 * 10  # a second
_DOWN = re.compile(r'^colloque_(messages_down_total|datagrams_total\{dir="down"\}) (\S+)$', re.MULTILINE)


def person(management: Management, room: str, identity: str, **fields: object) -> PersonPlan:
    token = management.foreign_token(room, identity)
    plan = PersonPlan(room=room, identity=identity, token=token, joins_at=0.0, leaves_at=None)
    return replace(plan, **fields)  # type: ignore[arg-type]


def broadcast(management: Management, room: str, viewers: int) -> Iterator[PersonPlan]:
    fixed = VideoPlan(encodings=((1280, 720, 2500),), packets_per_frame=10, packet_bytes=1_100)
    yield person(management, room, "speaker", audio=AudioPlan(), video=fixed)
    for number in range(viewers):
        yield person(management, room, f"viewer-{number}")


async def carry_out(management: Management, people: Iterator[PersonPlan], seconds: float) -> EngineResult:
    plan = RunPlan(management.server.ws_url, tuple(people), warm_up_seconds=1.0, seconds=seconds, seed=1)
    return await run(plan)


async def test_five_viewers_get_everything_that_a_speaker_sends(management: Management) -> None:
    room = await management.room()
    result = await carry_out(management, broadcast(management, room, 5), 2.0)
    assert [join.error for join in result.joins] == [None] * 6
    assert all(join.ok for join in result.joins)
    viewers = result.joins[1:]
    for join in viewers:
        stages = (join.signalling_ms, join.ice_ms, join.dtls_ms)
        assert None not in stages
        assert list(stages) == sorted(stages)  # type: ignore[type-var]
        assert join.first_audio_ms is not None
        assert join.first_video_ms is not None
    of_one = 2 * (AUDIO_PACKETS + VIDEO_PACKETS)
    assert result.packets_sent == pytest.approx(of_one, rel=0.1)
    assert result.packets_received == pytest.approx(5 * of_one, rel=0.1)
    assert (result.packets_lost, result.duplicates, result.payload_errors) == (0, 0, 0)
    assert result.payloads_checked == result.packets_received
    assert sum(result.latency.counts) == result.payloads_checked
    assert 0 < (result.latency.percentile(0.5) or 0) < 50
    assert 0 < result.tool_busy < 0.8
    assert (result.aborted, result.error) == (False, None)


_LISTENERS = 8
# Voices begin when they happen to join. 28 have 1.4 packets in every millisecond: 0.4 messages a packet, and
# 0.5 if all are as far apart as can be. Of 8 it would be 0.7, but now and then no two are near each other.
_MANY, _FEW = 28, 8


async def test_what_many_say_reaches_everybody_in_fewer_messages(tmp_path: Path) -> None:
    messages, packets = await messages_and_packets(tmp_path, _MANY)
    assert messages < 0.75 * packets


async def test_where_it_may_not_wait_what_is_said_goes_out_packet_by_packet(tmp_path: Path) -> None:
    never = ("env", "COLLOQUE_MEDIA__AUDIO_GATHER_MS=0")
    messages, packets = await messages_and_packets(tmp_path, _FEW, around=never)
    assert messages > 0.95 * packets


async def messages_and_packets(
    tmp_path: Path, voices: int, *, around: Sequence[str] = ()
) -> tuple[float, float]:
    """Have so many speak at once to each other and to some who only listen; count what went down to them."""
    server = Server(tmp_path, database=f"sqlite:///{tmp_path / 'rooms.db'}")
    server.start(around=tuple(around))
    try:
        async with Management(server) as management:
            room = await management.room()
            # Of all sizes, so that some of them are padded.
            plans = [AudioPlan(packet_bytes=100 + 3 * (number % 8)) for number in range(voices)]
            speakers = (person(management, room, f"s{n}", audio=plan) for n, plan in enumerate(plans))
            listeners = (person(management, room, f"listener-{n}") for n in range(_LISTENERS))
            result = await carry_out(management, chain(speakers, listeners), 3.0)
            counted = dict(_DOWN.findall(await management.metrics()))
    finally:
        server.stop()
    assert [join.error for join in result.joins] == [None] * (voices + _LISTENERS)
    hearing = voices - 1 + _LISTENERS  # each voice
    assert result.packets_received == pytest.approx(3 * AUDIO_PACKETS * voices * hearing, rel=0.1)
    assert (result.packets_lost, result.duplicates, result.payload_errors) == (0, 0, 0)
    return float(counted["messages_down_total"]), float(counted['datagrams_total{dir="down"}'])


async def test_viewers_who_show_a_picture_small_get_the_encoding_of_that_size(management: Management) -> None:
    room = await management.room()
    people = (
        person(management, room, "speaker", video=VideoPlan()),
        person(management, room, "large", wanted=(1280, 720)),
        person(management, room, "small", wanted=(320, 180)),
    )
    result = await carry_out(management, iter(people), 2.0)
    assert [join.error for join in result.joins] == [None] * 3
    assert result.layer_seconds["low"] == pytest.approx(2.0, abs=0.5)
    assert result.layer_seconds["high"] == pytest.approx(2.0, abs=0.5)
    assert (result.packets_lost, result.payload_errors) == (0, 0)


async def test_a_sample_of_the_packets_is_checked_and_all_are_counted(management: Management) -> None:
    room = await management.room()
    people = tuple(broadcast(management, room, 2))
    plan = RunPlan(management.server.ws_url, people, warm_up_seconds=1.0, seconds=1.0, seed=1)
    result = await run(plan, check_every=10)
    assert result.packets_received == pytest.approx(2 * (AUDIO_PACKETS + VIDEO_PACKETS), rel=0.1)
    assert result.payloads_checked == pytest.approx(result.packets_received / 10, rel=0.1)
    assert (result.packets_lost, result.payload_errors) == (0, 0)


async def test_people_come_and_go_at_their_times(management: Management) -> None:
    room = await management.room()
    people = (
        person(management, room, "stays"),
        person(management, room, "comes", joins_at=0.9),
        person(management, room, "goes", leaves_at=1.5),
    )
    plan = RunPlan(management.server.ws_url, people, warm_up_seconds=0.5, seconds=1.5, seed=1)
    told: list[Progress] = []
    result = await run(plan, on_progress=told.append)
    assert [(each.connected, each.expected) for each in told] == [(0, 2), (2, 2), (3, 3), (2, 2)]
    assert [join.ok for join in result.joins] == [True] * 3


async def test_a_run_can_be_stopped_and_tells_what_there_was_by_then(management: Management) -> None:
    room = await management.room()
    plan = RunPlan(management.server.ws_url, tuple(broadcast(management, room, 1)), 0.0, 600.0, seed=1)
    stop = asyncio.Event()

    def stop_soon(progress: Progress) -> None:
        if progress.seconds > 1:
            stop.set()

    result = await run(plan, stop=stop, on_progress=stop_soon)
    assert result.aborted
    assert result.packets_received > 0


async def test_who_is_not_let_in_is_told_with_the_reason(management: Management) -> None:
    room = await management.room()
    plan = person(management, room, "stranger")
    result = await carry_out(management, iter([replace(plan, token=f"{plan.token}x")]), 0.2)
    said = "the server answered 401: invalid or expired token"
    assert [(join.ok, join.error) for join in result.joins] == [(False, said)]
    assert result.error == said


async def test_a_server_that_is_not_there_is_said_to_be_so(management: Management) -> None:
    plan = RunPlan("ws://127.0.0.1:1", (person(management, "nowhere", "early"),), 0.0, 0.2, seed=1)
    result = await run(plan)
    assert result.error == "the server cannot be reached (Connection refused)"


async def test_who_comes_first_waits_for_a_picture_from_when_one_is_offered(management: Management) -> None:
    room = await management.room()
    people = [
        person(management, room, "early"),
        person(management, room, "late", joins_at=0.5, video=VideoPlan()),
    ]
    result = await carry_out(management, iter(people), 1.0)
    early, late = result.joins
    assert early.video_offered_ms > 400
    assert early.first_video_ms is not None
    assert early.first_video_ms > early.video_offered_ms
    assert (late.video_offered_ms, late.first_video_ms) == (0.0, None)


async def test_everybody_in_a_meeting_gets_everybody_else(management: Management) -> None:
    """Five pictures are more than there are sections for in a first offer."""
    room = await management.room()
    small = VideoPlan(encodings=((320, 180, 150),), codec="h264")
    people = [
        person(management, room, f"person-{number}", audio=AudioPlan(), video=small) for number in range(5)
    ]
    result = await carry_out(management, iter(people), 2.0)
    assert [join.error for join in result.joins] == [None] * 5
    assert all(join.first_audio_ms and join.first_video_ms for join in result.joins)
    assert result.packets_received == pytest.approx(4 * result.packets_sent, rel=0.02)
    assert result.packets_received > 2 * 4 * 5 * (AUDIO_PACKETS + 30) * 0.9
    assert (result.packets_lost, result.payload_errors) == (0, 0)


async def test_a_camera_that_nobody_watches_rests(management: Management) -> None:
    room = await management.room()
    people = [person(management, room, "alone", video=VideoPlan())]
    plan = RunPlan(management.server.ws_url, tuple(people), warm_up_seconds=7.0, seconds=1.0, seed=1)
    result = await run(plan)
    assert (result.joins[0].ok, result.packets_sent) == (True, 0)


async def test_a_server_that_dies_ends_the_stays_and_not_the_engine(own_server: Server) -> None:
    async with Management(own_server) as local:
        room = await local.room()
        people = tuple(broadcast(local, room, 2))
    plan = RunPlan(own_server.ws_url, people, warm_up_seconds=0.0, seconds=3.0, seed=1)

    def kill(progress: Progress) -> None:
        if progress.connected == 3:
            own_server.kill()

    result = await run(plan, on_progress=kill)
    assert [join.ok for join in result.joins] == [False] * 3
    assert all("ended the connection" in (join.error or "") for join in result.joins)
    assert result.packets_received > 0
    assert result.error is not None
