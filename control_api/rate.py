"""Rate limits: one token bucket a caller, a bounded number of callers, time as an argument."""

from __future__ import annotations

import math
from collections import OrderedDict

MAX_CALLERS = 10_000


class RateLimiter:
    """Allows `per_minute` requests a caller, all at once if they were saved up; 0 means no limit."""

    def __init__(self, per_minute: int) -> None:
        """Take the number of requests that a caller may make in a minute."""
        self.per_minute = per_minute
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, caller: str, *, now: float) -> float | None:
        """Count one request; give the seconds to wait if it is one too many."""
        if self.per_minute <= 0:
            return None
        tokens = self._tokens(caller, now)
        allowed = tokens >= 1
        self._buckets[caller] = (tokens - 1 if allowed else tokens, now)
        self._buckets.move_to_end(caller)
        if len(self._buckets) > MAX_CALLERS:
            self._buckets.popitem(last=False)  # heard of longest ago, so the fullest bucket
        return None if allowed else math.ceil((1 - tokens) * 60 / self.per_minute)

    def _tokens(self, caller: str, now: float) -> float:
        tokens, then = self._buckets.get(caller, (float(self.per_minute), now))
        # A clock that was set back must not take tokens away.
        return min(float(self.per_minute), tokens + max(0.0, now - then) * self.per_minute / 60)
