"""The states of a participant in a room, as a table.

Theory of operation. Whoever has to wait knocks and is admitted or denied; everybody else walks in. An
admission holds until it is taken back: the person may lose the line, leave and return without waiting again.
`removed` and `denied` last until somebody who may says otherwise; nothing that the person does changes them.
A person may have several connections for a moment, when the same link is opened twice: only the last one that
is lost or closed counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from rooms.transitions import Cause, Guard, Transition, state_after

if TYPE_CHECKING:
    from rooms.model import ParticipantState, Role


class PresenceAct(StrEnum):
    """What can happen to a participant."""

    KNOCK = "knock"
    """The person is at the waiting room's door."""
    GIVE_UP = "give up"
    """The person waits no more, or the room is over."""
    ADMIT = "admit"
    DENY = "deny"
    REMOVE = "remove"
    PUT_BACK = "put back"
    """The calling application puts the participant again."""
    ENTER = "enter"
    """A connection to the call is there."""
    LOSE = "lose"
    """The connection is lost; its place is kept for a moment."""
    RETURN = "return"
    LEAVE = "leave"
    """The connection is closed for good."""


@dataclass(frozen=True, slots=True)
class PresenceFacts:
    """What the guards of a participant's table are asked about."""

    must_wait: bool
    """Not admitted, in a room with a waiting room, with a role that has to wait."""
    up: int
    """Other connections of the person that are there and not lost."""
    open: int
    """Other connections of the person, lost ones included."""


_MUST_WAIT: Guard[PresenceFacts] = Guard("has to wait", lambda facts: facts.must_wait)
_MAY_ENTER: Guard[PresenceFacts] = Guard("need not wait", lambda facts: not facts.must_wait)
_NONE_UP: Guard[PresenceFacts] = Guard("no other is up", lambda facts: facts.up == 0)
_NONE_OPEN: Guard[PresenceFacts] = Guard("no other is open", lambda facts: facts.open == 0)
_CALLERS: tuple[Cause, ...] = ("api", "host")

PRESENCE_TABLE: tuple[Transition[ParticipantState, PresenceAct, PresenceFacts], ...] = (
    Transition(("expected", "left"), PresenceAct.KNOCK, ("media",), "waiting", _MUST_WAIT),
    Transition(("waiting", "admitted"), PresenceAct.GIVE_UP, ("media", "deadline", "api", "host"), "left"),
    Transition(("expected", "waiting", "left", "denied"), PresenceAct.ADMIT, _CALLERS, "admitted"),
    Transition(("expected", "waiting", "admitted", "left"), PresenceAct.DENY, _CALLERS, "denied"),
    Transition(
        ("expected", "admitted", "left", "reconnecting"),
        PresenceAct.ENTER, ("media",), "connected", _MAY_ENTER,
    ),
    Transition(("connected",), PresenceAct.LOSE, ("media",), "reconnecting", _NONE_UP),
    Transition(("reconnecting",), PresenceAct.RETURN, ("media",), "connected"),
    Transition(("connected", "reconnecting"), PresenceAct.LEAVE, ("media",), "left", _NONE_OPEN),
    Transition(
        ("expected", "waiting", "admitted", "connected", "reconnecting", "left", "denied"),
        PresenceAct.REMOVE, _CALLERS, "removed",
    ),
    Transition(("removed", "denied"), PresenceAct.PUT_BACK, ("api",), "expected"),
)  # fmt: skip

ASKING_OF_OTHERS = frozenset(row.act for row in PRESENCE_TABLE if row.guard in {_NONE_UP, _NONE_OPEN})
"""Acts whose guards ask about the person's other connections."""

MODERATORS: frozenset[Role] = frozenset({"host", "delegate"})
"""Who lets in, mutes, forbids, removes, locks and ends; the door never keeps them waiting."""


def participant_after(
    state: ParticipantState, act: PresenceAct, cause: Cause, facts: PresenceFacts
) -> ParticipantState | None:
    """Give the state that an act leads to, or `None` if it changes nothing."""
    return state_after(PRESENCE_TABLE, state, act, cause, facts)


def must_wait(role: Role, *, waiting_room: bool, admitted: bool) -> bool:
    """Whether a person needs an admission before entering; hosts and delegates never do."""
    return waiting_room and not admitted and role not in MODERATORS


def locked_out(role: Role, *, locked: bool, known: bool) -> bool:
    """Whether a lock keeps a person out: all but moderators and those who are `known`.

    Known are those who were in the call, who wait already, and whom a moderator has admitted.
    """
    return locked and not known and role not in MODERATORS
