"""What signalling uses of the live side: `sfu.Sfu`, `sfu.Call` and `sfu.Leg` have these methods and more."""

from collections.abc import Mapping
from typing import Any, Protocol

from sfu import (
    Answer,
    CallKey,
    CallListener,
    CloseReason,
    LegKey,
    LegListener,
    LegStats,
    PublishIntent,
    TrackKey,
    Wanted,
)


class LiveLeg(Protocol):
    """One live connection; see `sfu.Leg`."""

    def negotiate(self, offer: str) -> Answer:
        """Answer an offer; raise PeerError."""

    def publish(self, intent: PublishIntent) -> None:
        """Announce a track; raise PeerError."""

    def unpublish(self, track: TrackKey) -> None:
        """End a track."""

    def set_muted(self, track: TrackKey, muted: bool) -> None:
        """Stop or resume forwarding a track."""

    def subscribe(self, track: TrackKey) -> None:
        """Deliver a track; raise PeerError."""

    def unsubscribe(self, track: TrackKey) -> None:
        """End the delivery of a track."""

    def set_wanted(self, track: TrackKey, wanted: Wanted) -> None:
        """Say what is wanted of a track."""

    def cap(self, *, up_kbps: int | None, down_kbps: int | None) -> None:
        """Bound what the leg may send and what it is sent; None lifts a bound."""

    def send_data(self, label: str, payload: bytes, *, binary: bool = True) -> bool:
        """Send a data message; False if it is lost."""

    def resync(self) -> None:
        """Tell the listener again what is needed."""

    def move(self, call: Any, listener: LegListener) -> None:
        """Go over to another call (`LiveCall`) of the same live side; raise PeerError `full`."""

    def stats(self) -> LegStats:
        """Return the figures so far."""

    def layers(self) -> Mapping[TrackKey, int | None]:
        """Return which encoding of each subscribed picture is sent now."""

    def close(self, reason: CloseReason) -> None:
        """End the connection."""


class LiveCall(Protocol):
    """The live media of a room; see `sfu.Call`."""

    def add_leg(self, key: LegKey, listener: LegListener) -> LiveLeg:
        """Make room for one connection; raise PeerError `full`."""


class LiveSide(Protocol):
    """All calls; see `sfu.Sfu`."""

    def call(self, key: CallKey, listener: CallListener | None = None) -> LiveCall:
        """Return the call of that key; raise PeerError `full`."""
