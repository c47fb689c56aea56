"""A call: the live media of a room or group, as its legs share it."""

import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sfu.errors import UsageError
from sfu.leg import Leg
from sfu.model import CallKey, CallListener, LegKey, LegListener, Speaker, TrackKey, TrackView
from sfu.policy.admission import check_room_for_leg

if TYPE_CHECKING:
    from sfu.shell import Shell
    from sfu.track import Track

log = logging.getLogger(__name__)


class Call:
    """The live media of one room or group: its legs and their tracks.

    Made by `Sfu.call`; it is freed when its last leg has left, and the next `Sfu.call` makes another.
    """

    def __init__(self, shell: "Shell", key: CallKey, group: int) -> None:
        self.group = group
        self.listener: CallListener | None = None
        # What each worker last said of who speaks.
        self.rankings: dict[int, Sequence[tuple[int, int]]] = {}
        self._shell = shell
        self._key = key
        self._legs: dict[LegKey, Leg] = {}
        self._tracks: dict[TrackKey, Track] = {}

    @property
    def key(self) -> CallKey:
        """The key its caller chose."""
        return self._key

    @property
    def legs(self) -> Mapping[LegKey, Leg]:
        """Every living leg."""
        return MappingProxyType(self._legs)

    def add_leg(self, key: LegKey, listener: LegListener) -> Leg:
        """Make room for one live connection.

        Raises PeerError `full` when the call has no room for more, and UsageError when `key` is that of a
        living leg.
        """
        self._check_place(key)
        leg = Leg(self._shell, self, key, listener)
        self._legs[key] = leg
        return leg

    def tracks(self) -> Sequence[TrackView]:
        """Return every announced track, in the order of announcement."""
        return [track.view() for track in self._tracks.values()]

    # --- for the rest of sfu ---

    def track(self, key: TrackKey) -> "Track | None":
        """Return a track by its key."""
        return self._tracks.get(key)

    def register(self, track: "Track") -> None:
        """Make a track known to everybody in the call."""
        if track.key in self._tracks:
            raise UsageError("the call has a track of that key")
        self._tracks[track.key] = track

    def unregister(self, track: "Track") -> None:
        """Take a track away."""
        self._tracks.pop(track.key, None)

    def arrived(self, leg: Leg) -> None:
        """Take in a leg of another call; raise as `add_leg` does."""
        self._check_place(leg.key)
        self._legs[leg.key] = leg

    def left(self, leg: Leg) -> None:
        """Note that a leg has ended."""
        if self._legs.get(leg.key) is leg:
            del self._legs[leg.key]
        if not self._legs:
            self._shell.free(self)

    def tell_speakers(self, speakers: Sequence[Speaker]) -> None:
        """Tell the listener who speaks; its defects stay its own."""
        if self.listener is not None:
            try:
                self.listener.speakers_changed(speakers)
            except Exception:
                log.exception("call_listener_failed")

    def debug_state(self) -> dict[str, Any]:
        """Describe it as JSON values."""
        return {"key": self._key, "legs": [leg.debug_state() for leg in self._legs.values()]}

    def _check_place(self, key: LegKey) -> None:
        if key in self._legs:
            raise UsageError("the call has a leg of that key")
        check_room_for_leg(self._shell.limits, len(self._legs))
