"""What waits to be written of the legs of calls, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

    from rooms import LegJournal


class JournalMetrics(Collector):
    """Looks at the journal when asked."""

    def __init__(self, journal: LegJournal) -> None:
        """Take the journal of this server."""
        self._journal = journal

    def collect(self) -> Iterable[Metric]:
        """Give the figures of now."""
        dropped = CounterMetricFamily(
            "colloque_leg_facts_dropped",
            "Comings and goings that were not written, for too many waited for the database.",
        )
        dropped.add_metric((), self._journal.dropped)
        waiting = GaugeMetricFamily(
            "colloque_leg_facts_waiting", "Comings and goings that are not on disk yet."
        )
        waiting.add_metric((), len(self._journal))
        return (waiting, dropped)
