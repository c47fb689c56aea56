"""Events and counters on their way over the border."""

import asyncio
from typing import Any

from sfu import SfuConfig
from sfu.bridge import Bridge, Event, EventsDropped
from sfu.metrics import Occurrences
from sfu.quality import Quality
from tests.support.fake_core import FakeCore


async def test_a_defect_in_one_event_does_not_lose_the_next() -> None:
    core = FakeCore(SfuConfig())
    seen: list[Any] = []

    def receive(event: Event) -> None:
        assert isinstance(event, EventsDropped)
        seen.append(event.count)
        if event.count == 1:
            raise RuntimeError

    bridge = Bridge(core, receive)
    bridge.start(asyncio.get_running_loop())
    core.emit(EventsDropped(count=1), EventsDropped(count=2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert seen == [1, 2]
    bridge.stop()


async def test_events_that_wait_at_the_stop_are_still_handed_out() -> None:
    core = FakeCore(SfuConfig())
    seen: list[Any] = []
    bridge = Bridge(core, seen.append)
    bridge.start(asyncio.get_running_loop())
    core.emit(EventsDropped(count=7))
    bridge.stop()
    bridge.stop()
    assert len(seen) == 1


def test_a_snapshot_is_read_for_every_worker() -> None:
    core = FakeCore(SfuConfig(workers=3))
    one = core.add_transport(1, "1aaaa", "p" * 24)
    snapshot = Bridge(core, print).snapshot()
    assert [list(worker.legs) for worker in snapshot.workers] == [[], [one], []]
    row = snapshot.leg(one)
    assert row is not None
    assert row["id"] == one
    assert snapshot.leg(99) is None


def test_quality_is_the_difference_of_two_snapshots() -> None:
    core = FakeCore(SfuConfig())
    core.add_transport(0, "0aaaa", "p" * 24)
    figures = {"packets_up": 90, "lost_up": 10, "rtt_micros": 30_000, "jitter_down_micros": 2000}
    core.leg_figures = figures
    occurrences = Occurrences()
    quality = Quality(occurrences)
    bridge = Bridge(core, print)
    quality.observe(bridge.snapshot())
    quality.observe(bridge.snapshot())  # nothing came in between: no second sample of loss
    samples = {
        (sample.name.removeprefix("colloque_"), sample.labels.get("dir")): sample.value
        for histogram in (occurrences.loss, occurrences.rtt, occurrences.jitter)
        for family in histogram.collect()
        for sample in family.samples
        if sample.name.endswith(("_sum", "_count"))
    }
    assert samples["loss_ratio_count", "up"] == 1
    assert abs(samples["loss_ratio_sum", "up"] - 0.1) < 1e-9
    assert ("loss_ratio_count", "down") not in samples
    assert samples["rtt_seconds_count", None] == 2
    assert samples["jitter_seconds_count", "down"] == 2
