"""State tables: rows of (state, act, cause, guard) -> state, one way to ask them and one to draw them.

A table is data: what is not in it does not happen. Guards are named predicates of plain facts, so that the
table can be read, drawn and tried by a model without the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Cause = Literal["api", "host", "media", "deadline"]
"""Who brings something about: `api`, the calling application; `host`, a host or delegate in the room;
`media`, people themselves by coming, going, or losing their line; `deadline`, the time."""

StateT = TypeVar("StateT", bound=str)
ActT = TypeVar("ActT", bound=str)
FactsT = TypeVar("FactsT")


@dataclass(frozen=True, slots=True)
class Guard(Generic[FactsT]):
    """A condition on the facts, and the words for it."""

    text: str
    holds: Callable[[FactsT], bool]


@dataclass(frozen=True, slots=True)
class Transition(Generic[StateT, ActT, FactsT]):
    """One row: in these states this act leads to `after`, if its cause may do it and the guard allows it."""

    before: tuple[StateT, ...]
    act: ActT
    causes: tuple[Cause, ...]
    after: StateT
    guard: Guard[FactsT] | None = None


def state_after(
    table: Sequence[Transition[StateT, ActT, FactsT]], state: StateT, act: ActT, cause: Cause, facts: FactsT
) -> StateT | None:
    """Give the state that an act leads to, or `None` if it means nothing here and nothing changes."""
    for row in table:
        if act == row.act and state in row.before and cause in row.causes:
            return row.after if row.guard is None or row.guard.holds(facts) else None
    return None


def diagram(table: Iterable[Transition[StateT, ActT, FactsT]], first: StateT) -> str:
    """Draw a table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {first}"]
    for row in table:
        guard = "" if row.guard is None else f" [{row.guard.text}]"
        label = f"{row.act}{guard} ({', '.join(row.causes)})"
        lines += [f"    {before} --> {row.after}: {label}" for before in row.before]
    return "\n".join(lines)
