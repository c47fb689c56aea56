"""From a scenario and a seed to a plan of people: the same plan every time, with no clock and no server.

Rooms and people have stand-in names, and there are no tokens: both are filled in for a server by `addressed`.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING

from loadtest.plan import FAITHFUL, AudioPlan, PersonPlan, RunPlan, VideoPlan
from loadtest.replay import Pace, replayed
from loadtest.scenario import (
    AudioRoom,
    Broadcast,
    Churn,
    Common,
    Consultations,
    Filmed,
    Group,
    Meeting,
    Plannable,
    Ramp,
    Reconnect,
    Replay,
    Scenario,
)
from loadtest.scenario_parts import Video

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_JOIN_SECONDS = 1.0  # nobody leaves sooner, so that a join cut short is not taken for one that failed
_MOVE_SECONDS = 0.1  # from the end of one stay to the next
_SPARE_SECONDS = 5.0  # at the end nobody comes any more, for the same reason; a third of a short run


@dataclass(frozen=True, slots=True)
class Stage:
    """One run of the engine; a ramp has several."""

    label: str
    """What is shown of it, empty where there is only one."""
    people: int
    """How many grow in a ramp; else 0."""
    scenario: Plannable


def stages(scenario: Scenario) -> Iterator[Stage]:
    """Give what is to be run, one after the other, for as long as the objectives are met."""
    if not isinstance(scenario, Ramp):
        yield Stage("", 0, scenario)
        return
    for people in range(scenario.start, scenario.most + 1, scenario.step):
        grown, label = _grown(scenario, people)
        yield Stage(f"{people} {label}", people, grown)


def plan(scenario: Plannable, seed: int) -> RunPlan:
    """Say who comes, when, and what they send and take; times are in seconds after the start."""
    chance = Random(seed)  # noqa: S311 - a plan is to be repeated, not to be hard to guess
    match scenario:
        case Churn():
            people, filled = _churn(scenario, chance)
        case Replay():
            pace = Pace(
                speed=scenario.speed,
                fill_per_second=scenario.fill_per_second,
                settle_seconds=scenario.settle_seconds,
                join_seconds=_JOIN_SECONDS,
                spare_seconds=min(_SPARE_SECONDS, scenario.length / 3),
                seconds=scenario.length,
            )
            people, filled = replayed(scenario.recording, _sender(scenario), pace, chance)
        case _:
            seats = _seats(scenario, chance)
            people, filled = _filled(seats, scenario.fill_per_second, chance)
    # Whole, so that seconds that are counted are either before or after it.
    warm_up = float(math.ceil(filled + scenario.settle_seconds))
    if isinstance(scenario, Reconnect):
        people = _with_losses(people, scenario, warm_up, chance)
    if isinstance(scenario, Group) and scenario.sub_rooms:
        people = _with_sub_rooms(people, scenario, warm_up, chance)
    return RunPlan(
        url="",
        people=tuple(people),
        warm_up_seconds=warm_up,
        seconds=scenario.length if isinstance(scenario, Replay) else scenario.seconds,
        seed=seed,
        faithful=_faithful(scenario.faithful),
    )


def room_labels(planned: RunPlan) -> list[str]:
    """Give the stand-in names of the rooms, in the order in which they are first used."""
    return list(dict.fromkeys(one.room for one in planned.people))


def most_at_once(planned: RunPlan) -> int:
    """Count the people who are there at the same time, at the most."""
    changes = [(one.joins_at, 1) for one in planned.people]
    changes += [(one.leaves_at, -1) for one in planned.people if one.leaves_at is not None]
    return max(accumulate(change for _, change in sorted(changes)), default=0)


def addressed(planned: RunPlan, url: str, rooms: Sequence[str], token: Callable[[str, str], str]) -> RunPlan:
    """Put a server's address, its rooms and a token for each person into a plan."""
    names = dict(zip(room_labels(planned), rooms, strict=True))

    def admitted(people: tuple[PersonPlan, ...]) -> tuple[PersonPlan, ...]:
        return tuple(
            replace(one, room=names[one.room], token=token(names[one.room], one.identity)) for one in people
        )

    return replace(planned, url=url, people=admitted(planned.people), faithful=admitted(planned.faithful))


def _grown(ramp: Ramp, people: int) -> tuple[Plannable, str]:
    common = {name: getattr(ramp, name) for name in Filmed.model_fields}
    match ramp.of:
        case "broadcast":
            return Broadcast(kind="broadcast", viewers=people, **common), "viewers"
        case "meeting":
            return Meeting(kind="meeting", people=people, **common), "people"
        case "consultations":
            return Consultations(kind="consultations", pairs=people, **common), "pairs"


def _seats(scenario: Plannable, chance: Random) -> list[PersonPlan]:
    sender = _sender(scenario)
    match scenario:
        case Broadcast():
            viewer = replace(sender, audio=None, video=None)
            first = replace(sender, room="room-1", identity="sender", subscribes=False)
            return [first, *(_seat(viewer, 1, f"viewer-{n}") for n in _from_1(scenario.viewers))]
        case AudioRoom():
            speaker = replace(sender, subscribes=scenario.speakers_listen)
            listener = replace(sender, audio=None)
            return [
                *(_seat(speaker, 1, f"speaker-{n}") for n in _from_1(scenario.speakers)),
                *(_seat(listener, 1, f"listener-{n}") for n in _from_1(scenario.listeners)),
            ]
        case Meeting():
            return _with_layout(_tables(sender, scenario.rooms, scenario.people), scenario, chance)
        case Consultations():
            return _tables(sender, scenario.pairs, 2)
        case Group():
            return _tables(sender, scenario.groups, scenario.people)
        case Reconnect():
            return _tables(sender, scenario.rooms, scenario.people)
        case Churn() | Replay():
            raise AssertionError("people who come and go have no seats")


def _sender(scenario: Common) -> PersonPlan:
    filmed = scenario if isinstance(scenario, Filmed) else None
    sound = AudioPlan(
        packet_bytes=scenario.audio.packet_bytes,
        packets_per_second=scenario.audio.packets_per_second,
        talk=scenario.audio.talk,
    )
    return PersonPlan(
        room="",
        identity="",
        token="",
        joins_at=0.0,
        leaves_at=None,
        audio=sound if filmed is None or "audio" in filmed.sends else None,
        video=camera(filmed.video) if filmed is not None and "video" in filmed.sends else None,
        wanted=None if filmed is None or filmed.wanted is None else (filmed.wanted[0], filmed.wanted[1]),
    )


def camera(video: Video) -> VideoPlan:
    """Give the synthetic camera that a scenario describes."""
    return VideoPlan(
        frames_per_second=video.frames_per_second,
        encodings=tuple((one.width, one.height, one.kilobits_per_second) for one in video.encodings),
        packets_per_frame=video.packets_per_frame,
        packet_bytes=video.packet_bytes,
        codec=video.codec,
        source=video.source,
    )


def _faithful(viewers: int) -> tuple[PersonPlan, ...]:
    """Seat those who really encode and decode in the first room, where the load is."""
    names = ["camera", *map(str, _from_1(viewers))] if viewers else []
    seat = PersonPlan(room="", identity="", token="", joins_at=0.0, leaves_at=None)
    return tuple(_seat(seat, 1, FAITHFUL + name) for name in names)


def _tables(person: PersonPlan, rooms: int, people: int) -> list[PersonPlan]:
    return [_seat(person, room, f"room-{room}-{n}") for room in _from_1(rooms) for n in _from_1(people)]


def _seat(person: PersonPlan, room: int, identity: str) -> PersonPlan:
    return replace(person, room=f"room-{room}", identity=identity)


def _from_1(count: int) -> range:
    return range(1, count + 1)


def _with_layout(people: list[PersonPlan], meeting: Meeting, chance: Random) -> list[PersonPlan]:
    # One person asks for one size. So that the server sends as many large pictures as the layout says, some
    # people see everybody large and the others everybody small, in the proportion of the layout.
    layout = meeting.layout
    if layout is None:
        return people
    share = layout.large / (meeting.people - 1)
    large = set(chance.sample(range(len(people)), round(share * len(people))))
    sizes = [layout.large_size if n in large else layout.small_size for n in range(len(people))]
    return [replace(one, wanted=(size[0], size[1])) for one, size in zip(people, sizes, strict=True)]


def _filled(seats: list[PersonPlan], per_second: float, chance: Random) -> tuple[list[PersonPlan], float]:
    # Each at a random moment of a slot of its own: an even pace without a beat.
    people = [
        replace(one, joins_at=0.0 if n == 0 else (n + chance.random()) / per_second)
        for n, one in enumerate(seats)
    ]
    return people, len(seats) / per_second


def _churn(scenario: Churn, chance: Random) -> tuple[list[PersonPlan], float]:
    sender, pace = _sender(scenario), scenario.joins_per_second
    at_first = max(1, round(pace * scenario.stay_seconds))
    filled = at_first / scenario.fill_per_second
    end = math.ceil(filled + scenario.settle_seconds) + scenario.seconds
    arrivals = [(n + chance.random()) / scenario.fill_per_second for n in range(at_first)]
    # Those who are there at first have been there for a while already.
    departures = [
        max(at + _JOIN_SECONDS, filled + chance.random() * scenario.stay_seconds) for at in arrivals
    ]
    last = end - _spare(scenario)
    later = [filled + (n + chance.random()) / pace for n in range(int((last - filled) * pace))]
    arrivals += later
    departures += [at + chance.uniform(0.5, 1.5) * scenario.stay_seconds for at in later]
    present = [0] * scenario.rooms
    people, leaving = [], list[tuple[float, int]]()
    for n, (comes, goes) in enumerate(zip(arrivals, departures, strict=True), 1):
        while leaving and leaving[0][0] <= comes:
            present[heapq.heappop(leaving)[1]] -= 1
        room = present.index(min(present))
        present[room] += 1
        heapq.heappush(leaving, (goes, room))
        people.append(
            replace(
                _seat(sender, room + 1, f"person-{n}"),
                joins_at=comes,
                leaves_at=goes if goes < end else None,
            )
        )
    return people, filled


def _spare(scenario: Common) -> float:
    return min(_SPARE_SECONDS, scenario.seconds / 3)


def _with_losses(
    people: list[PersonPlan], scenario: Reconnect, begins: float, chance: Random
) -> list[PersonPlan]:
    """Cut the stays of a share of the people every so often; each comes back as the same person."""
    end = begins + scenario.seconds
    stays = {one.identity: [one] for one in people}
    lost = max(1, round(scenario.share * len(people)))
    at = begins + scenario.every_seconds / 2
    while at + scenario.away_seconds <= end - _spare(scenario):
        for identity in chance.sample(sorted(stays), lost):
            last = stays[identity][-1]
            back = replace(last, joins_at=at + scenario.away_seconds)
            stays[identity][-1:] = [replace(last, leaves_at=at), back]
        at += scenario.every_seconds
    return [stay for history in stays.values() for stay in history]


def _with_sub_rooms(
    people: list[PersonPlan], scenario: Group, begins: float, chance: Random
) -> list[PersonPlan]:
    """Part each group for the middle third; whoever leaves a sub-room joins the group again as before."""
    third = scenario.seconds / 3
    stays = []
    for n, one in enumerate(people):
        parts = begins + third + chance.random()
        returns = begins + 2 * third + chance.random()
        apart = f"{one.room}-sub-{n % scenario.sub_rooms + 1}"
        stays += [
            replace(one, leaves_at=parts),
            replace(one, room=apart, joins_at=parts + _MOVE_SECONDS, leaves_at=returns),
            replace(one, joins_at=returns + _MOVE_SECONDS),
        ]
    return stays
