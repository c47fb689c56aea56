"""What the deliveries count, for Prometheus; every label is from a closed list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from rooms import OutcomeCode


class WebhookMetrics(Collector):
    """Counts attempts by how they ended, and knows how late the latest news is."""

    def __init__(self, wall: Callable[[], float]) -> None:
        """Start at nothing."""
        self._wall = wall
        self.outcomes: Counter[OutcomeCode] = Counter()
        self.dead = 0
        self.oldest: float | None = None
        """When the oldest event occurred that somebody still waits for."""
        self.lanes = 0
        self.in_flight = 0

    def collect(self) -> Iterable[Metric]:
        """Give the figures of now."""
        attempts = CounterMetricFamily(
            "colloque_webhook_attempts",
            "Attempts to deliver, by how they ended.",
            labels=("outcome",),
        )
        for code in get_args(OutcomeCode):
            attempts.add_metric((code,), self.outcomes[code])
        lag = 0.0 if self.oldest is None else max(0.0, self._wall() - self.oldest)
        return (
            attempts,
            GaugeMetricFamily(
                "colloque_webhook_lag_seconds", "Age of the oldest event that is not delivered yet.", lag
            ),
            CounterMetricFamily(
                "colloque_webhook_dead_letters", "Events given up after a day of failures.", self.dead
            ),
            GaugeMetricFamily(
                "colloque_webhook_lanes", "Rooms that some webhook is still to be told of.", self.lanes
            ),
            GaugeMetricFamily("colloque_webhook_in_flight", "Attempts on their way.", self.in_flight),
        )
