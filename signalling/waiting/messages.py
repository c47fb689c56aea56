"""What is said on the waiting room's channel, version 1 (docs/waiting.md)."""

from signalling import words

VERSION = 1


class Word(words.Word):
    """A message to one or more clients of this channel."""

    __slots__ = ()

    states = frozenset({"waiting", "people", "token", "ping"})
