"""A subscription: one track delivered to one leg."""

from typing import TYPE_CHECKING, Any

from sfu.model import MediaKind, Wanted
from sfu.negotiation.effects import Delivered
from sfu.negotiation.jsep import Wish
from sfu.policy.allocation import LayerPlan, target

if TYPE_CHECKING:
    from sfu.leg import Leg
    from sfu.shell import Shell
    from sfu.track import Track


class Subscription:
    """One track on its way to one leg: waiting for a section, or delivered in one."""

    def __init__(self, shell: "Shell", leg: "Leg", track: "Track", ssrc: int, rtx_ssrc: int) -> None:
        self.leg = leg
        self.track = track
        self.ssrc = ssrc
        self.rtx_ssrc = rtx_ssrc
        self.wanted = Wanted()
        self.plan = LayerPlan(None if leg.downlink.capped and track.kind is MediaKind.VIDEO else 0)
        self.starved = False
        """Wanted, and yet nothing of it is sent: it does not fit, or its publisher sends more than it may."""
        self.current: int | None = None
        self._shell = shell
        self._id: int | None = None
        self._mid = ""
        track.subscriptions[self] = None
        self.replan()

    @property
    def wish(self) -> Wish:
        """What negotiation needs to know of it."""
        track = self.track
        return Wish(track.key, track.kind, track.intent.stream_id, track.payloads, self.ssrc, self.rtx_ssrc)

    @property
    def layer(self) -> int | None:
        """The encoding that is sent now; None while nothing is."""
        return None if self._id is None or self.plan.encoding is None else self.current

    def deliver(self, effect: Delivered, transport: int) -> None:
        """Begin to send in the section that was agreed; CoreBusy when the core has no room."""
        if self.track.core_id is None:
            return  # the track has just ended; its section goes with the next offer
        self._id = self._shell.core.subscribe(
            self.track.core_id,
            transport,
            mid=effect.mid,
            ssrc=effect.ssrc,
            rtx_ssrc=effect.rtx_ssrc,
            payloads=[(m.up, m.down, m.down_rtx, m.strip_red) for m in effect.maps],
            encoding=self.plan.encoding,
            temporal=self.plan.temporal,
        )
        self._mid = effect.mid
        self._shell.directory.subscriptions[self._id] = self

    def withdraw(self, ssrc: int, rtx_ssrc: int) -> None:
        """Stop sending and wait for another section, where it will be another stream."""
        self._stop()
        self.ssrc, self.rtx_ssrc = ssrc, rtx_ssrc

    def want(self, wanted: Wanted) -> None:
        """Take what the subscriber wants."""
        self.wanted = wanted
        self.replan()

    def replan(self) -> None:
        """Choose the target again after wanted, the encodings or what may be passed on have changed."""
        if self.track.kind is MediaKind.AUDIO:
            self._take(LayerPlan(None if self.wanted.disabled else 0))
        elif self.leg.downlink.capped:
            # Nothing new before all pictures of the leg were weighed together, at the end of this turn.
            self.leg.downlink.reconsider()
            if self.possible().encoding is None:
                self.give(LayerPlan(None))
        else:
            self.give(self.possible())

    def possible(self) -> LayerPlan:
        """Return the most that this subscription could get: what is wanted, of what is passed on at all."""
        plan = target(self.wanted, self.track.encodings)
        ceiling = self.track.ceiling
        if ceiling is None or plan.encoding is None:
            return plan
        return LayerPlan(min(plan.encoding, ceiling), plan.temporal) if ceiling >= 0 else LayerPlan(None)

    def give(self, plan: LayerPlan) -> None:
        """Send this from now on; the subscriber hears when that is nothing, or something again."""
        self._take(plan)
        starved = plan.encoding is None and not self.wanted.disabled
        if starved != self.starved:
            self.starved = starved
            key = self.track.key
            self.leg.tell(lambda listener: listener.stream_paused(key, paused=starved))

    def _take(self, plan: LayerPlan) -> None:
        if plan != self.plan:
            self.plan = plan
            if self._id is not None:
                self._shell.core.set_layer_plan(self._id, plan.encoding, plan.temporal)
        self.track.demand_changed()

    def end(self) -> None:
        """Stop sending for good."""
        self._stop()
        self.track.subscriptions.pop(self, None)
        self.track.demand_changed()
        self.leg.downlink.reconsider()

    def _stop(self) -> None:
        if self._id is not None:
            self._shell.core.unsubscribe(self._id)
            del self._shell.directory.subscriptions[self._id]
            self._id = None
            self._mid = ""

    def debug_state(self) -> dict[str, Any]:
        """Describe it as JSON values."""
        return {
            "track": self.track.key,
            "mid": self._mid,
            "delivered": self._id is not None,
            "target": self.plan.encoding,
            "current": self.current,
            "starved": self.starved,
        }
