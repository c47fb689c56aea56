"""What happened on a line between two readings of its counters: a pure function of both."""

from dataclasses import dataclass

from rooms import LineFigures
from sfu import LegStats

_LEAST_SECONDS = 1.0
"""Two readings closer to each other say nothing about a rate."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The counters of a leg at a time, in seconds that never jump."""

    at: float
    stats: LegStats


def figures_between(before: Reading, after: Reading) -> LineFigures | None:
    """Give losses and rates of the time between; `None` if it was too short."""
    seconds = after.at - before.at
    if seconds < _LEAST_SECONDS:
        return None
    old, new = before.stats, after.stats
    return LineFigures(
        loss_up=_share(new.packets_up - old.packets_up, new.lost_up - old.lost_up),
        loss_down=_share(new.packets_down - old.packets_down, new.lost_down - old.lost_down),
        kbps_up=_kbps(new.bytes_up - old.bytes_up, seconds),
        kbps_down=_kbps(new.bytes_down - old.bytes_down, seconds),
        rtt_seconds=new.rtt_seconds,
    )


def _share(packets: int, lost: int) -> float | None:
    # A packet that comes late after all takes itself off the count of those that are lost.
    lost = max(0, lost)
    return lost / (packets + lost) if packets + lost > 0 else None


def _kbps(count: int, seconds: float) -> float:
    return max(0, count) * 8 / 1000 / seconds
