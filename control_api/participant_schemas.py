"""The bodies of participants, and of what is done about them in a call."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from control_api.room_schemas import RestraintsBody
from control_api.schema_types import (
    Announced,
    ChosenId,
    Sources,
    Strict,
    Title,
    Words,
    moment,
    moment_or_none,
)
from rooms import Participant, ParticipantDraft, ParticipantState, Role, Source


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
    group: str | None = Field(
        description="The open sub-group where the person belongs; null: the room itself.",
        examples=["GR_orkuhpvjm3a54ksb"],
    )
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
            waiting_since=moment_or_none(participant.waiting_since),
            restraints=RestraintsBody.of(participant.restraints),
            group=participant.group,
            created_at=moment(participant.created_at),
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


class AnnouncementRequest(Strict):
    """What everybody is to read."""

    text: Announced = Field(examples=["We meet again in five minutes."])


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
