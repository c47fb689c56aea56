"""What a protocol counted, as a Prometheus registry asks for it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class CountsCollector(Collector):
    """Gives totals and the present number of objects, as they are at each scrape."""

    def __init__(
        self,
        totals: Callable[[], Iterable[Metric]],
        objects: Callable[[], Mapping[str, int]],
        *,
        name: str,
        text: str,
    ) -> None:
        """Give the number of `objects` by kind in a gauge of this name, which `text` describes."""
        self._totals = totals
        self._objects = objects
        self._name = name
        self._text = text

    def describe(self) -> Iterable[Metric]:
        """Name nothing in advance; names do not clash."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Return everything as it is now."""
        yield from self._totals()
        census = GaugeMetricFamily(self._name, self._text, labels=["kind"])
        for kind, count in sorted(self._objects().items()):
            census.add_metric([kind], count)
        yield census


def total(name: str, text: str, label: str, counts: Counter[str]) -> Metric:
    """Write a total by reason."""
    family = CounterMetricFamily(name, text, labels=[label])
    for key, count in sorted(counts.items()):
        family.add_metric([key], count)
    return family
