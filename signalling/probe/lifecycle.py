"""The life of one connection of a test, as a table.

Theory of operation. A connection says first which test it is for (`HELLO`); nothing more is read until the
token is checked. Then it has a minute for its legs, all of which end with it.

    GREETING --hello--> CHECKING --admitted--> TESTING
    any --an event of ENDINGS--> ENDED
"""

from dataclasses import dataclass
from enum import StrEnum

from sfu import CloseReason


class State(StrEnum):
    """Where a connection is in its life."""

    GREETING = "greeting"
    """Nothing was said yet."""
    CHECKING = "checking"
    """The token is being checked."""
    TESTING = "testing"
    ENDED = "ended"


class Event(StrEnum):
    """What can happen to a connection."""

    HELLO = "hello"
    ADMITTED = "admitted"
    REFUSED = "refused"
    """The token opens no test, or not now."""
    BYE = "bye"
    """The client is done."""
    OVER = "over"
    """The time is used up."""
    LOST = "lost"
    """The connection is gone."""
    HELLO_LATE = "hello-late"
    ABUSE = "abuse"
    """The client broke the rules of the protocol or its limits."""
    SHUTDOWN = "shutdown"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection ends: the last message, the code of the close, and why its legs close."""

    says: str | None
    close_code: int
    """4000 and above are ours (RFC 6455, 7.4.2), the same as on `/waiting` where they mean the same."""
    legs: CloseReason = CloseReason.LEFT


ENDINGS: dict[Event, Ending] = {
    Event.REFUSED: Ending("refused", 4010),
    Event.BYE: Ending(None, 1000),
    Event.OVER: Ending("over", 4005, CloseReason.REMOVED),
    Event.LOST: Ending(None, 1000),
    Event.HELLO_LATE: Ending(None, 1008),
    Event.ABUSE: Ending(None, 1008, CloseReason.REMOVED),
    Event.SHUTDOWN: Ending("again", 1001, CloseReason.SHUTDOWN),
}

TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.GREETING, Event.HELLO): State.CHECKING,
    (State.CHECKING, Event.ADMITTED): State.TESTING,
    **{(state, event): State.ENDED for state in State if state is not State.ENDED for event in ENDINGS},
}


def after(state: State, event: Event) -> State | None:
    """Give the state that an event leads to, or None if it means nothing there."""
    return TRANSITIONS.get((state, event))
