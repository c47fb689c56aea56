"""The live side of Colloque: calls, legs, tracks and subscriptions over the Rust packet core."""

from sfu.bridge import MAX_SDP_BYTES
from sfu.call import Call
from sfu.errors import PeerError, UsageError
from sfu.leg import Leg
from sfu.model import (
    Answer,
    CallKey,
    CallListener,
    CloseReason,
    EncodingIntent,
    LegKey,
    LegListener,
    LegStats,
    MediaAddress,
    MediaKind,
    PublishIntent,
    SfuConfig,
    SfuLimits,
    Speaker,
    TrackKey,
    TrackSource,
    TrackView,
    Wanted,
)
from sfu.sfu import Sfu

__all__ = [
    "MAX_SDP_BYTES",
    "Answer",
    "Call",
    "CallKey",
    "CallListener",
    "CloseReason",
    "EncodingIntent",
    "Leg",
    "LegKey",
    "LegListener",
    "LegStats",
    "MediaAddress",
    "MediaKind",
    "PeerError",
    "PublishIntent",
    "Sfu",
    "SfuConfig",
    "SfuLimits",
    "Speaker",
    "TrackKey",
    "TrackSource",
    "TrackView",
    "UsageError",
    "Wanted",
]
