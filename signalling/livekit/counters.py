"""What signalling counted: totals by reason, with no label that grows with rooms or people."""

from collections import Counter
from collections.abc import Iterable

from prometheus_client.core import Metric

from signalling.collector import total


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

    def totals(self) -> Iterable[Metric]:
        """Return them as Prometheus knows them."""
        yield total("colloque_signal_joins", "Attempts to join by outcome.", "outcome", self.joins)
        yield total("colloque_signal_legs_ended", "Legs that ended, by cause.", "cause", self.ended)
        yield total("colloque_signal_dropped", "Client messages not used, by reason.", "reason", self.dropped)
        yield total("colloque_signal_messages", "Client messages by kind.", "kind", self.messages_up)
        yield total(
            "colloque_data_messages", "Data messages relayed, by channel.", "channel", self.data_relayed
        )
        yield total("colloque_signal_closed", "Connections closed by the server.", "code", self.closed)
