"""The connection quality of everybody in a call: judged at intervals, told when the word changes."""

from collections.abc import Iterable

from livekit.protocol import rtc

from sfu import LegKey, LegStats
from signalling.livekit.figures import Reading, figures_between
from signalling.livekit.line_news import LineNews
from signalling.livekit.outbox import Outgoing
from signalling.livekit.participant import Participant
from signalling.livekit.quality import LOST, judge
from signalling.livekit.roster import Roster


class QualityBoard:
    """Judges the connections of one call."""

    def __init__(self, roster: Roster, lines: LineNews) -> None:
        self._roster = roster
        self._lines = lines
        self._informed: set[LegKey] = set()
        """Who has been told of everybody."""

    def judge_all(self, *, now: float) -> None:
        """Judge every connection that is up; tell what changed, and newcomers everything."""
        changed = [person for person in self._roster if self._judge(person, now=now)]
        self._introduce(changed, now=now)
        informed = [viewer for viewer in self._roster if viewer.key in self._informed]
        _tell(informed, of=changed)
        new = [one for one in self._roster if one.key not in self._informed and one.lifecycle.media_up]
        if new:
            _tell(new, of=self._roster)
            self._informed.update(viewer.key for viewer in new)

    def judge_one(self, person: Participant, *, now: float) -> None:
        """Judge one connection now, since it fell silent or came back."""
        if self._judge(person, now=now):
            self._introduce([person], now=now)
            _tell(self._roster, of=[person])

    def forget(self, person: Participant) -> None:
        """Forget a participant who left."""
        self._informed.discard(person.key)

    def _introduce(self, people: Iterable[Participant], *, now: float) -> None:
        """Have clients know these people: what they hear of somebody unknown is lost on them."""
        for person in people:
            self._roster.introduce(person, now=now)

    def _judge(self, person: Participant, *, now: float) -> bool:
        """Return whether the word is another one now."""
        if person.leg is None or not person.lifecycle.media_up:
            return False
        after = Reading(now, person.leg.stats())
        before = person.reading or Reading(now, LegStats())
        person.reading = after
        person.figures = figures_between(before, after) or person.figures
        last = person.quality
        person.quality = LOST if person.silent else judge(before.stats, after.stats, last=last)
        self._lines.judged(person, now=now)
        if last is not None and last.word == person.quality.word:
            return False
        person.quality_since = now
        return True


def _tell(viewers: Iterable[Participant], *, of: Iterable[Participant]) -> None:
    """Tell the same to all of them, made once; who is hidden is seen by nobody else."""
    people = list(of)
    infos = [info for person in people if not person.grants.hidden and (info := _info(person)) is not None]
    hidden = {person.key for person in people if person.grants.hidden}
    of_seen = _message(infos)
    for viewer in viewers:
        own = _info(viewer) if viewer.key in hidden else None
        message = of_seen if own is None else _message([*infos, own])
        if message is not None:
            viewer.send(message)


def _info(person: Participant) -> rtc.ConnectionQualityInfo | None:
    if person.quality is None:
        return None
    word, score = person.quality.word, person.quality.score
    return rtc.ConnectionQualityInfo(participant_sid=person.key, quality=word, score=score)


def _message(infos: list[rtc.ConnectionQualityInfo]) -> Outgoing | None:
    if not infos:
        return None
    update = rtc.ConnectionQualityUpdate(updates=infos)
    return Outgoing(rtc.SignalResponse(connection_quality=update))
