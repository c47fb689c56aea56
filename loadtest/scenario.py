"""What a scenario may say: one model for each kind, checked field by field.

Rules between fields are validators of the later field, so that one pass finds every mistake with its place.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import Field, PlainValidator, ValidationInfo, field_validator

from loadtest.recording import Recording
from loadtest.scenario_parts import Audio, Objectives, Part, Pixels, Video

PEOPLE_MAX = 10_000
FAITHFUL_MAX = 4
HOURS_4 = 14_400.0
SUB_ROOMS_SECONDS_MIN = 12
Count = Annotated[int, Field(ge=1, le=PEOPLE_MAX)]
Rate = Annotated[float, Field(gt=0, le=1000)]
Seconds = Annotated[float, Field(gt=0, le=HOURS_4)]
Size = Annotated[list[Pixels], Field(min_length=2, max_length=2)]
Media = Literal["audio", "video"]
N = TypeVar("N", int, float, Recording)


def _recording(value: object, info: ValidationInfo) -> Recording:
    # Who reads the scenario says how files are read: this module does not.
    if not isinstance(value, str):
        raise ValueError("must be the name of a file")  # noqa: TRY004 - pydantic wants it
    made: Recording = (info.context or {})["recording"](value)
    if not any(event.what == "join" for event in made.events):
        raise ValueError(f"{value}: nobody joins in it")
    return _bounded(made, len({(event.room, event.person) for event in made.events}))


class Common(Part):
    """What every scenario has."""

    title: str = Field(min_length=1, max_length=100, description="What it is called in the report.")
    about: str = Field(default="", max_length=2000, description="What it is for.")
    seconds: Seconds = Field(
        default=30.0, description="Length of the measured part; of each stage in a ramp."
    )
    fill_per_second: Rate = Field(default=10.0, description="How fast people join before the measured part.")
    settle_seconds: Annotated[float, Field(ge=0, le=600)] = Field(
        default=3.0, description="Pause between the last of them and the measured part."
    )
    audio: Audio = Field(default=Audio(), description="What each microphone sends.")
    faithful: Annotated[int, Field(ge=0, le=FAITHFUL_MAX)] = Field(
        default=0,
        description="How many viewers really decode, of a camera of their own that is really encoded.",
    )
    objectives: Objectives = Field(default=Objectives(), description="What the server is held to.")

    @field_validator("objectives")
    @classmethod
    def _with_faithful(cls, objectives: Objectives, info: ValidationInfo) -> Objectives:
        if (named := objectives.about_faithful()) and info.data.get("faithful") == 0:
            raise ValueError(f"{named[0]} cannot be measured without faithful viewers: set faithful")
        return objectives


class Filmed(Common):
    """What every scenario with cameras has."""

    sends: Annotated[list[Media], Field(min_length=1, max_length=2)] = Field(
        default=["audio", "video"], description="What those who send have: `audio`, `video` or both."
    )
    video: Video = Field(default=Video(), description="What each camera sends.")
    wanted: Size | None = Field(
        default=None, description="Picture size that viewers ask for, `[width, height]`; else the largest."
    )

    @field_validator("sends")
    @classmethod
    def _once_each(cls, sends: list[Media]) -> list[Media]:
        if len(set(sends)) != len(sends):
            raise ValueError("names something twice")
        return sends


class Broadcast(Filmed):
    """One sender, many viewers who send nothing."""

    kind: Literal["broadcast"]
    viewers: Count = Field(description="How many watch.")


class Layout(Part):
    """How the others are shown: some large, the rest small."""

    large: Count = Field(description="How many of the others are seen large; the rest are small.")
    large_size: Size = Field(default=[1280, 720], description="Size asked for those.")
    small_size: Size = Field(default=[320, 180], description="Size asked for the rest.")


class Meeting(Filmed):
    """Rooms in which everybody sends and everybody takes everybody."""

    kind: Literal["meeting"]
    people: Annotated[int, Field(ge=2, le=1000)] = Field(description="People in each room.")
    rooms: Count = Field(default=1, description="How many such rooms.")
    layout: Layout | None = Field(default=None, description="Who is seen large; else `wanted` holds for all.")

    @field_validator("rooms")
    @classmethod
    def _not_too_many(cls, rooms: int, info: ValidationInfo) -> int:
        return _bounded(rooms, rooms * info.data.get("people", 0))

    @field_validator("layout")
    @classmethod
    def _fits(cls, layout: Layout | None, info: ValidationInfo) -> Layout | None:
        if layout is not None and layout.large >= info.data.get("people", PEOPLE_MAX + 1):
            raise ValueError("large must be less than people: nobody sees themselves")
        if layout is not None and info.data.get("wanted") is not None:
            raise ValueError("layout and wanted exclude each other")
        return layout


class Consultations(Filmed):
    """Pairs, each in a room of its own."""

    kind: Literal["consultations"]
    pairs: Annotated[int, Field(ge=1, le=PEOPLE_MAX // 2)] = Field(description="How many pairs.")


class Group(Filmed):
    """Patient groups in which everybody sees everybody."""

    kind: Literal["group"]
    people: Annotated[int, Field(ge=2, le=200)] = Field(default=8, description="People in each group.")
    groups: Count = Field(default=1, description="How many groups.")
    sub_rooms: Annotated[int, Field(ge=0, le=50)] = Field(
        default=0, description="Into how many rooms each group parts for a third of the time; 0: it does not."
    )

    @field_validator("groups")
    @classmethod
    def _not_too_many(cls, groups: int, info: ValidationInfo) -> int:
        return _bounded(groups, groups * info.data.get("people", 0))

    @field_validator("sub_rooms")
    @classmethod
    def _nobody_alone(cls, sub_rooms: int, info: ValidationInfo) -> int:
        if sub_rooms == 1 or 2 * sub_rooms > info.data.get("people", PEOPLE_MAX):
            raise ValueError("must be 0, or 2 at least and leave two people to each room")
        if sub_rooms and info.data.get("seconds", HOURS_4) < SUB_ROOMS_SECONDS_MIN:
            raise ValueError(f"takes {SUB_ROOMS_SECONDS_MIN} seconds at least: a third is spent apart")
        return sub_rooms


class AudioRoom(Common):
    """Speakers and listeners without cameras."""

    kind: Literal["audio_room"]
    speakers: Count = Field(description="How many talk.")
    listeners: Annotated[int, Field(ge=0, le=PEOPLE_MAX)] = Field(description="How many only listen.")
    speakers_listen: bool = Field(default=True, description="Whether speakers take each other's sound.")

    @field_validator("listeners")
    @classmethod
    def _not_too_many(cls, listeners: int, info: ValidationInfo) -> int:
        return _bounded(listeners, listeners + info.data.get("speakers", 0))

    @field_validator("objectives")
    @classmethod
    def _without_video(cls, objectives: Objectives) -> Objectives:
        if objectives.first_video_p95_ms is not None:
            raise ValueError("first_video_p95_ms cannot be met: an audio room has no video")
        return objectives


class Churn(Filmed):
    """Rooms that people enter and leave all the time."""

    kind: Literal["churn"]
    rooms: Count = Field(default=1, description="How many rooms; whoever comes goes to the emptiest.")
    joins_per_second: Rate = Field(description="How many come each second; as many leave.")
    stay_seconds: Annotated[float, Field(ge=2, le=HOURS_4)] = Field(
        description="How long they stay, give or take half; at least 2."
    )

    @field_validator("stay_seconds")
    @classmethod
    def _not_too_many(cls, stay: float, info: ValidationInfo) -> float:
        return _bounded(stay, stay * info.data.get("joins_per_second", 0))


class Reconnect(Filmed):
    """Rooms whose people lose the line together and come back."""

    kind: Literal["reconnect"]
    people: Annotated[int, Field(ge=2, le=1000)] = Field(default=2, description="People in each room.")
    rooms: Count = Field(default=1, description="How many rooms.")
    share: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="Share of all people who lose the line each time."
    )
    every_seconds: Seconds = Field(default=15.0, description="Time between losses.")
    away_seconds: Seconds = Field(default=1.0, description="How long they are away.")

    @field_validator("rooms")
    @classmethod
    def _not_too_many(cls, rooms: int, info: ValidationInfo) -> int:
        return _bounded(rooms, rooms * info.data.get("people", 0))

    @field_validator("away_seconds")
    @classmethod
    def _back_before_the_next(cls, away: float, info: ValidationInfo) -> float:
        if away + 1 > info.data.get("every_seconds", HOURS_4 + 1):
            raise ValueError("must be less than every_seconds by a second or more")
        return away


class Replay(Filmed):
    """What was recorded of a server's rooms, played again."""

    kind: Literal["replay"]
    recording: Annotated[Recording, PlainValidator(_recording)] = Field(
        description="File made by `colloque loadtest record`, from the scenario's folder."
    )
    speed: Annotated[float, Field(ge=0.1, le=100)] = Field(
        default=1.0, description="How many recorded seconds pass in one."
    )

    @property
    def length(self) -> float:
        """Seconds that are played: all that was recorded, or `seconds` of them where that is set."""
        whole = self.recording.seconds / self.speed
        return min(whole, self.seconds) if "seconds" in self.model_fields_set else whole

    @field_validator("speed")
    @classmethod
    def _not_too_long(cls, speed: float, info: ValidationInfo) -> float:
        recording = info.data.get("recording")
        if isinstance(recording, Recording) and not 1 <= recording.seconds / speed <= HOURS_4:
            raise ValueError("makes the recording shorter than a second or longer than 4 hours")
        return speed


class Ramp(Filmed):
    """A scenario repeated with more and more people until an objective is missed."""

    kind: Literal["ramp"]
    of: Literal["broadcast", "meeting", "consultations"] = Field(
        description="What grows: the viewers of a broadcast, the people of a meeting, the pairs."
    )
    start: Annotated[int, Field(ge=2, le=1000)] = Field(description="How many at first.")
    step: Count = Field(description="How many more in each stage.")
    most: Annotated[int, Field(ge=2, le=PEOPLE_MAX // 2)] = Field(description="Where it ends at the latest.")

    @field_validator("most")
    @classmethod
    def _after_the_start(cls, most: int, info: ValidationInfo) -> int:
        if most < info.data.get("start", 0):
            raise ValueError("must not be less than start")
        if info.data.get("of") == "meeting" and most > 1000:
            raise ValueError("must be at most 1,000 for a meeting")
        return most


Plannable = Broadcast | Meeting | Consultations | Group | AudioRoom | Churn | Reconnect | Replay
Scenario = Plannable | Ramp
KINDS: dict[str, type[Scenario]] = {
    "broadcast": Broadcast,
    "meeting": Meeting,
    "consultations": Consultations,
    "group": Group,
    "audio_room": AudioRoom,
    "churn": Churn,
    "reconnect": Reconnect,
    "replay": Replay,
    "ramp": Ramp,
}


def _bounded(value: N, people: float) -> N:
    if people > PEOPLE_MAX:
        raise ValueError(f"makes {people:,.0f} people; at most {PEOPLE_MAX:,} can be had")
    return value
