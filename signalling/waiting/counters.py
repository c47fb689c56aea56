"""What the waiting room's channel counted: by reason, with no label that grows with rooms or people."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, Metric

from signalling.collector import total


@dataclass(slots=True)
class Counters:
    """Totals since the process started."""

    hellos: Counter[str] = field(default_factory=Counter)
    """By outcome: `waiting`, `hosting`, or the code of the refusal."""
    ended: Counter[str] = field(default_factory=Counter)
    """Connections, by the event that ended them."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Messages that were not used, and clients that did not read, by reason."""
    verbs: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By verb and outcome."""

    def totals(self) -> Iterable[Metric]:
        """Return them as Prometheus knows them."""
        yield total("colloque_waiting_hellos", "First messages by outcome.", "outcome", self.hellos)
        yield total("colloque_waiting_ended", "Connections that ended, by cause.", "cause", self.ended)
        yield total(
            "colloque_waiting_dropped", "Client messages not used, by reason.", "reason", self.dropped
        )
        verbs = CounterMetricFamily(
            "colloque_waiting_verbs", "What hosts asked for.", labels=["verb", "outcome"]
        )
        for words, count in sorted(self.verbs.items()):
            verbs.add_metric(words, count)
        yield verbs
