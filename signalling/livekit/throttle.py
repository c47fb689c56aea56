"""Whoever is turned down again and again has to wait, which makes guessing slow."""

from collections import OrderedDict
from math import ceil

from signalling.livekit.rate import TokenBucket

_MAX_ADDRESSES = 10_000


class RefusalThrottle:
    """Allows so many refusals a minute and address; 0 means no bound."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def wait(self, address: str, *, now: float) -> int | None:
        """Return for how many seconds this address is not listened to; None if it is."""
        bucket = self._buckets.get(address)
        if bucket is None:
            return None
        seconds = bucket.ready_at(now=now) - now
        return ceil(seconds) if seconds > 0 else None

    def refused(self, address: str, *, now: float) -> None:
        """Count a refusal."""
        if self._per_minute <= 0:
            return
        bucket = self._buckets.pop(address, None)
        if bucket is None:
            bucket = TokenBucket(self._per_minute / 60, self._per_minute, now=now)
        bucket.take(now=now)
        self._buckets[address] = bucket
        if len(self._buckets) > _MAX_ADDRESSES:
            self._buckets.popitem(last=False)  # heard of longest ago, so the fullest
