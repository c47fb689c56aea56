"""The table of who may do what (tests/data/access.toml), read."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parents[1] / "data/access.toml"
BY_LINK = "a link"
BY_JOIN_TOKEN = "a join token"
BY_NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Row:
    """One route, or one method of LiveKit's RoomService."""

    name: str
    needs: str
    grant: str | None = None
    done: int = 200
    elsewhere: int = 404
    hosts: int | None = None
    """The status for hosts and delegates of the room, if it is not that of whoever may."""
    body: Mapping[str, Any] | None = None
    first: str | None = None
    of: str = field(default="routes", kw_only=True)

    def __str__(self) -> str:
        return self.name

    @property
    def names_something(self) -> bool:
        """Whether it is about something that has to be there already."""
        return "{" in self.name or "room" in (self.body or {})


def rows() -> list[Row]:
    """Give every row."""
    table = tomllib.loads(_FILE.read_text())
    return [Row(name, **values, of=part) for part, found in table.items() for name, values in found.items()]
