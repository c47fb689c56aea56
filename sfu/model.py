"""The values that the live side speaks in: what callers hand in and what listeners hear."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType, Protocol

CallKey = NewType("CallKey", str)
"""Which call: chosen by the caller, the room's id or the room's and the group's."""
LegKey = NewType("LegKey", str)
"""Which leg of a call: chosen by the caller, unique among the call's living legs."""
TrackKey = NewType("TrackKey", str)
"""Which track of a call: chosen by the caller, unique in the process."""


class MediaKind(StrEnum):
    """Sound or picture."""

    AUDIO = "audio"
    VIDEO = "video"


class TrackSource(StrEnum):
    """Where a track's media comes from, in the words of the join token."""

    CAMERA = "camera"
    MICROPHONE = "microphone"
    SCREEN_SHARE = "screen_share"
    SCREEN_SHARE_AUDIO = "screen_share_audio"
    UNKNOWN = "unknown"


class CloseReason(StrEnum):
    """Why a leg ended."""

    LEFT = "left"
    REPLACED = "replaced"
    REMOVED = "removed"
    ROOM_CLOSED = "room_closed"
    TRANSPORT_FAILED = "transport_failed"
    SHUTDOWN = "shutdown"


@dataclass(frozen=True, slots=True)
class EncodingIntent:
    """One simulcast stream that a publisher announced.

    `rid` is empty when the track has a single stream; sizes are pixels, 0 while unknown; `max_kbps` 0 while
    unknown.
    """

    rid: str = ""
    width: int = 0
    height: int = 0
    max_kbps: int = 0


@dataclass(frozen=True, slots=True)
class PublishIntent:
    """A track that a participant is about to publish, before its media section is negotiated."""

    key: TrackKey
    kind: MediaKind
    source: TrackSource
    client_ids: tuple[str, ...]
    """Ids by which the publisher's description may name it: the track part of `a=msid`, or the mid."""
    stream_id: str
    """The stream part of `a=msid` under which subscribers receive it."""
    encodings: tuple[EncodingIntent, ...] = (EncodingIntent(),)
    """Lowest quality first."""
    muted: bool = False
    codec: str = ""
    """The codec to put first in our answer, as in `video/VP9`; empty leaves the publisher's own order.

    `audio/red` asks for redundant audio; it is sent only when it comes first.
    """
    dtx: bool = True
    """Audio: silence is sent as almost nothing."""
    stereo: bool = False
    """Audio: two channels are wanted."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a subscriber wants of a video track: the *wanted* layer.

    `disabled` pauses delivery. Otherwise the smallest encoding that covers `width` x `height` pixels is
    chosen, or encoding number `quality` (0 lowest) when the size is 0. `max_fps` 0 means no limit.
    """

    disabled: bool = False
    quality: int = 2
    width: int = 0
    height: int = 0
    max_fps: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """Our description in answer to a leg's offer."""

    sdp: str
    mid_to_track: Mapping[str, TrackKey]
    """For each section in which we send: the track that arrives there. Else, if the peer sends: its track."""


@dataclass(frozen=True, slots=True)
class TrackView:
    """A published track as others may see it."""

    key: TrackKey
    leg: LegKey
    kind: MediaKind
    source: TrackSource
    mime_type: str
    """`audio/opus`, `video/VP8`, ...; empty until its section is negotiated."""
    mid: str
    muted: bool
    simulcast: bool


@dataclass(frozen=True, slots=True)
class LegStats:
    """Figures of one leg since it connected; differences of two of them tell its quality.

    Packet counts are RTP packets; `rtt_seconds` and jitter are None while unknown.
    """

    packets_up: int = 0
    lost_up: int = 0
    bytes_up: int = 0
    packets_down: int = 0
    lost_down: int = 0
    bytes_down: int = 0
    rtt_seconds: float | None = None
    jitter_up_seconds: float | None = None
    jitter_down_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks and how loud, 0.0 (silent) to 1.0 (loudest)."""

    leg: LegKey
    track: TrackKey
    level: float


class LegListener(Protocol):
    """What the owner of a leg hears about it. Called on the event loop; must not block or raise."""

    def connected(self, path: str, *, ipv6: bool) -> None:
        """Media can flow; `path` is `udp` and later words for other ways."""

    def silent(self) -> None:
        """Nothing has come from the peer for 3 s."""

    def resumed(self) -> None:
        """The peer is heard again after silence."""

    def path_changed(self, path: str, *, ipv6: bool) -> None:
        """Media has moved to another address of the peer; `path` as in `connected`."""

    def failed(self, reason: str) -> None:
        """The transport is over; the leg must be closed by its owner."""

    def sections_needed(self, audio: int, video: int) -> None:
        """A new offer is needed, with this many more free receiving sections of each kind.

        More than the last offer had and earlier calls asked for. Zero and zero: those sections suffice, only
        a new offer is needed.
        """

    def track_published(self, track: TrackView) -> None:
        """A track of this leg has a section now; its codec is known."""

    def track_unpublished(self, track: TrackKey) -> None:
        """The peer does not send a track of this leg any more: it is over for everybody."""

    def track_started(self, track: TrackKey) -> None:
        """The first packet of a track of this leg has come."""

    def subscribed(self, track: TrackKey, mid: str) -> None:
        """A subscription of this leg was answered with a section.

        Heard while `Leg.negotiate` runs, so before its answer can have been sent.
        """

    def subscription_failed(self, track: TrackKey, code: str) -> None:
        """A subscription cannot be delivered, and is over.

        `codec-unsupported`, `track-gone`, or `subscription-limit` when the peer's description has no room.
        """

    def stream_paused(self, track: TrackKey, *, paused: bool) -> None:
        """Delivery of a subscribed track stopped or went on because of the server."""

    def wanted_changed(self, track: TrackKey, enabled: Sequence[bool]) -> None:
        """For a track this leg publishes: which of its encodings anybody wants, lowest first."""

    def data_channel_opened(self, label: str) -> None:
        """The peer opened a data channel."""

    def data_received(self, label: str, payload: bytes, *, binary: bool) -> None:
        """A message came on a data channel."""


class CallListener(Protocol):
    """What the owner of a call hears about it as a whole."""

    def speakers_changed(self, speakers: Sequence[Speaker]) -> None:
        """Everybody who speaks now, loudest first."""


@dataclass(frozen=True, slots=True)
class MediaAddress:
    """An address to listen on and the address to tell clients, which differ behind NAT."""

    bind: str
    announce: str


@dataclass(frozen=True, slots=True)
class SfuLimits:
    """Bounds of the live side; each keeps one peer from costing the others."""

    sdp_bytes: int = 64 * 1024
    sections_per_offer: int = 128
    tracks_per_leg: int = 16
    subscriptions_per_leg: int = 256
    legs_per_call: int = 200
    calls: int = 2000
    offers_per_10_seconds: int = 100
    data_message_bytes: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class SfuConfig:
    """How to start the live side."""

    udp_port: int = 10000
    addresses: tuple[MediaAddress, ...] = (MediaAddress("127.0.0.1", "127.0.0.1"),)
    workers: int = 1
    marks: bool = True
    """Sound and pictures carry DSCP marks (RFC 8837), for routers that sort by them."""
    busy_poll_us: int = 0
    """How long a worker that had work looks for more before it sleeps, within a tenth of the time."""
    audio_gather_ms: int = 1
    """How long sound waits for that of others, where many voices are heard by many; 0 for not at all."""
    steering: bool = True
    """The kernel gives datagrams to the right one of several workers, where it lets us."""
    limits: SfuLimits = field(default_factory=SfuLimits)
