"""What connection tests counted: by reason, with no label that grows with tests or people."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from prometheus_client.core import Metric

from signalling.collector import total


@dataclass(slots=True)
class Counters:
    """Totals since the process started."""

    hellos: Counter[str] = field(default_factory=Counter)
    """By outcome: `testing`, or the code of the refusal."""
    ended: Counter[str] = field(default_factory=Counter)
    """Connections, by the event that ended them."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Messages that were not used, and clients that did not read, by reason."""
    legs: Counter[str] = field(default_factory=Counter)
    """By what became of them: `begun`, `connected`, `refused`, `failed`, `too-fast`."""

    def totals(self) -> Iterable[Metric]:
        """Return them as Prometheus knows them."""
        yield total("colloque_probe_hellos", "First messages by outcome.", "outcome", self.hellos)
        yield total("colloque_probe_ended", "Connections that ended, by cause.", "cause", self.ended)
        yield total("colloque_probe_dropped", "Client messages not used, by reason.", "reason", self.dropped)
        yield total("colloque_probe_legs", "Legs of tests, by what happened to them.", "what", self.legs)
