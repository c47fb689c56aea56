"""Viewers who really decode, beside synthetic people on the real server."""

import asyncio

import pytest

from loadtest.engine import run
from loadtest.errors import RunError
from loadtest.faithful import child
from loadtest.plan import FAITHFUL, PersonPlan, RunPlan, VideoPlan
from loadtest.results import Progress
from tests.support.management import Management
from tests.support.server import Server

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def person(management: Management, room: str, identity: str, video: VideoPlan | None = None) -> PersonPlan:
    return PersonPlan(
        room, identity, management.foreign_token(room, identity), joins_at=0.0, leaves_at=None, video=video
    )


async def plan_of(management: Management, viewers: int, seconds: float) -> RunPlan:
    room = await management.room()
    small = VideoPlan(encodings=((320, 180, 150),))
    people = [person(management, room, "speaker", small), person(management, room, "listener")]
    faithful = [person(management, room, f"{FAITHFUL}{name}") for name in ("camera", *range(viewers))]
    return RunPlan(management.server.ws_url, tuple(people), 3.0, seconds, seed=1, faithful=tuple(faithful))


async def test_two_viewers_decode_marked_pictures_and_nobody_else_gets_them(management: Management) -> None:
    result = await run(await plan_of(management, 2, 5.0))
    assert [one.error for one in result.faithful] == [None, None]
    for one in result.faithful:
        assert one.frames_per_second > 10
        assert one.pictures_read_ratio is not None
        assert one.pictures_read_ratio > 0.9
        assert one.end_to_end_p50_ms is not None
        assert 30 < one.end_to_end_p50_ms < 1000
    # The synthetic listener was offered the speaker alone.
    assert [join.error for join in result.joins] == [None, None]
    assert (result.packets_lost, result.payload_errors) == (0, 0)
    assert result.packets_received == pytest.approx(result.packets_sent, rel=0.02)


async def test_a_run_that_is_stopped_tells_what_viewers_saw_by_then(management: Management) -> None:
    plan = await plan_of(management, 1, 600.0)
    stop = asyncio.Event()

    def stop_soon(progress: Progress) -> None:
        if progress.seconds > 5:
            stop.set()

    result = await run(plan, stop=stop, on_progress=stop_soon)
    assert result.aborted
    assert result.faithful[0].frames_per_second > 10


async def test_a_camera_that_is_not_let_in_is_told_by_each_viewer(management: Management) -> None:
    plan = await plan_of(management, 1, 1.0)
    first = plan.faithful[0]
    refused = PersonPlan(first.room, first.identity, "no token", 0.0, None)
    result = await run(RunPlan(plan.url, plan.people, 2.0, 1.0, 1, (refused, *plan.faithful[1:])))
    (viewer,) = result.faithful
    assert viewer.error == "the faithful camera: the server answered 401: invalid or expired token"
    assert (viewer.frames_per_second, viewer.freeze_ratio) == (0.0, 1.0)


async def test_a_server_that_dies_freezes_the_picture(own_server: Server) -> None:
    async with Management(own_server) as local:
        plan = await plan_of(local, 1, 3.0)

    def kill(progress: Progress) -> None:
        if progress.seconds > 4:
            own_server.kill()

    result = await run(plan, on_progress=kill)
    (viewer,) = result.faithful
    assert viewer.error is not None
    assert viewer.freezes >= 1


async def test_what_to_install_is_said_before_anything_begins(
    management: Management, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "find_spec", lambda _name: None)
    with pytest.raises(RunError, match=r"pip install 'colloque\[faithful\]'"):
        await run(await plan_of(management, 1, 1.0))
