"""How often something may happen: a bucket that fills steadily and is emptied by use."""


class TokenBucket:
    """Allows `rate` units a second, and `burst` of them at once after a rest."""

    def __init__(self, rate: float, burst: float, *, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level = burst
        self._filled_at = now

    def take(self, amount: float = 1.0, *, now: float) -> bool:
        """Use `amount`, or return False and use nothing."""
        self._fill(now)
        if amount > self._level:
            return False
        self._level -= amount
        return True

    def ready_at(self, amount: float = 1.0, *, now: float) -> float:
        """Return when `take` of this amount will succeed if nothing else is taken."""
        self._fill(now)
        return now + max(0.0, amount - self._level) / self._rate

    def _fill(self, now: float) -> None:
        if now > self._filled_at:
            self._level = min(self._burst, self._level + (now - self._filled_at) * self._rate)
            self._filled_at = now
