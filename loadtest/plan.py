"""What the engine is told to do: people, when they come and go, and what they send and take."""

from dataclasses import dataclass
from typing import Literal

Codec = Literal["vp8", "h264", "vp9", "av1"]
LAYERED: tuple[Codec, ...] = ("vp9", "av1")
"""Codecs of which a camera sends one stream with three temporal layers; in VP9 also with spatial ones."""

FAITHFUL = "faithful-"
"""Identities of those who really encode and decode begin with it; the others' figures leave them out."""


@dataclass(frozen=True, slots=True)
class VideoPlan:
    """One synthetic camera: encodings, or spatial layers of VP9, from the lowest to the highest."""

    frames_per_second: int = 30
    encodings: tuple[tuple[int, int, int], ...] = ((320, 180, 150), (640, 360, 500), (1280, 720, 1700))
    """Width, height and kb/s of each."""
    packets_per_frame: int | None = None
    """Fixed frames of so many packets ..."""
    packet_bytes: int | None = None
    """... of this RTP payload size instead of a bit rate (benchmarks)."""
    codec: Codec = "vp8"
    source: Literal["model", "clip"] = "model"
    """Invented bytes of the right amount, or pictures that an encoder made."""

    @property
    def streams(self) -> tuple[tuple[int, ...], ...]:
        """Give the kb/s of each spatial layer of each stream: of one with all of them, or of simulcast."""
        rates = tuple(kilobits for _, _, kilobits in self.encodings)
        return (rates,) if self.codec in LAYERED else tuple((rate,) for rate in rates)


@dataclass(frozen=True, slots=True)
class AudioPlan:
    """One synthetic microphone."""

    packet_bytes: int = 120
    packets_per_second: int = 50
    talk: Literal["always", "spurts"] = "always"


@dataclass(frozen=True, slots=True)
class Change:
    """Something that a person does during a stay."""

    at: float
    """Seconds after the start; at once when that is before they can send."""
    track: int
    """Which of the person's tracks, by a number of their own."""
    what: Literal["publish", "mute", "unmute"]
    source: AudioPlan | VideoPlan | None = None
    """What is published."""


@dataclass(frozen=True, slots=True)
class PersonPlan:
    """One person's stay in one room."""

    room: str
    identity: str
    token: str
    joins_at: float
    """Seconds after the start."""
    leaves_at: float | None
    """`None`: at the end."""
    audio: AudioPlan | None = None
    video: VideoPlan | None = None
    subscribes: bool = True
    wanted: tuple[int, int] | None = None
    """The size asked for by track settings; `None`: the largest."""
    later: tuple[Change, ...] = ()
    """What they do after they have joined, in the order of its time."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """One run from start to end."""

    url: str
    """ws:// or wss:// of the server."""
    people: tuple[PersonPlan, ...]
    warm_up_seconds: float
    """Figures are taken after it."""
    seconds: float
    """Length of the measured part."""
    seed: int
    faithful: tuple[PersonPlan, ...] = ()
    """Those who really encode and decode: the first shows a camera to the others, from start to end."""
