"""The legs of one connection: few at once, few in all."""

from collections.abc import Callable, Iterator
from typing import Any

from sfu import CallKey, CloseReason, PeerError
from signalling.livekit.live import LiveSide
from signalling.probe.counters import Counters
from signalling.probe.echo import Echo
from signalling.probe.messages import Offer
from signalling.probe.settings import ProbeLimits
from signalling.words import Word


class Legs:
    """The legs of one connection, by the names that the client gave them."""

    def __init__(
        self,
        live: LiveSide,
        key: CallKey,
        *,
        say: Callable[[Word], None],
        counters: Counters,
        limits: ProbeLimits,
        kbps: int,
        numbers: Iterator[int],
    ) -> None:
        """Make legs in the call of that key, each of which is asked to stay within `kbps`.

        `numbers` gives each a number of its own in this process.
        """
        self._live = live
        self._key = key
        self._say = say
        self._counters = counters
        self._limits = limits
        self._kbps = kbps
        self._numbers = numbers
        self._legs: dict[str, Echo] = {}
        self._begun = 0

    def __len__(self) -> int:
        return len(self._legs)

    def offer(self, offer: Offer) -> None:
        """Answer an offer; raise PeerError, and of a leg that it would have begun nothing is left."""
        leg = self._legs.get(offer.leg)
        if leg is not None:
            leg.offer(offer)
            return
        leg = self._begin(offer.leg)
        try:
            leg.offer(offer)
        except PeerError:
            self._counters.legs["refused"] += 1
            self.hang_up(offer.leg)
            raise

    def figures(self, name: str) -> None:
        """Tell the client what came of a leg and what went to it; raise PeerError `not-found`."""
        leg = self._legs.get(name)
        if leg is None:
            raise PeerError("not-found", "there is no leg of that name, or its line is over")
        self._say(Word("figures", leg=name, **leg.figures()))

    def hang_up(self, name: str, reason: CloseReason = CloseReason.LEFT) -> None:
        """End a leg; does nothing when there is none."""
        leg = self._legs.pop(name, None)
        if leg is not None:
            leg.close(reason)

    def close(self, reason: CloseReason) -> None:
        """End all of them."""
        for name in list(self._legs):
            self.hang_up(name, reason)

    def look(self, *, window: float, now: float) -> None:
        """End those that sent more than a test needs over the last `window` seconds."""
        for leg in list(self._legs.values()):
            if leg.sends_more_than(self._limits.too_many_kbps, window=window, now=now):
                self._end(leg, "too-fast", CloseReason.REMOVED)

    def debug_state(self) -> dict[str, Any]:
        """Describe them as JSON values."""
        return {name: leg.debug_state() for name, leg in self._legs.items()}

    def _begin(self, name: str) -> Echo:
        if len(self._legs) >= self._limits.legs_at_once:
            raise PeerError("too-many-legs", f"at most {self._limits.legs_at_once} at once; hang one up")
        if self._begun >= self._limits.legs:
            raise PeerError("too-many-legs", f"at most {self._limits.legs}: connect anew for more")
        leg = Echo(
            self._live.call(self._key),
            name,
            next(self._numbers),
            max_kbps=self._kbps,
            say=self._say,
            connected=self._count_connected,
            over=self._line_over,
        )
        self._legs[name] = leg
        self._begun += 1
        self._counters.legs["begun"] += 1
        return leg

    def _count_connected(self) -> None:
        self._counters.legs["connected"] += 1

    def _line_over(self, leg: Echo, why: str | None) -> None:
        if why is None:
            self.hang_up(leg.name)
        else:
            self._end(leg, why, CloseReason.TRANSPORT_FAILED)

    def _end(self, leg: Echo, why: str, reason: CloseReason) -> None:
        self._counters.legs["too-fast" if why == "too-fast" else "failed"] += 1
        self.hang_up(leg.name, reason)
        self._say(Word("failed", leg=leg.name, reason=why))
