"""The durable part: rooms, participants, links, join tokens, and who may enter when."""

from rooms.answers import Answer, Once
from rooms.context import RoomsSettings
from rooms.errors import (
    Full,
    IdempotencyMismatch,
    InvalidValue,
    JoinRefused,
    NotFound,
    RefusalCode,
    Removed,
    RoomsError,
    StaleVersion,
    StoreUnavailable,
    Taken,
)
from rooms.keys import SCOPES, ApiKey, KeyRing
from rooms.links import Invitation
from rooms.model import (
    ROLES,
    SOURCES,
    Admission,
    CallRules,
    Features,
    Gate,
    Grants,
    Link,
    Participant,
    ParticipantDraft,
    ParticipantState,
    Role,
    Room,
    RoomDraft,
    RoomKind,
    RoomObserver,
    RoomState,
    Source,
    Warrant,
)
from rooms.participants import Ticket
from rooms.rights import in_force
from rooms.rows import call_rules
from rooms.service import RoomFilter, Rooms
from rooms.window import closes_at, opens_at, state_of

__all__ = [
    "ROLES",
    "SCOPES",
    "SOURCES",
    "Admission",
    "Answer",
    "ApiKey",
    "CallRules",
    "Features",
    "Full",
    "Gate",
    "Grants",
    "IdempotencyMismatch",
    "InvalidValue",
    "Invitation",
    "JoinRefused",
    "KeyRing",
    "Link",
    "NotFound",
    "Once",
    "Participant",
    "ParticipantDraft",
    "ParticipantState",
    "RefusalCode",
    "Removed",
    "Role",
    "Room",
    "RoomDraft",
    "RoomFilter",
    "RoomKind",
    "RoomObserver",
    "RoomState",
    "Rooms",
    "RoomsError",
    "RoomsSettings",
    "Source",
    "StaleVersion",
    "StoreUnavailable",
    "Taken",
    "Ticket",
    "Warrant",
    "call_rules",
    "closes_at",
    "in_force",
    "opens_at",
    "state_of",
]
