"""Prometheus metrics of the live side: one snapshot of the core's counters per scrape.

No label has a value for each room, person, address or track.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from itertools import accumulate

from prometheus_client import Histogram
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from sfu.bridge import Snapshot
from sfu.model import CloseReason

_KINDS = ("audio", "video")
# The core's gauges that count living objects: what must come back to zero when everybody has left.
_CORE_OBJECTS = {
    "transports": "transport",
    "tracks": "core_track",
    "mirrors": "mirror",
    "encodings": "encoding",
    "subscriptions": "core_subscription",
    "paths": "path",
    "foreign_paths": "foreign_path",
    "srtp_contexts": "srtp_context",
    "data_channels": "data_channel",
    "events_queued": "queued_event",
}
_FORWARDED = {
    "forwarded_in_125_us": "0.000125",
    "forwarded_in_250_us": "0.00025",
    "forwarded_in_500_us": "0.0005",
    "forwarded_in_1_ms": "0.001",
    "forwarded_in_2_ms": "0.002",
    "forwarded_in_4_ms": "0.004",
    "forwarded_in_8_ms": "0.008",
    "forwarded_in_16_ms": "0.016",
    "forwarded_in_32_ms": "0.032",
    "forwarded_later": "+Inf",
}
_FAILED_STAGES = {
    "ice_timeout": "ice",
    "consent_expired": "consent",
    "dtls_timeout": "dtls",
    "fingerprint_mismatch": "dtls",
    "dtls_error": "dtls",
    "no_srtp_profile": "dtls",
    "internal_error": "internal",
}
_JOIN_BUCKETS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_LAG_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_LOSS_BUCKETS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
_TIME_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2)


class Occurrences:
    """What happens on the Python side, counted as it happens."""

    def __init__(self) -> None:
        self.failures: Counter[str] = Counter()
        self.refused_offers: Counter[str] = Counter()
        self.closed_legs: Counter[str] = Counter()
        self.lag = Tally(
            "colloque_event_loop_lag_seconds", "How late timers of the event loop go off.", _LAG_BUCKETS
        )
        self.held = Tally(
            "colloque_event_loop_held_seconds",
            "How much of its lateness the event loop spent at work; the rest it waited for a processor.",
            _LAG_BUCKETS,
        )
        self.join = _histogram(
            "join_seconds",
            "From the first offer of a leg to each stage; to media where it was published from the start.",
            _JOIN_BUCKETS,
            ("stage",),
        )
        self.loss = _histogram(
            "loss_ratio", "Lost share of each leg's packets, every 5 s.", _LOSS_BUCKETS, ("dir",)
        )
        self.rtt = _histogram("rtt_seconds", "Round trip of each leg, every 5 s.", _TIME_BUCKETS)
        self.jitter = _histogram("jitter_seconds", "Jitter of each leg, every 5 s.", _TIME_BUCKETS, ("dir",))

    def transport_failed(self, reason: str) -> None:
        """Count a transport that ended by itself, unless its peer closed it: that is how people leave."""
        if reason != "closed_by_peer":
            self.failures[_FAILED_STAGES.get(reason, "internal")] += 1

    def offer_refused(self, code: str) -> None:
        """Count an offer that was answered with an error."""
        self.refused_offers[code] += 1

    def leg_closed(self, reason: CloseReason) -> None:
        """Count a leg that ended."""
        self.closed_legs[reason] += 1

    def histograms(self) -> Iterator[Histogram | Tally]:
        """Yield everything that is kept as a histogram."""
        yield from (self.lag, self.held, self.join, self.loss, self.rtt, self.jitter)


class Tally:
    """A histogram for what is observed up to fifty times a second: no lock, no search through Python.

    To be used by one thread, that of the event loop.
    """

    def __init__(self, name: str, help_: str, bounds: tuple[float, ...]) -> None:
        """Count into buckets up to each of the rising `bounds`, and beyond them."""
        self._name = name
        self._help = help_
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def collect(self) -> Iterator[Metric]:
        """Yield the histogram as it stands."""
        upper = (*map(floatToGoString, self._bounds), "+Inf")
        buckets = list(zip(upper, accumulate(self._counts), strict=True))
        yield HistogramMetricFamily(self._name, self._help, buckets=buckets, sum_value=self._sum)


class SfuCollector(Collector):
    """Yields the metrics of the live side, each with the prefix `colloque_`."""

    def __init__(
        self,
        occurrences: Occurrences,
        snapshot: Callable[[], Snapshot | None],
        paths: Callable[[], Iterable[tuple[str, str]]],
        objects: Callable[[], Mapping[str, int]],
        busy: Callable[[Snapshot], Iterable[float]],
    ) -> None:
        self._occurrences = occurrences
        self._snapshot = snapshot
        self._paths = paths
        self._objects = objects
        self._busy = busy

    def collect(self) -> Iterator[Metric]:
        """Yield every metric; those of the core only while it runs."""
        snapshot = self._snapshot()
        if snapshot is not None:
            yield from _traffic(snapshot)
            yield _dropped(snapshot)
            yield _gauge("worker_busy_ratio", "Share of time a worker was busy.", ("worker",)).filled(
                {(str(worker),): ratio for worker, ratio in enumerate(self._busy(snapshot))}
            )
            yield _gauge(
                "overload_step",
                "How much of the pictures a worker leaves out because it cannot keep up, 0 to 38.",
                ("worker",),
            ).filled(
                {(str(worker),): one.cells["overload_step"] for worker, one in enumerate(snapshot.workers)}
            )
        yield _gauge("legs", "Connected legs.", ("path", "family")).filled(Counter(self._paths()))
        yield _gauge("objects", "Living objects, by kind.", ("kind",)).filled(
            {(kind,): count for kind, count in self._count_objects(snapshot).items()}
        )
        yield from self._counted()
        for histogram in self._occurrences.histograms():
            yield from histogram.collect()
        yield InfoMetricFamily("colloque_build", "What is running.", {"version": _version()})

    def _count_objects(self, snapshot: Snapshot | None) -> dict[str, int]:
        counts = dict(self._objects())
        if snapshot is not None:
            totals = _totals(snapshot)
            counts |= {kind: totals[cell] for cell, kind in _CORE_OBJECTS.items() if cell in totals}
        return counts

    def _counted(self) -> Iterator[Metric]:
        seen = self._occurrences
        for name, help_, label, counts in (
            ("ice_failures", "Transports that failed.", "stage", seen.failures),
            ("offers_refused", "Descriptions answered with an error.", "code", seen.refused_offers),
            ("legs_closed", "Legs that ended.", "reason", seen.closed_legs),
        ):
            yield _counter(name, help_, (label,)).filled({(key,): n for key, n in counts.items()})


def _traffic(snapshot: Snapshot) -> Iterator[Metric]:
    total = _totals(snapshot)
    pairs = [(direction, kind) for direction in ("up", "down") for kind in _KINDS]
    yield _counter("packets", "RTP packets.", ("dir", "kind")).filled(
        {(direction, kind): total[f"{kind}_{direction}"] for direction, kind in pairs}
    )
    for name, cell, help_ in (
        ("datagrams", "datagrams", "UDP datagrams."),
        ("bytes", "bytes", "UDP payload bytes."),
        ("nack", "nack", "Packets asked for again: up, by us; down, by subscribers."),
        ("pli", "pli", "Requests for key frames: up, to publishers; down, by subscribers."),
        ("rtx", "rtx", "Packets sent again."),
        ("relayed", "relayed", "Packets between workers: down, given to another; up, taken from one."),
    ):
        yield _counter(name, help_, ("dir",)).filled(
            {(direction,): total[f"{cell}_{direction}"] for direction in ("up", "down")}
        )
    yield _counter("dscp_packets", "Datagrams sent with a DSCP mark.", ("class",)).filled(
        {("EF",): total["marked_ef"], ("AF41",): total["marked_af41"]}
    )
    # The one reason there is, as long as nothing but what viewers want decides on layers.
    yield _counter("layer_switch", "Subscriptions that went to another encoding.", ("reason",)).filled(
        {("wanted",): total["layer_switches"]}
    )
    for name, help_ in (
        ("events_dropped", "Events of the core that came too fast to be taken."),
        ("panics", "Defects caught in the core, each at the cost of one transport."),
        ("send_calls", "Calls to the kernel that send."),
        ("receive_calls", "Calls to the kernel that receive."),
        ("handed_over", "Datagrams that the kernel gave to another worker than their transport's."),
        ("messages_down", "Messages given to the kernel, each cut into one or more datagrams."),
        ("segmentation_failures", "Messages that the kernel would not cut up."),
    ):
        yield _counter(name, help_, ()).filled({(): total[name]})
    yield _gauge(
        "steered_sockets", "Sockets on which the kernel gives datagrams to the right worker.", ()
    ).filled({(): total["steered_sockets"]})
    yield _gauge("segmentation_off", "Sockets that send datagram by datagram.", ()).filled(
        {(): total["segmentation_off"]}
    )
    yield _forward_latency(total)


def _forward_latency(total: Counter[str]) -> Metric:
    sofar, buckets = 0, []
    for cell, bound in _FORWARDED.items():
        sofar += total[cell]
        buckets.append((bound, sofar))
    return HistogramMetricFamily(
        "colloque_forward_latency_seconds",
        "From the kernel's arrival time of a packet until the kernel had taken it for a subscriber.",
        buckets=buckets,
        sum_value=total["forward_micros"] / 1e6,
    )


def _dropped(snapshot: Snapshot) -> Metric:
    drops: Counter[str] = Counter()
    for worker in snapshot.workers:
        drops.update(worker.drops)
    # Zeros too: a rate can only be told when the series was there before.
    return _counter("dropped", "What was dropped, by reason.", ("reason",)).filled(
        {(reason,): drops[reason] for reason in snapshot.workers[0].drops} if snapshot.workers else {}
    )


def _totals(snapshot: Snapshot) -> Counter[str]:
    totals: Counter[str] = Counter()
    for worker in snapshot.workers:
        totals.update(worker.cells)
    return totals


class _Counter(CounterMetricFamily):
    def filled(self, values: Mapping[tuple[str, ...], float]) -> Metric:
        for labels, value in values.items():
            self.add_metric(labels, value)
        return self


class _Gauge(GaugeMetricFamily):
    def filled(self, values: Mapping[tuple[str, ...], float]) -> Metric:
        for labels, value in values.items():
            self.add_metric(labels, value)
        return self


def _counter(name: str, help_: str, labels: tuple[str, ...]) -> _Counter:
    return _Counter(f"colloque_{name}", help_, labels=labels)


def _gauge(name: str, help_: str, labels: tuple[str, ...]) -> _Gauge:
    return _Gauge(f"colloque_{name}", help_, labels=labels)


def _histogram(name: str, help_: str, buckets: tuple[float, ...], labels: tuple[str, ...] = ()) -> Histogram:
    return Histogram(f"colloque_{name}", help_, labels, buckets=buckets, registry=None)


def _version() -> str:
    try:
        return version("colloque")
    except PackageNotFoundError:  # run from the sources
        return "unknown"
