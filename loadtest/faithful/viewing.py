"""What a viewer saw: pictures a second, freezes, how many watermarks could be read, and how late they were.

A freeze is a gap between two pictures of more than max(3 d, d + 150 ms), where d is the mean gap between the
30 pictures before it: the rule of `freezeCount` in the W3C's webrtc-stats.
"""

from __future__ import annotations

from collections import Counter, deque

from loadtest.results import FaithfulViewer

_LAST = 30  # pictures
_TENTHS = 10  # of a millisecond: how finely delays are kept


class Viewing:
    """The books of one viewer; times are in seconds of one clock."""

    def __init__(self, begins: float) -> None:
        """Count from this time on; pictures before it only tell how often pictures come."""
        self._begins = begins
        self._last: float | None = None
        self._gaps: deque[float] = deque(maxlen=_LAST)
        self._freezes = 0
        self._frozen = 0.0
        self._pictures = 0
        self._delays: Counter[int] = Counter()

    def picture(self, at: float, delay_ms: float | None) -> None:
        """Note a picture that was decoded at `at`; without a delay its watermark could not be read."""
        self._note_gap(at)
        if self._last is not None:
            self._gaps.append(at - self._last)
        self._last = at
        if at < self._begins:
            return
        self._pictures += 1
        if delay_ms is not None:
            self._delays[round(delay_ms * _TENTHS)] += 1

    def result(self, identity: str, *, until: float, error: str | None) -> FaithfulViewer:
        """Give what there is up to a time, and close the books with it."""
        self._note_gap(until)
        length = max(0.0, until - self._begins)
        read = self._delays.total()
        return FaithfulViewer(
            identity=identity,
            error=error,
            frames_per_second=self._pictures / length if length else 0.0,
            freezes=self._freezes,
            freeze_ratio=self._frozen / length if length else 0.0,
            pictures=self._pictures,
            pictures_read_ratio=read / self._pictures if self._pictures else None,
            end_to_end_p50_ms=self._delay_ms(0.5),
            end_to_end_p99_ms=self._delay_ms(0.99),
        )

    def _note_gap(self, now: float) -> None:
        """Count the time since the last picture as a freeze if it was one; before the first, all of it is."""
        since = self._begins if self._last is None else self._last
        if now <= self._begins or now - since <= self._freeze_after():
            return
        self._freezes += 1
        self._frozen += now - max(since, self._begins)

    def _freeze_after(self) -> float:
        if not self._gaps:
            return 0.15
        mean = sum(self._gaps) / len(self._gaps)
        return max(3 * mean, mean + 0.15)

    def _delay_ms(self, share: float) -> float | None:
        rank, seen = share * self._delays.total(), 0
        for tenths, count in sorted(self._delays.items()):
            seen += count
            if seen >= rank:
                return tenths / _TENTHS
        return None
