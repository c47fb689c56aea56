"""What stands in the `data` of events, by their type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from rooms import Cause, DegradedReason, IpFamily, Reason, Role, RoomState, Verdict, VerdictReason

if TYPE_CHECKING:
    from collections.abc import Mapping


class RoomMovedData(BaseModel):
    """A room came into another state."""

    before: RoomState | None = Field(description="null: the room was made.")
    state: RoomState
    cause: Cause


class RoomDeletedData(BaseModel):
    """A room is gone."""

    before: RoomState
    cause: Cause


class PersonDecidedData(BaseModel):
    """Somebody stands before the door, or it was decided about them."""

    identity: str = Field(examples=["patient-1"])
    role: Role
    cause: Cause


class PersonMovedData(BaseModel):
    """A person was placed in a sub-group or back in the room, or goes on in the call of another room."""

    identity: str = Field(examples=["patient-1"])
    from_group: str | None = Field(
        description="null: from the room itself.", examples=["GR_orkuhpvjm3a54ksb"]
    )
    to_group: str | None = Field(description="null: into the room itself.", examples=["GR_orkuhpvjm3a54ksb"])
    to_room: str | None = Field(
        description="The id of another room, which `to_group` belongs to then; null: within this room.",
        examples=["rdv-2032"],
    )
    cause: Cause
    by: str | None = Field(
        description="The identity of the host or delegate, where one did it.", examples=["dr-martin"]
    )


class ConnectionOpenedData(BaseModel):
    """A person has come into the call."""

    connection: str = Field(examples=["PA_9LK29ZfWwZbxus"])
    identity: str = Field(examples=["patient-1"])
    role: Role


class ConnectionMediaData(BaseModel):
    """Media of a connection flows for the first time."""

    connection: str = Field(examples=["PA_9LK29ZfWwZbxus"])
    identity: str = Field(examples=["patient-1"])
    path: str = Field(description="The kind of path it takes; more may come.", examples=["udp"])
    family: IpFamily


class ConnectionDegradedData(BaseModel):
    """A connection is bad; `connection.recovered` or `connection.closed` follows."""

    connection: str = Field(examples=["PA_9LK29ZfWwZbxus"])
    identity: str = Field(examples=["patient-1"])
    reason: DegradedReason = Field(
        description="What disturbs most: nothing is heard, too much is lost, or it comes late or unevenly."
    )
    score: float = Field(description="0: lost; 1 (bad) to 5 (perfect), as clients are told.", examples=[2.1])


class ConnectionRecoveredData(BaseModel):
    """A connection that was degraded is good again."""

    connection: str = Field(examples=["PA_9LK29ZfWwZbxus"])
    identity: str = Field(examples=["patient-1"])
    seconds: float = Field(description="How long it was degraded.", examples=[42.5])


class ConnectionPathData(BaseModel):
    """Media of a connection comes from another address of the client; which one is not told."""

    connection: str = Field(examples=["PA_9LK29ZfWwZbxus"])
    identity: str = Field(examples=["patient-1"])
    path: str = Field(description="The kind of path it takes now; more may come.", examples=["udp"])
    family: IpFamily


class ConnectionClosedData(BaseModel):
    """A person has left; there is one for every `connection.opened`."""

    connection: str = Field(examples=["PA_9LK29ZfWwZbxus"])
    identity: str = Field(examples=["patient-1"])
    role: Role
    reason: str = Field(description="Why, in a word: docs/room-life.md lists them.", examples=["left"])
    had_media: bool = Field(description="Whether media ever flowed.")
    seconds: float = Field(description="How long it was open.")


class RoomUpdatedData(BaseModel):
    """What the application says of the room is different; read it anew."""

    cause: Cause


class PersonUpdatedData(BaseModel):
    """What the application says of a participant is different; read it anew."""

    identity: str = Field(examples=["patient-1"])
    role: Role
    cause: Cause


class AudioOnlyData(BaseModel):
    """The room has become one without pictures, or one with them again."""

    cause: Cause


class GroupData(BaseModel):
    """A sub-group was opened or closed."""

    group: str = Field(examples=["GR_orkuhpvjm3a54ksb"])
    cause: Cause
    by: str | None = Field(
        description="The identity of the host or delegate, where one did it.", examples=["dr-martin"]
    )


class AnnouncedData(BaseModel):
    """Everybody was told something; the words are not kept."""

    cause: Cause
    by: str | None = Field(
        description="The identity of the host or delegate, where one did it.", examples=["dr-martin"]
    )


class RatingData(BaseModel):
    """What one person thought of the call."""

    identity: str = Field(examples=["patient-1"])
    score: int
    reasons: list[Reason]


class ConnectionTestData(BaseModel):
    """A connection test that is tied to the room has a result, or another one."""

    id: str = Field(examples=["test_2gfwqd2vqmyxvurdtgqg3dqnli"])
    identity: str | None = Field(description="null: of a guest.", examples=["patient-1"])
    verdict: Verdict
    reason: VerdictReason = Field(description="Why no better one.", examples=["relay_only"])


class NodeDrainingData(BaseModel):
    """The server that has the room's call is to be emptied: the call goes on, others begin elsewhere."""

    node: str = Field(description="Its `server.node_name`.", examples=["node"])


DATA_MODELS: Mapping[str, type[BaseModel]] = {
    "room.planned": RoomMovedData,
    "room.waiting": RoomMovedData,
    "room.in_progress": RoomMovedData,
    "room.finished": RoomMovedData,
    "room.cancelled": RoomMovedData,
    "room.not_held": RoomMovedData,
    "room.reopened": RoomMovedData,
    "room.deleted": RoomDeletedData,
    "room.updated": RoomUpdatedData,
    "room.announced": AnnouncedData,
    "participant.waiting": PersonDecidedData,
    "participant.admitted": PersonDecidedData,
    "participant.denied": PersonDecidedData,
    "participant.removed": PersonDecidedData,
    "participant.moved": PersonMovedData,
    "participant.updated": PersonUpdatedData,
    "connection.opened": ConnectionOpenedData,
    "connection.media_ready": ConnectionMediaData,
    "connection.degraded": ConnectionDegradedData,
    "connection.recovered": ConnectionRecoveredData,
    "connection.path_changed": ConnectionPathData,
    "connection.closed": ConnectionClosedData,
    "audio_only.on": AudioOnlyData,
    "audio_only.off": AudioOnlyData,
    "group.opened": GroupData,
    "group.closed": GroupData,
    "rating.created": RatingData,
    "connection_test.finished": ConnectionTestData,
    "node.draining": NodeDrainingData,
}
"""Types that are not here have `data` without a model."""
