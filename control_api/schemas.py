"""The bodies of the REST interface: what is accepted, what is answered, and the text of the OpenAPI file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from control_api.problems import CODES
from rooms import (
    Features,
    Link,
    Participant,
    ParticipantDraft,
    ParticipantState,
    Restraints,
    Role,
    Room,
    RoomDraft,
    RoomKind,
    RoomState,
    Source,
    closes_at,
    opens_at,
)

WEEK_MINUTES = 7 * 24 * 60


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must not have control characters")
    return text


def _storable(text: str) -> str:
    # PostgreSQL has no text with it; what one database refuses, none takes.
    if "\0" in text:
        raise ValueError("must not have the character U+0000")
    return text


def _unique(sources: list[Source]) -> list[Source]:
    if len(set(sources)) != len(sources):
        raise ValueError("must not name a source twice")
    return sources


def _usable_year(time: datetime) -> datetime:
    # Opening hours are added and taken away without leaving the calendar.
    if not 1971 <= time.year <= 9000:
        raise ValueError("must be between the years 1971 and 9000")
    return time


Title = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_printable)]
ChosenId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128, pattern=r"^[^/]*$"),
    AfterValidator(_printable),
]
Time = Annotated[AwareDatetime, AfterValidator(_usable_year)]
_WORD = r"^[A-Za-z0-9_.-]{1,64}$"
Word = Annotated[str, StringConstraints(pattern=_WORD)]
Text = Annotated[str, StringConstraints(max_length=500), AfterValidator(_storable)]
Words = Annotated[
    dict[Word, Text],
    Field(max_length=50),
    # As generators of clients know it: an object with any names, all of one type.
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"pattern": _WORD},
            "additionalProperties": {"type": "string", "maxLength": 500},
            "maxProperties": 50,
        }
    ),
]
Sources = Annotated[list[Source], AfterValidator(_unique), Field(json_schema_extra={"uniqueItems": True})]


class Strict(BaseModel):
    """A body from outside: unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FeaturesBody(Strict):
    """What is possible in the room, whoever the person is."""

    chat: bool = Field(default=True, description="Messages between participants.")
    screen_share: bool = True
    raise_hand: bool = True
    e2ee: bool = Field(
        default=False, description="Media must be encrypted end to end; the server passes it on unread."
    )
    one_presenter: bool = Field(
        default=False,
        description="One person at a time shares a screen: others are refused, moderators take over.",
    )


class RestraintsBody(Strict):
    """What is taken away: from one person, or from everybody who does not moderate."""

    forbidden: Sources = Field(
        default=[], description="Not to be published; what is published of it ends at once."
    )
    may_unmute: bool = Field(
        default=True, description="May switch their own microphone on again; nobody else ever does."
    )

    @classmethod
    def of(cls, restraints: Restraints) -> RestraintsBody:
        """Write what is taken away."""
        return cls(forbidden=list(restraints.forbidden), may_unmute=restraints.may_unmute)


class RoomRules(Strict):
    """The rules of a room, as they may be changed. Without times it is open from now until it is closed."""

    name: Title | None = Field(
        default=None, description="A title for people; not a name of a person.", examples=["Follow-up"]
    )
    kind: RoomKind = "consultation"
    starts_at: Time | None = Field(default=None, examples=["2031-05-06T09:00:00+02:00"])
    ends_at: Time | None = Field(default=None, examples=["2031-05-06T09:20:00+02:00"])
    open_before_minutes: int | None = Field(
        default=None,
        ge=0,
        le=WEEK_MINUTES,
        description="Entry is possible this long before `starts_at`.",
        examples=[30],
    )
    close_after_minutes: int | None = Field(
        default=None,
        ge=0,
        le=WEEK_MINUTES,
        description="Entry ends this long after `ends_at`, or `starts_at` without one.",
        examples=[60],
    )
    max_participants: int | None = Field(
        default=None, ge=1, le=1000, description="People in the call at one time.", examples=[4]
    )
    waiting_room: bool = Field(
        default=False,
        description="Patients, guests and observers are let in one by one; hosts and delegates never wait.",
    )
    features: FeaturesBody = FeaturesBody()
    metadata: Words = Field(
        default={},
        description="For the caller alone; never shown to participants.",
        examples=[{"ward": "cardiology"}],
    )

    def draft(self, room_id: str | None = None) -> RoomDraft:
        """Give the same as a value of the durable part."""
        return RoomDraft(
            id=room_id,
            name=self.name,
            kind=self.kind,
            starts_at=None if self.starts_at is None else self.starts_at.timestamp(),
            ends_at=None if self.ends_at is None else self.ends_at.timestamp(),
            open_before_minutes=self.open_before_minutes,
            close_after_minutes=self.close_after_minutes,
            max_participants=self.max_participants,
            waiting_room=self.waiting_room,
            features=Features(**self.features.model_dump()),
            metadata=self.metadata,
        )


class RoomRequest(RoomRules):
    """A room to be made."""

    id: ChosenId | None = Field(
        default=None,
        description="Chosen by the caller, unique within its tenant; else made up.",
        examples=["rdv-2031"],
    )


class RoomBody(BaseModel):
    """A room."""

    id: str = Field(examples=["rdv-2031"])
    sid: str = Field(
        description="Unique everywhere; LiveKit clients see it as the room's sid.",
        examples=["RM_orkuhpvjm3a54ksbeaabdxnlxu"],
    )
    name: str | None = Field(examples=["Follow-up"])
    kind: RoomKind
    state: RoomState
    starts_at: datetime | None = Field(examples=["2031-05-06T07:00:00Z"])
    ends_at: datetime | None = Field(examples=["2031-05-06T07:20:00Z"])
    opens_at: datetime | None = Field(
        description="First moment of entry; null: from the beginning.", examples=["2031-05-06T06:30:00Z"]
    )
    closes_at: datetime | None = Field(
        description="Nobody enters from then on; null: never.", examples=["2031-05-06T08:20:00Z"]
    )
    open_before_minutes: int = Field(examples=[30])
    close_after_minutes: int = Field(examples=[60])
    max_participants: int | None = Field(examples=[4])
    waiting_room: bool
    features: FeaturesBody
    metadata: dict[str, str] = Field(examples=[{"ward": "cardiology"}])
    restraints: RestraintsBody = Field(description="Taken away from everybody who does not moderate.")
    locked_at: datetime | None = Field(
        description="Nobody new enters or waits since then; null: not locked.", examples=[None]
    )
    started_at: datetime | None = Field(
        description="When the call began, for the first time.", examples=[None]
    )
    ended_at: datetime | None = Field(
        description="When the room was finished, cancelled or found not held.", examples=[None]
    )
    created_at: datetime = Field(examples=["2031-04-01T12:00:00Z"])

    @classmethod
    def of(cls, room: Room) -> RoomBody:
        """Write a room."""
        return cls(
            id=room.id,
            sid=room.uid,
            name=room.name,
            kind=room.kind,
            state=room.state,
            starts_at=_time(room.starts_at),
            ends_at=_time(room.ends_at),
            opens_at=_time(opens_at(room)),
            closes_at=_time(closes_at(room)),
            open_before_minutes=room.open_before_minutes,
            close_after_minutes=room.close_after_minutes,
            max_participants=room.max_participants,
            waiting_room=room.waiting_room,
            features=_features(room),
            metadata=dict(room.metadata),
            restraints=RestraintsBody.of(room.restraints),
            locked_at=_time(room.locked_at),
            started_at=_time(room.started_at),
            ended_at=_time(room.ended_at),
            created_at=_moment(room.created_at),
        )


class RoomPage(BaseModel):
    """Some rooms, in the order of the agenda."""

    items: list[RoomBody]
    next: str | None = Field(
        description="Give it as `cursor` to go on; null at the end.",
        examples=["WzE5MzU4MjY0MDAuMCwiUk1fb3JrdWhwdmptM2E1NGtzYmVhYWJkeG5seHUiXQ"],
    )


class ParticipantRequest(Strict):
    """A person who is expected. Putting one who was removed lets the person in again."""

    name: Title | None = Field(
        default=None,
        description="Display name or pseudonym, seen by everyone in the call.",
        examples=["P. 17"],
    )
    role: Role = "guest"
    can_publish: Sources | None = Field(
        default=None,
        description="Only these sources; null: what the role allows.",
        examples=[["microphone", "camera"]],
    )
    attributes: Words = Field(
        default={}, description="Seen by everyone in the call.", examples=[{"language": "fr"}]
    )
    metadata: Words = Field(
        default={},
        description="For the caller alone; never shown to participants.",
        examples=[{"record": "7c1f"}],
    )

    def draft(self) -> ParticipantDraft:
        """Give the same as a value of the durable part."""
        return ParticipantDraft(
            role=self.role,
            name=self.name,
            can_publish=None if self.can_publish is None else tuple(self.can_publish),
            attributes=self.attributes,
            metadata=self.metadata,
        )


class ParticipantBody(BaseModel):
    """A person of a room."""

    identity: str = Field(examples=["p-17"])
    name: str | None = Field(examples=["P. 17"])
    role: Role = Field(examples=["patient"])
    can_publish: list[Source] | None = Field(examples=[["microphone", "camera"]])
    attributes: dict[str, str] = Field(examples=[{"language": "fr"}])
    metadata: dict[str, str] = Field(examples=[{"record": "7c1f"}])
    state: ParticipantState
    waiting_since: datetime | None = Field(
        description="Set while the person stands in the waiting room.", examples=[None]
    )
    restraints: RestraintsBody
    created_at: datetime = Field(examples=["2031-04-01T12:00:00Z"])

    @classmethod
    def of(cls, participant: Participant) -> ParticipantBody:
        """Write a participant."""
        return cls(
            identity=participant.identity,
            name=participant.name,
            role=participant.role,
            can_publish=None if participant.can_publish is None else list(participant.can_publish),
            attributes=dict(participant.attributes),
            metadata=dict(participant.metadata),
            state=participant.state,
            waiting_since=_time(participant.waiting_since),
            restraints=RestraintsBody.of(participant.restraints),
            created_at=_moment(participant.created_at),
        )


class ParticipantPage(BaseModel):
    """Some participants, in the order of their identity."""

    items: list[ParticipantBody]
    next: str | None = Field(
        description="Give it as `cursor` to go on; null at the end.", examples=["WyJwLTE3Il0"]
    )


class AdmittedBody(BaseModel):
    """Those who were let in, in the order in which they came."""

    items: list[ParticipantBody]


class MuteRequest(Strict):
    """What to mute."""

    sources: Annotated[Sources, Field(min_length=1)] = Field(
        default=["microphone"], description="With `camera`, pictures are cut."
    )


class MoveRequest(Strict):
    """Where to."""

    room: ChosenId = Field(description="The id of a room of the same tenant.", examples=["rdv-2032"])


class HandBody(BaseModel):
    """A raised hand."""

    identity: str = Field(examples=["p-17"])
    position: int = Field(description="1 for who came first.")
    raised_at: datetime = Field(examples=["2031-05-06T07:05:00Z"])


class HandsBody(BaseModel):
    """Raised hands, first come first."""

    items: list[HandBody]


class TokenRequest(Strict):
    """A join token to be made."""

    ttl_seconds: int | None = Field(default=None, ge=10, le=86400, examples=[900])
    name: Title | None = Field(
        default=None,
        description="Display name where none is stored for the participant.",
        examples=["P. 17"],
    )


class TokenBody(BaseModel):
    """A short-lived join token and where to take it."""

    token: str = Field(examples=["eyJhbGciOiJIUzI1NiJ9.…"])
    url: str = Field(description="The server's address for browsers.", examples=["https://visio.example"])
    ws_url: str = Field(
        description="The server's address for LiveKit client SDKs.", examples=["wss://visio.example"]
    )
    expires_at: datetime = Field(examples=["2031-05-06T07:15:00Z"])


class LinkRequest(Strict):
    """A link for one participant."""

    expires_at: Time | None = Field(default=None, examples=["2031-05-06T10:00:00+02:00"])


class GuestLinkRequest(LinkRequest):
    """A link for anybody who holds it."""

    role: Literal["guest", "patient", "observer"] = "guest"


class LinkBody(BaseModel):
    """A link to the page; `url` is shown this once."""

    id: str = Field(
        description="By which the link is deleted; it opens nothing.",
        examples=["link_2gfwqd2vqmyxvurdtgqg3dqnli"],
    )
    url: str = Field(examples=["https://visio.example/r/mxptodmdhr2crx6xm7bhcc6nmi"])
    identity: str | None = Field(examples=["p-17"])
    role: Role = Field(examples=["patient"])
    expires_at: datetime | None = Field(examples=[None])

    @classmethod
    def of(cls, link: Link, url: str) -> LinkBody:
        """Write a new link."""
        return cls(
            id=link.id, url=url, identity=link.identity, role=link.role, expires_at=_time(link.expires_at)
        )


class PreviewRequest(Strict):
    """The last part of a link's address."""

    link: Annotated[str, StringConstraints(min_length=1, max_length=128)] = Field(
        examples=["mxptodmdhr2crx6xm7bhcc6nmi"]
    )


class JoinRequest(PreviewRequest):
    """A link to be exchanged for a join token."""

    name: Title | None = Field(default=None, description="Pseudonym; not stored.", examples=["P. 17"])
    key: Annotated[str, StringConstraints(min_length=16, max_length=128)] | None = Field(
        default=None,
        description="A secret of the browser: on a guest link the same key is the same person again.",
        examples=["hk3v7c2mkaq4xwy5tb6r"],
    )


class JoinRoomBody(BaseModel):
    """What the holder of a link may know of the room."""

    name: str | None = Field(examples=["Follow-up"])
    kind: RoomKind
    state: RoomState
    features: FeaturesBody
    starts_at: datetime | None = Field(examples=["2031-05-06T07:00:00Z"])
    ends_at: datetime | None = Field(examples=["2031-05-06T07:20:00Z"])
    opens_at: datetime | None = Field(examples=["2031-05-06T06:30:00Z"])
    closes_at: datetime | None = Field(examples=["2031-05-06T08:20:00Z"])

    @classmethod
    def of(cls, room: Room) -> JoinRoomBody:
        """Write a room for the holder of a link."""
        return cls(
            name=room.name,
            kind=room.kind,
            state=room.state,
            features=_features(room),
            starts_at=_time(room.starts_at),
            ends_at=_time(room.ends_at),
            opens_at=_time(opens_at(room)),
            closes_at=_time(closes_at(room)),
        )


class PreviewBody(BaseModel):
    """Where a link leads."""

    room: JoinRoomBody
    bound: bool = Field(description="The link belongs to one participant.", examples=[True])
    name: str | None = Field(examples=["P. 17"])
    role: Role = Field(examples=["patient"])


class JoinBody(BaseModel):
    """A join token for the page."""

    token: str = Field(examples=["eyJhbGciOiJIUzI1NiJ9.…"])
    ws_url: str = Field(examples=["wss://visio.example"])
    identity: str = Field(examples=["p-17"])
    name: str = Field(examples=["P. 17"])
    role: Role = Field(examples=["patient"])
    wait: bool = Field(description="To be admitted first: until then the token opens the waiting room only.")
    expires_at: datetime = Field(examples=["2031-05-06T07:15:00Z"])
    room: JoinRoomBody


class FieldErrorBody(BaseModel):
    """What is wrong with one field."""

    pointer: str = Field(
        description="JSON pointer into the body, or `?name` for a query parameter.", examples=["/starts_at"]
    )
    code: str = Field(examples=["timezone-aware"])
    detail: str = Field(examples=["Input should have timezone info"])


class ProblemBody(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(examples=["urn:colloque:problem:invalid-field"])
    title: str = Field(examples=["A field is not valid"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["/starts_at: Input should have timezone info"])
    # Not an enumeration, which clients made from this file would refuse to read a new code by.
    code: str = Field(
        description=f"Stable; for programs. Now one of: {', '.join(sorted(CODES))}.",
        examples=["invalid-field"],
    )
    trace_id: str = Field(
        description="Also in the server's log.", examples=["4bf92f3577b34da6a3ce929d0e0e4736"]
    )
    errors: list[FieldErrorBody] = Field(description="With `invalid-field`: every field that is wrong.")
    state: str | None = Field(
        default=None,
        description="With `invalid-transition`: the present state of the room or participant.",
        examples=[None],
    )
    room: JoinRoomBody | None = Field(
        default=None, description="With `too-early` and `too-late` of a link: the room.", examples=[None]
    )


def _features(room: Room) -> FeaturesBody:
    features = room.features
    return FeaturesBody(
        chat=features.chat,
        screen_share=features.screen_share,
        raise_hand=features.raise_hand,
        e2ee=features.e2ee,
        one_presenter=features.one_presenter,
    )


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else _moment(seconds)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(round(seconds, 3), tz=UTC)
