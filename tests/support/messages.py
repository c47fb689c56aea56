"""The table of who may say what (tests/data/messages.toml), read."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, cast

from rooms import Features, Grants, Restraints, Role, Warrant, in_force
from rooms.rights import grants_for

_TABLE = tomllib.loads((Path(__file__).parents[1] / "data/messages.toml").read_text())
_NAMES = re.compile(r"\{(\w+)\}")
_RESTRAINTS = frozenset({"forbidden", "may_unmute"})


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that can be said."""

    name: str
    says: Mapping[str, Any]
    by: str = ""
    """A group of callers; empty for everybody."""
    answer: list[str] = field(default_factory=list)
    refusal: list[str] | str = field(default_factory=list)
    but: Mapping[str, list[str]] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    offers: bool = False
    first: Literal["", "mute", "unsubscribe"] = ""
    """What the caller did before."""

    def __str__(self) -> str:
        return self.name

    @property
    def kind(self) -> str:
        """Its kind of message."""
        return self.name.partition(" ")[0]

    @property
    def names(self) -> frozenset[str]:
        """What the words in braces name."""
        return frozenset(_NAMES.findall(str(self.says)))

    def may(self, caller: str) -> bool:
        """Whether it is for this caller to say."""
        return not self.by or caller in _TABLE["groups"][self.by]

    def heard_by(self, caller: str) -> set[str]:
        """What a caller notices who says it."""
        return set(self.but.get(caller, self.answer if self.may(caller) else self.refusal))

    def filled(self, names: Mapping[str, str]) -> Any:
        """Give what is said, with these names."""
        return _filled(self.says, names)


def rows(part: Literal["signal", "data", "waiting", "probe"]) -> list[Row]:
    """Give every row of a part."""
    return [Row(name, **values) for name, values in _TABLE[part].items()]


def callers() -> Mapping[str, tuple[Role, Warrant]]:
    """Give each caller's role and warrant, by name."""
    return {name: _caller(**said) for name, said in _TABLE["callers"].items()}


def rights_of(warrant: Warrant) -> Grants:
    """Give what this allows in a room without rules of its own."""
    return in_force(warrant, Features())


def _caller(role: str, **said: Any) -> tuple[Role, Warrant]:
    taken = Restraints(**{name: said.pop(name) for name in _RESTRAINTS & said.keys()})
    sources = said.pop("can_publish_sources", None)
    grants = grants_for(cast("Role", role), None if sources is None else tuple(sources))
    return cast("Role", role), Warrant(None, replace(grants, **said), taken)


def _filled(value: Any, names: Mapping[str, str]) -> Any:
    match value:
        case str():
            return _NAMES.sub(lambda found: names[found[1]], value)
        case dict():
            return {key: _filled(one, names) for key, one in value.items()}
        case list():
            return [_filled(one, names) for one in value]
    return value
