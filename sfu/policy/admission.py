"""Who may come in: every bound of the live side that a peer can run into."""

from collections import deque

from sfu.errors import PeerError
from sfu.model import SfuLimits

_OFFER_WINDOW_SECONDS = 10.0


def check_room_for_call(limits: SfuLimits, calls: int) -> None:
    """Refuse one more call."""
    if calls >= limits.calls:
        raise PeerError("full", "the server has no room for another call")


def check_room_for_leg(limits: SfuLimits, legs: int) -> None:
    """Refuse one more leg in a call."""
    if legs >= limits.legs_per_call:
        raise PeerError("full", f"the call has {limits.legs_per_call} participants already")


def check_room_for_track(limits: SfuLimits, tracks: int) -> None:
    """Refuse one more track of a leg."""
    if tracks >= limits.tracks_per_leg:
        raise PeerError("track-limit", f"a participant may publish {limits.tracks_per_leg} tracks")


def check_room_for_subscription(limits: SfuLimits, subscriptions: int) -> None:
    """Refuse one more subscription of a leg."""
    if subscriptions >= limits.subscriptions_per_leg:
        raise PeerError("subscription-limit", f"at most {limits.subscriptions_per_leg} subscriptions")


class OfferRate:
    """Bounds how often, and how much, one peer may negotiate."""

    def __init__(self, limits: SfuLimits) -> None:
        self._limit = limits.offers_per_10_seconds
        self._offers: deque[tuple[float, int]] = deque()
        self._size = 0

    def admit(self, size: int, *, most: int, now: float) -> None:
        """Count an offer of `size` bytes from a peer whose offers may have `most`.

        PeerError `too-many-offers` when there were too many in the last ten seconds, or a quarter as many of
        the largest size: what an offer costs grows with its size.
        """
        while self._offers and now - self._offers[0][0] >= _OFFER_WINDOW_SECONDS:
            self._size -= self._offers.popleft()[1]
        if len(self._offers) >= self._limit or self._size + size > max(most, self._limit * most // 4):
            raise PeerError("too-many-offers", f"at most {self._limit} offers in 10 seconds")
        self._offers.append((now, size))
        self._size += size
