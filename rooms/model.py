"""The values of the durable part: rooms, participants, links and what a person may do in a call.

Only frozen values live here, no clock and no I/O. Times are seconds since the Unix epoch (UTC) as floats.

Three names of a room are kept apart: `uid` is ours, random and unique everywhere (LiveKit clients see it as
`sid`); `id` is what the calling application chose or was given, unique within its tenant (LiveKit clients see
it as the room's name); `name` is a title for people and may be absent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rooms.events import EventType

RoomKind = Literal["consultation", "group"]
RoomState = Literal["planned", "waiting", "in_progress", "finished", "cancelled", "not_held"]
Role = Literal["host", "delegate", "patient", "guest", "observer"]
ParticipantState = Literal[
    "expected", "waiting", "admitted", "connected", "reconnecting", "left", "removed", "denied"
]
Source = Literal["camera", "microphone", "screen_share", "screen_share_audio"]

ROLES: tuple[Role, ...] = ("host", "delegate", "patient", "guest", "observer")
SOURCES: tuple[Source, ...] = ("camera", "microphone", "screen_share", "screen_share_audio")


@dataclass(frozen=True, slots=True)
class Grants:
    """What one person may do in a call."""

    can_publish: bool
    can_subscribe: bool
    can_publish_data: bool
    can_publish_sources: tuple[str, ...]
    """Sources that may be published; empty means all of them. Values: see `SOURCES`."""
    hidden: bool
    """The others do not see this person in the roster."""
    room_admin: bool
    """May mute and remove others."""
    can_update_own_metadata: bool
    may_unmute: bool = True
    """May switch their own microphone on again; muting oneself is always possible."""


@dataclass(frozen=True, slots=True)
class Restraints:
    """What a moderator took away from one person, or from everybody who does not moderate."""

    forbidden: tuple[Source, ...] = ()
    """Sources that may not be published, in the order of `SOURCES`."""
    may_unmute: bool = True


@dataclass(frozen=True, slots=True)
class Warrant:
    """Where the rights of one person come from; at least one is there, and each bounds the other."""

    stored: Grants | None
    """What role and listed sources of a stored participant allow."""
    token: Grants | None
    """What the token allows; `None` if it only repeats what was stored when it was made."""
    restraints: Restraints = Restraints()
    """What a moderator took away from this person."""


@dataclass(frozen=True, slots=True)
class Features:
    """What is possible in a room, whoever the person is."""

    chat: bool = True
    """Messages between participants (every kind of data message)."""
    screen_share: bool = True
    raise_hand: bool = True
    e2ee: bool = False
    """Media must be encrypted end to end; the server passes it on unread."""
    one_presenter: bool = False
    """One person at a time shares a screen; a second one is refused, and who moderates takes over."""


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """What the media of a room may take, whoever the person is."""

    audio_only: bool = False
    """No pictures: neither cameras nor screens, nor the sound of screens."""
    max_kbps_up: int | None = None
    """Most that one person may send; `None` leaves it to the server."""
    max_kbps_down: int | None = None
    """Most that one person may be sent; `None` leaves it to the server."""


@dataclass(frozen=True, slots=True)
class CallRules:
    """What holds for everybody in the call of a room."""

    features: Features
    max_participants: int | None
    text: str
    """What clients are told of the room: JSON with its title and features, or what the application shows
    instead; empty if there is nothing to say."""
    restraints: Restraints = Restraints()
    """What was taken away from everybody who does not moderate."""
    bandwidth: Bandwidth = Bandwidth()


@dataclass(frozen=True, slots=True)
class GroupPlace:
    """The sub-group in which a person belongs."""

    id: str
    name: str | None
    closes_at: float | None = None
    """When it closes by itself and everybody returns to the room."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """One sentence to everybody in the call of a room and in its sub-groups."""

    text: str
    by: str | None
    """Identity of the host or delegate; `None` for the application."""
    name: str
    """What that person is called in the call, may be empty."""
    at: float


@dataclass(frozen=True, slots=True)
class Admission:
    """A person who may join now: the outcome of checking a join token."""

    room_id: str
    """Unique everywhere and random: the key of the live call (LiveKit: `sid`)."""
    room_name: str
    """The room's id as the calling application knows it (LiveKit: the room's name)."""
    identity: str
    """The participant's id, chosen by the calling application."""
    name: str
    """Display name or pseudonym, may be empty."""
    role: str
    grants: Grants
    """What the warrant allows within the features of the room."""
    warrant: Warrant
    metadata: str
    """Opaque text that everyone in the call sees."""
    attributes: Mapping[str, str]
    """Values that everyone in the call sees."""
    epoch: int
    """Rises when the participant is removed; tokens of an earlier epoch are dead."""
    expires_at: float
    """When the token that was checked ends, not when the call does."""
    rules: CallRules
    group: GroupPlace | None = None
    """Where in the room the person belongs; `None` for the room itself."""
    must_wait: bool = False
    """The waiting room comes first, and nobody has let the person in yet."""

    @property
    def call_id(self) -> str:
        """The key of the live call that the person belongs to: that of the group or of the room."""
        return self.room_id if self.group is None else self.group.id


class RoomObserver(Protocol):
    """Told of durable changes that concern a live call, on the event loop, after the change is on disk."""

    def participant_removed(self, room_id: str, identity: str) -> None:
        """Every earlier token of this person is dead: end the leg."""

    def participant_changed(
        self, room_id: str, identity: str, stored: Grants, name: str, attributes: Mapping[str, str]
    ) -> None:
        """This person's stored rights are now these; so are the name, unless it is empty, and the attributes.

        An attribute that was stored before and is no more comes as an empty one.
        """

    def participant_restrained(self, room_id: str, identity: str, restraints: Restraints) -> None:
        """From now on exactly this is taken away from this person."""

    def tracks_muted(self, room_id: str, identity: str | None, sources: tuple[Source, ...]) -> None:
        """Mute what this person publishes of these sources; `None`: everybody who does not moderate."""

    def hands_lowered(self, room_id: str, identity: str | None, by: str | None) -> None:
        """Lower this person's hand; `None`: everybody's. `by` is the moderator, `None` the application."""

    def announced(self, room_id: str, announcement: Announcement) -> None:
        """Show this to everybody in the call and in its groups."""

    def room_changed(self, room_id: str, rules: CallRules) -> None:
        """These rules hold for everybody in the call from now on."""

    def room_closed(self, room_id: str, reason: str) -> None:
        """The room is over (`finished`, `cancelled`, `not_held`, `deleted`): end every leg."""


DegradedReason = Literal["silence", "loss", "delay"]
"""Why a connection is degraded: nothing is heard, too much is lost, or it comes too late or unevenly."""
IpFamily = Literal["ipv4", "ipv6"]


class LegObserver(Protocol):
    """What signalling tells the durable part of the legs in a room's call; no method blocks or fails.

    `room_id` is `Admission.room_id`, `leg` a name that no other leg ever has. Every leg that is opened is
    closed; one that moves to another room is closed here and opened there.
    """

    def leg_opened(self, room_id: str, leg: str, identity: str, role: str) -> None:
        """A person has come into the call."""

    def leg_media_ready(self, room_id: str, leg: str, path: str, family: IpFamily) -> None:
        """Media flows for the first time, by this kind of path."""

    def leg_lost(self, room_id: str, leg: str) -> None:
        """The connection is lost; its place is kept for a moment."""

    def leg_back(self, room_id: str, leg: str) -> None:
        """The connection is there again."""

    def leg_closed(self, room_id: str, leg: str, reason: str) -> None:
        """The person has left the call; `reason` is a short stable word."""

    def leg_degraded(self, room_id: str, leg: str, reason: DegradedReason, score: float) -> None:
        """The connection has become bad, for this reason; `score` is 0 (lost) or 1 (bad) to 5 (perfect).

        Not told again before `leg_recovered`.
        """

    def leg_recovered(self, room_id: str, leg: str) -> None:
        """A connection that was degraded is good again."""

    def leg_path_changed(self, room_id: str, leg: str, path: str, family: IpFamily) -> None:
        """Media comes from another address of the client now, by this kind of path."""

    def happened(self, room_id: str, type_: EventType, data: Mapping[str, Any]) -> None:
        """Something that events tell of and that changes no stored state; no names, addresses or texts."""


class Gate(Protocol):
    """What signalling needs of the durable part: who may come in, and who must go."""

    async def verify_join(self, token: str, *, now: float) -> Admission:
        """Check a join token, the participant's epoch and the room's opening hours; raise `JoinRefused`."""

    async def refresh_token(self, admission: Admission, *, now: float) -> str:
        """Give a fresh join token to a leg still in the call; raise `JoinRefused` if it may not stay."""

    async def transfer(self, admission: Admission, room_id: str, *, now: float) -> tuple[Admission, str]:
        """Let somebody in a call into another room, with a token for it; raise `JoinRefused`."""

    async def place(self, admission: Admission, *, now: float) -> tuple[Admission, str]:
        """Say in which call of its room a person in it belongs now, with a token; raise `JoinRefused`."""

    def observe(self, observer: RoomObserver) -> None:
        """Tell `observer` of every later change."""


@dataclass(frozen=True, slots=True)
class RoomDraft:
    """A room as the caller wants it; `None` leaves the choice to the service."""

    id: str | None = None
    name: str | None = None
    kind: RoomKind = "consultation"
    starts_at: float | None = None
    ends_at: float | None = None
    open_before_minutes: int | None = None
    close_after_minutes: int | None = None
    max_participants: int | None = None
    waiting_room: bool = False
    bandwidth: Bandwidth = Bandwidth()
    features: Features = Features()
    metadata: Mapping[str, str] = field(default_factory=dict)
    shared_metadata: str | None = None
    """Only for a new room; later changes go through `Rooms.share_metadata`."""


@dataclass(frozen=True, slots=True)
class Room:
    """A durable appointment and its rules."""

    uid: str
    tenant: str
    id: str
    name: str | None
    kind: RoomKind
    starts_at: float | None
    ends_at: float | None
    open_before_minutes: int
    close_after_minutes: int
    max_participants: int | None
    waiting_room: bool
    """Patients, guests and observers are let in one by one."""
    bandwidth: Bandwidth
    features: Features
    metadata: Mapping[str, str]
    """For the calling application alone; never shown to participants."""
    state: RoomState
    started_at: float | None
    """When the call began, for the first time."""
    ended_at: float | None
    """When the room was finished, cancelled or found not held; `None` while it is not."""
    shared_metadata: str | None
    """Opaque text that everyone in the call sees, in place of what the server says of the room."""
    restraints: Restraints
    """What was taken away from everybody who does not moderate."""
    locked_at: float | None
    """Nobody new enters since then; `None` if the room is not locked."""
    created_at: float
    version: int
    """Rises with every change of the rules and of the state."""


@dataclass(frozen=True, slots=True)
class ParticipantDraft:
    """A participant as the caller wants it."""

    role: Role = "guest"
    name: str | None = None
    can_publish: tuple[Source, ...] | None = None
    """The sources this person may publish, empty for none; `None` means what the role allows."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Participant:
    """A person expected or present in a room."""

    room_uid: str
    identity: str
    role: Role
    name: str | None
    can_publish: tuple[Source, ...] | None
    attributes: Mapping[str, str]
    """Values that everyone in the call sees."""
    metadata: Mapping[str, str]
    """For the calling application alone; never shown to participants."""
    state: ParticipantState
    waiting_since: float | None
    """Set while the person stands in the waiting room."""
    restraints: Restraints
    group: str | None
    """The open sub-group where the person belongs; `None`: the room itself."""
    epoch: int
    created_at: float
    version: int
    """Rises with every change that a caller makes to it, not when the person comes, goes or is moved."""


@dataclass(frozen=True, slots=True)
class Link:
    """A way into a room through the web page, for one participant (`identity`) or for guests of a role."""

    id: str
    room_uid: str
    identity: str | None
    role: Role
    created_at: float
    expires_at: float | None
