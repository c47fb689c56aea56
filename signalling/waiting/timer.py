"""What wakes the waiting room's channel up, by name."""

from enum import StrEnum


class Timer(StrEnum):
    """Why something wakes up."""

    HELLO = "hello"
    PING = "ping"
    TOKEN = "token"  # noqa: S105 - a name, not a token
    """Somebody who waits should get a fresh token."""
    LET_IN = "let-in"
    """The token of somebody who may enter is to be asked for again."""
    GRACE = "grace"
    """Somebody without a connection loses the place."""
    LOOK = "look"
    """A room is to be read again."""
    TELL = "tell"
    """Hosts are to be told who is in the call, of a room that is known."""
