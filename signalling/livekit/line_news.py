"""Tells the durable part of the lines of everybody in a call, as `line` says what is worth it."""

from typing import TYPE_CHECKING

from rooms import IpFamily
from signalling.livekit.line import Degraded, Line, LineEvent, PathChanged, Recovered, judged, moved
from signalling.livekit.participant import Participant

if TYPE_CHECKING:
    from signalling.livekit.call import Call


class LineNews:
    """Feeds the policy with what the call sees, and passes its events on."""

    def __init__(self, call: "Call") -> None:
        self._call = call

    def judged(self, person: Participant, *, now: float) -> None:
        """Take a new reading of the quality of somebody's connection, whose media is up."""
        if person.quality is not None:
            person.line, events = judged(person.line or Line(now), person.quality, now=now)
            self._tell(person, events)

    def began(self, person: Participant, path: str, *, ipv6: bool) -> None:
        """Take note of the path that somebody's media takes at first."""
        person.path, person.family = path, _family(ipv6=ipv6)
        self._call.around.legs.leg_media_ready(self._call.room_id, person.key, path, person.family)

    def moved(self, person: Participant, path: str, *, ipv6: bool, now: float) -> None:
        """Take note that somebody's media takes another path."""
        person.path, person.family = path, _family(ipv6=ipv6)
        news = PathChanged(path, person.family)
        person.line, events = moved(person.line or Line(now), news, now=now)
        self._tell(person, events)

    def _tell(self, person: Participant, events: list[LineEvent]) -> None:
        legs, room = self._call.around.legs, self._call.room_id
        for event in events:
            match event:
                case Degraded(reason=reason, score=score):
                    legs.leg_degraded(room, person.key, reason, score)
                case Recovered():
                    legs.leg_recovered(room, person.key)
                case PathChanged(path=path, family=family):
                    legs.leg_path_changed(room, person.key, path, family)


def _family(*, ipv6: bool) -> IpFamily:
    return "ipv6" if ipv6 else "ipv4"
