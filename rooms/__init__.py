"""The durable part: rooms, participants, links, join tokens, and who may enter when."""

from rooms.agenda import RoomFilter
from rooms.announcements import LONGEST_ANNOUNCEMENT, Announcements
from rooms.answers import Answer, Once
from rooms.authority import RULES, ModerationAct, may_act
from rooms.connection_tests import ConnectionTest, ConnectionTests, ProbeAdmission, ProbeTicket
from rooms.context import RoomsSettings
from rooms.errors import (
    Forbidden,
    Full,
    IdempotencyMismatch,
    InvalidTransition,
    InvalidValue,
    JoinRefused,
    NotFound,
    RefusalCode,
    Removed,
    RoomsError,
    StaleVersion,
    StoreUnavailable,
    Taken,
    TooOften,
)
from rooms.event_log import EventLog
from rooms.events import EVENT_TYPES, EventPage, EventType, RoomEvent
from rooms.groups import Group, GroupDraft, Groups
from rooms.keys import SCOPES, ApiKey, KeyRing
from rooms.leg_journal import LegJournal
from rooms.links import Invitation
from rooms.model import (
    ROLES,
    SOURCES,
    Admission,
    Announcement,
    Bandwidth,
    CallRules,
    DegradedReason,
    Features,
    Gate,
    Grants,
    GroupPlace,
    IpFamily,
    LegObserver,
    Link,
    Participant,
    ParticipantDraft,
    ParticipantState,
    Restraints,
    Role,
    Room,
    RoomDraft,
    RoomKind,
    RoomObserver,
    RoomState,
    Source,
    Warrant,
)
from rooms.moderation import Moderation
from rooms.moderators import Moderator
from rooms.movers import Application, Mover
from rooms.outbox import Outbox, Turn
from rooms.outbox_picking import Parcel
from rooms.participants import Ticket
from rooms.quality import LayerNow, LegQuality, LineFigures, QualityWord
from rooms.ratings import REASONS, Rating, Ratings, Reason
from rooms.retold import Retold
from rooms.retries import Outcome, OutcomeCode
from rooms.rights import in_force
from rooms.rows import call_rules
from rooms.scene import LateNotice, Scene, Standing
from rooms.service import Rooms
from rooms.states import RoomAct
from rooms.transitions import Cause
from rooms.waiting_room import Waiter, WaitingRoom
from rooms.webhooks import DeadLetter, DisabledReason, Signing, Webhook, WebhookDraft, Webhooks
from rooms.window import closes_at, opens_at

__all__ = [
    "EVENT_TYPES",
    "LONGEST_ANNOUNCEMENT",
    "REASONS",
    "ROLES",
    "RULES",
    "SCOPES",
    "SOURCES",
    "Admission",
    "Announcement",
    "Announcements",
    "Answer",
    "ApiKey",
    "Application",
    "Bandwidth",
    "CallRules",
    "Cause",
    "ConnectionTest",
    "ConnectionTests",
    "DeadLetter",
    "DegradedReason",
    "DisabledReason",
    "EventLog",
    "EventPage",
    "EventType",
    "Features",
    "Forbidden",
    "Full",
    "Gate",
    "Grants",
    "Group",
    "GroupDraft",
    "GroupPlace",
    "Groups",
    "IdempotencyMismatch",
    "InvalidTransition",
    "InvalidValue",
    "Invitation",
    "IpFamily",
    "JoinRefused",
    "KeyRing",
    "LateNotice",
    "LayerNow",
    "LegJournal",
    "LegObserver",
    "LegQuality",
    "LineFigures",
    "Link",
    "Moderation",
    "ModerationAct",
    "Moderator",
    "Mover",
    "NotFound",
    "Once",
    "Outbox",
    "Outcome",
    "OutcomeCode",
    "Parcel",
    "Participant",
    "ParticipantDraft",
    "ParticipantState",
    "ProbeAdmission",
    "ProbeTicket",
    "QualityWord",
    "Rating",
    "Ratings",
    "Reason",
    "RefusalCode",
    "Removed",
    "Restraints",
    "Retold",
    "Role",
    "Room",
    "RoomAct",
    "RoomDraft",
    "RoomEvent",
    "RoomFilter",
    "RoomKind",
    "RoomObserver",
    "RoomState",
    "Rooms",
    "RoomsError",
    "RoomsSettings",
    "Scene",
    "Signing",
    "Source",
    "StaleVersion",
    "Standing",
    "StoreUnavailable",
    "Taken",
    "Ticket",
    "TooOften",
    "Turn",
    "Waiter",
    "WaitingRoom",
    "Warrant",
    "Webhook",
    "WebhookDraft",
    "Webhooks",
    "call_rules",
    "closes_at",
    "in_force",
    "may_act",
    "opens_at",
]
