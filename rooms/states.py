"""The states of a room, as a table, and the deadlines that move it when nobody does.

Theory of operation. A room is `planned` while nobody is there, `waiting` while somebody is there whom nobody
attends to (in the waiting room, or alone in the call), and `in_progress` once a host is in the call, or any
two people who do not merely observe; the calling application may also say so. It then stays in progress,
whoever leaves, until somebody finishes it or its time is over: people come back.

The door opens and shuts by the opening hours alone (`rooms.window`); opening changes no state. At
`closes_at` a room in which no call began was not held. One in progress is finished if the call is empty;
else the call goes on, is finished when the last one leaves, and is ended at the latest when it has overrun
by the time that the settings allow. A room without times has no deadlines.

Only what is stored and `now` decide, so a restart or a step of the clock changes nothing but when a deadline
is met; a deadline that was met is not taken back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from rooms.transitions import Cause, Guard, Transition, state_after

if TYPE_CHECKING:
    from rooms.model import RoomState


class RoomAct(StrEnum):
    """What can happen to a room."""

    START = "start"
    FINISH = "finish"
    CANCEL = "cancel"
    REOPEN = "reopen"
    ARRIVE = "arrive"
    """Somebody is there, and nobody attends to them."""
    MEET = "meet"
    """A host is in the call, or any two who do not merely observe."""
    EMPTY = "empty"
    """Nobody is in the call or the waiting room any more."""
    CLOSING = "closing"
    """`closes_at` is reached."""
    OVERRUN = "overrun"
    """The call went on after that for as long as it may."""


@dataclass(frozen=True, slots=True)
class RoomFacts:
    """What the guards of a room's table are asked about."""

    past_closing: bool
    people: int
    """In the call, observers included."""


_STILL_OPEN: Guard[RoomFacts] = Guard("before closes_at", lambda facts: not facts.past_closing)
_CLOSED: Guard[RoomFacts] = Guard("after closes_at", lambda facts: facts.past_closing)
_NOBODY_IN: Guard[RoomFacts] = Guard("nobody in the call", lambda facts: facts.people == 0)
_CALLERS: tuple[Cause, ...] = ("api", "host")

ROOM_TABLE: tuple[Transition[RoomState, RoomAct, RoomFacts], ...] = (
    Transition(("planned",), RoomAct.ARRIVE, ("media",), "waiting"),
    Transition(("waiting",), RoomAct.EMPTY, ("media",), "planned"),
    Transition(("planned", "waiting"), RoomAct.MEET, ("media",), "in_progress"),
    Transition(("planned", "waiting"), RoomAct.START, _CALLERS, "in_progress"),
    Transition(("waiting", "in_progress"), RoomAct.FINISH, _CALLERS, "finished"),
    Transition(("planned", "waiting"), RoomAct.CANCEL, _CALLERS, "cancelled"),
    Transition(("planned", "waiting"), RoomAct.CLOSING, ("deadline",), "not_held"),
    Transition(("in_progress",), RoomAct.CLOSING, ("deadline",), "finished", _NOBODY_IN),
    Transition(("in_progress",), RoomAct.EMPTY, ("media",), "finished", _CLOSED),
    Transition(("in_progress",), RoomAct.OVERRUN, ("deadline",), "finished"),
    Transition(("finished",), RoomAct.REOPEN, _CALLERS, "in_progress", _STILL_OPEN),
    Transition(("cancelled", "not_held"), RoomAct.REOPEN, _CALLERS, "planned", _STILL_OPEN),
)
OVER: frozenset[RoomState] = frozenset({"finished", "cancelled", "not_held"})
"""States in which nobody may enter, and in which the call has ended."""


def room_after(state: RoomState, act: RoomAct, cause: Cause, facts: RoomFacts) -> RoomState | None:
    """Give the state that an act leads to, or `None` if it changes nothing."""
    return state_after(ROOM_TABLE, state, act, cause, facts)


@cache
def moved_by_people(state: RoomState, *, past_closing: bool) -> bool:
    """Whether people who come and go can change this state now."""
    facts = RoomFacts(past_closing=past_closing, people=0)
    return any(
        state in row.before and "media" in row.causes and (row.guard is None or row.guard.holds(facts))
        for row in ROOM_TABLE
    )


@dataclass(frozen=True, slots=True)
class Attendance:
    """Who is there, counted."""

    hosts: int = 0
    others: int = 0
    """In the call: delegates, patients and guests."""
    observers: int = 0
    waiting: int = 0
    """In the waiting room."""

    @property
    def people(self) -> int:
        """How many are in the call."""
        return self.hosts + self.others + self.observers


def attended(attendance: Attendance) -> RoomAct:
    """Give what it means to a room that these people are there."""
    if attendance.hosts > 0 or attendance.others >= 2:
        return RoomAct.MEET
    if attendance.people + attendance.waiting > 0:
        return RoomAct.ARRIVE
    return RoomAct.EMPTY


def next_deadline(
    state: RoomState, closes_at: float | None, *, overrun_seconds: float, closing_met: bool = False
) -> float | None:
    """Give when the room has to be looked at next: at `closes_at`, then when the call has overrun."""
    if closes_at is None or state in OVER:
        return None
    return closes_at + overrun_seconds if closing_met else closes_at


def due(due_at: float | None, closes_at: float | None, *, now: float) -> RoomAct | None:
    """Say which deadline has to be met now, from the stored times alone."""
    if due_at is None or closes_at is None or now < due_at:
        return None
    return RoomAct.CLOSING if due_at <= closes_at else RoomAct.OVERRUN
