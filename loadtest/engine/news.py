"""What the Rust core tells of its participants, given to the persons they belong to."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loadtest.engine.core import Swarm
    from loadtest.engine.person import Person


class News:
    """Who is told what a swarm has to say of a participant."""

    def __init__(self, swarm: Swarm) -> None:
        self._swarm = swarm
        self._persons: dict[int, Person] = {}

    def tell(self, person: Person) -> None:
        """Tell somebody from now on who has a participant."""
        if person.participant is not None:
            self._persons[person.participant] = person

    @contextlib.contextmanager
    def delivered(self) -> Iterator[None]:
        """Pass on all that comes meanwhile, as soon as it comes, on the running loop."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._swarm.fileno(), self._pass_on)
        try:
            yield
        finally:
            loop.remove_reader(self._swarm.fileno())
        self._pass_on()

    def _pass_on(self) -> None:
        for news in self._swarm.drain():
            person = self._persons.get(news.participant)
            if person is not None:
                person.heard(news)
