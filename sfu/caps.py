"""The bounds of a leg: what it may send and what it is sent."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from sfu.model import MediaKind, TrackSource
from sfu.policy.allocation import LayerPlan
from sfu.policy.budget import Demand, ceilings, for_pictures, share

if TYPE_CHECKING:
    from sfu.leg import Leg
    from sfu.shell import Shell, Timer
    from sfu.subscription import Subscription
    from sfu.track import Track


_PATIENCE_SECONDS = 5.0
"""So long a sender may take to follow when it is asked for less."""


class _Capped(ABC):
    """Weighs all pictures of one direction together, once for all that changes in one turn of the loop."""

    def __init__(self, shell: "Shell", leg: "Leg") -> None:
        self._leg = leg
        self.kbps: int | None = None
        """The bound; None while there is none."""
        self._shell = shell
        self._due = False

    @property
    def capped(self) -> bool:
        """Whether there is a bound."""
        return self.kbps is not None

    def reconsider(self) -> None:
        """Weigh again when the loop next turns, if there is a bound."""
        if self.capped and not self._due:
            self._due = True
            self._shell.soon(self._weigh_due)

    def _weigh_due(self) -> None:
        self._due = False
        if self.kbps is not None:
            self._weigh(self.kbps)

    @abstractmethod
    def _weigh(self, cap_kbps: int) -> None:
        """Choose for all pictures of this direction."""


class Downlink(_Capped):
    """What a leg is sent."""

    def cap(self, kbps: int | None) -> None:
        """Bound it, or lift the bound."""
        if kbps != self.kbps:
            self.kbps = kbps
            for subscription in self._leg.received:
                subscription.replan()

    def _weigh(self, cap_kbps: int) -> None:
        received = list(self._leg.received)
        voices = sum(each.track.kind is MediaKind.AUDIO and not each.track.muted for each in received)
        pictures = [each for each in received if each.track.kind is MediaKind.VIDEO]
        shown = [each for each in pictures if each.possible().encoding is not None]
        plans = share(for_pictures(cap_kbps, voices), [_demand(each) for each in shown])
        for subscription, plan in zip(shown, plans, strict=True):
            subscription.give(plan)
        for subscription in set(pictures).difference(shown):
            subscription.give(LayerPlan(None))


class Uplink(_Capped):
    """What a leg sends, if its peer does not keep to what it is asked for."""

    def __init__(self, shell: "Shell", leg: "Leg") -> None:
        super().__init__(shell, leg)
        self._patience: Timer | None = None

    def cap(self, kbps: int | None) -> None:
        """Bound it, or lift the bound."""
        if kbps != self.kbps:
            self.kbps = kbps
            self._forgive()
            if kbps is None:
                self._enforce(dict.fromkeys(self._leg.published))
            self.reconsider()

    def end(self) -> None:
        """Wait for nothing any more."""
        self._forgive()

    def _weigh(self, cap_kbps: int) -> None:
        limits = self._limits(cap_kbps)
        within = all(ceiling is None for ceiling in limits.values())
        if within or any(track.ceiling is not None for track in limits):
            self._forgive()
            self._enforce(limits)
        elif self._patience is None:
            self._patience = self._shell.after(_PATIENCE_SECONDS, self._lose_patience)

    def _lose_patience(self) -> None:
        self._patience = None
        if self.kbps is not None:
            self._enforce(self._limits(self.kbps))

    def _forgive(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _limits(self, cap_kbps: int) -> "dict[Track, int | None]":
        """Say for each picture what its ceiling should be."""
        published = list(self._leg.published)
        voices = sum(track.kind is MediaKind.AUDIO and not track.muted for track in published)
        pictures = [track for track in published if track.kind is MediaKind.VIDEO]
        highest = ceilings(for_pictures(cap_kbps, voices), [track.known_kbps() for track in pictures])
        return dict(zip(pictures, highest, strict=True))

    def _enforce(self, limits: "dict[Track, int | None]") -> None:
        for track, ceiling in limits.items():
            track.limit(ceiling)


def _demand(subscription: "Subscription") -> Demand:
    track, wanted = subscription.track, subscription.wanted
    return Demand(
        subscription.possible(),
        track.costs(),
        has=subscription.plan,
        screen=track.intent.source is TrackSource.SCREEN_SHARE,
        pixels=wanted.width * wanted.height,
    )
