"""The loop behind webhooks, without a network and without waiting."""

import asyncio
import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from control_api.webhooks import Courier, Targets
from control_api.webhooks.courier import POLL_SECONDS, RETRY_SECONDS, SENT_AT_ONCE, TESTS_AT_ONCE
from rooms import KeyRing, Outcome, RoomDraft, Rooms, Signing, StoreUnavailable, WebhookDraft
from tests.unit.control_api.conftest import NOW

DELIVERED = Outcome("delivered", 204)
Answering = Callable[[Any], Outcome]


class Sender:
    targets = Targets()

    def __init__(self, answering: Answering = lambda _: DELIVERED) -> None:
        self.answering = answering
        self.sent: list[Any] = []
        self.open = asyncio.Event()
        self.open.set()
        self.heard = asyncio.Event()

    async def send(self, address: str, headers: Mapping[str, str], body: str, *, now: float) -> Outcome:
        await self.open.wait()
        self.sent.append(json.loads(body))
        self.heard.set()
        return self.answering(self.sent[-1])


@pytest.fixture
async def rooms(url: str) -> Any:
    service = await Rooms.open(url, keys=KeyRing([]))
    yield service
    await service.close()


def courier_of(rooms: Rooms, sender: Sender) -> Courier:
    return Courier(rooms, sender, wall=lambda: NOW, random=Random(1))


async def hook(rooms: Rooms) -> str:
    webhook, _ = await rooms.webhooks.create("default", WebhookDraft("https://portal.example/"), now=NOW)
    return webhook.id


async def ticks(courier: Courier, count: int) -> None:
    for _ in range(count):
        await courier.tick()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


def figures(courier: Courier) -> dict[str, float | None]:
    registry = CollectorRegistry()
    registry.register(courier.metrics)
    labels = {"outcome": "delivered"}
    return {
        "lag": registry.get_sample_value("colloque_webhook_lag_seconds"),
        "delivered": registry.get_sample_value("colloque_webhook_attempts_total", labels),
        "in flight": registry.get_sample_value("colloque_webhook_in_flight"),
        "lanes": registry.get_sample_value("colloque_webhook_lanes"),
    }


async def test_events_are_sent_and_counted(rooms: Rooms) -> None:
    sender = Sender()
    courier = courier_of(rooms, sender)
    await hook(rooms)
    await rooms.create_room("default", RoomDraft(id="one"), now=NOW - 7)
    sender.open.clear()
    await ticks(courier, 1)
    assert figures(courier) == {"lag": 7.0, "delivered": 0.0, "in flight": 1.0, "lanes": 1.0}
    sender.open.set()
    await ticks(courier, 2)
    assert [one["room"] for one in sender.sent] == ["one"]
    assert figures(courier) == {"lag": 0.0, "delivered": 1.0, "in flight": 0.0, "lanes": 0.0}


async def test_without_anything_to_do_it_only_looks_now_and_then(rooms: Rooms) -> None:
    assert await courier_of(rooms, Sender()).tick() == POLL_SECONDS


async def test_a_failure_is_tried_again_when_it_is_due(rooms: Rooms) -> None:
    courier = courier_of(rooms, Sender(lambda _: Outcome("failed", 500)))
    await hook(rooms)
    await rooms.create_room("default", RoomDraft(id="one"), now=NOW)
    await ticks(courier, 1)
    assert 2.5 <= await courier.tick() <= POLL_SECONDS


async def test_how_attempts_ended_is_kept_while_the_database_is_gone(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sender = Sender()
    courier = courier_of(rooms, sender)
    await hook(rooms)
    await rooms.create_room("default", RoomDraft(id="one"), now=NOW)
    await ticks(courier, 1)
    turn = rooms.outbox.turn

    async def gone(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(rooms.outbox, "turn", gone)
    assert await courier.tick() == RETRY_SECONDS
    assert await courier.tick() == RETRY_SECONDS
    assert caplog.messages == ["webhooks_wait_for_the_database"]
    monkeypatch.setattr(rooms.outbox, "turn", turn)
    await ticks(courier, 3)
    assert len(sender.sent) == 1
    assert figures(courier)["lanes"] == 0


async def test_a_defect_of_ours_does_not_stop_the_deliveries(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sender = Sender()
    courier = courier_of(rooms, sender)

    async def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("not today")

    with monkeypatch.context() as patched:
        patched.setattr(rooms.outbox, "turn", broken)
        assert await courier.tick() == RETRY_SECONDS
    assert "webhooks_failed" in caplog.messages
    await hook(rooms)
    await rooms.create_room("default", RoomDraft(id="one"), now=NOW)
    await ticks(courier, 2)
    assert len(sender.sent) == 1


async def test_news_wake_the_loop(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("control_api.webhooks.courier.SHORTEST_GAP_SECONDS", 0)
    monkeypatch.setattr("control_api.webhooks.courier.GAP_PER_TURN", 0)
    sender = Sender()
    courier = courier_of(rooms, sender)
    running = asyncio.create_task(courier.run())
    await hook(rooms)
    await rooms.create_room("default", RoomDraft(id="one"), now=NOW)
    await sender.heard.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [one["room"] for one in sender.sent] == ["one"]


async def test_a_webhook_gets_a_few_at_a_time_and_none_once_nobody_answers(rooms: Rooms) -> None:
    sender = Sender(lambda _: Outcome("timed_out"))
    courier = courier_of(rooms, sender)
    await hook(rooms)
    for number in range(3 * SENT_AT_ONCE):
        await rooms.create_room("default", RoomDraft(id=str(number)), now=NOW)
    sender.open.clear()
    await ticks(courier, 1)
    assert figures(courier)["in flight"] == 3 * SENT_AT_ONCE
    sender.open.set()
    for _ in range(3 * SENT_AT_ONCE):
        await asyncio.sleep(0)
    assert len(sender.sent) == SENT_AT_ONCE
    await ticks(courier, 2)
    assert len(sender.sent) == SENT_AT_ONCE + 2
    assert figures(courier)["lanes"] == 3 * SENT_AT_ONCE


async def happen(rooms: Rooms, room: str, events: int) -> None:
    await rooms.create_room("default", RoomDraft(id=room), now=NOW)
    for number in range(1, events):
        act = "start" if number == 1 else ("finish", "reopen")[number % 2]
        await rooms.act("default", room, act, now=NOW)  # type: ignore[arg-type]


async def test_what_happened_in_a_room_goes_out_one_after_another_in_one_turn(rooms: Rooms) -> None:
    sender = Sender()
    courier = courier_of(rooms, sender)
    await hook(rooms)
    await happen(rooms, "one", 30)
    await courier.tick()
    for _ in range(40):
        await asyncio.sleep(0)
    assert [one["seq"] for one in sender.sent] == list(range(1, 31))
    await courier.tick()
    assert figures(courier) == {"lag": 0.0, "delivered": 30.0, "in flight": 0.0, "lanes": 0.0}


@pytest.mark.parametrize("outcome", [Outcome("failed", 500), Outcome("timed_out"), Outcome("gone", 410)])
async def test_nothing_follows_what_was_not_delivered(rooms: Rooms, outcome: Outcome) -> None:
    sender = Sender(lambda event: outcome if event["seq"] == 3 else DELIVERED)
    courier = courier_of(rooms, sender)
    await hook(rooms)
    await happen(rooms, "one", 5)
    await ticks(courier, 4)
    assert [one["seq"] for one in sender.sent] == [1, 2, 3]


async def test_a_run_ends_in_time_and_goes_on_in_the_next_turn(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("control_api.webhooks.courier.RUN_SECONDS", 0.0)
    sender = Sender()
    courier = courier_of(rooms, sender)
    await hook(rooms)
    await happen(rooms, "one", 3)
    for sent in (1, 2, 3):
        await ticks(courier, 1)
        assert [one["seq"] for one in sender.sent] == list(range(1, sent + 1))


async def test_a_pause_that_a_receiver_asks_for_ends_the_runs_of_its_other_rooms(rooms: Rooms) -> None:
    pause = Outcome("failed", 503, retry_after_seconds=60.0)
    sender = Sender(lambda event: pause if event["room"] == "poor" else DELIVERED)
    courier = courier_of(rooms, sender)
    await hook(rooms)
    await happen(rooms, "poor", 1)
    await happen(rooms, "rich", 30)
    await ticks(courier, 5)
    assert len(sender.sent) < 10


async def test_too_many_tests_at_once_are_refused(rooms: Rooms) -> None:
    sender = Sender()
    courier = courier_of(rooms, sender)
    sender.open.clear()
    signing = Signing("https://portal.example/", ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",))
    tests = [
        asyncio.create_task(courier.test("wh_x", signing, "evt_x", "{}")) for _ in range(TESTS_AT_ONCE + 1)
    ]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    sender.open.set()
    results = await asyncio.gather(*tests)
    assert results.count(None) == 1
    assert {one[0] for one in results if one is not None} == {DELIVERED}
