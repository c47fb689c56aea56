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
        self.plan = LayerPlan(0)
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
        """Choose the target again after wanted or the encodings have changed."""
        if self.track.kind is MediaKind.VIDEO:
            plan = target(self.wanted, self.track.encodings)
        else:
            plan = LayerPlan(None if self.wanted.disabled else 0)
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
        }
