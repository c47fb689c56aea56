"""A track: one published source, announced first and negotiated later."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sfu.bridge import Payload as CorePayload
from sfu.model import EncodingIntent, MediaKind, PublishIntent, TrackKey, TrackSource, TrackView
from sfu.negotiation.codecs import Payload
from sfu.negotiation.effects import TrackAdded
from sfu.policy.allocation import demanded, widened
from sfu.policy.budget import UNKNOWN, Rates, costs

if TYPE_CHECKING:
    from sfu.leg import Leg
    from sfu.shell import Shell, Timer
    from sfu.subscription import Subscription

# LiveKit's server waits as long before it pauses an encoding; a page change in a grid of faces is over by
# then.
_LESS_DEMAND_SECONDS = 5.0
# What an encoding took when it was last sent is believed for so long: then it may be tried again.
_RATES_HOLD_SECONDS = 20.0


class Track:
    """One published source, from its announcement to its end."""

    def __init__(self, shell: "Shell", leg: "Leg", intent: PublishIntent) -> None:
        self.leg = leg
        self.intent = intent
        self.muted = intent.muted
        self.payloads: tuple[Payload, ...] = ()
        self.encodings: tuple[EncodingIntent, ...] = intent.encodings or (EncodingIntent(),)
        self.active = 0
        self.started = False
        self.of_join = not leg.transport.has_been_up
        """Whether its first packet tells how long the join took; that of others waits for a person."""
        self.core_id: int | None = None
        self.subscriptions: dict[Subscription, None] = {}
        self._shell = shell
        self._mid = ""
        self.ceiling: int | None = None
        """The highest encoding passed on while the publisher sends more than it may; -1 for none."""
        self._rates: list[Rates] = []
        self._sent: list[Rates] = []
        self._forget: Timer | None = None
        self._demand: tuple[bool, ...] = ()
        self._less: Timer | None = None
        self._weighing = False

    @property
    def key(self) -> TrackKey:
        """The key its caller chose."""
        return self.intent.key

    @property
    def kind(self) -> MediaKind:
        """Sound or picture."""
        return self.intent.kind

    def view(self) -> TrackView:
        """Describe it as others may see it."""
        return TrackView(
            key=self.key,
            leg=self.leg.key,
            kind=self.kind,
            source=self.intent.source,
            mime_type=self.payloads[0].mime_type if self.payloads else "",
            mid=self._mid,
            muted=self.muted,
            simulcast=len(self.encodings) > 1,
        )

    def open(self, effect: TrackAdded, transport: int, group: int) -> None:
        """Expect its packets in the section that was agreed; CoreBusy when the core has no room."""
        core = self._shell.core
        self.core_id = core.add_track(
            transport,
            kind="audio" if self.kind is MediaKind.AUDIO else "video",
            mid=effect.mid,
            payloads=[_for_core(payload) for payload in effect.payloads],
            encodings=[(each.rid, each.ssrc, each.rtx_ssrc) for each in effect.encodings],
        )
        self._shell.directory.tracks[self.core_id] = self
        self._mid, self.payloads = effect.mid, effect.payloads
        self.encodings = self._negotiated(tuple(each.rid or "" for each in effect.encodings))
        self._demand = (True,) * len(self.encodings)
        if self.muted:
            core.pause_track(self.core_id, True)
        self._compete(group)
        for subscription in self.subscriptions:
            subscription.replan()
        self.demand_changed()

    def move(self, group: int) -> None:
        """End it for everybody of one call; it competes with the voices of another from now on."""
        self._part()
        self._compete(group)

    def _compete(self, group: int) -> None:
        # Sound that comes with a shared screen is nobody speaking.
        voice = self.kind is MediaKind.AUDIO and self.intent.source is not TrackSource.SCREEN_SHARE_AUDIO
        if voice and self.core_id is not None:
            self._shell.core.set_audio_group(self.core_id, group)

    def _part(self) -> None:
        for subscription in list(self.subscriptions):
            subscription.leg.track_gone(self.key)

    def _negotiated(self, rids: tuple[str, ...]) -> tuple[EncodingIntent, ...]:
        """Pair what was announced with what was negotiated: by rid, by number, or not at all."""
        by_rid = {encoding.rid: encoding for encoding in self.intent.encodings}
        if all(rid in by_rid for rid in rids) and len(set(rids)) == len(rids):
            return tuple(by_rid[rid] for rid in rids)
        if len(self.intent.encodings) == len(rids):
            return self.intent.encodings
        return tuple(EncodingIntent(rid=rid) for rid in rids)

    def shut(self) -> None:
        """Go back to being announced: no section after all."""
        if self.core_id is not None:
            self._shell.core.close_track(self.core_id)
            del self._shell.directory.tracks[self.core_id]
            self.core_id = None
        self._cancel()
        self._cancel_forgetting()
        self._mid, self.payloads = "", ()

    def mute(self, muted: bool) -> None:
        """Stop or resume forwarding."""
        if muted != self.muted:
            self.muted = muted
            self.of_join = False
            if self.core_id is not None:
                self._shell.core.pause_track(self.core_id, muted)

    def measured(self, rates: Sequence[Rates]) -> None:
        """Take what each encoding takes now; zeros while it is not sent."""
        self._sent = list(rates)
        before = self._rates + [UNKNOWN] * (len(rates) - len(self._rates))
        self._rates = [new if new != UNKNOWN else old for new, old in zip(rates, before, strict=False)]
        if self._rates != self._sent and self._forget is None:
            self._forget = self._shell.after(_RATES_HOLD_SECONDS, self._forget_rates)
        self._costs_changed()

    def costs(self) -> list[Rates]:
        """Return what each encoding takes, or is taken to take while it is not sent."""
        return costs(self._rates, self.encodings, self.leg.uplink.kbps)

    def known_kbps(self) -> list[int]:
        """Return what each encoding takes, or took when it was last sent; empty before it was measured."""
        return [rates[-1] for rates in self._rates]

    def limit(self, ceiling: int | None) -> None:
        """Pass on no encoding above `ceiling`, -1 for none, or with None all."""
        if ceiling != self.ceiling:
            self.ceiling = ceiling
            for subscription in self.subscriptions:
                subscription.replan()

    def _forget_rates(self) -> None:
        self._forget = None
        if self._rates != self._sent:
            self._rates = list(self._sent)
            self._costs_changed()

    def _costs_changed(self) -> None:
        self.leg.uplink.reconsider()
        for subscription in self.subscriptions:
            subscription.leg.downlink.reconsider()

    def demand_changed(self) -> None:
        """Weigh again what is wanted when the loop next turns, after every change that comes together."""
        if not self._weighing and self.core_id is not None and self.kind is MediaKind.VIDEO:
            self._weighing = True
            self._shell.soon(self._weigh)

    def _weigh(self) -> None:
        """Tell the publisher of encodings that are wanted now; of those that are not, after a while."""
        self._weighing = False
        if self.core_id is None:
            return
        demand = self._wanted()
        self._tell(widened(self._demand, demand))
        if self._demand == demand:
            self._cancel()
        elif self._less is None:
            self._less = self._shell.after(_LESS_DEMAND_SECONDS, self._reduce)

    def _reduce(self) -> None:
        self._less = None
        if self.core_id is not None:
            self._tell(self._wanted())

    def _wanted(self) -> tuple[bool, ...]:
        return demanded((each.plan for each in self.subscriptions), len(self.encodings))

    def _tell(self, demand: tuple[bool, ...]) -> None:
        if demand != self._demand:
            self._demand = demand
            self.leg.tell(lambda listener: listener.wanted_changed(self.key, demand))

    def _cancel(self) -> None:
        if self._less is not None:
            self._less.cancel()
            self._less = None

    def _cancel_forgetting(self) -> None:
        if self._forget is not None:
            self._forget.cancel()
            self._forget = None
        self._rates, self._sent = [], []

    def end(self) -> None:
        """End it for everybody."""
        self._cancel()
        self._cancel_forgetting()
        core_id, self.core_id = self.core_id, None
        self._part()
        if core_id is not None:
            self._shell.core.close_track(core_id)
            del self._shell.directory.tracks[core_id]

    def debug_state(self) -> dict[str, Any]:
        """Describe it as JSON values."""
        return {
            "key": self.key,
            "kind": self.kind,
            "source": self.intent.source,
            "mid": self._mid,
            "codecs": [payload.mime_type for payload in self.payloads],
            "encodings": [encoding.rid for encoding in self.encodings],
            "active": self.active,
            "demand": self._demand,
            "kbps": self.known_kbps(),
            "ceiling": self.ceiling,
            "muted": self.muted,
            "started": self.started,
            "subscriptions": len(self.subscriptions),
        }


def _for_core(payload: Payload) -> CorePayload:
    return CorePayload(
        payload.pt,
        payload.codec,
        payload.clock_rate,
        rtx_pt=payload.rtx_pt,
        nack=payload.has("nack"),
        pli=payload.has("nack pli"),
        fir=payload.has("ccm fir"),
        transport_cc=payload.has("transport-cc"),
    )
