"""What wakes the live part of connection tests up, by name."""

from enum import StrEnum


class Timer(StrEnum):
    """Why something wakes up."""

    HELLO = "hello"
    OVER = "over"
    """The time of a connection is used up."""
    RATE = "rate"
    """How fast the legs send is to be looked at."""
