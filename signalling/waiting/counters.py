"""What the waiting room's channel counted: by reason, with no label that grows with rooms or people."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


@dataclass(slots=True)
class Counters:
    """Totals since the process started."""

    hellos: Counter[str] = field(default_factory=Counter)
    """By outcome: `waiting`, `hosting`, or the code of the refusal."""
    ended: Counter[str] = field(default_factory=Counter)
    """Connections, by the event that ended them."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Messages that were not used, by reason."""
    verbs: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By verb and outcome."""


class WaitingCollector(Collector):
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
        counted = self._counters
        yield _totals("hellos", "First messages by outcome.", "outcome", counted.hellos)
        yield _totals("ended", "Connections that ended, by cause.", "cause", counted.ended)
        yield _totals("dropped", "Client messages not used, by reason.", "reason", counted.dropped)
        verbs = CounterMetricFamily(
            "colloque_waiting_verbs", "What hosts asked for.", labels=["verb", "outcome"]
        )
        for (verb, outcome), count in sorted(counted.verbs.items()):
            verbs.add_metric([verb, outcome], count)
        yield verbs
        census = GaugeMetricFamily(
            "colloque_waiting_objects", "Living objects of the waiting rooms.", labels=["kind"]
        )
        for kind, number in sorted(self._objects().items()):
            census.add_metric([kind], number)
        yield census


def _totals(name: str, text: str, label: str, counts: Counter[str]) -> CounterMetricFamily:
    family = CounterMetricFamily(f"colloque_waiting_{name}", text, labels=[label])
    for key, count in sorted(counts.items()):
        family.add_metric([key], count)
    return family
