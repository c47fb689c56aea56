"""The timer of deadlines, without waiting for it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from colloque.clockwork import PRUNE_EVERY_SECONDS, Clockwork
from rooms import Application, GroupDraft, KeyRing, NotFound, RoomDraft, Rooms, StoreUnavailable
from rooms.deadlines import AT_ONCE, LOOK_AGAIN_SECONDS

NOW = 1_900_000_000.0
HOUR = 3600.0


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    service = await Rooms.open(f"sqlite:///{tmp_path}/rooms.sqlite3", keys=KeyRing([]))
    yield service
    await service.close()


async def test_everything_that_is_due_is_done_without_waiting(rooms: Rooms) -> None:
    for number in range(AT_ONCE + 1):
        await rooms.create_room("default", RoomDraft(id=str(number), starts_at=NOW), now=NOW)
    clockwork = Clockwork(rooms, wall=lambda: NOW + 9 * HOUR)
    assert await clockwork.tick()
    assert not await clockwork.tick()
    assert (await rooms.count_by_state())["not_held"] == AT_ONCE + 1


async def test_groups_are_closed_by_their_timer(rooms: Rooms) -> None:
    await rooms.create_room("default", RoomDraft(id="rdv"), now=NOW)
    await rooms.groups.open(Application("default", "rdv"), [GroupDraft()], closes_at=NOW + 60, now=NOW)
    await Clockwork(rooms, wall=lambda: NOW + 60).tick()
    assert await rooms.groups.list("default", "rdv") == []


async def test_old_events_go_after_a_while_and_not_at_every_tick(rooms: Rooms) -> None:
    await rooms.create_room("default", RoomDraft(), now=NOW)
    clock = NOW + 29 * 24 * HOUR
    clockwork = Clockwork(rooms, wall=lambda: clock)
    await clockwork.tick()
    clock = NOW + 31 * 24 * HOUR
    await clockwork.tick()
    assert (await rooms.events.read(after=0)).items == []
    await rooms.create_room("default", RoomDraft(), now=NOW)
    await clockwork.tick()
    assert len((await rooms.events.read(after=0)).items) == 1
    clock += PRUNE_EVERY_SECONDS
    await clockwork.tick()
    assert (await rooms.events.read(after=0)).items == []


async def test_old_connection_tests_go_after_a_while(rooms: Rooms) -> None:
    test, _ = await rooms.connection_tests.create("default", now=NOW)
    await Clockwork(rooms, wall=lambda: NOW + 29 * 24 * HOUR).tick()
    assert (await rooms.connection_tests.get("default", test.id, now=NOW)).id == test.id
    await Clockwork(rooms, wall=lambda: NOW + 31 * 24 * HOUR).tick()
    with pytest.raises(NotFound):
        await rooms.connection_tests.get("default", test.id, now=NOW)


async def test_a_database_that_is_gone_is_told_of_once_and_asked_again(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await rooms.create_room("default", RoomDraft(starts_at=NOW), now=NOW)
    meet = rooms.deadlines.meet

    async def gone(**_: Any) -> int:
        raise StoreUnavailable("gone")

    clockwork = Clockwork(rooms, wall=lambda: NOW + 9 * HOUR)
    monkeypatch.setattr(rooms.deadlines, "meet", gone)
    assert not await clockwork.tick()
    assert not await clockwork.tick()
    assert caplog.messages == ["deadlines_wait_for_the_database"]
    monkeypatch.setattr(rooms.deadlines, "meet", meet)
    await clockwork.tick()
    assert (await rooms.count_by_state())["not_held"] == 1


async def test_a_defect_of_ours_does_not_stop_the_clock(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(**_: Any) -> int:
        raise RuntimeError("not today")

    await rooms.create_room("default", RoomDraft(starts_at=NOW - 9 * HOUR), now=NOW)
    monkeypatch.setattr(rooms.deadlines, "meet", broken)
    assert not await Clockwork(rooms, wall=lambda: NOW).tick()
    assert "clockwork_failed" in caplog.messages


async def test_a_quiet_server_does_not_ask_its_database_every_second(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rooms.create_room("default", RoomDraft(id="rdv", starts_at=NOW + HOUR), now=NOW)
    store = rooms.deadlines._context.store
    read, asked, clock = store.read, list[float](), NOW

    def noted() -> Any:
        asked.append(clock)
        return read()

    monkeypatch.setattr(store, "read", noted)
    clockwork = Clockwork(rooms, wall=lambda: clock)
    await clockwork.tick()  # prunes too
    asked.clear()
    for _ in range(60):
        clock += 1
        await clockwork.tick()  # pruning wrote, so the first of them looks
    assert asked == [NOW + 1, NOW + 1 + LOOK_AGAIN_SECONDS]


async def test_what_was_written_since_the_last_look_is_met_at_the_next_tick(rooms: Rooms) -> None:
    await rooms.create_room("default", RoomDraft(id="rdv"), now=NOW)
    clock = NOW
    clockwork = Clockwork(rooms, wall=lambda: clock)
    await clockwork.tick()
    await rooms.groups.open(Application("default", "rdv"), [GroupDraft()], closes_at=NOW + 1, now=NOW)
    clock += 1
    await clockwork.tick()
    assert await rooms.groups.list("default", "rdv") == []


async def test_a_clock_that_is_set_back_or_forward_finds_what_is_due(rooms: Rooms) -> None:
    await rooms.create_room("default", RoomDraft(id="rdv", starts_at=NOW + HOUR), now=NOW)
    clock = NOW
    clockwork = Clockwork(rooms, wall=lambda: clock)
    for at in (NOW, NOW - HOUR, NOW + 9 * HOUR):
        clock = at
        await clockwork.tick()
    assert (await rooms.count_by_state())["not_held"] == 1
