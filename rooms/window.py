"""When a room may be entered: from some minutes before its planned time until some minutes after it."""

from __future__ import annotations

from typing import Literal, Protocol

from rooms.states import OVER

_MINUTE = 60.0


class Planned(Protocol):
    """Anything with planned times; a room without times is open from the beginning and never closes."""

    @property
    def starts_at(self) -> float | None: ...  # noqa: D102
    @property
    def ends_at(self) -> float | None: ...  # noqa: D102
    @property
    def open_before_minutes(self) -> int: ...  # noqa: D102
    @property
    def close_after_minutes(self) -> int: ...  # noqa: D102


class Door(Planned, Protocol):
    """Anything with planned times and the state of a room."""

    @property
    def state(self) -> str: ...  # noqa: D102


def opens_at(room: Planned) -> float | None:
    """Give the first moment of entry, or `None` if the room was open from the beginning."""
    return None if room.starts_at is None else room.starts_at - room.open_before_minutes * _MINUTE


def closes_at(room: Planned) -> float | None:
    """Give the moment from which nobody enters any more, or `None` if there is none."""
    planned_end = room.ends_at if room.ends_at is not None else room.starts_at
    return None if planned_end is None else planned_end + room.close_after_minutes * _MINUTE


def outside(room: Door, *, now: float) -> Literal["too-early", "too-late"] | None:
    """Say why nobody may enter now, or `None` if the room is open."""
    if room.state in OVER:
        return "too-late"
    first, last = opens_at(room), closes_at(room)
    if first is not None and now < first:
        return "too-early"
    if last is not None and now >= last:
        return "too-late"
    return None
