"""The tables that scenarios of every kind have: cameras, microphones and objectives.

Rules between fields are validators of the later field, so that one pass finds every mistake with its place.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from loadtest.plan import Codec

CLIP_PIXELS_MAX = 1920
_AV1_PIXELS_MIN = 64
Ratio = Annotated[float, Field(ge=0, le=1)]
Limit = Annotated[float | None, Field(gt=0)]
Pixels = Annotated[int, Field(ge=16, le=7680)]


class Part(BaseModel):
    """A table of the file; unknown fields and values of another type are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)


class Encoding(Part):
    """One simulcast encoding."""

    width: Pixels
    height: Pixels
    kilobits_per_second: Annotated[int, Field(ge=10, le=100_000)]


_SIMULCAST = (
    Encoding(width=320, height=180, kilobits_per_second=150),
    Encoding(width=640, height=360, kilobits_per_second=500),
    Encoding(width=1280, height=720, kilobits_per_second=1700),
)


class Video(Part):
    """What each camera sends."""

    codec: Codec = Field(
        default="vp8", description="`vp8`, `h264`, `vp9` or `av1`; the latter two in layers of one stream."
    )
    frames_per_second: int = Field(default=30, ge=1, le=120, description="Frames a second.")
    encodings: list[Encoding] = Field(
        default_factory=lambda data: list(_SIMULCAST[-1:] if data.get("codec") == "av1" else _SIMULCAST),
        min_length=1,
        max_length=3,
        description="Simulcast encodings from the lowest to the highest, in VP9 spatial layers: `width`,"
        " `height`, `kilobits_per_second`. AV1 has one.",
    )
    packets_per_frame: Annotated[int | None, Field(ge=1, le=200)] = Field(
        default=None, description="Frames of exactly so many packets, instead of a bit rate (benchmarks)."
    )
    packet_bytes: Annotated[int | None, Field(ge=20, le=1200)] = Field(
        default=None, description="RTP payload of each of these packets, in bytes."
    )
    source: Literal["model", "clip"] = Field(
        default="model", description="`model`: invented pictures; `clip`: such as an encoder has made."
    )

    @field_validator("encodings")
    @classmethod
    def _go_together(cls, encodings: list[Encoding], info: ValidationInfo) -> list[Encoding]:
        sizes = [one.width * one.height for one in encodings]
        if sorted(set(sizes)) != sizes:
            raise ValueError("must go from the smallest picture to the largest")
        codec = info.data.get("codec")
        if codec == "av1" and len(encodings) > 1:
            raise ValueError("must be one, which has three temporal layers, in av1")
        halves = (
            2 * small.width == large.width and 2 * small.height == large.height
            for small, large in pairwise(encodings)
        )
        if codec == "vp9" and not all(halves):
            raise ValueError("must each be twice as wide and high as the one before, in vp9")
        return encodings

    @field_validator("packet_bytes")
    @classmethod
    def _with_packets_per_frame(cls, value: int | None, info: ValidationInfo) -> int | None:
        if "packets_per_frame" in info.data and (value is None) != (info.data["packets_per_frame"] is None):
            raise ValueError("belongs together with packets_per_frame")
        return value

    @field_validator("source")
    @classmethod
    def _can_be_encoded(cls, source: str, info: ValidationInfo) -> str:
        if source == "clip":
            if info.data.get("packets_per_frame") is not None:
                raise ValueError("a clip has frames of its own: leave packets_per_frame out")
            for one in info.data.get("encodings", ()):
                if one.width % 2 or one.height % 2 or max(one.width, one.height) > CLIP_PIXELS_MAX:
                    raise ValueError(f"a clip has even sizes up to {CLIP_PIXELS_MAX:,}")
                if info.data.get("codec") == "av1" and min(one.width, one.height) < _AV1_PIXELS_MIN:
                    raise ValueError(f"a clip in av1 has sizes from {_AV1_PIXELS_MIN}")
        return source


class Audio(Part):
    """What each microphone sends."""

    packet_bytes: int = Field(default=120, ge=20, le=1200, description="RTP payload of a packet, in bytes.")
    packets_per_second: int = Field(default=50, ge=1, le=400, description="Packets a second while talking.")
    talk: Literal["always", "spurts"] = Field(
        default="always", description="`always`, or `spurts` with silences as people talk in turn."
    )


class Objectives(Part):
    """What the server is held to; what is left out is measured all the same but not judged."""

    join_success_ratio: Ratio | None = Field(
        default=1.0, description="Share of joins that succeed, at least."
    )
    join_p95_ms: Limit = Field(
        default=None, description="From the start of a join until media can flow, 95th percentile, at most."
    )
    first_video_p95_ms: Limit = Field(
        default=None, description="From the start of a join to the first video packet, 95th percentile."
    )
    loss_ratio: Ratio | None = Field(default=None, description="Share of expected packets lost, at most.")
    latency_p50_ms: Limit = Field(default=None, description="One-way latency, median, at most.")
    latency_p99_ms: Limit = Field(default=None, description="One-way latency, 99th percentile, at most.")
    decoded_fps: Limit = Field(
        default=None, description="Pictures a second that the worst faithful viewer decodes, at least."
    )
    freeze_ratio: Ratio | None = Field(
        default=None, description="Share of the time that a faithful viewer's picture stands still, at most."
    )
    pictures_read_ratio: Ratio | None = Field(
        default=None, description="Share of a faithful viewer's pictures with a whole watermark, at least."
    )
    end_to_end_p99_ms: Limit = Field(
        default=None, description="From camera to decoded picture, 99th percentile of the worst, at most."
    )
    server_cpu_cores: Limit = Field(
        default=None, description="Mean CPU of the server in the measured part, in cores, at most."
    )
    server_memory_mb: Limit = Field(
        default=None, description="Resident memory of the server at its highest, in MB, at most."
    )

    def about_faithful(self) -> list[str]:
        """Name the objectives that are set and about faithful viewers."""
        return [name for name in _OF_FAITHFUL if getattr(self, name) is not None]


_OF_FAITHFUL = ("decoded_fps", "freeze_ratio", "pictures_read_ratio", "end_to_end_p99_ms")
