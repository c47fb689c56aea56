"""The durable part: rooms, participants, links, join tokens, and who may enter when."""

from rooms.agenda import RoomFilter
from rooms.announcements import LONGEST_ANNOUNCEMENT, Announcements
from rooms.answers import Answer, Once
from rooms.authority import RULES, ModerationAct, may_act
from rooms.connection_test_rows import ConnectionTest, ConnectionTestFilter, ConnectionTestState
from rooms.connection_tests import ConnectionTests, ProbeAdmission, ProbeTicket
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
from rooms.probe_result import (
    BrowserFound,
    BrowserName,
    CameraOutcome,
    DevicesFound,
    MediaFound,
    MediaStep,
    MicrophoneOutcome,
    OsName,
    PathFound,
    PathName,
    PathOutcome,
    ProbeResult,
    SignallingFound,
    SpeakerOutcome,
)
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
from rooms.verdict import ADVICE_CODES, VERDICTS, Advice, AdviceCode, Judgement, Verdict, VerdictReason
from rooms.waiting_room import Waiter, WaitingRoom
from rooms.webhooks import DeadLetter, DisabledReason, Signing, Webhook, WebhookDraft, Webhooks
from rooms.window import closes_at, opens_at

__all__ = [
    "ADVICE_CODES",
    "EVENT_TYPES",
    "LONGEST_ANNOUNCEMENT",
    "REASONS",
    "ROLES",
    "RULES",
    "SCOPES",
    "SOURCES",
    "VERDICTS",
    "Admission",
    "Advice",
    "AdviceCode",
    "Announcement",
    "Announcements",
    "Answer",
    "ApiKey",
    "Application",
    "Bandwidth",
    "BrowserFound",
    "BrowserName",
    "CallRules",
    "CameraOutcome",
    "Cause",
    "ConnectionTest",
    "ConnectionTestFilter",
    "ConnectionTestState",
    "ConnectionTests",
    "DeadLetter",
    "DegradedReason",
    "DevicesFound",
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
    "Judgement",
    "KeyRing",
    "LateNotice",
    "LayerNow",
    "LegJournal",
    "LegObserver",
    "LegQuality",
    "LineFigures",
    "Link",
    "MediaFound",
    "MediaStep",
    "MicrophoneOutcome",
    "Moderation",
    "ModerationAct",
    "Moderator",
    "Mover",
    "NotFound",
    "Once",
    "OsName",
    "Outbox",
    "Outcome",
    "OutcomeCode",
    "Parcel",
    "Participant",
    "ParticipantDraft",
    "ParticipantState",
    "PathFound",
    "PathName",
    "PathOutcome",
    "ProbeAdmission",
    "ProbeResult",
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
    "SignallingFound",
    "Signing",
    "Source",
    "SpeakerOutcome",
    "StaleVersion",
    "Standing",
    "StoreUnavailable",
    "Taken",
    "Ticket",
    "TooOften",
    "Turn",
    "Verdict",
    "VerdictReason",
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
