"""The bodies of rooms."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from control_api.schema_types import (
    WEEK_MINUTES,
    ChosenId,
    Sources,
    Strict,
    Time,
    Title,
    Words,
    moment,
    moment_or_none,
)
from rooms import Bandwidth, Features, Restraints, Room, RoomDraft, RoomKind, RoomState, closes_at, opens_at


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

    @classmethod
    def of(cls, room: Room) -> FeaturesBody:
        """Write what is possible in a room."""
        features = room.features
        return cls(
            chat=features.chat,
            screen_share=features.screen_share,
            raise_hand=features.raise_hand,
            e2ee=features.e2ee,
            one_presenter=features.one_presenter,
        )


Kbps = Annotated[int, Field(ge=50, le=100_000)]


class BandwidthBody(Strict):
    """What the media of the room may take, whoever the person is."""

    audio_only: bool = Field(
        default=False,
        description="No cameras and no screens, at once for those in the call; what was on stays off later.",
    )
    max_kbps_up: Kbps | None = Field(
        default=None,
        description="Most that one person may send, in kbit/s with headers; null leaves it to the server.",
    )
    max_kbps_down: Kbps | None = Field(
        default=None,
        description="Most that one person is sent: of pictures as much as fits, sound always.",
    )

    @classmethod
    def of(cls, room: Room) -> BandwidthBody:
        """Write what the media of a room may take."""
        return cls(**asdict(room.bandwidth))


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
    bandwidth: BandwidthBody = BandwidthBody()
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
            bandwidth=Bandwidth(**self.bandwidth.model_dump()),
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
    bandwidth: BandwidthBody
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
            starts_at=moment_or_none(room.starts_at),
            ends_at=moment_or_none(room.ends_at),
            opens_at=moment_or_none(opens_at(room)),
            closes_at=moment_or_none(closes_at(room)),
            open_before_minutes=room.open_before_minutes,
            close_after_minutes=room.close_after_minutes,
            max_participants=room.max_participants,
            waiting_room=room.waiting_room,
            bandwidth=BandwidthBody.of(room),
            features=FeaturesBody.of(room),
            metadata=dict(room.metadata),
            restraints=RestraintsBody.of(room.restraints),
            locked_at=moment_or_none(room.locked_at),
            started_at=moment_or_none(room.started_at),
            ended_at=moment_or_none(room.ended_at),
            created_at=moment(room.created_at),
        )


class RoomPage(BaseModel):
    """Some rooms, in the order of the agenda."""

    items: list[RoomBody]
    next: str | None = Field(
        description="Give it as `cursor` to go on; null at the end.",
        examples=["WzE5MzU4MjY0MDAuMCwiUk1fb3JrdWhwdmptM2E1NGtzYmVhYWJkeG5seHUiXQ"],
    )
