"""From a recording to a plan of people: the same comings and goings, as fast as is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from loadtest.plan import Change

if TYPE_CHECKING:
    from random import Random

    from loadtest.plan import PersonPlan
    from loadtest.recording import Event, Recording

_APART_SECONDS = 0.2  # between leaving and coming back, so that the server sees the one before the other


@dataclass(slots=True)
class _Stay:
    room: int
    person: int
    joins: float
    leaves: float | None = None
    events: list[Event] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pace:
    """How recorded time becomes time of a run."""

    speed: float
    fill_per_second: float
    """How fast those join who were there from the beginning."""
    settle_seconds: float
    join_seconds: float
    """Nobody leaves sooner after a join."""
    spare_seconds: float
    """At the end nobody comes any more."""
    seconds: float
    """How much of a run's time is played."""


def replayed(
    recording: Recording, person: PersonPlan, pace: Pace, chance: Random
) -> tuple[list[PersonPlan], float]:
    """Give the people of a recording and the seconds until all who were there at first have joined.

    What each sends is that of `person`; a track of a kind that `person` does not send is left out.
    """
    stays = _stays(recording)
    first = [stay for stay in stays if stay.joins <= 0]
    chance.shuffle(first)
    filled = len(first) / pace.fill_per_second
    arrivals = {id(stay): (n + chance.random()) / pace.fill_per_second for n, stay in enumerate(first)}
    begins = float(-(-(filled + pace.settle_seconds) // 1))
    people: list[PersonPlan] = []
    last: dict[tuple[int, int], int] = {}
    for stay in stays:
        comes = arrivals.get(id(stay), begins + stay.joins / pace.speed)
        before = last.get((stay.room, stay.person))
        if before is not None:
            comes = max(comes, people[before].joins_at + pace.join_seconds + _APART_SECONDS)
            gone = people[before].leaves_at
            leaves = comes - _APART_SECONDS if gone is None else min(gone, comes - _APART_SECONDS)
            people[before] = replace(people[before], leaves_at=leaves)
        if comes > begins + pace.seconds - pace.spare_seconds:
            continue
        goes = None if stay.leaves is None else begins + stay.leaves / pace.speed
        last[stay.room, stay.person] = len(people)
        people.append(
            replace(
                person,
                room=f"room-{stay.room}",
                identity=f"person-{stay.person}",
                joins_at=comes,
                leaves_at=None if goes is None else max(goes, comes + pace.join_seconds),
                audio=None,
                video=None,
                later=tuple(_changes(stay, person, begins, pace.speed)),
            )
        )
    return people, filled


def _stays(recording: Recording) -> list[_Stay]:
    """Put together what belongs to one stay; events of people who are not there are left out."""
    stays: list[_Stay] = []
    there: dict[tuple[int, int], _Stay] = {}
    for event in recording.events:
        key = (event.room, event.person)
        match event.what:
            case "join":
                there[key] = _Stay(event.room, event.person, event.at)
                stays.append(there[key])
            case "leave" if key in there:
                there.pop(key).leaves = event.at
            case _ if key in there:
                there[key].events.append(event)
    return stays


def _changes(stay: _Stay, person: PersonPlan, begins: float, speed: float) -> list[Change]:
    changes: list[Change] = []
    sent: set[int] = set()
    for event in stay.events:
        at = 0.0 if event.at <= 0 else begins + event.at / speed
        match event.what:
            case "publish":
                source = person.video if event.kind == "video" else person.audio
                if source is not None:
                    sent.add(event.track)
                    changes.append(Change(at, event.track, "publish", source))
            case "mute" | "unpublish" if event.track in sent:
                changes.append(Change(at, event.track, "mute"))
            case "unmute" if event.track in sent:
                changes.append(Change(at, event.track, "unmute"))
    return changes
