"""Who is in a call, who sees whom, and how changes of one reach the others.

Every message about a person carries a version that rises with each change, so that a client can drop a
message that was overtaken. Changes are told at once; those of a person who changes all the time are held
back and told together. Only that somebody has come into a call of many who publishes nothing, and that their
media flows, is told with whatever is told next, or a moment later: else of each of a hundred who come at the
full hour, the hundred others would be told twice. Nothing they do is heard of before. (LiveKit's server has
all that is new of such people wait for 3 s, `subscriberUpdateInterval` in `pkg/rtc/room.go`.)
"""

from collections.abc import Hashable, Iterable, Iterator

from livekit.protocol import models, rtc

from sfu import LegKey, TrackKey
from signalling.livekit.outbox import Outgoing
from signalling.livekit.participant import Participant
from signalling.livekit.timers import Timer, TimerTable
from signalling.livekit.tracks import PublishedTrack

_HELD_BACK_AT_LEAST = 0.01  # seconds; rounding must not wake us again at the same instant
FEW = 12
"""In a call of no more people everything is told at once."""
COMPANY_SECONDS = 0.25
"""So long it waits for company, that somebody came or that their media flows."""
_MOST_TOGETHER = 50


class Roster:
    """The participants of one call."""

    def __init__(self, timers: TimerTable[Timer], *, call: Hashable) -> None:
        """Keep time with `timers`, where `call` owns what is told of several people together."""
        self._timers = timers
        self._call = call
        self._untold: dict[LegKey, Participant] = {}
        """Of whom the next message tells too."""
        self._by_key: dict[LegKey, Participant] = {}
        self._by_identity: dict[str, Participant] = {}
        self._publishers: dict[TrackKey, Participant] = {}

    def __iter__(self) -> Iterator[Participant]:
        return iter(tuple(self._by_key.values()))

    def __len__(self) -> int:
        return len(self._by_key)

    def get(self, key: LegKey) -> Participant | None:
        """Return the participant of this leg."""
        return self._by_key.get(key)

    def by_identity(self, identity: str) -> Participant | None:
        """Return the participant whom the calling application knows by this id."""
        return self._by_identity.get(identity)

    def add(self, participant: Participant) -> None:
        """Take in a participant; nobody is told yet."""
        self._by_key[participant.key] = participant
        self._by_identity[participant.identity] = participant

    def remove(self, participant: Participant) -> None:
        """Take out a participant; nobody is told yet."""
        self._by_key.pop(participant.key, None)
        self._untold.pop(participant.key, None)
        for key in participant.tracks:
            self._publishers.pop(key, None)
        if self._by_identity.get(participant.identity) is participant:
            del self._by_identity[participant.identity]

    def seen_by(self, viewer: Participant) -> list[models.ParticipantInfo]:
        """Return everybody else whom this person may know of."""
        return [other.info() for other in self if other is not viewer and _sees(viewer, other)]

    def visible(self) -> Iterable[Participant]:
        """Return everybody who is not hidden."""
        return [one for one in self if not one.grants.hidden]

    def announced_tracks(self) -> Iterator[tuple[Participant, PublishedTrack]]:
        """Return every track that can be subscribed to, with its publisher."""
        for key, publisher in tuple(self._publishers.items()):
            yield publisher, publisher.tracks[key]

    def track_announced(self, publisher: Participant, track: PublishedTrack) -> None:
        """Let a track be subscribed to; nobody is told yet."""
        track.announced = True
        self._publishers[track.intent.key] = publisher

    def track_gone(self, key: TrackKey) -> None:
        """Let a track not be found any more."""
        self._publishers.pop(key, None)

    def publisher_of(self, key: TrackKey) -> tuple[Participant, PublishedTrack] | None:
        """Return a track that can be subscribed to, with its publisher."""
        publisher = self._publishers.get(key)
        return (publisher, publisher.tracks[key]) if publisher is not None else None

    def changed(self, participant: Participant, *, now: float) -> None:
        """Tell the person and everybody who may know what is new about them, now or a little later."""
        participant.version += 1
        if not self._timers.pending(participant, Timer.ROSTER):
            self.tell_now_or_later(participant, now=now)

    def arrives(self, participant: Participant, *, now: float) -> None:
        """Tell that somebody came, or that their media flows: at once, or in a call of many in company."""
        if len(self) <= FEW or participant.is_publisher or participant.grants.hidden:
            self.changed(participant, now=now)
            return
        participant.version += 1
        if not self._timers.pending(participant, Timer.ROSTER):
            self._untold[participant.key] = participant
            if not self._timers.pending(self._call, Timer.ARRIVALS):
                self._timers.set(self._call, Timer.ARRIVALS, at=now + COMPANY_SECONDS)

    def introduce(self, participant: Participant, *, now: float) -> None:
        """Have everybody told that somebody came before they hear what the person does."""
        if participant.key in self._untold:
            self.tell_arrivals(now=now)

    def tell_now_or_later(self, participant: Participant, *, now: float) -> None:
        """Tell what is new, or set the timer `ROSTER`; called when that is due."""
        self._untold.pop(participant.key, None)
        news = self._affordable(participant, now=now)
        if news is None:
            return
        if participant.grants.hidden:
            participant.send(news)
        else:
            self._tell_all([news], now=now)

    def tell_arrivals(self, *, now: float) -> None:
        """Tell who came and whose media flows; called when the timer `ARRIVALS` is due."""
        self._tell_all([], now=now)

    def _tell_all(self, news: list[Outgoing], *, now: float) -> None:
        untold = [one for one in self._untold.values() if not one.grants.hidden]
        self._untold.clear()
        self._timers.cancel(self._call, Timer.ARRIVALS)
        news += [message for one in untold if (message := self._affordable(one, now=now)) is not None]
        for first in range(0, len(news), _MOST_TOGETHER):
            message = _together(news[first : first + _MOST_TOGETHER])
            for viewer in self:
                viewer.send(message)

    def _affordable(self, participant: Participant, *, now: float) -> Outgoing | None:
        """Give what is new of somebody, unless it is too much: then the timer `ROSTER` is set."""
        message = _update(participant.info())
        cost = participant.cost_of_update(len(message.frame(text=False)))
        if participant.updates.take(cost, now=now):
            return message
        ready = participant.updates.ready_at(cost, now=now)
        self._timers.set(participant, Timer.ROSTER, at=max(ready, now + _HELD_BACK_AT_LEAST))
        return None

    def gone(self, participant: Participant, reason: models.DisconnectReason) -> None:
        """Tell everybody who knew the person that they left; those out of reach learn it when they return."""
        self._timers.cancel(participant, Timer.ROSTER)
        if not participant.grants.hidden:
            self._tell_gone(participant, reason)

    def hide(self, participant: Participant) -> None:
        """Tell the others that a person who is hidden from now on is gone."""
        self._tell_gone(participant, models.DisconnectReason.UNKNOWN_REASON)

    def send_to_all(self, response: rtc.SignalResponse) -> None:
        """Tell everybody the same."""
        message = Outgoing(response)
        for one in self:
            one.send(message)

    def _tell_gone(self, participant: Participant, reason: models.DisconnectReason) -> None:
        participant.version += 1
        info = participant.info(gone=reason)
        message = _update(info)
        for other in self:
            if other is participant:
                continue
            if other.outlet is None:
                other.missed_departures[participant.key] = info
            else:
                other.send(message)


def _sees(viewer: Participant, other: Participant) -> bool:
    return viewer is other or not other.grants.hidden


def _update(info: models.ParticipantInfo) -> Outgoing:
    update = rtc.ParticipantUpdate(participants=[info])
    return Outgoing(rtc.SignalResponse(update=update), about=info.sid)


def _together(news: list[Outgoing]) -> Outgoing:
    if len(news) == 1:
        return news[0]
    update = rtc.ParticipantUpdate()
    for one in news:
        update.participants.extend(one.response.update.participants)
    return Outgoing(rtc.SignalResponse(update=update), parts=news)
