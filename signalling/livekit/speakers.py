"""Who speaks: from the live side's ranking to what clients are told, when a difference can be seen."""

from collections.abc import Iterable, Sequence

from livekit.protocol.models import SpeakerInfo

from sfu import LegKey, Speaker

_STEPS = 8  # levels that a client's meter can tell apart, as in livekit `pkg/rtc/room.go`


class SpeakerBoard:
    """Remembers what clients were told last."""

    def __init__(self) -> None:
        self._told: dict[LegKey, int] = {}

    def update(self, speakers: Sequence[Speaker], visible: Iterable[LegKey]) -> list[SpeakerInfo]:
        """Return everybody who speaks and everybody who no longer does; nothing if that was told before.

        `speakers` has everybody who speaks now; of a leg with several tracks the loudest counts. Legs that
        are not `visible` are left out.
        """
        shown = set(visible)
        levels: dict[LegKey, float] = {}
        for speaker in speakers:
            if speaker.leg in shown:
                levels[speaker.leg] = max(levels.get(speaker.leg, 0.0), speaker.level)
        steps = {leg: max(1, round(level * _STEPS)) for leg, level in levels.items()}
        if steps == self._told:
            return []
        stopped = [leg for leg in self._told if leg not in steps and leg in shown]
        self._told = steps
        speaking = sorted(levels.items(), key=lambda entry: -entry[1])
        return [
            *(SpeakerInfo(sid=leg, level=level, active=True) for leg, level in speaking),
            *(SpeakerInfo(sid=leg, level=0.0, active=False) for leg in stopped),
        ]
