"""What signalling counted: totals by reason, with no label that grows with rooms or people."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Counters:
    """Totals since the process started."""

    def __init__(self) -> None:
        self.joins: Counter[str] = Counter()
        """By outcome: `joined`, `resumed`, or the code of the refusal."""
        self.ended: Counter[str] = Counter()
        """Legs, by the event that ended them."""
        self.dropped: Counter[str] = Counter()
        """Messages from clients that were not used, by reason."""
        self.messages_up: Counter[str] = Counter()
        """Messages from clients, by kind."""
        self.data_relayed: Counter[str] = Counter()
        """Data messages taken for relay, by channel."""
        self.closed: Counter[str] = Counter()
        """Connections that the server closed, by code."""


class SignallingCollector(Collector):
    """Gives the totals and the present number of objects to a Prometheus registry."""

    def __init__(self, counters: Counters, objects: Callable[[], Mapping[str, int]]) -> None:
        """Take the totals from `counters` and the census from `objects` at each scrape."""
        self._counters = counters
        self._objects = objects

    def describe(self) -> Iterable[Metric]:
        """Name nothing in advance; names do not clash."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Return everything as it is now."""
        counters = self._counters
        yield _totals("signal_joins", "Attempts to join by outcome.", "outcome", counters.joins)
        yield _totals("signal_legs_ended", "Legs that ended, by cause.", "cause", counters.ended)
        yield _totals("signal_dropped", "Client messages not used, by reason.", "reason", counters.dropped)
        yield _totals("signal_messages", "Client messages by kind.", "kind", counters.messages_up)
        yield _totals("data_messages", "Data messages relayed, by channel.", "channel", counters.data_relayed)
        yield _totals("signal_closed", "Connections closed by the server.", "code", counters.closed)
        census = GaugeMetricFamily(
            "colloque_signal_objects", "Living objects of signalling.", labels=["kind"]
        )
        for kind, count in sorted(self._objects().items()):
            census.add_metric([kind], count)
        yield census


def _totals(name: str, text: str, label: str, counts: Counter[str]) -> CounterMetricFamily:
    family = CounterMetricFamily(f"colloque_{name}", text, labels=[label])
    for key, count in sorted(counts.items()):
        family.add_metric([key], count)
    return family
