"""One leg of a test: a client's media to the server and back to that very client.

Theory of operation. The leg publishes what the client sends and is subscribed to just that: the server
forwards each packet to where it came from, as it would to others in a call. When a track has its section and
its codec is known, the live side wants an offer that has room for the way back.
"""

# What is passed to a listener is fixed by the live side.
# ruff: noqa: ARG002

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from sfu import (
    CloseReason,
    LegKey,
    LegStats,
    MediaKind,
    PeerError,
    PublishIntent,
    TrackKey,
    TrackSource,
    TrackView,
)
from signalling.livekit.live import LiveCall
from signalling.probe.messages import Offer
from signalling.words import Word

_SOURCES = {MediaKind.AUDIO: TrackSource.MICROPHONE, MediaKind.VIDEO: TrackSource.CAMERA}
_STREAM = "echo"
_CLOSED_BY_PEER = "closed_by_peer"  # as `LegListener.failed` gives it


class Echo:
    """A leg, and who hears of it (`sfu.LegListener`)."""

    def __init__(
        self,
        call: LiveCall,
        name: str,
        number: int,
        *,
        max_kbps: int,
        say: Callable[[Word], None],
        connected: Callable[[], None],
        over: Callable[["Echo", str | None], None],
    ) -> None:
        """Join the call; raise PeerError `full`.

        `name` is the client's, `number` is used once in this process; the client is asked to stay within
        `max_kbps`. `over` hears that its line is over, and why, None where the client closed it.
        """
        self.name = name
        self._number = number
        self._say = say
        self._connected = connected
        self._over = over
        self._mids: dict[MediaKind, str] = {}
        self._tracks: set[TrackKey] = set()
        self._came: deque[tuple[float, int]] = deque()
        """When it was looked at, and how many bytes had come by then."""
        self._leg = call.add_leg(LegKey(f"PL_{number}"), self)
        self._leg.cap(up_kbps=max_kbps, down_kbps=None)

    def offer(self, offer: Offer) -> None:
        """Answer an offer; raise PeerError."""
        for kind, mid in ((MediaKind.AUDIO, offer.audio), (MediaKind.VIDEO, offer.video)):
            if mid is not None and self._mids.get(kind) != mid:
                self._announce(kind, mid)
        answer = self._leg.negotiate(offer.sdp)
        self._say(Word("answer", leg=self.name, sdp=answer.sdp))
        for track in self._tracks:
            self._leg.subscribe(track)

    def figures(self) -> dict[str, Any]:
        """Give what came up and went down since it connected."""
        return _figures(self._leg.stats())

    def sends_more_than(self, kbps: int, *, window: float, now: float) -> bool:
        """Look at what came; say whether it was more than this over the last `window` seconds."""
        self._came.append((now, self._leg.stats().bytes_up))
        while len(self._came) > 1 and self._came[1][0] <= now - window:
            self._came.popleft()
        (since, before), (_, by_now) = self._came[0], self._came[-1]
        # A shorter time may have as much as the whole window: an encoder starts with a burst.
        return (by_now - before) * 8 / 1000 / max(now - since, window) > kbps

    def close(self, reason: CloseReason) -> None:
        """End it."""
        self._leg.close(reason)

    def debug_state(self) -> dict[str, Any]:
        """Describe it as JSON values."""
        return {"sends": [kind.value for kind in self._mids]}

    def _announce(self, kind: MediaKind, mid: str) -> None:
        if kind in self._mids:
            raise PeerError("invalid-field", f"{kind.value}: a leg keeps the section that it began with")
        key = TrackKey(f"PT_{self._number}_{kind.value}")
        # Without DTX a packet comes every 20 ms in silence too, so that there is something to measure.
        self._leg.publish(PublishIntent(key, kind, _SOURCES[kind], (mid,), _STREAM, dtx=False))
        self._mids[kind] = mid
        self._tracks.add(key)

    # --- what is heard of it ---

    def connected(self, path: str, *, ipv6: bool) -> None:
        """Tell the client that the server, too, has its line up."""
        self._connected()
        self._say(Word("connected", leg=self.name, path=path, ipv6=ipv6))

    def failed(self, reason: str) -> None:
        """Have it ended."""
        self._over(self, None if reason == _CLOSED_BY_PEER else reason)

    def sections_needed(self, audio: int, video: int) -> None:
        """Ask for an offer that has room for the way back."""
        self._say(Word("offer_wanted", leg=self.name, audio=audio, video=video))

    def subscription_failed(self, track: TrackKey, code: str) -> None:
        """Tell the client that something does not come back."""
        self._say(Word("error", leg=self.name, code=code, detail="a track cannot be sent back"))

    def track_unpublished(self, track: TrackKey) -> None:
        """Forget what the client does not send any more."""
        self._tracks.discard(track)

    def silent(self) -> None:
        """Nothing to tell: the client measures it."""

    def resumed(self) -> None:
        """Nothing to tell."""

    def path_changed(self, path: str, *, ipv6: bool) -> None:
        """Nothing to tell: a test is over before that matters."""

    def track_published(self, track: TrackView) -> None:
        """Nothing to tell."""

    def track_started(self, track: TrackKey) -> None:
        """Nothing to tell: the client sees the first packet that comes back."""

    def subscribed(self, track: TrackKey, mid: str) -> None:
        """Nothing to tell: the answer says it."""

    def stream_paused(self, track: TrackKey, *, paused: bool) -> None:
        """Nothing to tell."""

    def wanted_changed(self, track: TrackKey, enabled: Sequence[bool]) -> None:
        """Nothing to tell: a test sends one encoding."""

    def data_channel_opened(self, label: str) -> None:
        """Nothing to do: tests have no use for data."""

    def data_received(self, label: str, payload: bytes, *, binary: bool) -> None:
        """Drop it: tests have no use for data."""


def _figures(stats: LegStats) -> dict[str, Any]:
    return {
        "packets_up": stats.packets_up,
        "lost_up": stats.lost_up,
        "bytes_up": stats.bytes_up,
        "packets_down": stats.packets_down,
        "lost_down": stats.lost_down,
        "bytes_down": stats.bytes_down,
        "rtt_ms": _milliseconds(stats.rtt_seconds),
        "jitter_up_ms": _milliseconds(stats.jitter_up_seconds),
    }


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
