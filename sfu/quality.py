"""Loss, round trip and jitter of all legs, gathered into histograms."""

from sfu.bridge import Snapshot
from sfu.metrics import Occurrences

_DIRECTIONS = ("up", "down")


class Quality:
    """Compares snapshots taken at a steady pace, so that each leg counts the same."""

    def __init__(self, occurrences: Occurrences) -> None:
        self._occurrences = occurrences
        self._before: dict[int, tuple[int, int, int, int]] = {}

    def observe(self, snapshot: Snapshot) -> None:
        """Take one sample of every leg that is connected."""
        seen = {}
        for worker in snapshot.workers:
            for transport, row in worker.legs.items():
                now = (row["packets_up"], row["lost_up"], row["packets_down"], row["lost_down"])
                before = self._before.get(transport, (0, 0, 0, 0))
                seen[transport] = now
                for index, direction in enumerate(_DIRECTIONS):
                    packets, lost = (now[2 * index + i] - before[2 * index + i] for i in (0, 1))
                    if packets > 0:
                        # The core counts what came up and what went down: only the first excludes what was
                        # lost.
                        total = packets + max(0, lost) if direction == "up" else packets
                        self._occurrences.loss.labels(direction).observe(min(1.0, max(0, lost) / total))
                    jitter = row[f"jitter_{direction}_micros"]
                    if jitter:
                        self._occurrences.jitter.labels(direction).observe(jitter / 1e6)
                if row["rtt_micros"]:
                    self._occurrences.rtt.observe(row["rtt_micros"] / 1e6)
        self._before = seen
