"""What signalling saw of the legs of calls, as facts that `rooms.legs` writes down.

A fact has the id of the event it becomes, so it can be written again when nobody knows whether the first time
reached the disk: what is in the log already is not done twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rooms.ids import new_event_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rooms.events import EventType
    from rooms.model import DegradedReason, IpFamily


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that was seen of a room's call, at a time."""

    room_uid: str
    at: float
    event_id: str = field(default_factory=new_event_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegFact(Fact):
    """Something that was seen of one leg, by the id of its connection."""

    leg: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegOpened(LegFact):
    """A person has come into the call."""

    identity: str
    role: str
    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegMediaReady(LegFact):
    """Media flows for the first time, by this kind of path."""

    path: str
    family: IpFamily


@dataclass(frozen=True, slots=True, kw_only=True)
class LegLost(LegFact):
    """The connection is lost; its place is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegBack(LegFact):
    """The connection is there again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegDegraded(LegFact):
    """The connection has become bad."""

    reason: DegradedReason
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRecovered(LegFact):
    """The connection is good again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegPathChanged(LegFact):
    """Media takes another path."""

    path: str
    family: IpFamily


@dataclass(frozen=True, slots=True, kw_only=True)
class LegClosed(LegFact):
    """The person has left the call, for this reason."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened(Fact):
    """Something that events tell of and that changes no stored state."""

    type: EventType
    data: Mapping[str, Any]
