"""The life of one connection to the waiting room's channel, as a table.

Theory of operation. A connection says first for whom it is (`HELLO`); nothing more is read until the token
is checked. By the role it then waits or hosts. What it waits for ends it: an admission, a denial, the end of
the room. A connection is not a person: the place in the queue belongs to the person and outlives it.

    GREETING --hello--> CHECKING --seated--> WAITING
                                 --attends--> HOSTING
    any --an event of ENDINGS--> ENDED
"""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where a connection is in its life."""

    GREETING = "greeting"
    """Nothing was said yet."""
    CHECKING = "checking"
    """The token is being checked."""
    WAITING = "waiting"
    HOSTING = "hosting"
    ENDED = "ended"


class Event(StrEnum):
    """What can happen to a connection."""

    HELLO = "hello"
    SEATED = "seated"
    """The person has a place in the queue, or need not wait."""
    ATTENDS = "attends"
    """The person is a host or a delegate."""
    ADMITTED = "admitted"
    DENIED = "denied"
    CLOSED = "closed"
    """The room is over, or nobody may enter any more."""
    REVOKED = "revoked"
    """The person was removed: what the token stood for is gone."""
    REFUSED = "refused"
    """The token does not open the waiting room."""
    LEFT = "left"
    """The person goes."""
    REPLACED = "replaced"
    """The person has opened too many others."""
    LOST = "lost"
    """The connection is gone."""
    SILENT = "silent"
    """Nothing was heard for too long."""
    HELLO_LATE = "hello-late"
    ABUSE = "abuse"
    """The client broke the rules of the protocol or its limits."""
    SHUTDOWN = "shutdown"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection ends: the type of the last message, if there is one, and the code of the close."""

    says: str | None
    close_code: int
    """4000 and above are ours (RFC 6455, 7.4.2), the same as on `/rtc/v1` where they mean the same."""


ENDINGS: dict[Event, Ending] = {
    Event.ADMITTED: Ending("admitted", 1000),
    Event.DENIED: Ending("denied", 4004),
    Event.CLOSED: Ending("closed", 4005),
    Event.REVOKED: Ending("refused", 4004),
    Event.REFUSED: Ending("refused", 4010),
    Event.LEFT: Ending(None, 1000),
    Event.REPLACED: Ending("replaced", 4003),
    Event.LOST: Ending(None, 1000),
    Event.SILENT: Ending(None, 4002),
    Event.HELLO_LATE: Ending(None, 1008),
    Event.ABUSE: Ending(None, 1008),
    # The server will be back, or another will, and the place in the queue is stored.
    Event.SHUTDOWN: Ending("again", 1001),
}

TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.GREETING, Event.HELLO): State.CHECKING,
    (State.CHECKING, Event.SEATED): State.WAITING,
    (State.CHECKING, Event.ATTENDS): State.HOSTING,
    **{(state, event): State.ENDED for state in State if state is not State.ENDED for event in ENDINGS},
}


def after(state: State, event: Event) -> State | None:
    """Give the state that an event leads to, or None if it means nothing there."""
    return TRANSITIONS.get((state, event))
