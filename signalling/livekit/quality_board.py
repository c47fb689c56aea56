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
        changed = {person.key for person in self._roster if self._judge(person, now=now)}
        for viewer in self._roster:
            if viewer.key in self._informed:
                self._tell(viewer, (person for person in self._roster if person.key in changed))
            elif viewer.lifecycle.media_up:
                self._informed.add(viewer.key)
                self._tell(viewer, self._roster)

    def judge_one(self, person: Participant, *, now: float) -> None:
        """Judge one connection now, since it fell silent or came back."""
        if self._judge(person, now=now):
            for viewer in self._roster:
                self._tell(viewer, [person])

    def forget(self, person: Participant) -> None:
        """Forget a participant who left."""
        self._informed.discard(person.key)

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

    def _tell(self, viewer: Participant, people: Iterable[Participant]) -> None:
        updates = [
            rtc.ConnectionQualityInfo(
                participant_sid=person.key, quality=person.quality.word, score=person.quality.score
            )
            for person in people
            if person.quality is not None and (person is viewer or not person.grants.hidden)
        ]
        if updates:
            update = rtc.ConnectionQualityUpdate(updates=updates)
            viewer.send(Outgoing(rtc.SignalResponse(connection_quality=update)))
