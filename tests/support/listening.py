"""Listeners that write down what they hear."""

from collections.abc import Callable, Sequence
from typing import Any

from sfu import Speaker


class Heard:
    """Notes every call as (name, arguments); stands for any listener."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self.calls.append((name, *args, *kwargs.values()))

    def of(self, name: str) -> list[tuple[Any, ...]]:
        """The arguments of every call of that name."""
        return [call[1:] for call in self.calls if call[0] == name]


class HeardSpeakers:
    """A call's listener that keeps the last list of speakers."""

    def __init__(self) -> None:
        self.speakers: Sequence[Speaker] = ()

    def speakers_changed(self, speakers: Sequence[Speaker]) -> None:
        self.speakers = speakers
