"""A live side without media: remembers what it was told and reports what a test wants reported."""

from collections.abc import Mapping

from sfu import (
    Answer,
    CallKey,
    CallListener,
    CloseReason,
    LegKey,
    LegListener,
    LegStats,
    PeerError,
    PublishIntent,
    TrackKey,
    TrackView,
    UsageError,
    Wanted,
)

CODECS = {"audio": "audio/opus", "video": "video/VP8"}


class FakeLeg:
    """One leg; an offer `publish` gives sections to every announced track."""

    def __init__(self, key: LegKey, listener: LegListener) -> None:
        self.key = key
        self.listener = listener
        self.offers: list[str] = []
        self.published: dict[TrackKey, PublishIntent] = {}
        self.unpublished: list[TrackKey] = []
        self.muted: dict[TrackKey, bool] = {}
        self.subscribed: set[TrackKey] = set()
        self.wanted: dict[TrackKey, Wanted] = {}
        self.data: list[tuple[str, bytes]] = []
        self.refuse_offer: PeerError | None = None
        self.takes_data = True
        self.resyncs = 0
        self.caps: tuple[int | None, int | None] = (None, None)
        """Up and down, in kbps."""
        self.now_stats = LegStats()
        self.now_layers: dict[TrackKey, int | None] = {}
        self.closed: CloseReason | None = None
        self._told: set[TrackKey] = set()
        """Tracks that have a section, which the listener is told once."""

    def negotiate(self, offer: str) -> Answer:
        self._check_open()
        if self.refuse_offer is not None:
            raise self.refuse_offer
        self.offers.append(offer)
        mids = {str(number): key for number, key in enumerate((*self.published, *sorted(self.subscribed)))}
        for mid, key in mids.items():
            if key in self._told:
                continue
            self._told.add(key)
            intent = self.published.get(key)
            if intent is not None:
                simulcast = len(intent.encodings) > 1
                muted = self.muted.get(key, intent.muted)
                codec = CODECS[intent.kind]
                view = TrackView(key, self.key, intent.kind, intent.source, codec, mid, muted, simulcast)
                self.listener.track_published(view)
            else:
                self.listener.subscribed(key, mid)
        return Answer(f"answer to {offer}", mids)

    def publish(self, intent: PublishIntent) -> None:
        self._check_open()
        self.published[intent.key] = intent

    def unpublish(self, track: TrackKey) -> None:
        self.published.pop(track, None)
        self._told.discard(track)
        self.unpublished.append(track)

    def set_muted(self, track: TrackKey, muted: bool) -> None:
        self.muted[track] = muted

    def subscribe(self, track: TrackKey) -> None:
        self._check_open()
        self.subscribed.add(track)

    def unsubscribe(self, track: TrackKey) -> None:
        self.subscribed.discard(track)
        self._told.discard(track)

    def set_wanted(self, track: TrackKey, wanted: Wanted) -> None:
        self.wanted[track] = wanted

    def cap(self, *, up_kbps: int | None, down_kbps: int | None) -> None:
        self._check_open()
        self.caps = (up_kbps, down_kbps)

    def send_data(self, label: str, payload: bytes, *, binary: bool = True) -> bool:
        if self.takes_data:
            self.data.append((label, payload))
        return self.takes_data

    def resync(self) -> None:
        self._check_open()
        self.resyncs += 1

    def move(self, call: "FakeCall", listener: LegListener) -> None:
        self._check_open()
        call.arrived(self)
        self._told -= self.subscribed
        self.subscribed.clear()
        self.listener = listener

    def layers(self) -> Mapping[TrackKey, int | None]:
        return self.now_layers

    def stats(self) -> LegStats:
        return self.now_stats

    def close(self, reason: CloseReason) -> None:
        self.closed = self.closed or reason

    def _check_open(self) -> None:
        if self.closed is not None:
            raise UsageError("the leg is closed")


class FakeCall:
    """One call."""

    def __init__(self) -> None:
        self.legs: dict[LegKey, FakeLeg] = {}
        self.listener: CallListener | None = None
        self.full = False

    def add_leg(self, key: LegKey, listener: LegListener) -> FakeLeg:
        leg = FakeLeg(key, listener)
        self.arrived(leg)
        return leg

    def arrived(self, leg: FakeLeg) -> None:
        if self.full:
            raise PeerError("full", "no place")
        self.legs[leg.key] = leg


class FakeSfu:
    """All calls."""

    def __init__(self) -> None:
        self.calls: dict[CallKey, FakeCall] = {}

    def call(self, key: CallKey, listener: CallListener | None = None) -> FakeCall:
        call = self.calls.setdefault(key, FakeCall())
        if listener is not None:
            call.listener = listener
        return call
