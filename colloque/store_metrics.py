"""How writing to the database goes, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

    from rooms import Rooms


class StoreMetrics(Collector):
    """Looks at the queue of writers when asked."""

    def __init__(self, rooms: Rooms) -> None:
        """Take the rooms of this server."""
        self._rooms = rooms

    def collect(self) -> Iterable[Metric]:
        """Give the figures of now."""
        writers = self._rooms.writers
        waiting = GaugeMetricFamily(
            "colloque_store_writers_waiting", "Changes that wait for their turn to be written."
        )
        waiting.add_metric((), writers.waiting)
        writes = CounterMetricFamily("colloque_store_writes", "Changes that are on disk.")
        writes.add_metric((), writers.counters.writes)
        commits = CounterMetricFamily(
            "colloque_store_commits", "Transactions they were written in; those who wait share one."
        )
        commits.add_metric((), writers.counters.commits)
        return (waiting, writes, commits)
