"""What the REST interface counts, for Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from control_api.rate import RateLimiter
from rooms import Verdict


class ApiMetrics(Collector):
    """Counts answers; every label is from a closed list."""

    def __init__(self, *, verdicts: Mapping[Verdict, int]) -> None:
        """Start at nothing; `verdicts` are counted elsewhere, by results of connection tests."""
        self._verdicts = verdicts
        self.answers: Counter[tuple[str, int]] = Counter()
        """By operation and status."""
        self.problems: Counter[str] = Counter()
        """By code."""
        self.limiters: Mapping[str, RateLimiter] = {}

    def collect(self) -> Iterable[Metric]:
        """Give the figures of now."""
        answers = CounterMetricFamily(
            "colloque_api_requests",
            "REST and Twirp requests by operation and status.",
            labels=("operation", "status"),
        )
        for (operation, status), count in sorted(self.answers.items()):
            answers.add_metric((operation, str(status)), count)
        problems = CounterMetricFamily(
            "colloque_api_problems", "REST and Twirp errors by code.", labels=("code",)
        )
        for code, count in sorted(self.problems.items()):
            problems.add_metric((code,), count)
        callers = GaugeMetricFamily(
            "colloque_api_rate_callers", "Callers that rate limits remember.", labels=("limit",)
        )
        for name, limiter in self.limiters.items():
            callers.add_metric((name,), len(limiter))
        tests = CounterMetricFamily(
            "colloque_connection_tests", "Results of connection tests by verdict.", labels=("verdict",)
        )
        for verdict, count in self._verdicts.items():
            tests.add_metric((verdict,), count)
        return (answers, problems, callers, tests)
